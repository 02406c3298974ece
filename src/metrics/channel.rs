//! The bounded channels of the program: how full each is, and how often a sender had to wait.

use std::{fmt, sync::Arc, time::Duration};

use super::{Counter, Histogram, Measure};
use crate::{
    event::Component,
    sync::{
        Mutex, RwLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// All channels that were made, by the order they were made in. One that is gone reads as empty.
#[derive(Default, Debug)]
pub struct Channels(RwLock<Vec<Arc<Channel>>>);

/// One channel, or several of one component and name: one for each session, say, or for each process.
pub struct Channel {
    name: &'static str,
    component: Component,
    /// Of the one made last; the settings may have changed since those before.
    capacity: AtomicUsize,
    /// One for each that is not known to be gone.
    used: Mutex<Vec<Used>>,
    /// Sends that found no room and waited.
    pub blocked_sends: Counter,
    /// Sends that waited longer than the threshold, on a channel where waiting is not the normal way.
    pub breaches: Counter,
    /// How long senders waited, in microseconds.
    pub blocked_time: Histogram,
    /// The same of the waits that are measured against a threshold.
    pub measured_time: Histogram,
}

/// Tells how many messages wait; `None` once the channel is gone.
type Used = Arc<dyn Fn() -> Option<usize> + Send + Sync>;

/// What a [`Channel`] read at one time.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ChannelReading {
    /// What it carries.
    pub name: &'static str,
    /// Whose it is.
    pub component: &'static str,
    /// Messages waiting; of several channels, in the fullest.
    pub used: usize,
    /// Messages that may wait.
    pub capacity: usize,
    /// Sends that found no room and waited.
    pub blocked_sends: u64,
    /// Those that waited too long.
    pub breaches: u64,
    /// The longest wait, in microseconds.
    pub longest_wait: u64,
    /// The same, 0 where waiting is the normal way.
    pub longest_measured: u64,
}

// === impl Channels ===

impl Channels {
    /// Adds a channel; `used` tells how many messages wait in it, and `None` once it is gone.
    pub fn register(
        &self,
        component: Component,
        name: &'static str,
        capacity: usize,
        used: impl Fn() -> Option<usize> + Send + Sync + 'static,
    ) -> Arc<Channel> {
        let mut all = self.0.write();
        let known = all.iter().find(|known| (known.component, known.name) == (component, name));
        let channel = known.cloned().unwrap_or_else(|| {
            let channel = Arc::new(Channel::new(component, name));
            all.push(channel.clone());
            channel
        });
        drop(all);
        channel.capacity.store(capacity, Relaxed);
        channel.sweep();
        channel.used.lock().push(Arc::new(used));
        channel
    }
}

impl Measure for Channels {
    type Reading = Vec<ChannelReading>;
    fn read(&self) -> Vec<ChannelReading> {
        // Read outside the lock: `used` is somebody else's code.
        let all = self.0.read().clone();
        all.iter().map(|channel| channel.read()).collect()
    }
}

// === impl Channel ===

impl Channel {
    fn new(component: Component, name: &'static str) -> Self {
        Self {
            name,
            component,
            capacity: AtomicUsize::default(),
            used: Mutex::default(),
            blocked_sends: Counter::default(),
            breaches: Counter::default(),
            blocked_time: Histogram::default(),
            measured_time: Histogram::default(),
        }
    }

    /// How full the fullest is. Forgets those that are gone.
    fn sweep(&self) -> usize {
        // Asked outside the lock: `used` is somebody else's code.
        let all = self.used.lock().clone();
        let (gone, used): (Vec<_>, Vec<_>) =
            all.into_iter().map(|used| (used(), used)).partition(|(waiting, _)| waiting.is_none());
        self.used.lock().retain(|used| !gone.iter().any(|(_, gone)| Arc::ptr_eq(used, gone)));
        used.into_iter().filter_map(|(waiting, _)| waiting).max().unwrap_or(0)
    }

    /// A send that found no room has got it after this long.
    pub fn waited(&self, time: Duration, threshold: Option<Duration>) {
        self.blocked_sends.increment();
        self.blocked_time.record(time);
        if let Some(threshold) = threshold {
            self.measured_time.record(time);
            if time > threshold {
                self.breaches.increment();
            }
        }
    }
}

impl Measure for Channel {
    type Reading = ChannelReading;
    fn read(&self) -> ChannelReading {
        ChannelReading {
            name: self.name,
            component: self.component.name(),
            used: self.sweep(),
            capacity: self.capacity.load(Relaxed),
            blocked_sends: self.blocked_sends.read(),
            breaches: self.breaches.read(),
            longest_wait: self.blocked_time.read().max,
            longest_measured: self.measured_time.read().max,
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name).finish_non_exhaustive()
    }
}
