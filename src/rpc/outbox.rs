//! What the task of a filtered buffer has ready for the frames, and how far that has been sent.
//!
//! *Bounded:* as many lines as the buffer has room for. *Lost:* of more the oldest, counted in the patch that follows.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    },
};

use super::{frame::LogPatch, patch::severity_number};
use crate::{
    logs::{Mark, StyleTable, Which},
    sync::{Mutex, Notify},
};

/// A patch, and what the style numbers in it mean.
pub(super) type Ready = (LogPatch, Arc<StyleTable>);

/// See the module.
#[derive(Default)]
pub(super) struct Outbox {
    ready: Mutex<VecDeque<Item>>,
    /// The task is to look again, and which look that is.
    look: Notify,
    wanted: AtomicU64,
    /// Of this look and those before everything has been sent.
    sent: AtomicU64,
    /// Lines that have passed.
    pub(super) passed: AtomicU64,
}

/// In the order it is sent.
enum Item {
    Patch(Box<Ready>),
    /// All that this look has found is before this.
    Looked(u64),
}

// === impl Outbox ===

impl Outbox {
    /// Sends the task to look, unless it has been sent for that already.
    pub(super) fn want(&self, look: u64) {
        if self.wanted.swap(look, Release) != look {
            self.look.notify_one();
        }
    }

    /// Returns when there is something to look for: the number of the look.
    pub(super) async fn wanted(&self) -> u64 {
        self.look.notified().await;
        self.wanted.load(Acquire)
    }

    /// Everything that this look has found is ready.
    pub(super) fn looked(&self, look: u64) {
        let mut ready = self.ready.lock();
        match ready.back_mut() {
            Some(Item::Looked(last)) => *last = look,
            Some(Item::Patch(_)) => ready.push_back(Item::Looked(look)),
            None => self.sent.store(look, Release),
        }
    }

    /// What is to be sent next.
    pub(super) fn take(&self) -> Option<Ready> {
        let mut ready = self.ready.lock();
        let Item::Patch(patch) = ready.pop_front()? else { return None };
        if let Some(Item::Looked(look)) = ready.front() {
            self.sent.store(*look, Release);
            ready.pop_front();
        }
        Some(*patch)
    }

    /// Whether nothing is ready.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.lock().is_empty()
    }

    /// Whether something that a look has found, or will find, is still to be sent.
    pub(super) fn lacks(&self, look: u64) -> bool {
        self.sent.load(Acquire) < look
    }

    /// Keeps a patch ready, and of all that are not more lines than `max`.
    pub(super) fn add(&self, patch: LogPatch, styles: &Arc<StyleTable>, max: usize) {
        let mut ready = self.ready.lock();
        // What only counts goes with the one before.
        if let Some(Item::Patch(last)) = ready.back_mut()
            && patch.lines.is_empty()
            && patch.skipped == 0
        {
            last.0.passed_over += patch.passed_over;
            last.0.total = patch.total;
            return;
        }
        let (buf, total) = (patch.buf, patch.total);
        ready.push_back(Item::Patch(Box::new((patch, Arc::clone(styles)))));
        let lines = |item: &Item| match item {
            Item::Patch(patch) => patch.0.lines.len(),
            Item::Looked(_) => 0,
        };
        let mut over = ready.iter().map(lines).sum::<usize>().saturating_sub(max);
        if over == 0 || ready.len() == 1 {
            return;
        }
        let (mut gone, mut looked) = (LogPatch { buf, total, ..LogPatch::default() }, None);
        while let Some(item) = ready.front() {
            match item {
                // One that comes late has nothing to go in front of any more.
                Item::Patch(patch) if patch.0.late || (over > 0 && ready.len() > 1) => {
                    over = over.saturating_sub(patch.0.lines.len());
                    gone.skipped += patch.0.skipped + patch.0.lines.len() as u64;
                    gone.passed_over += patch.0.passed_over;
                    gone.reset |= patch.0.reset;
                }
                Item::Patch(_) => break,
                Item::Looked(look) => looked = Some(*look),
            }
            ready.pop_front();
        }
        if let Some(Item::Patch(first)) = ready.front_mut() {
            first.0.skipped += gone.skipped;
            first.0.passed_over += gone.passed_over;
            first.0.reset |= gone.reset;
        } else {
            ready.push_front(Item::Patch(Box::new((gone, Arc::default()))));
        }
        // What a look found and has gone is told of by the patch that counts it.
        if let Some(look) = looked
            && !matches!(ready.get(1), Some(Item::Looked(_)))
        {
            ready.insert(1, Item::Looked(look));
        }
    }

    /// Tells of headlines: with the lines before, or with a patch like `empty`.
    pub(super) fn mark(&self, which: Which, marks: &[Mark], empty: impl FnOnce() -> LogPatch) {
        let mut ready = self.ready.lock();
        match ready.back_mut() {
            // One that comes late waits for its turn, and may be no more than its own lines.
            Some(Item::Patch(patch)) if !patch.0.late => add_marks(&mut patch.0, which, marks),
            _ => {
                let mut patch = empty();
                add_marks(&mut patch, which, marks);
                ready.push_back(Item::Patch(Box::new((patch, Arc::default()))));
            }
        }
    }
}

/// Tells of headlines with a patch.
pub(super) fn add_marks(patch: &mut LogPatch, which: Which, marks: &[Mark]) {
    patch.marks.extend(marks.iter().flat_map(|mark| [mark.seq.0, severity_number(mark.severity)]));
    if which == Which::Merged {
        patch.mark_ids.extend(marks.iter().map(|mark| mark.process.0));
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    fn add(outbox: &Outbox, lines: usize, change: impl FnOnce(&mut LogPatch)) {
        let mut patch = LogPatch { total: 9, lines: vec![String::new(); lines], ..LogPatch::default() };
        change(&mut patch);
        outbox.add(patch, &Arc::default(), 10);
    }

    #[test]
    fn of_too_many_lines_the_oldest_go_and_are_counted_and_a_buffer_is_still_emptied() {
        let outbox = Outbox::default();
        add(&outbox, 0, |patch| (patch.reset, patch.total) = (true, 0));
        add(&outbox, 6, |patch| patch.skipped = 2);
        add(&outbox, 1, |patch| (patch.late, patch.passed_over) = (true, -1));
        add(&outbox, 9, |_| ());
        let (patch, _) = outbox.take().expect("one is left");
        assert_eq!((patch.lines.len(), patch.skipped, patch.passed_over, patch.reset), (9, 9, -1, true));
        assert!(outbox.take().is_none());
        // Nothing is left to go in front of.
        add(&outbox, 10, |patch| patch.reset = true);
        add(&outbox, 1, |patch| patch.late = true);
        let (patch, _) = outbox.take().expect("it is said");
        assert_eq!((patch.lines.len(), patch.skipped, patch.reset, patch.total), (0, 11, true, 9));
        assert!(outbox.is_empty());
    }

    #[test]
    fn what_a_look_found_and_has_gone_counts_as_sent_with_the_patch_that_says_so() {
        let outbox = Outbox::default();
        for look in 1..4 {
            add(&outbox, 6, |_| ());
            outbox.looked(look);
        }
        add(&outbox, 6, |_| ());
        assert!(outbox.lacks(1));
        let (patch, _) = outbox.take().expect("the last");
        assert_eq!((patch.skipped, outbox.lacks(3), outbox.is_empty()), (18, false, true));
    }

    #[test]
    fn a_look_is_sent_with_the_last_of_what_it_found() {
        let outbox = Outbox::default();
        assert!(outbox.lacks(1));
        outbox.looked(1);
        assert!(!outbox.lacks(1), "it found nothing");
        add(&outbox, 1, |_| ());
        add(&outbox, 1, |_| ());
        outbox.looked(2);
        outbox.looked(3);
        add(&outbox, 1, |_| ());
        outbox.take();
        assert!(outbox.lacks(2));
        outbox.take();
        assert!(!outbox.lacks(3) && outbox.lacks(4) && !outbox.is_empty());
    }
}
