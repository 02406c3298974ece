//! Looks for handlers that do not return, and gets everything else past them.
//!
//! Such a handler is moved: from now on it gets its events through a mailbox of its own, which a task of its
//! own reads once the calls begun before have returned. Its lane goes on with another worker.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

use super::{
    Shared,
    batch::{Batch, Position},
    mailbox::Inbox,
    registry::{Sink, Subscriber},
    worker::{self, Tally},
};
use crate::{
    event::{Component, Fault, FaultKind},
    resource::catch_panic,
};

/// A call seen going on, from the first time it was seen.
struct Sighting {
    batch: u64,
    at: Option<Position>,
    subscriber: u64,
    since: Instant,
    counted: bool,
    reported: bool,
}

/// What the watchdog has seen of one lane, or of the fallback.
#[derive(Default)]
struct Seen {
    call: Option<Sighting>,
    /// A visit that its worker owes, and since when.
    owed: Option<(u64, Instant)>,
}

/// The watchdog's loop. It also brings how short memory is.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut pressure = shared.resources.pressure();
    let mut seen: Vec<Seen> = (0..=shared.lanes.len()).map(|_| Seen::default()).collect();
    loop {
        let now = *pressure.borrow_and_update();
        shared.tuning.set_pressure(now);
        tokio::select! {
            () = shared.ended.begun() => return,
            // `shared` holds the sender's owner.
            _ = pressure.changed() => {}
            // It may be the last to know a handler, and so meet a panic in what that captured.
            () = tokio::time::sleep(shared.tick()) => drop(catch_panic(|| shared.look(&mut seen))),
        }
    }
}

/// Calls a moved handler with what its mailbox holds.
async fn serve(shared: Arc<Shared>, subscriber: Arc<Subscriber>, inbox: Arc<Inbox>) {
    let Sink::Handler(handler) = &subscriber.sink else { return };
    // The calls begun before it was moved come first, for the sake of order.
    while !shared.has_left(&subscriber) {
        tokio::select! {
            () = inbox.ready.notified() => {}
            () = shared.ended.begun() => return,
        }
        if subscriber.is_gone() {
            return;
        }
    }
    let mut tally = Tally::default();
    loop {
        match inbox.next() {
            (Some(letter), _) => {
                let began = tally.begin(shared.tuning.timing());
                shared.aside(|| shared.call(&subscriber, handler, &letter.open(), &mut tally));
                tally.end(&shared, began);
                inbox.done(&letter);
                tokio::task::yield_now().await;
            }
            (None, true) => return,
            (None, false) => inbox.ready.notified().await,
        }
    }
}

// === impl Seen ===

impl Seen {
    /// The visit that is owed, once it has been for so long. The worker was woken on a thread whose handler
    /// then did not return: the runtime keeps the task woken last for that thread alone.
    fn waits_longer_than(&mut self, limit: Duration, owed: Option<u64>) -> Option<u64> {
        if let Some((visits, since)) = self.owed
            && owed == Some(visits)
        {
            return owed.filter(|_| since.elapsed() > limit);
        }
        self.owed = owed.map(|visits| (visits, Instant::now()));
        None
    }
}

// === impl Shared ===

impl Shared {
    /// How often the watchdog looks. Without times it also counts the slow calls, so it looks more often.
    fn tick(&self) -> Duration {
        let tick = if self.tuning.timing() { self.limits.stuck / 5 } else { self.limits.slow / 2 };
        tick.max(Duration::from_millis(1))
    }

    fn look(self: &Arc<Self>, seen: &mut [Seen]) {
        for (index, (lane, seen)) in self.lanes.iter().zip(&mut *seen).enumerate() {
            if let Some(visits) = seen.waits_longer_than(self.limits.stuck, lane.owed())
                && let Some(worker) = lane.renew(visits)
            {
                self.employ(index, worker, None);
            }
            let Some(batch) = lane.hand() else {
                seen.call = None;
                continue;
            };
            let at = batch.position();
            let called = batch.subscriber(at).map(|called| (batch.number, Some(at), called.clone()));
            if self.sight(&mut seen.call, called) {
                self.relieve(index, &batch, at);
            }
        }
        // The fallback has nobody to go on instead.
        let called = self.serial.call().map(|(number, called)| (number, None, called));
        self.sight(&mut seen[self.lanes.len()].call, called);
    }

    /// Whether this call has to be given up now.
    fn sight(
        &self,
        seen: &mut Option<Sighting>,
        called: Option<(u64, Option<Position>, Arc<Subscriber>)>,
    ) -> bool {
        let Some((batch, at, subscriber)) = called.filter(|called| called.2.is_handler()) else {
            *seen = None;
            return false;
        };
        let same = |seen: &Sighting| (seen.batch, seen.at, seen.subscriber) == (batch, at, subscriber.id);
        if !seen.as_ref().is_some_and(same) {
            let since = Instant::now();
            *seen = Some(Sighting {
                batch,
                at,
                subscriber: subscriber.id,
                since,
                counted: false,
                reported: false,
            });
            return false;
        }
        let Some(seen) = seen else { return false };
        let took = seen.since.elapsed();
        // With times on, the call is counted when it returns.
        if took > self.limits.slow && !seen.counted && !self.tuning.timing() {
            seen.counted = true;
            self.slow(&subscriber);
        }
        if took <= self.limits.stuck || seen.reported {
            return false;
        }
        seen.reported = true;
        self.metrics.bus.stuck_handlers.increment();
        self.tell(&subscriber, format!("handler takes longer than {:?} for one event", self.limits.stuck));
        true
    }

    fn tell(&self, subscriber: &Subscriber, message: String) {
        let Subscriber { component, place, .. } = *subscriber;
        self.resources.fault(Fault { component, place, kind: FaultKind::Stuck, message: Arc::from(message) });
    }

    /// Lets another worker go on with a lane whose handler does not return, and moves the handler. Gives
    /// whether that was to be done.
    pub(super) fn relieve(self: &Arc<Self>, index: usize, batch: &Arc<Batch>, at: Position) -> bool {
        let Some(subscriber) = batch.subscriber(at).filter(|called| called.is_handler()) else {
            return false;
        };
        subscriber.behind.fetch_add(1, SeqCst);
        self.relocate(subscriber);
        let Some(worker) = self.lanes[index].replace(batch, at) else {
            // It has returned just now.
            subscriber.came_back();
            return false;
        };
        self.employ(index, worker, Some(batch.clone()));
        true
    }

    /// Another worker for a lane.
    fn employ(self: &Arc<Self>, index: usize, worker: u16, hand: Option<Arc<Batch>>) {
        self.metrics.bus.workers.increment();
        let work = worker::run(self.clone(), index, worker, hand);
        drop(self.resources.spawn(Component::Bus, "bus worker", work));
    }

    /// Gives a handler a mailbox and a task of its own, if it has none.
    pub(super) fn relocate(self: &Arc<Self>, subscriber: &Arc<Subscriber>) {
        let (sizes, policy) = {
            let config = self.config.lock();
            (config.queue_sizes, config.backpressure)
        };
        let inbox = Arc::new(Inbox::new(sizes, policy, self.ceiling.clone()));
        if subscriber.is_gone() || !subscriber.move_to(inbox.clone()) {
            return;
        }
        self.metrics.bus.moved_handlers.increment();
        let work = serve(self.clone(), subscriber.clone(), inbox.clone());
        let task = self.resources.spawn(Component::Bus, "moved handler", work);
        let mut moved = self.moved.lock();
        moved.retain(|(_, task)| !task.is_finished());
        moved.push((inbox.clone(), task));
        drop(moved);
        // `stop` has closed all mailboxes there were; this one may have come too late for that.
        if self.ended.is_begun() {
            inbox.close();
        }
    }

    /// Whether no call of a moved handler goes on that was begun before it was moved. Its state was set
    /// before the look here, and a worker takes its place before it looks at the state: one of the two sees.
    fn has_left(&self, subscriber: &Arc<Subscriber>) -> bool {
        let called = |lane: &super::Lane| {
            let hand = lane.hand();
            hand.is_some_and(|batch| {
                batch.subscriber(batch.position()).is_some_and(|called| Arc::ptr_eq(called, subscriber))
            })
        };
        subscriber.behind.load(SeqCst) == 0
            && !self.lanes.iter().any(called)
            && !self.serial.call().is_some_and(|(_, called)| Arc::ptr_eq(&called, subscriber))
    }
}
