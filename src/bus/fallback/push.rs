//! What becomes of an event that comes to the fallback: its room, and what is dropped or put together.

use super::{State, sort};
use crate::{
    bus::{
        letter::Letter,
        queue::{Item, Publisher, Push},
    },
    config::Backpressure,
    event::Priority,
};

// === impl State ===

impl State {
    pub(super) fn push(&mut self, mut letter: Letter, publisher: Publisher) -> Push<Letter> {
        let (priority, at) = (letter.priority(), letter.priority().index());
        if let Some(older) = self.take_newest_of_full_slot(&letter) {
            letter.absorb(&older);
            self.books[at].coalesced += 1;
            self.append(letter);
            return Push::Coalesced(older);
        }
        let beyond = priority == Priority::High && publisher == Publisher::Handler;
        let sort = sort(priority);
        if beyond || self.held()[sort] < self.room[sort] {
            self.append(letter);
            return Push::Queued;
        }
        let goes = match (priority, self.policy) {
            (Priority::High, _) | (_, Backpressure::Block) => return Push::Full(letter),
            (_, Backpressure::DropOldest) => Some(priority),
            (Priority::Medium, Backpressure::DropLowPriority) => Some(Priority::Low),
            (_, Backpressure::DropNewest | Backpressure::DropLowPriority) => None,
        };
        let victim = self.waiting.iter().position(|other| Some(other.priority()) == goes);
        match victim.and_then(|index| self.remove(index)) {
            Some(victim) => {
                self.books[victim.priority().index()].dropped_policy += 1;
                self.append(letter);
                Push::Evicted(victim)
            }
            None => {
                self.books[at].published += 1;
                self.books[at].dropped_policy += 1;
                Push::Dropped(letter)
            }
        }
    }

    /// How much of each room is taken.
    pub(super) fn held(&self) -> [usize; 2] {
        let [high, medium, low] = self.books.map(|books| books.queued as usize);
        [high, medium + low]
    }

    fn append(&mut self, letter: Letter) {
        let books = &mut self.books[letter.priority().index()];
        books.published += 1;
        books.queued += 1;
        self.waiting.push_back(letter);
    }

    fn remove(&mut self, index: usize) -> Option<Letter> {
        let letter = self.waiting.remove(index)?;
        self.books[letter.priority().index()].queued -= 1;
        Some(letter)
    }

    fn take_newest_of_full_slot(&mut self, letter: &Letter) -> Option<Letter> {
        let slot = letter.slot()?;
        let same = || (0..self.waiting.len()).filter(|&at| self.waiting[at].slot() == Some(slot));
        if same().count() < 2 {
            return None;
        }
        let newest = same().next_back()?;
        self.remove(newest)
    }
}
