//! `[eventbus]` and `[resources]`, on a bus of their own.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use brummer::{
    bus::{Filter, Subscription},
    config::{Backpressure, Config},
    event::{Component, Event, ProcessId, Seq},
    metrics::SynchronizationMetrics,
    resource::ResourceManager,
};
use parking_lot::{Condvar, Mutex};

use super::{
    rig::{Bus, until},
    with,
};

fn lines(process: u32, seq: u64) -> Event {
    Event::LinesArrived { process: ProcessId(process), first: Seq(seq), last: Seq(seq) }
}

/// A handler that waits until it is let go, and what it has seen.
#[derive(Default)]
struct Gate {
    inside: Mutex<(usize, usize)>,
    moved: Condvar,
    open: AtomicBool,
    last: AtomicU64,
}

/// Lets the handler go also when the test fails, so that the runtime can end.
struct Opener(Arc<Gate>);

impl Gate {
    fn pass(&self, event: &Event) {
        let mut inside = self.inside.lock();
        inside.0 += 1;
        inside.1 = inside.1.max(inside.0);
        self.moved.notify_all();
        while !self.open.load(SeqCst) {
            self.moved.wait(&mut inside);
        }
        inside.0 -= 1;
        if let Event::LinesArrived { last, .. } = event {
            self.last.store(last.0, SeqCst);
        }
    }

    /// The most calls at one time so far.
    fn most(&self) -> usize {
        self.inside.lock().1
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        self.0.open.store(true, SeqCst);
        self.0.moved.notify_all();
    }
}

fn gated(bus: &Bus) -> (Opener, Arc<Gate>, Subscription) {
    let gate = Arc::new(Gate::default());
    let waits = Arc::clone(&gate);
    let subscription = bus.bus.on(Filter::all(), Component::App, "gated", move |event| waits.pass(event));
    (Opener(Arc::clone(&gate)), gate, subscription)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn as_many_handlers_run_at_once_as_there_are_workers() {
    for workers in [4, 7] {
        let bus = Bus::start(&with(&format!("[eventbus]\nworker_pool_size = {workers}\n")));
        let (opener, gate, _subscription) = gated(&bus);
        for process in 1..=56 {
            bus.bus.publish(lines(process, 1)).await.unwrap();
        }
        until("every worker to be busy", || gate.most() >= workers).await;
        drop(opener);
        until("the events to be delivered", || bus.idle()).await;
        assert_eq!(gate.most(), workers, "never more than there are workers");
    }
}

/// A burst at a handler that is busy: how many events were dropped, and the last one it got.
async fn burst(config: &Config) -> (u64, u64) {
    const BURST: u64 = 2000;
    let bus = Bus::start(config);
    let (opener, gate, _subscription) = gated(&bus);
    bus.bus.try_publish(lines(1, 0)).unwrap();
    until("the handler to be busy", || gate.most() == 1).await;
    for seq in 1..=BURST {
        bus.bus.try_publish(lines(1, seq)).unwrap();
    }
    let dropped = bus.bus.account()[1].dropped_policy;
    drop(opener);
    until("the rest to be delivered", || bus.idle()).await;
    (dropped, gate.last.load(SeqCst))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_smaller_queue_drops_more_of_a_burst() {
    let (default, _) = burst(&with("")).await;
    let (small, _) = burst(&with("[eventbus]\nqueue_sizes = [100, 5, 1000]\n")).await;
    assert!(small > default, "{small} and {default}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_strategy_says_which_end_of_a_burst_is_lost() {
    let (_, oldest) = burst(&with("")).await;
    let (_, newest) = burst(&with("[eventbus]\nbackpressure_strategy = \"drop_newest\"\n")).await;
    assert_eq!(oldest, 2000, "the last of the burst is there");
    assert!(newest < 2000, "{newest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lower_ceiling_leaves_less_room_in_the_mailboxes() {
    let mut held = Vec::new();
    for text in ["", "[eventbus]\nmax_event_queue = 1600\n"] {
        let bus = Bus::start(&with(text));
        let unread = bus.bus.subscribe(Filter::all(), Component::App, 100_000, Backpressure::DropOldest);
        for seq in 1..=1700 {
            bus.bus.publish(lines(1, seq)).await.unwrap();
            // One at a time: the lanes are not what is to overflow.
            until("the event to be delivered", || bus.idle()).await;
        }
        held.push(unread.account()[1].queued);
    }
    assert!(held[0] == 1700 && held[1] < 1600, "{held:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_monitoring_no_times_are_kept() {
    let mut kept = Vec::new();
    for text in ["", "[eventbus]\nenable_monitoring = false\n"] {
        let bus = Bus::start(&with(text));
        let seen = Arc::new(AtomicU64::new(0));
        let counts = Arc::clone(&seen);
        let _subscription = bus.bus.on(Filter::all(), Component::App, "count", move |_| {
            counts.fetch_add(1, SeqCst);
        });
        // Not every event has to be timed.
        for seq in 1..=2000 {
            bus.bus.publish(lines(1, seq)).await.unwrap();
        }
        until("the events to be delivered", || bus.idle() && seen.load(SeqCst) > 0).await;
        let figures = bus.figures().bus;
        kept.push((figures.event_time.count() > 0, figures.handler_time.count() > 0));
    }
    assert_eq!(kept, [(true, true), (false, false)]);
}

#[test]
fn as_many_permits_are_given_as_there_are_tasks() {
    let permits = |config: &Config| {
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, _faults) = ResourceManager::new(&config.resources, metrics);
        let mut held = Vec::new();
        while let Ok(permit) = resources.try_acquire(Component::App) {
            held.push(permit);
        }
        held.len()
    };
    let (default, three) = (permits(&with("")), permits(&with("[resources]\nmax_tasks = 3\n")));
    assert!(default >= 32, "{default}");
    assert_eq!(three, 3);
}
