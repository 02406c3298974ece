//! The sending end of a bounded channel, measured.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{self, error::SendError, error::TrySendError};

use super::{Channel, Channels};
use crate::event::Component;

/// A send that waits longer is a breach, on channels where waiting is not the normal way.
const BLOCKED: Duration = Duration::from_millis(50);

/// Sends, and tells [`Channels`] how full the channel is and how long senders waited.
pub struct Measured<T> {
    sender: mpsc::Sender<T>,
    channel: Arc<Channel>,
    threshold: Option<Duration>,
}

// === impl Measured ===

impl<T: Send + 'static> Measured<T> {
    /// A channel where senders seldom wait.
    pub fn new(all: &Channels, of: Component, name: &'static str, sender: mpsc::Sender<T>) -> Self {
        Self { threshold: Some(BLOCKED), ..Self::that_holds_back(all, of, name, sender) }
    }

    /// A channel that is full whenever its senders are faster, as is intended.
    pub fn that_holds_back(
        all: &Channels,
        of: Component,
        name: &'static str,
        sender: mpsc::Sender<T>,
    ) -> Self {
        // Weak, so that being measured does not keep it open.
        let weak = sender.downgrade();
        let used = move || weak.upgrade().map(|sender| sender.max_capacity() - sender.capacity());
        let channel = all.register(of, name, sender.max_capacity(), used);
        Self { sender, channel, threshold: None }
    }

    /// Waits for room.
    ///
    /// # Errors
    /// Nobody receives any more; the message comes back.
    pub async fn send(&self, message: T) -> Result<(), SendError<T>> {
        match self.sender.try_send(message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(message)) => Err(SendError(message)),
            Err(TrySendError::Full(message)) => {
                let since = Instant::now();
                let sent = self.sender.send(message).await;
                self.channel.waited(since.elapsed(), self.threshold);
                sent
            }
        }
    }
}

impl<T> Clone for Measured<T> {
    fn clone(&self) -> Self {
        let Self { sender, channel, threshold } = self;
        Self { sender: sender.clone(), channel: Arc::clone(channel), threshold: *threshold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Measure;

    #[tokio::test]
    async fn a_full_channel_is_seen_and_a_wait_counted() {
        let all = Channels::default();
        let (sender, mut receiver) = mpsc::channel(1);
        let sender = Measured::new(&all, Component::App, "test", sender);
        let read = || all.read().remove(0);
        sender.send(1).await.expect("received");
        assert_eq!((read().used, read().capacity, read().blocked_sends), (1, 1, 0));
        let (sent, first) = tokio::join!(sender.send(2), receiver.recv());
        assert_eq!((sent.is_ok(), first, receiver.recv().await), (true, Some(1), Some(2)));
        assert_eq!((read().used, read().blocked_sends), (0, 1));
        drop(sender);
        assert_eq!(receiver.recv().await, None, "being measured does not keep it open");
    }
}
