//! The state of one lane: what waits, in which order it leaves, what is dropped, and the books of it all.
//! Pure: no tokio, no clock, no lock.
//!
//! Three deques, one per priority. An item goes to its own deque, or to the lowest one that still holds an
//! item of its key, so that it waits behind it; wherever it sits, it keeps its own priority for room,
//! books and drop rules. The front of a deque does not leave while a higher deque holds its key: what is
//! there was pushed earlier. Such a block ends by itself, because further items of the key go behind.
//!
//! Keys are told apart by [`BUCKETS`] counts only. Two keys that share one are kept in order as if they were
//! one key: more order than asked for, at the price that one may wait behind the other.

use std::collections::{HashMap, VecDeque};

use super::account::Account;
use crate::{
    config::Backpressure,
    event::{Component, Key, Priority, ProcessId, RunId},
    sync::planted,
};

/// How many leave each deque in one round, when all have some.
pub(super) const WEIGHTS: [u32; 3] = [8, 4, 1];

/// How many keys are told apart. More than a lane has at a time: it gets its share of at most 200 processes.
const BUCKETS: usize = 64;

/// What can wait in a [`Queue`].
pub(super) trait Item {
    fn key(&self) -> Key;
    fn priority(&self) -> Priority;
    /// Where High items that add up are put together.
    fn slot(&self) -> Option<Slot>;
    /// Takes over what `older`, of the same slot, had to say.
    fn absorb(&mut self, older: &Self);
}

/// What High items can be about repeatedly. At most two items of one slot wait: the first, which keeps its
/// place so that a flood cannot push it back for ever, and the newest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Slot {
    Errors(ProcessId, RunId),
    /// What is known of a run besides its state: the newest alone.
    Detail(ProcessId, RunId),
    /// The addresses a run printed: the newest says all.
    Urls(ProcessId, RunId),
    Faults(Component),
    Health(Component),
}

/// Who pushes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Publisher {
    /// Can wait for room.
    Outside,
    /// Must not wait: its High items go beyond the share.
    Handler,
}

/// What became of an item. Items that leave are given out, so that they are dropped outside the lock.
#[derive(Debug)]
pub(super) enum Push<T> {
    /// It waits.
    Queued,
    /// It waits; this one made room.
    Evicted(T),
    /// It waits, and has taken over from this older one of its slot.
    Coalesced(T),
    /// It was dropped by the policy.
    Dropped(T),
    /// There is no room and the publisher may wait; nothing changed.
    Full(T),
}

pub(super) struct Queue<T> {
    deques: [VecDeque<Entry<T>>; 3],
    /// Items of each bucket of keys, by deque.
    keys: [[u32; 3]; BUCKETS],
    /// Items of each deque, by their own priority.
    kinds: [[u32; 3]; 3],
    /// Items of each slot, at most 2; a slot with none has no entry.
    slots: HashMap<Slot, u32>,
    /// Room by priority.
    shares: [usize; 3],
    policy: Backpressure,
    books: [Account; 3],
    /// What is left of [`WEIGHTS`] in this round.
    credit: [u32; 3],
    /// The number of the next item pushed.
    next: u64,
}

struct Entry<T> {
    item: T,
    number: u64,
}

// === impl Queue ===

impl<T: Item> Queue<T> {
    /// An empty queue. A share of 0 is taken as 1.
    pub(super) fn new(shares: [usize; 3], policy: Backpressure) -> Self {
        Self {
            deques: Default::default(),
            keys: [[0; 3]; BUCKETS],
            kinds: [[0; 3]; 3],
            slots: HashMap::new(),
            shares: shares.map(|share| share.max(1)),
            policy,
            books: Default::default(),
            credit: WEIGHTS,
            next: 0,
        }
    }

    /// Uses other shares and another policy from now on. What waits beyond a smaller share stays.
    pub(super) fn reconfigure(&mut self, shares: [usize; 3], policy: Backpressure) {
        self.shares = shares.map(|share| share.max(1));
        self.policy = policy;
    }

    /// Takes an item in, or says why not.
    #[inline]
    pub(super) fn push(&mut self, item: T, publisher: Publisher) -> Push<T> {
        self.push_within(item, publisher, true)
    }

    /// The same; unless `grow`, a Medium or Low item finds no room although its share has some.
    #[inline]
    pub(super) fn push_within(&mut self, mut item: T, publisher: Publisher, grow: bool) -> Push<T> {
        let priority = item.priority();
        if let Some(older) = self.take_newest_of_full_slot(&item) {
            item.absorb(&older);
            self.books[priority.index()].coalesced += 1;
            self.append(item);
            return Push::Coalesced(older);
        }
        let beyond = priority == Priority::High && publisher == Publisher::Handler;
        if beyond || (self.has_room(priority) && (grow || priority == Priority::High)) {
            self.append(item);
            return Push::Queued;
        }
        let victim = match (priority, self.policy) {
            (Priority::High, _) | (_, Backpressure::Block) => return Push::Full(item),
            (_, Backpressure::DropOldest) => self.oldest(priority),
            (_, Backpressure::DropNewest) => None,
            (Priority::Medium, Backpressure::DropLowPriority) => self.oldest(Priority::Low),
            (Priority::Low, Backpressure::DropLowPriority) => None,
        };
        match victim {
            Some((deque, index)) => {
                let victim = self.remove(deque, index);
                let counted = u64::from(!planted("a drop is not counted"));
                self.books[victim.priority().index()].dropped_policy += counted;
                self.append(item);
                Push::Evicted(victim)
            }
            None => {
                let books = &mut self.books[priority.index()];
                books.published += 1;
                books.dropped_policy += 1;
                Push::Dropped(item)
            }
        }
    }

    /// How many were taken in so far.
    pub(super) fn pushed(&self) -> u64 {
        self.next
    }

    /// Counts an item that was accepted and shed at once.
    pub(super) fn shed(&mut self, priority: Priority) {
        let books = &mut self.books[priority.index()];
        books.published += 1;
        books.dropped_shed += 1;
    }

    /// The next item to deliver, now in flight.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        let first = self.deques.iter().position(|deque| !deque.is_empty())?;
        let deque =
            (first..3).find(|&deque| self.credit[deque] > 0 && self.can_leave(deque)).unwrap_or_else(|| {
                self.credit = WEIGHTS;
                // Nothing lies above the first one that has items, so its front can leave.
                first
            });
        self.credit[deque] -= 1;
        let item = self.remove(deque, 0);
        self.books[item.priority().index()].in_flight += 1;
        Some(item)
    }

    /// Items in flight were delivered.
    pub(super) fn delivered(&mut self, counts: [u64; 3]) {
        for (books, n) in self.books.iter_mut().zip(counts) {
            books.in_flight -= n;
            books.delivered += n;
        }
    }

    /// Items in flight will not be delivered, because the bus was stopped.
    pub(super) fn abandoned(&mut self, counts: [u64; 3]) {
        for (books, n) in self.books.iter_mut().zip(counts) {
            books.in_flight -= n;
            books.dropped_stop += n;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.deques.iter().all(VecDeque::is_empty)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.deques.iter().map(VecDeque::len).sum()
    }

    /// Drops all that waits, because the bus was stopped.
    pub(super) fn discard(&mut self) -> Vec<T> {
        let mut discarded = Vec::new();
        for deque in 0..3 {
            while !self.deques[deque].is_empty() {
                let item = self.remove(deque, 0);
                self.books[item.priority().index()].dropped_stop += 1;
                discarded.push(item);
            }
        }
        discarded
    }

    /// The books: High, Medium, Low.
    pub(super) fn account(&self) -> [Account; 3] {
        self.books
    }

    #[inline]
    fn queued(&self, priority: Priority) -> usize {
        usize::try_from(self.books[priority.index()].queued).unwrap_or(usize::MAX)
    }

    #[inline]
    fn share(&self, priority: Priority) -> usize {
        self.shares[priority.index()]
    }

    /// Whether an item of this priority finds a free place in its share.
    #[inline]
    pub(super) fn has_room(&self, priority: Priority) -> bool {
        // Under drop_low_priority a Medium item may sit in a place taken from Low, which has fewer then.
        let lent = match (priority, self.policy) {
            (Priority::Low, Backpressure::DropLowPriority) => {
                self.queued(Priority::Medium).saturating_sub(self.share(Priority::Medium))
            }
            _ => 0,
        };
        self.queued(priority) + lent < self.share(priority)
    }

    #[inline]
    fn can_leave(&self, deque: usize) -> bool {
        self.deques[deque].front().is_some_and(|front| {
            let held = &self.keys[bucket(front.item.key())];
            held[..deque].iter().all(|&n| n == 0)
        })
    }

    #[inline]
    fn append(&mut self, item: T) {
        let own = item.priority().index();
        let held = &mut self.keys[bucket(item.key())];
        let deque = (own..3).rev().find(|&deque| held[deque] > 0).unwrap_or(own);
        held[deque] += 1;
        self.kinds[deque][own] += 1;
        if let Some(slot) = item.slot() {
            *self.slots.entry(slot).or_default() += 1;
        }
        let books = &mut self.books[own];
        books.published += 1;
        books.queued += 1;
        self.deques[deque].push_back(Entry { item, number: self.next });
        self.next += 1;
    }

    #[inline]
    fn remove(&mut self, deque: usize, index: usize) -> T {
        let entry = match index {
            0 => self.deques[deque].pop_front(),
            index => self.deques[deque].remove(index),
        };
        let item = entry.expect("the index was found in this deque").item;
        self.keys[bucket(item.key())][deque] -= 1;
        self.kinds[deque][item.priority().index()] -= 1;
        if let Some(slot) = item.slot()
            && let Some(n) = self.slots.get_mut(&slot)
        {
            *n -= 1;
            if *n == 0 {
                self.slots.remove(&slot);
            }
        }
        self.books[item.priority().index()].queued -= 1;
        item
    }

    fn take_newest_of_full_slot(&mut self, item: &T) -> Option<T> {
        let slot = item.slot()?;
        if self.slots.get(&slot).is_none_or(|&n| n < 2) {
            return None;
        }
        let newest = |deque: &VecDeque<Entry<T>>| {
            let index = deque.iter().rposition(|entry| entry.item.slot() == Some(slot))?;
            Some((deque[index].number, index))
        };
        // Items with a slot are High.
        let holds = |at: &usize| self.kinds[*at][Priority::High.index()] > 0;
        let found = (0..3).filter(holds).filter_map(|at| Some((newest(&self.deques[at])?, at)));
        let ((_, index), deque) = found.max()?;
        Some(self.remove(deque, index))
    }

    /// Where the oldest item of a priority waits. It may sit in a lower deque than its own.
    fn oldest(&self, priority: Priority) -> Option<(usize, usize)> {
        let oldest = |deque: &VecDeque<Entry<T>>| {
            let index = deque.iter().position(|entry| entry.item.priority() == priority)?;
            Some((deque[index].number, index))
        };
        let holds = |at: &usize| self.kinds[*at][priority.index()] > 0;
        let found = (0..3).filter(holds).filter_map(|at| Some((oldest(&self.deques[at])?, at)));
        found.min().map(|((_, index), deque)| (deque, index))
    }
}

/// Process ids are given in sequence and a lane gets every n-th of them: the multiplication spreads any such
/// sequence evenly.
fn bucket(key: Key) -> usize {
    let number = match key {
        Key::Process(process) => process.0,
        Key::Component(component) => u32::MAX - component as u32,
    };
    number.wrapping_mul(0x9E37_79B9) as usize >> (u32::BITS - BUCKETS.ilog2())
}
