//! The bus as its users see it. Here: what the tests share.

mod contract;
mod fallback;
mod figures;
mod handlers;
mod mailboxes;
mod model;
mod moved;
mod order;
mod room;
mod stop;
mod switching;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::Condvar;
use tokio::{task::yield_now, time::timeout};

use super::*;
use crate::{
    config::ResourcesConfig,
    event::{Exit, Fault, FaultKind, Key, Pressure, ProcessId, RunId, Seq, State, Timestamp},
    metrics::Measure,
    resource::FaultReceiver,
};

struct Bench {
    bus: EventBus,
    resources: ResourceManager,
    faults: FaultReceiver,
    metrics: Arc<SynchronizationMetrics>,
}

/// A door that handlers wait at, to keep a worker busy for as long as a test wants.
#[derive(Default)]
struct Gate {
    open: parking_lot::Mutex<bool>,
    moved: Condvar,
    reached: AtomicU64,
}

/// Opens the gate also when the test fails, so that the runtime can end.
struct Opener(Arc<Gate>);

fn config(workers: usize, queue_sizes: [usize; 3], backpressure: Backpressure) -> EventBusConfig {
    EventBusConfig { workers, queue_sizes, backpressure, ..EventBusConfig::default() }
}

fn bench(config: &EventBusConfig, limits: Limits) -> Bench {
    bench_in(Mode::Current, config, limits)
}

fn bench_in(mode: Mode, config: &EventBusConfig, limits: Limits) -> Bench {
    let metrics = Arc::new(SynchronizationMetrics::default());
    let (resources, faults) = ResourceManager::new(&ResourcesConfig::default(), metrics.clone());
    let bus = EventBus::start_with(config, mode, &resources, metrics.clone(), limits);
    Bench { bus, resources, faults, metrics }
}

/// One lane with small queues: High 2, Medium 2.
fn small(backpressure: Backpressure) -> Bench {
    bench(&config(1, [2, 2, 2], backpressure), Limits::default())
}

fn lines(process: u32, seq: u64) -> Event {
    Event::LinesArrived { process: ProcessId(process), first: Seq(seq), last: Seq(seq) }
}

fn sample() -> Event {
    Event::MemorySampled { resident: 1, limit: 2, pressure: Pressure::Normal, at: Timestamp(0) }
}

fn exited(process: u32, run: u64) -> Event {
    Event::ProcessExited {
        process: ProcessId(process),
        run: RunId(run),
        state: State::Success,
        exit: Exit::Code(0),
        last: Seq(run),
        reason: None,
        at: Timestamp(0),
    }
}

fn error(process: u32, count: u32) -> Event {
    let (process, run, seq) = (ProcessId(process), RunId(1), Seq(u64::from(count)));
    Event::ErrorDetected { process, run, seq, count, message: Arc::from("oops"), at: Timestamp::default() }
}

fn fault(message: &str) -> Event {
    Event::Fault(Fault {
        component: Component::App,
        place: "test",
        kind: FaultKind::Failure,
        message: Arc::from(message),
    })
}

/// What tests compare: process and number.
fn number(event: &Event) -> u64 {
    match event {
        Event::LinesArrived { last, .. } => last.0,
        Event::ProcessExited { run, .. } => run.0,
        Event::ErrorDetected { count, .. } => u64::from(*count),
        _ => 0,
    }
}

/// Waits for a condition; a minute of real time is for machines that are very busy.
async fn eventually(what: &str, met: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !met() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        yield_now().await;
    }
}

/// Keeps what it is called with.
fn collect(bus: &EventBus, filter: Filter) -> (Arc<crate::sync::Mutex<Vec<Event>>>, Subscription) {
    let seen = Arc::new(crate::sync::Mutex::new(Vec::new()));
    let keeps = seen.clone();
    let subscription =
        bus.on(filter, Component::App, "collect", move |event| keeps.lock().push(event.clone()));
    (seen, subscription)
}

/// A handler that waits at a gate.
fn gated(bus: &EventBus, filter: Filter) -> (Opener, Subscription) {
    let gate = Arc::new(Gate::default());
    let waits = gate.clone();
    let subscription = bus.on(filter, Component::Logs, "gated", move |_| waits.wait());
    (Opener(gate), subscription)
}

// === impl Gate ===

impl Gate {
    fn wait(&self) {
        self.reached.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.lock();
        while !*open {
            self.moved.wait(&mut open);
        }
    }
}

// === impl Opener ===

impl Opener {
    async fn reached(&self) {
        eventually("the gate is reached", || self.0.reached.load(Ordering::SeqCst) > 0).await;
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        *self.0.open.lock() = true;
        self.0.moved.notify_all();
    }
}
