//! Hands events to subscribers: the worker of a lane, and what it shares with the other deliverers.

use std::{
    mem,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use tokio::task::{block_in_place, yield_now};

use super::{
    Shared,
    batch::Batch,
    lane::{Lane, Next},
    letter::Letter,
    registry::{Subscriber, Way},
};
use crate::{
    event::{Event, EventKind},
    metrics::HistogramReading,
    resource::catch_panic,
};

/// How long a worker works before other tasks of its thread get their turn. A model must not depend on time.
const STRETCH: Duration =
    if cfg!(any(feature = "loom", feature = "shuttle")) { Duration::MAX } else { Duration::from_micros(500) };

/// A call that takes longer is recorded, also when its event is not timed.
const LONG: Duration = Duration::from_millis(10);

/// What one deliverer has measured and not told yet. Telling after each batch keeps threads off each other's
/// counters.
#[derive(Default)]
pub(super) struct Tally {
    /// Whether times are kept in this stretch.
    timing: bool,
    /// When the last call returned, while each is timed.
    last: Option<Instant>,
    /// The same by the coarse clock.
    coarse: Duration,
    handler_time: HistogramReading,
    event_time: HistogramReading,
    /// Less than a microsecond is kept for the next time.
    busy: Duration,
    /// Time worked since the last pause.
    stretch: Duration,
}

/// The loop of one worker of a lane: of the first, or of one that goes on with the batch of a stuck one.
pub(super) async fn run(shared: Arc<Shared>, index: usize, worker: u16, mut hand: Option<Arc<Batch>>) {
    let lane = &shared.lanes[index];
    let mut tally = Tally::default();
    loop {
        if let Some(batch) = &hand {
            let mine = shared.occupy(|| shared.deliver(lane, batch, worker, &mut tally));
            if !mine {
                break;
            }
        }
        let next = lane.take(worker, || shared.registry.table());
        shared.let_go(hand.take());
        match next {
            Next::Deliver(batch) => hand = Some(batch),
            Next::Wait => {
                tally.stretch = Duration::ZERO;
                lane.work().await;
            }
            Next::Leave => break,
        }
        if tally.stretch > STRETCH {
            tally.stretch = Duration::ZERO;
            yield_now().await;
        }
    }
    shared.let_go(hand);
    shared.metrics.bus.workers.decrement();
}

// === impl Shared ===

impl Shared {
    /// Runs handlers. While others keep all but one of the runtime's threads busy with theirs, this thread's
    /// other tasks are given to a new thread first: handlers that never return must not take the last one.
    fn occupy<R>(&self, work: impl FnOnce() -> R) -> R {
        let Some(threads) = self.threads else { return work() };
        if self.occupied.fetch_add(1, SeqCst) + 1 < threads {
            let result = work();
            self.occupied.fetch_sub(1, SeqCst);
            result
        } else {
            self.occupied.fetch_sub(1, SeqCst);
            block_in_place(work)
        }
    }

    /// The same for a handler that is known not to return soon.
    pub(super) fn aside<R>(&self, work: impl FnOnce() -> R) -> R {
        if self.threads.is_some() { block_in_place(work) } else { work() }
    }

    /// Delivers a batch. Whether all of it was this worker's to deliver.
    fn deliver(&self, lane: &Lane, batch: &Batch, worker: u16, tally: &mut Tally) -> bool {
        let began = tally.begin(self.tuning.timing());
        let mine = self.calls(lane, batch, worker, tally);
        tally.end(self, began);
        mine
    }

    fn calls(&self, lane: &Lane, batch: &Batch, worker: u16, tally: &mut Tally) -> bool {
        let Some(mut here) = batch.begin(worker) else { return false };
        let mut event = None;
        while let (Some(letter), Some(subscriber)) = (batch.letter(here), batch.subscriber(here)) {
            if event.replace(here.event) != Some(here.event) {
                tally.meet(letter);
            }
            self.hand_over(subscriber, letter, tally);
            let Some(next) = batch.advance(here) else {
                // It took too long, and another worker goes on.
                lane.returned(batch, here);
                subscriber.came_back();
                return false;
            };
            if next.event != here.event {
                tally.delivered(letter);
            }
            subscriber.passed();
            here = next;
        }
        true
    }

    /// Brings one event to one subscriber.
    #[inline]
    pub(super) fn hand_over(&self, subscriber: &Subscriber, letter: &Letter, tally: &mut Tally) {
        match subscriber.way() {
            Way::Call(handler) => self.call(subscriber, handler, &letter.open(), tally),
            Way::Put(inbox) => inbox.put(&letter.open(), &self.metrics.bus),
            Way::Not => {}
        }
    }

    /// Calls a handler; what it does wrong is counted and told.
    #[inline]
    pub(super) fn call(
        &self,
        subscriber: &Subscriber,
        handler: &dyn Fn(&Event),
        event: &Event,
        tally: &mut Tally,
    ) {
        let Subscriber { component, place, .. } = *subscriber;
        let call = || handler(event);
        let outcome = if event.kind() == EventKind::Fault {
            self.resources.recover_handling_fault(component, place, call)
        } else {
            self.resources.recover(component, place, call)
        };
        if tally.returned().is_some_and(|took| took > self.limits.slow) {
            self.slow(subscriber);
        }
        if outcome.is_none() {
            self.metrics.bus.handler_panics.increment();
        }
    }

    /// Counts a call that took too long.
    pub(super) fn slow(&self, subscriber: &Subscriber) {
        self.metrics.bus.slow_handlers.increment();
        self.metrics.bus.slow_handlers_by[subscriber.component.index()].increment();
    }

    /// Drops what may be the last to know a handler: what that captured may panic.
    pub(super) fn let_go<T>(&self, last: T) {
        if let Err(message) = catch_panic(|| drop(last)) {
            self.metrics.bus.handler_panics.increment();
            tracing::error!(%message, "a handler panicked while it was dropped");
        }
    }
}

/// The time of the system clock's last tick, up to 10 ms old: a tenth of what an exact look costs, so that every call can
/// be held against the threshold.
fn coarse() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: ClockId = ClockId::MonotonicCoarse;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let now = clock_gettime(CLOCK);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

// === impl Tally ===

impl Tally {
    /// Begins a stretch of work.
    pub(super) fn begin(&mut self, timing: bool) -> Instant {
        let now = Instant::now();
        self.timing = timing;
        self.last = timing.then_some(now);
        if timing {
            self.coarse = coarse();
        }
        now
    }

    /// The calls for one event come next: they are timed when it is.
    #[inline]
    fn meet(&mut self, letter: &Letter) {
        let timed = self.timing && letter.accepted.is_some();
        self.last = timed.then(Instant::now);
    }

    /// A handler has returned; gives how long it took, while times are kept: to within a tick of the coarse clock
    /// where it is not timed.
    #[inline]
    fn returned(&mut self) -> Option<Duration> {
        if !self.timing {
            return None;
        }
        let ticked = coarse();
        let about = ticked.saturating_sub(mem::replace(&mut self.coarse, ticked));
        let Some(last) = self.last else {
            if about >= LONG {
                self.handler_time.record(about);
            }
            return Some(about);
        };
        let now = Instant::now();
        let took = now - last;
        self.last = Some(now);
        self.handler_time.record(took);
        Some(took)
    }

    /// An event has reached its last subscriber.
    #[inline]
    pub(super) fn delivered(&mut self, letter: &Letter) {
        if let (Some(last), Some(accepted)) = (self.last, letter.accepted) {
            self.event_time.record(last.saturating_duration_since(accepted));
        }
    }

    /// Ends the stretch and tells what was measured.
    pub(super) fn end(&mut self, shared: &Shared, began: Instant) {
        // Not up to the last call only: what was put into mailboxes since is work, too.
        let worked = began.elapsed();
        self.busy += worked;
        self.stretch += worked;
        let metrics = &shared.metrics.bus;
        let micros = self.busy.as_micros();
        if micros > 0 {
            metrics.worker_busy.add(u64::try_from(micros).unwrap_or(u64::MAX));
            self.busy = Duration::from_nanos(u64::from(self.busy.subsec_nanos() % 1000));
        }
        if self.handler_time.count() > 0 {
            metrics.handler_time.add(&mem::take(&mut self.handler_time));
        }
        if self.event_time.count() > 0 {
            metrics.event_time.add(&mem::take(&mut self.event_time));
        }
    }
}
