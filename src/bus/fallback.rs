//! The simple, serial implementation: one queue, and whoever publishes delivers.
//!
//! A publisher that finds nobody delivering delivers until the queue is empty; what is published meanwhile,
//! by handlers or other threads, waits in it. So it fills up only while somebody delivers. Order is that of
//! publishing, for all keys together.

use std::{collections::VecDeque, pin::pin, sync::Arc};

use super::{
    account::{Account, LeftBehind},
    ceiling::Plan,
    lane::Offer,
    letter::Letter,
    queue::{Item, Publisher, Push},
    registry::{Subscriber, Table},
};
use crate::{
    config::Backpressure,
    event::Priority,
    sync::{Mutex, Notify, planted},
};

/// The queue and who delivers from it. Nothing is called or awaited under its lock.
pub(super) struct Serial {
    state: Mutex<State>,
    /// For publishers that wait.
    pub(super) room: Notify,
    /// For those who wait until all was delivered.
    news: Notify,
}

struct State {
    waiting: VecDeque<Letter>,
    phase: Phase,
    /// The event being delivered. There is one whenever somebody delivers.
    hand: Option<Hand>,
    delivering: bool,
    /// Who delivers; one that was given up has a smaller number.
    turn: u64,
    taken: u64,
    books: [Account; 3],
    left: LeftBehind,
    /// Room for High, and for Medium and Low together.
    room: [usize; 2],
    policy: Backpressure,
    /// A publisher found no room and may be waiting.
    crowded: bool,
}

struct Hand {
    number: u64,
    letter: Arc<Letter>,
    table: Arc<Table>,
    /// How many of its subscribers have been looked at; the last of them is being called.
    reached: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Open,
    /// Takes in and delivers nothing yet: the lanes still deliver what came before.
    Held,
    /// Takes nothing in: the lanes do.
    Away,
    Closed,
}

/// One call to make.
pub(super) struct Step {
    number: u64,
    pub(super) letter: Arc<Letter>,
    pub(super) subscriber: Arc<Subscriber>,
}

/// What a deliverer is to do.
pub(super) enum Next {
    Call(Step),
    /// The event has reached its last subscriber; what comes with it is dropped outside the lock.
    Delivered(Arc<Letter>, Arc<Table>),
    /// It has taken an event in hand.
    Again,
    Leave,
}

// === impl Serial ===

impl Serial {
    pub(super) fn new(lanes: usize, plan: &Plan, policy: Backpressure, open: bool) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            phase: if open { Phase::Open } else { Phase::Away },
            hand: None,
            delivering: false,
            turn: 0,
            taken: 0,
            books: Default::default(),
            left: LeftBehind::default(),
            room: room(lanes, plan),
            policy,
            crowded: false,
        };
        Self { state: Mutex::new(state), room: Notify::new(), news: Notify::new() }
    }

    pub(super) fn account(&self) -> [Account; 3] {
        self.state.lock().books
    }

    pub(super) fn reconfigure(&self, lanes: usize, plan: &Plan, policy: Backpressure) {
        let mut state = self.state.lock();
        state.room = room(lanes, plan);
        state.policy = policy;
        drop(state);
        self.room.notify_waiters();
    }

    // --- publishers ---

    /// Takes the letter in, if there is one; or with `shed`, accepts it only to drop it. Gives a number when
    /// the publisher is to deliver.
    pub(super) fn offer(
        &self,
        letter: &mut Option<Letter>,
        publisher: Publisher,
        shed: bool,
    ) -> (Offer, Option<u64>) {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Open | Phase::Held => {}
            Phase::Away => return (Offer::Elsewhere, None),
            Phase::Closed => return (Offer::Closed, None),
        }
        let Some(new) = letter.take() else { return (Offer::Taken, None) };
        if shed {
            let books = &mut state.books[new.priority().index()];
            books.published += 1;
            books.dropped_shed += 1;
            *letter = Some(new);
            return (Offer::Taken, None);
        }
        match state.push(new, publisher) {
            Push::Queued => {}
            Push::Evicted(lost) | Push::Coalesced(lost) | Push::Dropped(lost) => *letter = Some(lost),
            Push::Full(back) => {
                *letter = Some(back);
                state.crowded = true;
                return (Offer::Full, None);
            }
        }
        (Offer::Taken, state.begin())
    }

    // --- whoever delivers ---

    /// What comes next for the deliverer with this number. It comes back after each call.
    pub(super) fn next(&self, turn: u64, table: impl FnOnce() -> Arc<Table>) -> Next {
        let mut state = self.state.lock();
        if state.turn != turn {
            return Next::Leave;
        }
        if let Some(hand) = &mut state.hand {
            let Hand { number, letter, table, reached } = hand;
            let next = table.subscribers(letter.kind()).get(*reached).filter(|next| next.id < letter.until);
            if let Some(next) = next {
                *reached += 1;
                return Next::Call(Step {
                    number: *number,
                    letter: letter.clone(),
                    subscriber: next.clone(),
                });
            }
        }
        if let Some(hand) = state.hand.take() {
            state.settle(&hand);
            return Next::Delivered(hand.letter, hand.table);
        }
        if let Some(letter) = state.waiting.pop_front() {
            let books = &mut state.books[letter.priority().index()];
            books.queued -= 1;
            books.in_flight += 1;
            let number = state.taken;
            state.taken += 1;
            state.hand = Some(Hand { number, letter: Arc::new(letter), table: table(), reached: 0 });
            // All who wait are woken together, so not for each event. The queue gets this far in any case.
            let room = state.waiting.len() <= state.room.iter().sum::<usize>() / 2;
            let wakes = room && std::mem::take(&mut state.crowded);
            drop(state);
            if wakes {
                self.room.notify_waiters();
            }
            return Next::Again;
        }
        state.delivering = false;
        drop(state);
        self.news.notify_waiters();
        Next::Leave
    }

    /// Whether the deliverer whose call has returned is to go on.
    pub(super) fn returned(&self, turn: u64, step: &Step) -> bool {
        let mut state = self.state.lock();
        if state.turn == turn {
            return true;
        }
        if let Some(priority) = state.left.returned(step.number) {
            state.books[priority].in_flight -= 1;
            state.books[priority].delivered += 1;
        }
        drop(state);
        self.news.notify_waiters();
        false
    }

    // --- the watchdog and the switch ---

    /// The call going on: the number of its event, and who is called.
    pub(super) fn call(&self) -> Option<(u64, Arc<Subscriber>)> {
        let state = self.state.lock();
        let hand = state.hand.as_ref()?;
        let called = hand.table.subscribers(hand.letter.kind()).get(hand.reached.checked_sub(1)?)?;
        Some((hand.number, called.clone()))
    }

    /// Leaves a call behind that does not return; gives the number to go on with, unless it has returned.
    pub(super) fn replace(&self, call: u64, called: &Arc<Subscriber>) -> Option<u64> {
        let mut state = self.state.lock();
        let hand = state.hand.as_ref()?;
        let now = hand.table.subscribers(hand.letter.kind()).get(hand.reached.checked_sub(1)?)?;
        if hand.number != call || !Arc::ptr_eq(now, called) {
            return None;
        }
        let priority = hand.letter.priority().index();
        state.left.add(call, priority);
        state.turn += 1;
        Some(state.turn)
    }

    /// Takes events in and keeps them.
    pub(super) fn hold(&self) {
        self.change(Phase::Away, Phase::Held);
    }

    /// Delivers what was kept: gives a number when the caller is to do it.
    pub(super) fn release(&self) -> Option<u64> {
        self.change(Phase::Held, Phase::Open);
        self.state.lock().begin()
    }

    /// Sends publishers elsewhere.
    pub(super) fn divert(&self) {
        self.change(Phase::Open, Phase::Away);
    }

    /// Waits until all it had was delivered. Calls that were left behind are not waited for.
    pub(super) async fn drained(&self) {
        self.until(|state| !state.delivering && state.waiting.is_empty()).await;
    }

    // --- stop ---

    pub(super) fn close(&self) {
        self.state.lock().phase = Phase::Closed;
        self.room.notify_waiters();
    }

    /// Waits until nobody delivers and no call is left behind.
    pub(super) async fn finished(&self) {
        self.until(|state| !state.delivering && state.waiting.is_empty() && state.left.len() == 0).await;
    }

    /// Gives up on what waits.
    pub(super) fn halt(&self) {
        let mut state = self.state.lock();
        let discarded = std::mem::take(&mut state.waiting);
        for letter in &discarded {
            let books = &mut state.books[letter.priority().index()];
            books.queued -= 1;
            books.dropped_stop += 1;
        }
        drop(state);
        drop(discarded);
    }

    fn change(&self, from: Phase, to: Phase) {
        let mut state = self.state.lock();
        if state.phase == from {
            state.phase = to;
        }
        drop(state);
        self.room.notify_waiters();
    }

    async fn until(&self, met: impl Fn(&State) -> bool) {
        loop {
            let mut news = pin!(self.news.notified());
            // Registered before looking, or news between the look and the wait would be missed.
            news.as_mut().enable();
            if met(&self.state.lock()) {
                return;
            }
            news.await;
        }
    }
}

// === impl State ===

impl State {
    /// A number for whoever asks, if somebody has to deliver and nobody does.
    fn begin(&mut self) -> Option<u64> {
        if (self.phase == Phase::Held && !planted("what is held is delivered"))
            || self.delivering
            || self.waiting.is_empty()
        {
            return None;
        }
        self.delivering = true;
        Some(self.turn)
    }

    fn settle(&mut self, hand: &Hand) {
        let priority = hand.letter.priority().index();
        let held = self.left.held(hand.number..hand.number + 1)[priority];
        self.left.pass(hand.number + 1);
        let books = &mut self.books[priority];
        books.in_flight -= 1 - held;
        books.delivered += 1 - held;
    }

    fn push(&mut self, mut letter: Letter, publisher: Publisher) -> Push<Letter> {
        let (priority, at) = (letter.priority(), letter.priority().index());
        if let Some(older) = self.take_newest_of_full_slot(&letter) {
            letter.absorb(&older);
            self.books[at].coalesced += 1;
            self.append(letter);
            return Push::Coalesced(older);
        }
        let [high, medium, low] = self.books.map(|books| books.queued as usize);
        let room = match priority {
            Priority::High => publisher == Publisher::Handler || high < self.room[0],
            Priority::Medium | Priority::Low => medium + low < self.room[1],
        };
        if room {
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

fn room(lanes: usize, plan: &Plan) -> [usize; 2] {
    let [high, medium, low] = plan.shares;
    [lanes * high, lanes * (medium + low)]
}
