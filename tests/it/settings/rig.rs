//! The components as a host has them, without an editor.

use std::{path::Path, sync::Arc};

use brummer::{
    bus::{EventBus, Filter, Mailbox},
    config::{self, Backpressure, Config},
    event::{Component, Event, Exit, ProcessId, ProcessInfo},
    logs::{Counts, Logs},
    metrics::{Snapshot, SynchronizationMetrics},
    process::{Manager, OutputBatch, Parts},
    project::{self, PathLookup},
    resource::ResourceManager,
};
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Duration, timeout},
};

use crate::support::{proc::DEADLINE, project::Project};

/// Bus, processes and logs with these settings.
pub struct Rig {
    pub manager: Manager,
    pub logs: Logs,
    pub events: Mailbox,
    pub resources: ResourceManager,
}

/// A bus and what it needs.
pub struct Bus {
    pub bus: EventBus,
    pub resources: ResourceManager,
    metrics: Arc<SynchronizationMetrics>,
}

/// Waits for a condition without holding up the tasks that bring it about.
pub async fn until(what: &str, met: impl Fn() -> bool) {
    let wait = async {
        while !met() {
            yield_now().await;
        }
    };
    // More than one deadline: the machine may be very busy, and nothing here measures time.
    timeout(DEADLINE * 2, wait).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

// === impl Bus ===

impl Bus {
    pub fn start(config: &Config) -> Self {
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, _faults) = ResourceManager::new(&config.resources, Arc::clone(&metrics));
        let mode = config.eventbus.rollout.mode().start();
        let bus = EventBus::start(&config.eventbus, mode, &resources, Arc::clone(&metrics));
        Self { bus, resources, metrics }
    }

    /// Everything published has been delivered or dropped.
    pub fn idle(&self) -> bool {
        self.bus.account().iter().all(|account| account.queued == 0 && account.in_flight == 0)
    }

    pub fn figures(&self) -> Snapshot {
        self.metrics.snapshot()
    }
}

// === impl Rig ===

impl Rig {
    pub fn start(config: &Config) -> Self {
        let (bus, logs, output) = Self::store(config);
        Self::with(config, bus, logs, output)
    }

    /// The same with an output pipe that the test reads, or does not.
    pub fn unread(config: &Config) -> (Self, mpsc::Receiver<OutputBatch>) {
        let (bus, logs, _) = Self::store(config);
        let (output, batches) = mpsc::channel(100);
        (Self::with(config, bus, logs, output), batches)
    }

    fn store(config: &Config) -> (Bus, Logs, mpsc::Sender<OutputBatch>) {
        let bus = Bus::start(config);
        let mode = config.log_store.rollout.mode().start();
        let (logs, output) = Logs::start(&config.log_store, mode, bus.bus.clone(), &bus.resources);
        (bus, logs, output)
    }

    fn with(config: &Config, bus: Bus, logs: Logs, output: mpsc::Sender<OutputBatch>) -> Self {
        let Bus { bus, resources, .. } = bus;
        let events = bus.subscribe(Filter::all(), Component::App, 100_000, Backpressure::DropOldest);
        brummer::guard::use_program(crate::support::brummer());
        let parts = Parts { bus, resources: resources.clone(), output };
        let mode = config.process_manager.rollout.mode().start();
        let manager = Manager::start_manager(&config.process_manager, mode, parts);
        Self { manager, logs, events, resources }
    }

    /// Starts a command line.
    pub async fn run(&self, line: &str) -> ProcessId {
        let info = project::shell(Path::new("/"), line).unwrap();
        self.manager.start(info).await.unwrap().process()
    }

    /// Starts a script of a project with these settings, after what it comes after.
    pub async fn script(&self, settings: &str, name: &str) -> ProcessId {
        let directory = Project::empty();
        directory.write(".brum.toml", settings);
        let loaded = config::load(directory.root(), None, &|_| None);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let found = project::load(directory.root(), &loaded.config);
        // The directory is gone before the program runs.
        let steps = found.plan(&[name], &[], &PathLookup::from_env()).unwrap().into_iter();
        let mut infos: Vec<_> =
            steps.map(|step| ProcessInfo { root: "/".into(), cwd: "/".into(), ..step.info }).collect();
        let info = infos.pop().unwrap();
        self.manager.begin_start_after(infos, info).await.unwrap().done().await.unwrap().process()
    }

    /// The next event for which `look` finds something.
    pub async fn event<T>(&mut self, look: impl Fn(&Event) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the bus runs");
                if let Some(found) = look(&event) {
                    return found;
                }
            }
        };
        timeout(DEADLINE, wait).await.expect("the event within the deadline")
    }

    /// Waits for the next exit.
    pub async fn exit(&mut self) -> Exit {
        self.event(|event| match event {
            Event::ProcessExited { exit, .. } => Some(*exit),
            _ => None,
        })
        .await
    }

    /// What the store holds after a command line has ended.
    pub async fn counts_after(&mut self, line: &str) -> Counts {
        self.run(line).await;
        self.exit().await;
        self.logs.counts().await.unwrap()
    }

    /// Ends what runs.
    pub async fn end(self) {
        self.manager.shutdown(Duration::from_millis(10)).await;
        self.resources.shutdown().begin();
    }
}
