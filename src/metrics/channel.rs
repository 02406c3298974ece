//! The bounded channels of the program: how full each is, and how often a sender had to wait.

use std::{fmt, sync::Arc, time::Duration};

use super::{Counter, Histogram, Measure};
use crate::{event::Component, sync::RwLock};

/// All channels that were made, by the order they were made in. One that is gone reads as empty.
#[derive(Default, Debug)]
pub struct Channels(RwLock<Vec<Arc<Channel>>>);

/// One channel. Channels made again under the same name (one for each session, say) share one.
pub struct Channel {
    name: &'static str,
    component: Component,
    capacity: usize,
    used: Box<dyn Fn() -> usize + Send + Sync>,
    /// Sends that found no room and waited.
    pub blocked_sends: Counter,
    /// Sends that waited longer than the threshold, on a channel where waiting is not the normal way.
    pub breaches: Counter,
    /// How long senders waited, in microseconds.
    pub blocked_time: Histogram,
}

/// What a [`Channel`] read at one time.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ChannelReading {
    /// What it carries.
    pub name: &'static str,
    /// Whose it is.
    pub component: &'static str,
    /// Messages waiting.
    pub used: usize,
    /// Messages that may wait.
    pub capacity: usize,
    /// Sends that found no room and waited.
    pub blocked_sends: u64,
    /// Those that waited too long.
    pub breaches: u64,
    /// The longest wait, in microseconds.
    pub longest_wait: u64,
}

// === impl Channels ===

impl Channels {
    /// Adds a channel; `used` tells how many messages wait in it.
    pub fn register(
        &self,
        component: Component,
        name: &'static str,
        capacity: usize,
        used: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Arc<Channel> {
        let channel = Arc::new(Channel {
            name,
            component,
            capacity,
            used: Box::new(used),
            blocked_sends: Counter::default(),
            breaches: Counter::default(),
            blocked_time: Histogram::default(),
        });
        let mut all = self.0.write();
        all.retain(|known| known.name != name);
        all.push(Arc::clone(&channel));
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
    /// A send that found no room has got it after this long.
    pub fn waited(&self, time: Duration, threshold: Option<Duration>) {
        self.blocked_sends.increment();
        self.blocked_time.record(time);
        if threshold.is_some_and(|threshold| time > threshold) {
            self.breaches.increment();
        }
    }
}

impl Measure for Channel {
    type Reading = ChannelReading;
    fn read(&self) -> ChannelReading {
        ChannelReading {
            name: self.name,
            component: self.component.name(),
            used: (self.used)(),
            capacity: self.capacity,
            blocked_sends: self.blocked_sends.read(),
            breaches: self.breaches.read(),
            longest_wait: self.blocked_time.read().max,
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name).finish_non_exhaustive()
    }
}
