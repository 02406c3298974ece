//! A queue that publishers and one worker share, with its wake-ups.

use std::{pin::pin, time::Instant};

use tokio::sync::Notify;

use super::{
    letter::Job,
    queue::{Account, Publisher, Push, Queue},
};
use crate::{
    event::{Component, Priority},
    sync::Mutex,
};

/// One lane. Nothing is dropped, called or awaited under its locks, and each is taken alone.
pub(super) struct Lane {
    state: Mutex<State>,
    /// For the worker. A wake-up given while it works is kept, so none is lost.
    work: Notify,
    /// For publishers that wait; all are woken, and look again.
    pub(super) room: Notify,
    /// For `stop`.
    finish: Notify,
    /// The handler call going on, which the watchdog looks at.
    call: Mutex<Option<Call>>,
}

struct State {
    queue: Queue<Job>,
    phase: Phase,
    /// The worker has gone.
    finished: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Takes nothing in; the worker goes when all is delivered.
    Closed,
    /// The worker goes as soon as its handler returns.
    Halted,
}

/// What became of an offer.
pub(super) enum Offer {
    Taken(Push<Job>),
    Closed,
}

/// What the worker is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Deliver,
    Wait,
    Leave,
}

/// A handler call that has not returned.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) component: Component,
    pub(super) place: &'static str,
    pub(super) since: Instant,
    /// It was reported as stuck.
    pub(super) reported: bool,
}

// === impl Lane ===

impl Lane {
    pub(super) fn new(queue: Queue<Job>) -> Self {
        Self {
            state: Mutex::new(State { queue, phase: Phase::Open, finished: false }),
            work: Notify::new(),
            room: Notify::new(),
            finish: Notify::new(),
            call: Mutex::new(None),
        }
    }

    pub(super) fn account(&self) -> [Account; 3] {
        self.state.lock().queue.account()
    }

    // --- publishers ---

    pub(super) fn offer(&self, job: Job, publisher: Publisher) -> Offer {
        let mut state = self.state.lock();
        if state.phase != Phase::Open {
            // The job holds handlers, which are dropped outside the lock.
            drop(state);
            return Offer::Closed;
        }
        let pushed = state.queue.push(job, publisher);
        drop(state);
        self.work.notify_one();
        Offer::Taken(pushed)
    }

    // --- the worker ---

    /// Moves up to `most` items into `batch`, which is empty.
    pub(super) fn take(&self, most: usize, batch: &mut Vec<Job>) -> Next {
        let mut state = self.state.lock();
        if state.phase != Phase::Halted {
            let queue = &mut state.queue;
            batch.extend(std::iter::from_fn(|| queue.pop()).take(most));
        }
        let open = state.phase == Phase::Open;
        drop(state);
        if !batch.is_empty() {
            self.room.notify_waiters();
            return Next::Deliver;
        }
        if open { Next::Wait } else { Next::Leave }
    }

    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// Whether the rest of the batch is still to be delivered.
    pub(super) fn is_halted(&self) -> bool {
        self.state.lock().phase == Phase::Halted
    }

    pub(super) fn delivered(&self, priority: Priority) {
        self.state.lock().queue.delivered(priority);
    }

    pub(super) fn abandoned(&self, priority: Priority) {
        self.state.lock().queue.abandoned(priority);
    }

    /// The worker's last word.
    pub(super) fn finish(&self) {
        self.state.lock().finished = true;
        self.finish.notify_waiters();
    }

    // --- the handler call going on ---

    pub(super) fn begin_call(&self, call: Call) {
        *self.call.lock() = Some(call);
    }

    pub(super) fn end_call(&self) -> Option<Call> {
        self.call.lock().take()
    }

    /// Marks the call going on as reported, if it is to be; gives it out once.
    pub(super) fn report_call(&self, is_stuck: impl Fn(&Call) -> bool) -> Option<Call> {
        let mut going_on = self.call.lock();
        let call = going_on.as_mut().filter(|call| !call.reported && is_stuck(call))?;
        call.reported = true;
        Some(*call)
    }

    // --- stop ---

    /// Takes nothing in from now on.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Closed;
        }
        drop(state);
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// Waits until the worker has gone.
    pub(super) async fn finished(&self) {
        loop {
            let mut finish = pin!(self.finish.notified());
            // Registered before looking, or a finish between the look and the wait would be missed.
            finish.as_mut().enable();
            if self.state.lock().finished {
                return;
            }
            finish.await;
        }
    }

    /// Gives up on what waits; gives it out.
    pub(super) fn halt(&self) -> Vec<Job> {
        let mut state = self.state.lock();
        state.phase = Phase::Halted;
        let left = state.queue.discard();
        drop(state);
        self.work.notify_one();
        left
    }
}
