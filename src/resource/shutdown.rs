//! The signal that the program is to end.

use std::sync::Arc;

use tokio::sync::watch;

/// Given once, seen by everybody who holds a clone, also by those who ask later.
#[derive(Clone, Debug)]
pub struct Shutdown {
    begun: Arc<watch::Sender<bool>>,
}

// === impl Shutdown ===

impl Default for Shutdown {
    fn default() -> Self {
        Self { begun: Arc::new(watch::Sender::new(false)) }
    }
}

impl Shutdown {
    /// Gives the signal; again is the same as once.
    pub fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Whether it was given.
    pub fn is_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Waits until it is given.
    pub async fn begun(&self) {
        // Fails only when the sender is gone, and `self` holds it.
        self.begun.subscribe().wait_for(|begun| *begun).await.ok();
    }
}
