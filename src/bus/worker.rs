//! Takes events from a lane and hands them to subscribers; watches for handlers that do not return.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::yield_now;

use super::{
    Shared,
    lane::{Call, Lane, Next},
    letter::Job,
    queue::Item,
    registry::{Sink, Subscriber},
};
use crate::{
    event::{Event, EventKind, Fault, FaultKind},
    resource::catch_panic,
};

/// How many events a worker takes at a time. More would make High wait longer behind what was taken.
const BATCH: usize = 64;

/// The loop of one lane's worker.
pub(super) async fn run(shared: Arc<Shared>, index: usize) {
    let lane = &shared.lanes[index];
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        match lane.take(BATCH, &mut batch) {
            Next::Deliver => {
                for job in &batch {
                    shared.metrics.bus.queued[job.priority().index()].decrement();
                }
                for job in batch.drain(..) {
                    shared.settle(lane, job);
                }
                // Other tasks of this thread get their turn under any load.
                yield_now().await;
            }
            Next::Wait => lane.work().await,
            Next::Leave => break,
        }
    }
    lane.finish();
}

/// Reports handlers that do not return, each call once.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval((shared.limits.stuck / 5).max(Duration::from_millis(1)));
    loop {
        tokio::select! {
            () = shared.ended.begun() => return,
            _ = ticks.tick() => shared.report_stuck(),
        }
    }
}

// === impl Shared ===

impl Shared {
    /// Delivers one event, or drops it when the bus was halted meanwhile.
    fn settle(&self, lane: &Lane, job: Job) {
        let priority = job.priority();
        if lane.is_halted() {
            lane.abandoned(priority);
            self.metrics.bus.dropped_stop[priority.index()].increment();
            return;
        }
        // Handlers' panics are caught one by one; this catches one in the drop of what a handler captured.
        if let Err(message) = catch_panic(|| self.deliver(lane, job)) {
            self.metrics.bus.handler_panics.increment();
            tracing::error!(%message, "a handler panicked while it was dropped");
        }
        lane.delivered(priority);
        self.metrics.bus.delivered[priority.index()].increment();
    }

    fn deliver(&self, lane: &Lane, job: Job) {
        let Job { letter, table } = job;
        let event = letter.open();
        for subscriber in table.subscribers(event.kind()) {
            match &subscriber.sink {
                Sink::Mailbox(inbox) => inbox.put(event.clone(), &self.metrics.bus),
                Sink::Handler(handler) => self.call(lane, subscriber, handler, &event),
            }
        }
    }

    fn call(&self, lane: &Lane, subscriber: &Subscriber, handler: &dyn Fn(&Event), event: &Event) {
        let Subscriber { component, place, .. } = *subscriber;
        let since = Instant::now();
        lane.begin_call(Call { component, place, since, reported: false });
        let outcome = catch_panic(|| handler(event));
        let reported = lane.end_call().is_some_and(|call| call.reported);
        let took = since.elapsed();
        self.metrics.bus.handler_time.record(took);
        if took > self.limits.slow {
            self.metrics.bus.slow_handlers.increment();
        }
        if took > self.limits.stuck && !reported {
            self.stuck(Call { component, place, since, reported });
        }
        if let Err(message) = outcome {
            self.metrics.bus.handler_panics.increment();
            if event.kind() == EventKind::Fault {
                // A fault about the handler of faults would come back to it, and so on for ever.
                tracing::error!(%component, place, %message, "a handler of faults panicked");
            } else {
                self.resources.fault(Fault { component, place, kind: FaultKind::Panic, message });
            }
        }
    }

    fn report_stuck(&self) {
        for lane in &self.lanes {
            if let Some(call) = lane.report_call(|call| call.since.elapsed() > self.limits.stuck) {
                self.stuck(call);
            }
        }
    }

    fn stuck(&self, call: Call) {
        self.metrics.bus.stuck_handlers.increment();
        let message = format!("handler takes longer than {:?} for one event", self.limits.stuck);
        let (component, place) = (call.component, call.place);
        self.resources.fault(Fault { component, place, kind: FaultKind::Stuck, message: Arc::from(message) });
    }
}
