//! A child's pipe as it is read: with rests while the child floods it in small writes, and with more room where that is used.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::unix::pipe,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

use super::{Source, rest::Rest};

/// How many pipes are larger than usual at a time: a user has 64 MiB of them in all, and who is past that gets pipes of
/// one page (pipe(7), `/proc/sys/fs/pipe-user-pages-soft`).
pub(in crate::process) const LARGER: usize = 8;

/// The size of a larger pipe. More was not faster.
const LARGE: usize = 256 << 10;

/// A pipe is made larger when it has been found full so often.
const FULL: u32 = 32;

/// It gets its size back when it has been found not full, and has not been full for so long.
const CALM: Duration = Duration::from_secs(1);

/// See the module.
pub(in crate::process) struct Pipe {
    end: End,
    rest: Rest,
    room: Room,
}

/// The reading end.
enum End {
    /// The runtime waits for bytes.
    Watched(pipe::Receiver),
    /// Nobody waits: a write wakes nobody up.
    Resting(OwnedFd),
    /// The runtime cannot wait for it any more; it is closed.
    Gone,
}

/// How much a pipe holds, and whether that is enough.
struct Room {
    /// The size it was made with; 0 where that cannot be told.
    usual: usize,
    /// While it is larger.
    larger: Option<OwnedSemaphorePermit>,
    /// What is left of [`LARGER`].
    allowed: Arc<Semaphore>,
    /// How often it has been found full since it was calm.
    full: u32,
    /// The last time it was.
    at: Instant,
}

// === impl Pipe ===

impl Pipe {
    pub(in crate::process) fn new(pipe: pipe::Receiver, allowed: Arc<Semaphore>) -> Self {
        let usual = size(&pipe);
        let room = Room { usual, larger: None, allowed, full: 0, at: Instant::now() };
        Self { end: End::Watched(pipe), rest: Rest::default(), room }
    }

    /// Lets the child write on without being waited for.
    async fn rest(&mut self) -> io::Result<()> {
        if let End::Watched(_) = self.end
            && let End::Watched(pipe) = std::mem::replace(&mut self.end, End::Gone)
        {
            self.end = End::Resting(pipe.into_nonblocking_fd()?);
        }
        self.rest.take().await;
        if let End::Resting(_) = self.end
            && let End::Resting(pipe) = std::mem::replace(&mut self.end, End::Gone)
        {
            self.end = End::Watched(pipe::Receiver::from_owned_fd_unchecked(pipe)?);
        }
        Ok(())
    }
}

impl Source for Pipe {
    async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        if self.rest.is_due() {
            self.rest().await?;
        }
        let End::Watched(pipe) = &self.end else { return Err(io::ErrorKind::NotConnected.into()) };
        loop {
            match pipe.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
                Ok(read) => {
                    let now = Instant::now();
                    self.rest.after(read, now);
                    self.room.after(pipe, read, now);
                    return Ok(read);
                }
            }
            if self.room.larger.is_none() {
                pipe.readable().await?;
                continue;
            }
            tokio::select! {
                ready = pipe.readable() => ready?,
                () = sleep_until(self.room.at + CALM) => self.room.shrink(pipe),
            }
        }
    }
}

// === impl Room ===

impl Room {
    /// So much was read at once.
    fn after(&mut self, pipe: &impl AsFd, read: usize, now: Instant) {
        // Small writes do not fill every page to its end.
        if self.usual > 0 && read >= self.usual - self.usual / 8 {
            self.full += 1;
            self.at = now;
            if self.full >= FULL {
                self.full = 0;
                self.enlarge(pipe);
            }
        } else if now.saturating_duration_since(self.at) > CALM {
            self.full = 0;
            if self.larger.is_some() {
                self.shrink(pipe);
            }
        }
    }

    fn enlarge(&mut self, pipe: &impl AsFd) {
        if self.larger.is_some() || self.usual >= LARGE {
            return;
        }
        let Ok(permit) = Arc::clone(&self.allowed).try_acquire_owned() else { return };
        // Refused to a user who has too much in pipes already; then it stays as it is.
        if resize(pipe, LARGE) {
            self.larger = Some(permit);
        }
    }

    /// Gives the room back. Does nothing while more is in it than would fit.
    fn shrink(&mut self, pipe: &impl AsFd) {
        if resize(pipe, self.usual) {
            self.larger = None;
        }
        (self.full, self.at) = (0, Instant::now());
    }
}

/// What a pipe holds, in bytes; 0 where that cannot be told.
#[cfg(target_os = "linux")]
fn size(pipe: &impl AsFd) -> usize {
    rustix::pipe::fcntl_getpipe_size(pipe).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn size(_pipe: &impl AsFd) -> usize {
    0
}

/// Whether the pipe has this size now.
#[cfg(target_os = "linux")]
fn resize(pipe: &impl AsFd, bytes: usize) -> bool {
    rustix::pipe::fcntl_setpipe_size(pipe, bytes).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn resize(_pipe: &impl AsFd, _bytes: usize) -> bool {
    false
}
