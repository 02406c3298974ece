//! The simple, serial implementation: one queue, and whoever publishes delivers.
//!
//! A publisher that finds nobody delivering delivers until the queue is empty; what is published meanwhile,
//! by handlers or other threads, waits in it. So it fills up only while somebody delivers. Order is that of
//! publishing, for all keys together.

mod push;

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
    /// A publisher found no room of this sort and may be waiting.
    crowded: [bool; 2],
}

struct Hand {
    number: u64,
    letter: Arc<Letter>,
    table: Arc<Table>,
    /// How many of its subscribers have been looked at.
    reached: usize,
    /// The last of these is being called.
    calling: bool,
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
            crowded: [false; 2],
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
        let sort = sort(new.priority());
        match state.push(new, publisher) {
            Push::Queued => {}
            Push::Evicted(lost) | Push::Coalesced(lost) | Push::Dropped(lost) => *letter = Some(lost),
            Push::Full(back) => {
                *letter = Some(back);
                state.crowded[sort] = true;
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
            let Hand { number, letter, table, reached, calling } = hand;
            let next = table.subscribers(letter.kind()).get(*reached).filter(|next| next.id < letter.until);
            if let Some(next) = next {
                *reached += 1;
                *calling = true;
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
            let letter = Arc::new(letter);
            state.hand = Some(Hand { number, letter, table: table(), reached: 0, calling: false });
            let wakes = state.has_eased();
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
            if let Some(hand) = &mut state.hand {
                hand.calling = false;
            }
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
        Some((hand.number, hand.called()?.clone()))
    }

    /// Leaves a call behind that does not return; gives the number to go on with, unless it has returned.
    pub(super) fn replace(&self, call: u64, called: &Arc<Subscriber>) -> Option<u64> {
        let mut state = self.state.lock();
        let hand = state.hand.as_ref()?;
        if hand.number != call || !Arc::ptr_eq(hand.called()?, called) {
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

// === impl Hand ===

impl Hand {
    /// Who is being called.
    fn called(&self) -> Option<&Arc<Subscriber>> {
        let last = self.reached.checked_sub(1).filter(|_| self.calling)?;
        self.table.subscribers(self.letter.kind()).get(last)
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

    /// Whether those who wait for room are to be told. All are woken together, so not for each event but once
    /// half of it is free; of each sort, because a flood of the others must not keep High waiting.
    fn has_eased(&mut self) -> bool {
        let (held, mut eased) = (self.held(), false);
        for (sort, held) in held.into_iter().enumerate() {
            if held <= self.room[sort] / 2 {
                eased |= std::mem::take(&mut self.crowded[sort]);
            }
        }
        eased
    }

    fn settle(&mut self, hand: &Hand) {
        let priority = hand.letter.priority().index();
        let held = self.left.held(hand.number..hand.number + 1)[priority];
        self.left.pass(hand.number + 1);
        let books = &mut self.books[priority];
        books.in_flight -= 1 - held;
        books.delivered += 1 - held;
    }
}

fn room(lanes: usize, plan: &Plan) -> [usize; 2] {
    let [high, medium, low] = plan.shares;
    [lanes * high, lanes * (medium + low)]
}

/// Which room an event takes: High's, or that of Medium and Low.
fn sort(priority: Priority) -> usize {
    usize::from(priority != Priority::High)
}
