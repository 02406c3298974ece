//! The end of the host: what comes after something else is told first.

use std::time::Duration;

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{Control, Owner};

/// The answer to a stop, which may be waited for again when it has not come in time.
struct Gone {
    answer: Option<oneshot::Receiver<()>>,
    is_gone: bool,
}

// === impl Owner ===

impl Owner {
    /// Asks everything to end, each with its own signal and grace, and waits for that as long as `patience` lasts. What takes
    /// longer is left to its guard, which outlives the host; the guard of a task that does not answer is told from here.
    pub(super) async fn shutdown(&mut self, patience: Duration) {
        let patience = Instant::now() + patience;
        let tiers = self.tiers(None);
        let mut dying = Vec::new();
        for (number, tier) in tiers.iter().enumerate() {
            let told = dying.len();
            for entry in tier.iter().filter_map(|process| self.entries.get(process)) {
                let (ticket, gone) = oneshot::channel();
                drop(entry.hand(Control::Stop { leaving: true, ticket }));
                dying.push((entry, Gone { answer: Some(gone), is_gone: false }));
            }
            // What this tier comes after is told when the tier is gone, or when its share of the time is over.
            let left = patience.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(tiers.len() - number).unwrap_or(u32::MAX);
            let share = Instant::now() + share;
            for (_, gone) in &mut dying[told..] {
                gone.by(share).await;
            }
        }
        for (entry, mut gone) in dying {
            if !gone.by(patience).await && !entry.info.options.detach {
                // The run that is there, not the newest one handed out.
                self.guards.tell_to_end(entry.cell.get().run);
            }
        }
        // Dropping the entries closes the mailboxes, which ends the tasks.
        self.entries.clear();
    }
}

// === impl Gone ===

impl Gone {
    /// Whether nothing is left, for which is waited until then.
    async fn by(&mut self, time: Instant) -> bool {
        if let Some(answer) = &mut self.answer
            && let Ok(answer) = timeout_at(time, answer).await
        {
            // Without an answer its task is gone, and nobody knows.
            self.is_gone = answer.is_ok();
            self.answer = None;
        }
        self.is_gone
    }
}
