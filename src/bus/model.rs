//! The bus as publishers, workers and those who leave it see it. The models run the code of both
//! implementations, with threads of the checker in place of tasks. They publish High events, whose publishers
//! wait without a clock, and Medium ones that the policy drops.

mod order;
mod room;
mod subscribers;

use std::sync::Arc;

use super::*;
use crate::{
    config::ResourcesConfig,
    event::{Exit, ProcessId, RunId, Seq, State, Timestamp},
    metrics::Measure,
    sync::check::{JoinHandle, block_on, spawn},
};

/// A bus with one lane, which has room for one event of each priority, and without tasks.
fn bus(mode: Mode, backpressure: Backpressure) -> EventBus {
    let metrics = Arc::new(SynchronizationMetrics::default());
    let (resources, _faults) = ResourceManager::new(&ResourcesConfig::default(), metrics.clone());
    let config = EventBusConfig {
        workers: 1,
        queue_sizes: [1; 3],
        max_events: 16,
        backpressure,
        monitoring: false,
        ..EventBusConfig::default()
    };
    EventBus { shared: Shared::new(&config, mode, &resources, metrics, Limits::default()) }
}

/// The lane's worker, until the bus stops.
fn work(bus: &EventBus) -> JoinHandle<()> {
    let shared = bus.shared.clone();
    spawn(move || block_on(worker::run(shared, 0, 0, None)))
}

/// A High event of the one key there is.
fn high(number: u64) -> Event {
    Event::ProcessExited {
        process: ProcessId(1),
        run: RunId(number),
        state: State::Success,
        exit: Exit::Code(0),
        last: Seq(0),
        reason: None,
        at: Timestamp(0),
    }
}

/// A Medium event of the one key there is.
fn medium(number: u64) -> Event {
    Event::LinesArrived { process: ProcessId(1), first: Seq(1), last: Seq(number) }
}

fn number(event: &Event) -> u64 {
    match event {
        Event::LinesArrived { last, .. } => last.0,
        Event::ProcessExited { run, .. } => run.0,
        other => panic!("no such event is published: {other:?}"),
    }
}

/// Keeps the numbers of what it is called with.
fn collect(bus: &EventBus) -> (Arc<Mutex<Vec<u64>>>, Subscription) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keeps = seen.clone();
    let handler = move |event: &Event| keeps.lock().push(number(event));
    (seen, on(bus, handler))
}

fn on(bus: &EventBus, handler: impl Fn(&Event) + Send + Sync + 'static) -> Subscription {
    bus.on(Filter::all(), Component::Model, "model", handler)
}

/// Reads the books and states that they balance.
fn assert_books(bus: &EventBus) -> [Account; 3] {
    let books = bus.account();
    assert!(books.iter().all(|books| books.balances()), "the books do not balance: {books:?}");
    books
}

/// As `EventBus::stop` does it, when nothing takes too long.
fn stop(bus: &EventBus) {
    let shared = &bus.shared;
    shared.lanes.iter().for_each(Lane::close);
    shared.serial.close();
    shared.lanes.iter().for_each(|lane| block_on(lane.finished()));
    block_on(shared.serial.finished());
}
