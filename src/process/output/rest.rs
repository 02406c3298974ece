//! When a reader rests. A child that writes line by line would wake it for each; a moment later they can all be read at once,
//! and the child has been the quicker for it.

use std::time::Duration;

use tokio::time::Instant;

/// How long a rest is: half of what such a child needs to fill a default pipe.
const REST: Duration = Duration::from_micros(200);

/// A read that brings less than this is worth a rest.
const LITTLE: usize = 16 << 10;

/// Reads that follow each other within this time belong together.
const SOON: Duration = Duration::from_millis(2);

/// So many of them make a flood.
const FLOOD: u32 = 8;

/// See the module.
#[derive(Default)]
pub(super) struct Rest {
    timer: Option<Timer>,
    /// When the last read was done.
    last: Option<Instant>,
    /// Reads that followed each other soon.
    soon: u32,
    due: bool,
}

// === impl Rest ===

impl Rest {
    /// So much has been read now.
    pub(super) fn after(&mut self, read: usize, now: Instant) {
        let soon = self.last.is_some_and(|last| now.saturating_duration_since(last) < SOON);
        self.soon = if soon { self.soon.saturating_add(1) } else { 0 };
        self.last = Some(now);
        self.due = self.soon >= FLOOD && (1..LITTLE).contains(&read);
        if self.due && self.timer.is_none() {
            self.timer = Timer::new();
            self.due = self.timer.is_some();
        }
    }

    /// Whether the next read comes after a rest.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Rests. Cancel safe: what was left of it is made up for.
    pub(super) async fn take(&mut self) {
        if let Some(timer) = &self.timer {
            timer.wait(REST).await;
        }
        self.due = false;
    }
}

#[cfg(target_os = "linux")]
use finer::Timer;

/// The runtime's own timer is too coarse: a pipe is full long before a millisecond is over.
#[cfg(target_os = "linux")]
mod finer {
    use std::{io, time::Duration};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::net::unix::pipe;

    /// No pipe: the runtime asks of one only that it can be waited for and read.
    pub(super) struct Timer(pipe::Receiver);

    // === impl Timer ===

    impl Timer {
        /// None when there are no more files: then there are no rests.
        pub(super) fn new() -> Option<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags).ok()?;
            Some(Self(pipe::Receiver::from_owned_fd_unchecked(timer).ok()?))
        }

        pub(super) async fn wait(&self, time: Duration) {
            let once = Timespec { tv_sec: 0, tv_nsec: 0 };
            let Ok(it_value) = time.try_into() else { return };
            let timer = Itimerspec { it_interval: once, it_value };
            if timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &timer).is_err() {
                return;
            }
            let mut expirations = [0; 8];
            while self.0.readable().await.is_ok() {
                match self.0.try_read(&mut expirations) {
                    // Told of what had been set before.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Ok(_) | Err(_) => break,
                }
            }
        }
    }
}

/// There is none here, and no rest.
#[cfg(not(target_os = "linux"))]
struct Timer;

#[cfg(not(target_os = "linux"))]
impl Timer {
    fn new() -> Option<Self> {
        None
    }

    async fn wait(&self, _time: Duration) {}
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_reads_little_again_and_again_rests_and_nobody_else() {
        let (mut rest, begin) = (Rest::default(), Instant::now());
        let mut due = |read: usize, after: u32| {
            let at = (1..=after).fold(begin, |at, _| at + SOON / 2);
            rest.after(read, at);
            rest.is_due()
        };
        let soon: Vec<_> = (0..10).map(|number| due(50, number)).collect();
        assert_eq!(soon, [vec![false; 8], vec![true; 2]].concat(), "a flood is eight that follow each other");
        assert!(!due(LITTLE, 10), "a large one is worth being woken for");
        assert!(due(LITTLE - 1, 11));
        assert!(!due(0, 12), "the end is told at once");
        assert!(!due(50, 20), "a pause begins anew");
    }
}
