//! The books of a lane, and its worker's number.

use std::sync::Arc;

use super::State;
use crate::bus::{batch::Batch, registry::Table};

// === impl State ===

impl State {
    pub(super) fn batch(&mut self, worker: u16, table: Arc<Table>) -> Arc<Batch> {
        // Events of calls that were left behind are still in hand.
        let most = self.most.saturating_sub(self.left.len()).max(1).min(self.queue.len());
        let mut letters = Vec::with_capacity(most);
        letters.extend(std::iter::from_fn(|| self.queue.pop()).take(most));
        let batch = Arc::new(Batch::new(self.batches, self.taken, letters, table, worker));
        self.kept = batch.len();
        self.batches += 1;
        self.taken += batch.len() as u64;
        self.hand = Some(batch.clone());
        batch
    }

    pub(super) fn owed(&self) -> Option<u64> {
        (self.hand.is_none() && !self.idle && !self.finished).then_some(self.visits)
    }

    /// It fits into 15 bits of a batch's word. There are only so many calls that do not return, so none who was
    /// given up is about when the numbers come round.
    pub(super) fn next_worker(&self) -> u16 {
        self.worker.wrapping_add(1) & 0x7fff
    }

    /// Puts the batch into the books, all of whose calls were made.
    pub(super) fn settle(&mut self) -> Option<Arc<Batch>> {
        let batch = self.hand.take()?;
        let mut counts = batch.count(0..self.kept);
        let end = batch.first + self.kept as u64;
        for (count, held) in counts.iter_mut().zip(self.left.held(batch.first..end)) {
            *count -= held;
        }
        self.left.pass(end);
        self.queue.delivered(counts);
        Some(batch)
    }

    /// What of the batch in hand was delivered, and is not in the books yet.
    pub(super) fn delivered_in_hand(&self) -> [u64; 3] {
        let Some(batch) = &self.hand else { return [0; 3] };
        let passed = self.kept.min(usize::from(batch.position().event));
        let mut counts = batch.count(0..passed);
        let held = self.left.held(batch.first..batch.first + passed as u64);
        for (count, held) in counts.iter_mut().zip(held) {
            *count -= held;
        }
        counts
    }
}
