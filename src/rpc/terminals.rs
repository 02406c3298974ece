//! The buffers that show terminals, and what is to be sent to them next.

use tokio::sync::watch;

use super::frame::TermPatch;
use crate::{
    event::ProcessId,
    process::{Attachment, Manager, Piece},
};

/// Bytes of one terminal in a frame: what Neovim draws without a noticeable pause. A terminal that prints faster falls
/// behind, and what is not kept so long is counted as lost.
const LIMIT: usize = 64 << 10;

/// See the module.
pub(super) struct Terminals {
    shown: Vec<Shown>,
    printed: watch::Receiver<()>,
}

struct Shown {
    buf: i64,
    process: ProcessId,
    attachment: Attachment,
    /// There was more than could be sent at once.
    behind: bool,
}

// === impl Terminals ===

impl Terminals {
    pub(super) fn new(manager: &Manager) -> Self {
        Self { shown: Vec::new(), printed: manager.printed() }
    }

    /// Shows the terminal of a process in a buffer, from the oldest that is kept on.
    ///
    /// # Errors
    /// Why it cannot be shown, worded for the user.
    pub(super) fn attach(&mut self, manager: &Manager, buf: i64, process: ProcessId) -> Result<(), String> {
        let attachment = manager.attach(process).map_err(|error| error.to_string())?;
        self.detach(buf);
        self.shown.push(Shown { buf, process, attachment, behind: false });
        Ok(())
    }

    pub(super) fn detach(&mut self, buf: i64) {
        self.shown.retain(|shown| shown.buf != buf);
    }

    /// Returns when one of them may have printed something. Cancel safe.
    pub(super) async fn changed(&mut self) {
        // The sender is gone only while the host ends.
        if self.shown.is_empty() || self.printed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What is new.
    pub(super) fn take(&mut self) -> Vec<TermPatch> {
        let news = self.shown.iter_mut().filter_map(|shown| {
            let piece = shown.attachment.take(LIMIT);
            shown.behind = piece.as_ref().is_some_and(|piece| piece.bytes.len() >= LIMIT);
            let Piece { bytes, reset, lost } = piece?;
            Some(TermPatch { buf: shown.buf, bytes, reset, lost })
        });
        news.collect()
    }

    /// Whether there is more than was taken.
    pub(super) fn is_behind(&self) -> bool {
        self.shown.iter().any(|shown| shown.behind)
    }

    /// Whether something of this process is still to be sent.
    pub(super) fn lacks(&self, process: ProcessId) -> bool {
        self.shown.iter().any(|shown| shown.behind && shown.process == process)
    }

    /// Has everything told again.
    pub(super) fn again(&mut self) {
        self.shown.iter_mut().for_each(|shown| shown.attachment.rewind());
    }

    /// Has everything told again to one of them, if it is one.
    pub(super) fn reset(&mut self, buf: i64) -> bool {
        let shown = self.shown.iter_mut().find(|shown| shown.buf == buf);
        shown.map(|shown| shown.attachment.rewind()).is_some()
    }
}
