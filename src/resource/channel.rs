//! Bounded channels that tell the metrics how full they are and how long their senders waited.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc::{
        self, Receiver,
        error::{SendError, TrySendError},
    },
    task::coop::consume_budget,
    time::Instant,
};

use super::ResourceManager;
use crate::{event::Component, metrics::Channel};

/// A sender that waits longer than this where it should not wait at all is a breach.
pub const BLOCKED_SEND: Duration = Duration::from_millis(50);

/// What waiting for room means on a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// The normal way: it is how the receiver slows its senders down. It is counted.
    Expected,
    /// A sign of trouble: a wait of more than 50 ms is a breach besides.
    Measured,
}

/// The sending half of a bounded channel.
pub struct Sender<T> {
    inner: mpsc::Sender<T>,
    channel: Arc<Channel>,
    waiting: Waiting,
}

/// Measures one wait, also one that is given up.
struct Wait<'a> {
    channel: &'a Channel,
    waiting: Waiting,
    since: Instant,
}

/// A channel in which up to `capacity` messages wait; a capacity of 0 is taken as 1. Channels of one component
/// and name are shown as one.
pub fn channel<T: Send + 'static>(
    resources: &ResourceManager,
    component: Component,
    name: &'static str,
    capacity: usize,
    waiting: Waiting,
) -> (Sender<T>, Receiver<T>) {
    let (inner, receiver) = mpsc::channel(capacity.max(1));
    (Sender::over(resources, component, name, inner, waiting), receiver)
}

// === impl Sender ===

impl<T: Send + 'static> Sender<T> {
    /// The sending half of a channel that was made elsewhere.
    pub fn over(
        resources: &ResourceManager,
        component: Component,
        name: &'static str,
        inner: mpsc::Sender<T>,
        waiting: Waiting,
    ) -> Self {
        let capacity = inner.max_capacity();
        // Weak: the metrics keep no channel open.
        let watched = inner.downgrade();
        let used = move || watched.upgrade().map(|sender| capacity - sender.capacity());
        let channel = resources.metrics().channels.register(component, name, capacity, used);
        Self { inner, channel, waiting }
    }
}

impl<T> Sender<T> {
    /// Sends, when there is room. Nothing is sent when the future is dropped before it is done.
    ///
    /// # Errors
    /// The message, when nobody receives any more.
    pub async fn send(&self, message: T) -> Result<(), SendError<T>> {
        // Sending at once would never give other tasks of this thread their turn.
        consume_budget().await;
        match self.inner.try_send(message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(message)) => Err(SendError(message)),
            Err(TrySendError::Full(message)) => {
                let _wait = Wait { channel: &self.channel, waiting: self.waiting, since: Instant::now() };
                self.inner.send(message).await
            }
        }
    }

    /// Sends, if there is room now.
    ///
    /// # Errors
    /// The message, when there is no room or nobody receives any more.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.inner.try_send(message)
    }

    /// How many messages there is room for.
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// Whether nobody receives any more.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), channel: self.channel.clone(), waiting: self.waiting }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.channel).finish()
    }
}

// === impl Wait ===

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let threshold = (self.waiting == Waiting::Measured).then_some(BLOCKED_SEND);
        self.channel.waited(self.since.elapsed(), threshold);
    }
}
