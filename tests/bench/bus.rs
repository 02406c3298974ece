//! The event bus beside simpler ways to bring an event to a handler, and its two implementations side by side.
//!
//! Everything is alternated within one run, and each figure is the median of its rounds.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use brummer::{
    bus::{EventBus, Filter},
    config::{Backpressure, EventBusConfig, Mode, ResourcesConfig},
    event::{Component, Event, Exit, Pressure, ProcessId, RunId, Seq, State, Timestamp},
    metrics::SynchronizationMetrics,
    resource::ResourceManager,
};
use rustix::time::{ClockId, clock_gettime};
use tokio::{
    runtime::{Handle, Runtime},
    sync::{Notify, mpsc},
};

use crate::table::{Table, median};

const EVENTS: u64 = 1_000_000;
const PUBLISHERS: u64 = 4;
const ROUNDS: usize = 5;
/// As the bus has by default.
const SIZES: [usize; 3] = [100, 500, 1000];
const BATCH: usize = 64;

/// A way to bring events to one handler.
trait Way: Send + Sync + 'static {
    fn publish(&self, event: Event) -> impl Future<Output = ()> + Send;
    /// Waits until all was handled; gives how many were dropped.
    fn finish(&self) -> impl Future<Output = u64> + Send;
}

/// What the handler does: it counts, and where it is asked to, it looks at the clock.
struct Handler {
    begun: Instant,
    handled: AtomicU64,
    late: parking_lot::Mutex<Vec<u32>>,
    keeps: bool,
}

/// One run's figures.
#[derive(Clone, Copy, Default)]
struct Run {
    millions: f64,
    cpu: f64,
    dropped: f64,
    tasks: usize,
    p50: f64,
    p99: f64,
}

type Receivers = Arc<tokio::sync::Mutex<[mpsc::Receiver<Job>; 3]>>;

/// An event and when it was sent: the bus keeps the same.
type Job = (Event, Instant);

struct Brummer {
    bus: EventBus,
    /// Under `block`: those for which no room came in 100 ms.
    refused: AtomicU64,
}

struct Spawned {
    handler: Arc<arc_swap::ArcSwap<Vec<Arc<Handler>>>>,
    accepted: AtomicU64,
}

struct Channels {
    senders: [mpsc::Sender<Job>; 3],
    handler: Arc<Handler>,
    accepted: AtomicU64,
}

struct Plain {
    state: parking_lot::Mutex<[VecDeque<Job>; 3]>,
    work: Notify,
    room: Notify,
    handler: Arc<Handler>,
    accepted: AtomicU64,
    over: AtomicBool,
}

/// Prints all rows.
/// These rows have more columns than a [`Table`], so they are printed here, and not for machines.
pub fn rows(table: &mut Table) {
    if table.is_json() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let workers = EventBusConfig::default().workers;
    println!(
        "\nevent bus: {EVENTS} events, {PUBLISHERS} publishers, {workers} workers, High/Medium/Low 10/40/50 %"
    );
    println!(
        "{:<44} {:>9} {:>9} {:>7} {:>8} {:>9} {:>9}",
        "", "M ev/s", "CPU ns/ev", "lost %", "tasks", "p50 µs", "p99 µs"
    );
    let names = [
        "bus, drop_oldest",
        "bus, drop_oldest, monitoring off",
        "bus, block",
        "bus, block, monitoring off",
        "spawn per event",
        "tokio mpsc ×3, batches of 64",
        "mutex + notify ×3, batches of 64",
    ];
    let mut all: Vec<Vec<Run>> = vec![Vec::new(); names.len()];
    for _ in 0..ROUNDS {
        for (which, runs) in all.iter_mut().enumerate() {
            let full = saturated(&runtime, which, EVENTS, PUBLISHERS);
            let paced = paced(&runtime, which);
            runs.push(Run { p50: paced.p50, p99: paced.p99, ..full });
        }
    }
    let middle: Vec<Run> = all.iter().map(|runs| middle(runs)).collect();
    for (name, run) in names.iter().zip(&middle) {
        println!(
            "{name:<44} {:>9.2} {:>9.0} {:>7.2} {:>8} {:>9.1} {:>9.1}",
            run.millions, run.cpu, run.dropped, run.tasks, run.p50, run.p99
        );
    }
    let ratio = |what: &str, of: usize, to: usize, budget: f64| {
        println!("  {what:<60} {:>6.2}  (budget {budget})", middle[of].millions / middle[to].millions);
    };
    ratio("drop_oldest : tokio mpsc ×3", 0, 5, 0.8);
    ratio("block : tokio mpsc ×3", 2, 5, 0.8);
    ratio("drop_oldest : spawn per event", 0, 4, 5.0);
    ratio("block : spawn per event", 2, 4, 3.0);
    modes(&runtime);
}

/// The current implementation against the fallback.
fn modes(runtime: &Runtime) {
    println!(
        "\nevent bus, current : fallback, block, median of 7{:>21} {:>14} {:>14}",
        "throughput", "p99 µs", "p99 µs"
    );
    for publishers in [1, 16] {
        let [mut ratios, mut current, mut fallback] = [const { Vec::new() }; 3];
        for _ in 0..7 {
            let new = saturated(runtime, 2, EVENTS / 5, publishers);
            let old = saturated(runtime, FALLBACK, EVENTS / 5, publishers);
            ratios.push(new.millions / old.millions);
            current.push(new.p99);
            fallback.push(old.p99);
        }
        println!(
            "  {publishers:<2} publishers {:>54.2} {:>14.1} {:>14.1}",
            median(&mut ratios),
            median(&mut current),
            median(&mut fallback)
        );
    }
}

/// The number of the way that is the bus in fallback mode.
const FALLBACK: usize = 7;

fn middle(runs: &[Run]) -> Run {
    let of = |figure: fn(&Run) -> f64| median(&mut runs.iter().map(figure).collect::<Vec<_>>());
    Run {
        millions: of(|run| run.millions),
        cpu: of(|run| run.cpu),
        dropped: of(|run| run.dropped),
        tasks: of(|run| run.tasks as f64) as usize,
        p50: of(|run| run.p50),
        p99: of(|run| run.p99),
    }
}

/// 10 % High, 40 % Medium, 50 % Low; each publisher has 16 processes. Telling of memory is all there is in Low.
fn event(publisher: u64, n: u64, nanos: u64) -> Event {
    let process = ProcessId((publisher * 16 + n % 16) as u32);
    match n * 7 % 10 {
        0 => Event::ProcessExited {
            process,
            run: RunId(n),
            state: State::Success,
            exit: Exit::Code(0),
            last: Seq(nanos),
            reason: None,
            at: Timestamp(nanos),
        },
        1..5 => Event::LinesArrived { process, first: Seq(n), last: Seq(nanos) },
        _ => Event::MemorySampled {
            resident: nanos,
            limit: 1 << 29,
            pressure: Pressure::Normal,
            at: Timestamp(nanos),
        },
    }
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn saturated(runtime: &Runtime, which: usize, events: u64, publishers: u64) -> Run {
    let handler = Arc::new(Handler::new(publishers > 4 || publishers == 1));
    runtime.block_on(async {
        match which {
            4 => flood(Spawned::start(&handler), events, publishers, &handler).await,
            5 => flood(Channels::start(&handler), events, publishers, &handler).await,
            6 => flood(Plain::start(&handler), events, publishers, &handler).await,
            _ => flood(Arc::new(Brummer::start(which, &handler)), events, publishers, &handler).await,
        }
    })
}

async fn flood<W: Way>(way: Arc<W>, events: u64, publishers: u64, handler: &Arc<Handler>) -> Run {
    let (begun, cpu_before) = (Instant::now(), cpu());
    let tasks = Arc::new(AtomicU64::new(0));
    let mut publishing = Vec::new();
    for publisher in 0..publishers {
        let (way, tasks, handler) = (way.clone(), tasks.clone(), handler.clone());
        publishing.push(tokio::spawn(async move {
            for n in 0..events / publishers {
                let nanos = if handler.keeps && n % 16 == 0 { handler.nanos() } else { 0 };
                way.publish(event(publisher, n, nanos)).await;
                if n % 1024 == 0 {
                    tasks.fetch_max(Handle::current().metrics().num_alive_tasks() as u64, Relaxed);
                }
            }
        }));
    }
    for publisher in publishing {
        publisher.await.unwrap();
    }
    let dropped = way.finish().await;
    let (took, used) = (begun.elapsed(), cpu() - cpu_before);
    let handled = handler.handled.load(Relaxed);
    let all = events / publishers * publishers;
    assert_eq!(handled + dropped, all, "every event is accounted for");
    let (p50, p99) = handler.quantiles();
    Run {
        millions: handled as f64 / took.as_secs_f64() / 1e6,
        cpu: used.as_nanos() as f64 / all as f64,
        dropped: dropped as f64 * 100.0 / all as f64,
        tasks: tasks.load(Relaxed) as usize - publishers as usize,
        p50,
        p99,
    }
}

/// 48,000 events a second, in bursts of 48 every millisecond.
fn paced(runtime: &Runtime, which: usize) -> Run {
    let handler = Arc::new(Handler::new(true));
    runtime.block_on(async {
        match which {
            4 => bursts(Spawned::start(&handler), &handler).await,
            5 => bursts(Channels::start(&handler), &handler).await,
            6 => bursts(Plain::start(&handler), &handler).await,
            _ => bursts(Arc::new(Brummer::start(which, &handler)), &handler).await,
        }
    })
}

async fn bursts<W: Way>(way: Arc<W>, handler: &Arc<Handler>) -> Run {
    let mut publishing = Vec::new();
    for publisher in 0..PUBLISHERS {
        let (way, handler) = (way.clone(), handler.clone());
        publishing.push(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(1));
            for burst in 0..300 {
                ticks.tick().await;
                for n in 0..12 {
                    way.publish(event(publisher, burst * 12 + n, handler.nanos())).await;
                }
            }
        }));
    }
    for publisher in publishing {
        publisher.await.unwrap();
    }
    way.finish().await;
    let (p50, p99) = handler.quantiles();
    Run { p50, p99, ..Run::default() }
}

// === impl Handler ===

impl Handler {
    fn new(keeps: bool) -> Self {
        Self { begun: Instant::now(), handled: AtomicU64::new(0), late: parking_lot::Mutex::default(), keeps }
    }

    /// Never 0, which means that nobody wants to know.
    fn nanos(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64 + 1
    }

    fn call(&self, event: &Event) {
        self.handled.fetch_add(1, Relaxed);
        let sent = match event {
            Event::ProcessExited { last, .. } | Event::LinesArrived { last, .. } => last.0,
            Event::MemorySampled { resident, .. } => *resident,
            _ => 0,
        };
        if sent > 0 {
            let late = self.nanos() - sent;
            self.late.lock().push(late.try_into().unwrap_or(u32::MAX));
        }
    }

    fn quantiles(&self) -> (f64, f64) {
        let mut late = self.late.lock();
        late.sort_unstable();
        let at = |share: f64| {
            late.get((late.len() as f64 * share) as usize).map_or(0.0, |&ns| f64::from(ns) / 1000.0)
        };
        (at(0.5), at(0.99))
    }

    async fn handled(&self, all: u64) {
        while self.handled.load(Relaxed) < all {
            tokio::task::yield_now().await;
        }
    }
}

// === impl Way ===

impl Brummer {
    fn start(which: usize, handler: &Arc<Handler>) -> Self {
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, _faults) = ResourceManager::new(&ResourcesConfig::default(), metrics.clone());
        let config = EventBusConfig {
            backpressure: if which < 2 { Backpressure::DropOldest } else { Backpressure::Block },
            monitoring: which.is_multiple_of(2) || which == FALLBACK,
            ..EventBusConfig::default()
        };
        let mode = if which == FALLBACK { Mode::Fallback } else { Mode::Current };
        let bus = EventBus::start(&config, mode, &resources, metrics);
        let handler = handler.clone();
        let subscription = bus.on(Filter::all(), Component::App, "bench", move |event| handler.call(event));
        // For as long as the bus.
        std::mem::forget(subscription);
        Self { bus, refused: AtomicU64::new(0) }
    }
}

impl Way for Brummer {
    async fn publish(&self, event: Event) {
        if self.bus.publish(event).await.is_err() {
            self.refused.fetch_add(1, Relaxed);
        }
    }

    async fn finish(&self) -> u64 {
        self.bus.stop().await;
        let dropped: u64 = self.bus.account().iter().map(|account| account.dropped_policy).sum();
        dropped + self.refused.load(Relaxed)
    }
}

impl Spawned {
    fn start(handler: &Arc<Handler>) -> Arc<Self> {
        let handler = Arc::new(arc_swap::ArcSwap::from_pointee(vec![handler.clone()]));
        Arc::new(Self { handler, accepted: AtomicU64::new(0) })
    }
}

impl Way for Spawned {
    async fn publish(&self, event: Event) {
        tokio::task::consume_budget().await;
        self.accepted.fetch_add(1, Relaxed);
        let event = Arc::new(event);
        for handler in self.handler.load().iter() {
            let (handler, event) = (handler.clone(), event.clone());
            tokio::spawn(async move { handler.call(&event) });
        }
    }

    async fn finish(&self) -> u64 {
        let handlers = self.handler.load_full();
        handlers[0].handled(self.accepted.load(Relaxed)).await;
        0
    }
}

impl Channels {
    fn start(handler: &Arc<Handler>) -> Arc<Self> {
        let (mut senders, mut receivers) = (Vec::new(), Vec::new());
        for size in SIZES {
            let (sender, receiver) = mpsc::channel(size);
            senders.push(sender);
            receivers.push(receiver);
        }
        let receivers: Receivers = Arc::new(tokio::sync::Mutex::new(receivers.try_into().ok().unwrap()));
        for _ in 0..EventBusConfig::default().workers {
            tokio::spawn(Self::work(receivers.clone(), handler.clone()));
        }
        let senders = senders.try_into().ok().unwrap();
        Arc::new(Self { senders, handler: handler.clone(), accepted: AtomicU64::new(0) })
    }

    async fn work(receivers: Receivers, handler: Arc<Handler>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            {
                let mut receivers = receivers.lock().await;
                let [high, medium, low] = &mut *receivers;
                let first = tokio::select! {
                    biased;
                    Some(job) = high.recv() => job,
                    Some(job) = medium.recv() => job,
                    Some(job) = low.recv() => job,
                    else => return,
                };
                batch.push(first);
                for receiver in [high, medium, low] {
                    while batch.len() < BATCH
                        && let Ok(job) = receiver.try_recv()
                    {
                        batch.push(job);
                    }
                }
            }
            for (event, accepted) in batch.drain(..) {
                handler.call(&event);
                std::hint::black_box(accepted.elapsed());
            }
        }
    }
}

impl Way for Channels {
    async fn publish(&self, event: Event) {
        self.accepted.fetch_add(1, Relaxed);
        let sender = &self.senders[event.priority().index()];
        sender.send((event, Instant::now())).await.ok().unwrap();
    }

    async fn finish(&self) -> u64 {
        self.handler.handled(self.accepted.load(Relaxed)).await;
        0
    }
}

impl Plain {
    fn start(handler: &Arc<Handler>) -> Arc<Self> {
        let way = Arc::new(Self {
            state: parking_lot::Mutex::default(),
            work: Notify::new(),
            room: Notify::new(),
            handler: handler.clone(),
            accepted: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        for _ in 0..EventBusConfig::default().workers {
            tokio::spawn(way.clone().work());
        }
        way
    }

    async fn work(self: Arc<Self>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            {
                let mut state = self.state.lock();
                for deque in &mut *state {
                    let n = deque.len().min(BATCH - batch.len());
                    batch.extend(deque.drain(..n));
                }
            }
            if batch.is_empty() && self.over.load(Relaxed) {
                return;
            }
            if batch.is_empty() {
                self.work.notified().await;
                continue;
            }
            self.room.notify_waiters();
            for (event, accepted) in batch.drain(..) {
                self.handler.call(&event);
                std::hint::black_box(accepted.elapsed());
            }
            tokio::task::yield_now().await;
        }
    }

    fn push(&self, event: Event) -> Option<Event> {
        let at = event.priority().index();
        let mut state = self.state.lock();
        if state[at].len() >= SIZES[at] {
            return Some(event);
        }
        state[at].push_back((event, Instant::now()));
        None
    }
}

impl Way for Plain {
    async fn publish(&self, mut event: Event) {
        tokio::task::consume_budget().await;
        self.accepted.fetch_add(1, Relaxed);
        while let Some(back) = self.push(event) {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            let Some(back) = self.push(back) else { break };
            event = back;
            room.await;
        }
        self.work.notify_one();
    }

    async fn finish(&self) -> u64 {
        self.handler.handled(self.accepted.load(Relaxed)).await;
        self.over.store(true, Relaxed);
        for _ in 0..EventBusConfig::default().workers {
            self.work.notify_one();
            tokio::task::yield_now().await;
        }
        self.work.notify_waiters();
        0
    }
}
