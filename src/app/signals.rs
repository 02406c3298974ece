//! The signals that end the program.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// TERM, HUP and INT.
pub(super) struct Signals {
    term: Signal,
    hup: Signal,
    int: Signal,
}

// === impl Signals ===

impl Signals {
    /// From here on these signals no longer end the program by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them and returns the exit code that tells of it, as a shell does: 128 and its number. Cancel
    /// safe.
    pub(super) async fn any(&mut self) -> u8 {
        tokio::select! {
            _ = self.term.recv() => 143,
            _ = self.hup.recv() => 129,
            _ = self.int.recv() => 130,
        }
    }
}
