//! Events in a worker's hands, laid out so that another worker can go on where the first got stuck.
//!
//! One word says whose they are and which call is going on: worker, event, subscriber. The worker moves it
//! on after each call; whoever takes the batch away from a worker changes the same word. Only one of the two
//! succeeds, so every subscriber is called once for every event.

use std::sync::Arc;

use super::{
    letter::Letter,
    queue::Item,
    registry::{Subscriber, Table},
};
use crate::sync::{
    atomic::{AtomicU64, Ordering::SeqCst},
    planted,
};

/// Up to 64 events and those who may get them.
pub(super) struct Batch {
    /// Counts the batches of a lane, to tell one from the next.
    pub(super) number: u64,
    /// The number of the first event in its lane.
    pub(super) first: u64,
    letters: Vec<Letter>,
    table: Arc<Table>,
    /// A [`Position`], packed.
    at: AtomicU64,
}

/// Where a worker is: it calls this subscriber for this event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    worker: u16,
    /// The bus was stopped: the event in hand is the last.
    halted: bool,
    pub(super) event: u16,
    subscriber: u32,
}

/// No subscriber has been called for the event.
const NONE: u32 = u32::MAX;

// === impl Batch ===

impl Batch {
    pub(super) fn new(number: u64, first: u64, letters: Vec<Letter>, table: Arc<Table>, worker: u16) -> Self {
        let at = Position { worker, halted: false, event: 0, subscriber: NONE };
        Self { number, first, letters, table, at: AtomicU64::new(at.pack()) }
    }

    pub(super) fn position(&self) -> Position {
        Position::unpack(self.at.load(SeqCst))
    }

    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    #[inline]
    pub(super) fn letter(&self, at: Position) -> Option<&Letter> {
        self.letters.get(usize::from(at.event))
    }

    /// Who is called at this position.
    #[inline]
    pub(super) fn subscriber(&self, at: Position) -> Option<&Arc<Subscriber>> {
        self.table.subscribers(self.letter(at)?.kind()).get(at.subscriber as usize)
    }

    /// How many of these events there are, by priority.
    pub(super) fn count(&self, events: std::ops::Range<usize>) -> [u64; 3] {
        let mut counts = [0; 3];
        for letter in &self.letters[events] {
            counts[letter.priority().index()] += 1;
        }
        counts
    }

    /// What is next after `at`; past the last event when nothing is. With `at` halted, nothing but the rest
    /// of its own event.
    #[inline]
    fn after(&self, at: Position) -> Position {
        let mut next = Position { subscriber: at.subscriber.wrapping_add(1), ..at };
        while let Some(letter) = self.letter(next) {
            let subscribers = self.table.subscribers(letter.kind());
            // Who came after the event was published does not get it; the list is in the order they came.
            if subscribers.get(next.subscriber as usize).is_some_and(|found| found.id < letter.until) {
                return next;
            }
            if at.halted {
                break;
            }
            next = Position { event: next.event + 1, subscriber: 0, ..next };
        }
        Position { event: self.letters.len() as u16, subscriber: NONE, ..next }
    }

    // --- the worker it belongs to ---

    /// Where this worker is to begin; nothing when the batch is not its own.
    pub(super) fn begin(&self, worker: u16) -> Option<Position> {
        let at = self.position();
        if at.worker != worker {
            return None;
        }
        if at.subscriber == NONE { self.advance(at) } else { Some(at) }
    }

    /// Moves on from `at`; gives where to, or nothing when the batch was taken away.
    #[inline]
    pub(super) fn advance(&self, mut at: Position) -> Option<Position> {
        loop {
            let next = self.after(at);
            match self.at.compare_exchange(at.pack(), next.pack(), SeqCst, SeqCst) {
                Ok(_) => return Some(next),
                Err(found) => {
                    let found = Position::unpack(found);
                    if found != (Position { halted: true, ..at }) {
                        if planted("a batch that was taken over goes on") {
                            return Some(next);
                        }
                        return None;
                    }
                    at = found;
                }
            }
        }
    }

    // --- those who take it away ---

    /// Gives what follows `at` to another worker, unless the call at `at` has returned.
    pub(super) fn give(&self, at: Position, worker: u16) -> bool {
        let next = Position { worker, ..self.after(at) };
        self.at.compare_exchange(at.pack(), next.pack(), SeqCst, SeqCst).is_ok()
    }

    /// Makes the event in hand the last; gives where the worker is.
    pub(super) fn halt(&self) -> Position {
        Position::unpack(self.at.fetch_or(Position::HALTED, SeqCst))
    }
}

// === impl Position ===

impl Position {
    const HALTED: u64 = 1 << 63;

    fn pack(self) -> u64 {
        let halted = if self.halted { Self::HALTED } else { 0 };
        // A worker has 15 bits, an event 16, a subscriber 32.
        halted
            | u64::from(self.worker & 0x7fff) << 48
            | u64::from(self.event) << 32
            | u64::from(self.subscriber)
    }

    fn unpack(word: u64) -> Self {
        Self {
            worker: (word >> 48) as u16 & 0x7fff,
            halted: word & Self::HALTED != 0,
            event: (word >> 32) as u16,
            subscriber: word as u32,
        }
    }
}
