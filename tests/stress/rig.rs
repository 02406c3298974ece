//! What the programs stand on: a runtime, the parts under load, and what they cost while it lasts.

use std::{
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use brummer::{
    bus::EventBus,
    config::{Config, Mode, Rollout},
    event::{Event, Exit, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp},
    metrics::SynchronizationMetrics,
    resource::{FaultReceiver, ResourceManager},
};
use parking_lot::{Condvar, Mutex};
use tokio::{runtime::Builder, task::JoinSet, time::timeout};

/// Threads the tasks share: more than the machine has cores, so that they are also interrupted where it hurts.
const THREADS: usize = 4;

/// The parts every program has, on a runtime of its own.
pub struct Rig {
    pub metrics: Arc<SynchronizationMetrics>,
    pub resources: ResourceManager,
    /// Until somebody takes it.
    faults: Option<FaultReceiver>,
    pub bus: EventBus,
    /// Tasks that were alive before the load came.
    pub resting: usize,
}

/// The most tasks alive at once while it was looked at.
pub struct Peak {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<usize>,
}

/// Holds a [`Door`] shut until dropped, also by a check that fails: the handlers behind it would hold up the runtime.
pub struct Gate(pub Arc<Door>);

/// Where handlers wait, on their thread, until it is opened.
#[derive(Default)]
pub struct Door {
    open: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
}

/// Runs a program on a runtime of its own, which is gone when this returns.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().unwrap();
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(10));
    result
}

/// Starts `tasks` of them together and waits until all are done, at most for `limit`.
pub async fn crowd<F>(tasks: usize, limit: Duration, work: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut crowd = JoinSet::new();
    for number in 0..tasks {
        crowd.spawn(work(number));
    }
    let all = async {
        while let Some(ended) = crowd.join_next().await {
            if let Err(error) = ended {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    };
    assert!(timeout(limit, all).await.is_ok(), "the load was not done after {limit:?}");
}

/// Waits until something holds. The time is generous: it ends a test that would wait for ever.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            // The one place where a condition is polled: many of them have nobody who would tell.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(timeout(Duration::from_secs(60), wait).await.is_ok(), "it never came to this: {what}");
}

/// The defaults, with every component in one mode.
pub fn config(mode: Mode) -> Config {
    let mut config = Config::default();
    let fallback = mode == Mode::Fallback;
    let rollout = Rollout { enable_new_sync: !fallback, fallback_mode: fallback };
    config.eventbus.rollout = rollout;
    config.process_manager.rollout = rollout;
    config.log_store.rollout = rollout;
    config.model.rollout = rollout;
    config
}

// === impl Rig ===

impl Rig {
    pub fn start(config: &Config) -> Self {
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, faults) = ResourceManager::new(&config.resources, Arc::clone(&metrics));
        let mode = config.eventbus.rollout.mode().start();
        let bus = EventBus::start(&config.eventbus, mode, &resources, Arc::clone(&metrics));
        let resting = resources.alive();
        Self { metrics, resources, faults: Some(faults), bus, resting }
    }

    /// For a part that reads the faults itself.
    pub fn take_faults(&mut self) -> FaultReceiver {
        self.faults.take().expect("nobody else reads them")
    }

    /// Where faults come out.
    pub fn faults(&mut self) -> &mut FaultReceiver {
        self.faults.as_mut().expect("nobody else reads them")
    }

    /// Looks at the number of tasks from now on.
    pub fn peak(&self) -> Peak {
        let stop = Arc::new(AtomicBool::new(false));
        let (resources, ended) = (self.resources.clone(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut most = 0;
            while !ended.load(Ordering::Relaxed) {
                most = most.max(resources.alive());
                // A sampling rate: the peak is of what is seen once a millisecond.
                thread::sleep(Duration::from_millis(1));
            }
            most
        });
        Peak { stop, thread }
    }

    /// Stops what runs. Nothing may be left: no event, no task, no permit, no fault.
    pub async fn end(self) {
        self.resources.shutdown().begin();
        let stopped = self.bus.stop().await;
        assert_eq!(stopped.left, 0, "events were left: {stopped:?}");
        for (priority, account) in self.bus.account().iter().enumerate() {
            assert!(account.balances(), "the books of priority {priority}: {account:?}");
            assert_eq!(account.queued + account.in_flight, 0, "priority {priority}: {account:?}");
        }
        drop(self.bus);
        let left = self.resources.drained(Duration::from_secs(20)).await;
        assert_eq!(left, 0, "tasks are left");
        let resource = self.metrics.snapshot().resource;
        assert_eq!(resource.permits_in_use, 0, "permits are held");
        assert_eq!(resource.tasks_alive, 0, "tasks are counted as alive");
        if let Some(Ok(fault)) = self.faults.map(|mut faults| faults.try_recv()) {
            panic!("a fault was reported: {fault:?}");
        }
    }
}

// === impl Peak ===

impl Peak {
    /// The most there were.
    pub fn take(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

// === impl Gate ===

impl Gate {
    pub fn new() -> Self {
        Self(Arc::default())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.open();
    }
}

// === impl Door ===

impl Door {
    /// Waits until it is opened, holding up the thread.
    pub fn pass(&self) {
        let mut open = self.open.lock();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        while !*open {
            self.opened.wait(&mut open);
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    fn open(&self) {
        *self.open.lock() = true;
        self.opened.notify_all();
    }

    /// How many stand before it.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

// --- events ---

pub fn shell(name: &str, script: &str) -> ProcessInfo {
    ProcessInfo {
        name: name.to_owned(),
        package: None,
        root: PathBuf::from("/"),
        cwd: PathBuf::from("/"),
        argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        args: Vec::new(),
        script: script.to_owned(),
        env: Vec::new(),
        options: brummer::config::RunOptions::default(),
    }
}

/// High, and never put together with another one.
pub fn exited(process: usize, number: usize) -> Event {
    Event::ProcessExited {
        process: id(process),
        run: RunId(1),
        state: State::Success,
        exit: Exit::Code(0),
        last: Seq(number as u64),
        reason: None,
        at: Timestamp(0),
    }
}

/// High; newer ones of a run replace each other.
pub fn error(process: usize, number: usize) -> Event {
    let (run, count) = (RunId(1), u32::try_from(number).unwrap());
    Event::ErrorDetected {
        process: id(process),
        run,
        seq: Seq(number as u64),
        count,
        message: "error".into(),
        at: Timestamp(0),
    }
}

/// Medium.
pub fn lines(process: usize, number: usize) -> Event {
    let seq = Seq(number as u64);
    Event::LinesArrived { process: id(process), first: seq, last: seq }
}

/// Low.
pub fn memory() -> Event {
    Event::MemorySampled { resident: 1, limit: 2, pressure: Default::default(), at: Timestamp(0) }
}

pub fn id(number: usize) -> ProcessId {
    ProcessId(u32::try_from(number).unwrap())
}
