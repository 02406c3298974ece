//! A queue that publishers and one worker share, with its wake-ups.
//!
//! The worker takes a batch under the lock and delivers it without; the next visit settles the books of the
//! batch before. Meanwhile [`Lane::account`] reads from the batch itself how far it has come, so the books
//! are exact at every instant.

mod state;

use std::{pin::pin, sync::Arc, time::Instant};

use super::{
    account::{Account, LeftBehind},
    batch::{Batch, Position},
    ceiling::Plan,
    letter::Letter,
    queue::{Item, Publisher, Push, Queue},
    registry::Table,
};
use crate::{
    config::Backpressure,
    sync::{Mutex, Notify, planted},
};

/// Of the events of a busy lane, each of this number is timed; of an idle one, all are. Looking at the clock costs about as
/// much as the rest of a delivery.
const TIMED: u64 = 64;

/// One lane. Nothing is called or awaited under its lock.
pub(super) struct Lane {
    state: Mutex<State>,
    /// For the worker. A wake-up given while it works is kept, so none is lost.
    work: Notify,
    /// For publishers that wait; all are woken, and look again.
    pub(super) room: Notify,
    /// For those who wait for something in particular: that all was delivered, or that the worker answers.
    news: Notify,
}

struct State {
    queue: Queue<Letter>,
    phase: Phase,
    /// What the worker has in its hands. It stays after the last call until the worker comes back.
    hand: Option<Arc<Batch>>,
    /// How many of those the stop has left; all of them otherwise.
    kept: usize,
    /// The worker that is to work here. One that got stuck was given another number than this.
    worker: u16,
    /// How many it may take.
    most: usize,
    /// Events and batches taken so far.
    taken: u64,
    batches: u64,
    left: LeftBehind,
    /// The worker waits: it needs a wake-up.
    idle: bool,
    /// A publisher found no room and may be waiting.
    crowded: bool,
    /// How often a worker came by.
    visits: u64,
    /// Somebody waits for the next visit.
    asked: bool,
    /// The worker has gone.
    finished: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Open,
    /// Takes in and delivers nothing yet: the fallback still delivers what came before.
    Held,
    /// Takes nothing in: the fallback does.
    Away,
    /// Takes nothing in; the worker goes when all is delivered.
    Closed,
    /// The worker goes as soon as its handler returns.
    Halted,
}

/// What became of an offer. The letter stays with the publisher unless it was taken; then another one that
/// had to leave may lie in its place, so that it is dropped outside the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Offer {
    Taken,
    /// There is no room, and the publisher may wait.
    Full,
    /// The other implementation takes it.
    Elsewhere,
    Closed,
}

/// What the worker is to do.
pub(super) enum Next {
    Deliver(Arc<Batch>),
    Wait,
    Leave,
}

// === impl Lane ===

impl Lane {
    /// A lane that takes events, or one that does not yet.
    pub(super) fn new(plan: &Plan, policy: Backpressure, open: bool) -> Self {
        Self {
            state: Mutex::new(State {
                queue: Queue::new(plan.shares, policy),
                phase: if open { Phase::Open } else { Phase::Away },
                hand: None,
                kept: 0,
                worker: 0,
                most: plan.hand,
                taken: 0,
                batches: 0,
                left: LeftBehind::default(),
                idle: false,
                crowded: false,
                visits: 0,
                asked: false,
                finished: false,
            }),
            work: Notify::new(),
            room: Notify::new(),
            news: Notify::new(),
        }
    }

    /// The books: High, Medium, Low.
    pub(super) fn account(&self) -> [Account; 3] {
        let state = self.state.lock();
        let mut books = state.queue.account();
        for (books, n) in books.iter_mut().zip(state.delivered_in_hand()) {
            books.in_flight -= n;
            books.delivered += n;
        }
        books
    }

    pub(super) fn reconfigure(&self, plan: &Plan, policy: Backpressure) {
        let mut state = self.state.lock();
        state.queue.reconfigure(plan.shares, policy);
        state.most = plan.hand;
        drop(state);
        self.room.notify_waiters();
    }

    // --- publishers ---

    /// Takes the letter in, if there is one; or with `shed`, accepts it only to drop it.
    #[inline]
    /// Takes the letter in; with `timing`, it may be one of those that are timed.
    pub(super) fn offer(
        &self,
        letter: &mut Option<Letter>,
        publisher: Publisher,
        shed: bool,
        timing: bool,
    ) -> Offer {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Open | Phase::Held => {}
            Phase::Away => return Offer::Elsewhere,
            Phase::Closed | Phase::Halted => return Offer::Closed,
        }
        let Some(mut new) = letter.take() else { return Offer::Taken };
        if shed {
            state.queue.shed(new.priority());
            *letter = Some(new);
            return Offer::Taken;
        }
        let timed = timing && (state.queue.is_empty() || state.queue.pushed().is_multiple_of(TIMED));
        new.accepted = timed.then(Instant::now);
        let mut offer = Offer::Taken;
        match state.queue.push(new, publisher) {
            Push::Queued => {}
            Push::Evicted(lost) | Push::Coalesced(lost) | Push::Dropped(lost) => *letter = Some(lost),
            Push::Full(back) => {
                *letter = Some(back);
                state.crowded = true;
                offer = Offer::Full;
            }
        }
        let wake = std::mem::take(&mut state.idle) && !planted("the worker is not woken");
        drop(state);
        if wake {
            self.work.notify_one();
        }
        offer
    }

    // --- the worker ---

    /// Settles what `worker` had in its hands and takes more.
    pub(super) fn take(&self, worker: u16, table: impl FnOnce() -> Arc<Table>) -> Next {
        let mut state = self.state.lock();
        if state.worker != worker {
            return Next::Leave;
        }
        // Dropped outside the lock.
        let done = state.settle();
        state.visits += 1;
        let answers = std::mem::take(&mut state.asked);
        let mut next = None;
        if matches!(state.phase, Phase::Open | Phase::Away | Phase::Closed) && !state.queue.is_empty() {
            next = Some(state.batch(worker, table()));
        }
        let rests = next.is_none();
        let leaves = rests && matches!(state.phase, Phase::Closed | Phase::Halted);
        state.idle = rests;
        state.finished |= leaves;
        let room = next.is_some() && std::mem::take(&mut state.crowded) && !planted("room is not told");
        drop(state);
        drop(done);
        if room {
            self.room.notify_waiters();
        }
        if (rests || answers) && !planted("news are not told") {
            self.news.notify_waiters();
        }
        match next {
            Some(batch) => Next::Deliver(batch),
            None if leaves => Next::Leave,
            None => Next::Wait,
        }
    }

    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// A call that was left behind has returned.
    pub(super) fn returned(&self, batch: &Batch, at: Position) {
        let mut state = self.state.lock();
        if let Some(priority) = state.left.returned(batch.first + u64::from(at.event)) {
            let mut one = [0; 3];
            one[priority] = 1;
            state.queue.delivered(one);
        }
        drop(state);
        self.news.notify_waiters();
    }

    // --- the watchdog ---

    /// What the worker has in its hands.
    pub(super) fn hand(&self) -> Option<Arc<Batch>> {
        self.state.lock().hand.clone()
    }

    /// Takes the batch from a worker whose call at `at` does not return, for another one, whose number is
    /// given. Nothing when the call has returned.
    pub(super) fn replace(&self, batch: &Batch, at: Position) -> Option<u16> {
        let mut state = self.state.lock();
        if state.hand.as_ref().is_none_or(|hand| hand.number != batch.number) || state.phase == Phase::Halted
        {
            return None;
        }
        let worker = state.next_worker();
        if !batch.give(at, worker) {
            return None;
        }
        let priority = batch.letter(at)?.priority();
        state.worker = worker;
        state.left.add(batch.first + u64::from(at.event), priority.index());
        Some(worker)
    }

    /// Visits so far, while the worker was woken for one and has not come.
    pub(super) fn owed(&self) -> Option<u64> {
        self.state.lock().owed()
    }

    /// Puts another worker, whose number is given, in place of one that was to come after so many visits.
    /// Nothing when it has come.
    pub(super) fn renew(&self, visits: u64) -> Option<u16> {
        let mut state = self.state.lock();
        if state.owed() != Some(visits) {
            return None;
        }
        state.worker = state.next_worker();
        Some(state.worker)
    }

    /// Waits until the worker has come by, which one that is stuck does not.
    pub(super) async fn answers(&self) {
        let before = {
            let mut state = self.state.lock();
            state.asked = true;
            state.idle = false;
            state.visits
        };
        self.work.notify_one();
        self.until(|state| state.visits > before).await;
    }

    // --- the switch ---

    /// Takes events in and keeps them.
    pub(super) fn hold(&self) {
        self.change(Phase::Away, Phase::Held);
    }

    /// Delivers what was kept.
    pub(super) fn release(&self) {
        self.change(Phase::Held, Phase::Open);
    }

    /// Sends publishers elsewhere.
    pub(super) fn divert(&self) {
        self.change(Phase::Open, Phase::Away);
    }

    /// Waits until all it had was delivered. Calls that were left behind are not waited for.
    pub(super) async fn drained(&self) {
        self.until(|state| state.hand.is_none() && state.queue.is_empty()).await;
    }

    // --- stop ---

    /// Takes nothing in from now on.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        if state.phase != Phase::Halted {
            state.phase = Phase::Closed;
        }
        state.idle = false;
        drop(state);
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// Waits until the worker has gone and no call is left behind.
    pub(super) async fn finished(&self) {
        self.until(|state| state.finished && state.left.len() == 0).await;
    }

    /// Gives up on what waits, and on what the worker holds but for the event in its hands.
    pub(super) fn halt(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Halted {
            return;
        }
        state.phase = Phase::Halted;
        let discarded = state.queue.discard();
        if let Some(batch) = state.hand.clone() {
            state.kept = batch.len().min(usize::from(batch.halt().event) + 1);
            let rest = batch.count(state.kept..batch.len());
            state.queue.abandoned(rest);
        }
        drop(state);
        drop(discarded);
        self.work.notify_one();
    }

    fn change(&self, from: Phase, to: Phase) {
        let mut state = self.state.lock();
        if state.phase == from {
            state.phase = to;
        }
        state.idle = false;
        drop(state);
        self.work.notify_one();
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
