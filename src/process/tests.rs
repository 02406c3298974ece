//! What the tests of the manager have in common: a manager, who reads its output and who hears its events.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};

use super::*;
use crate::{
    bus::{Filter, Mailbox},
    config::{Backpressure, EventBusConfig, ResourcesConfig, StatusReadStrategy},
    event::{Component, Detail, Event, Exit, Fault, FaultKind, Readiness, State},
    metrics::SynchronizationMetrics,
    resource::FaultReceiver,
    sync::Mutex,
};

/// Runs each test against both implementations.
macro_rules! both_modes {
    ($($name:ident)*) => { $(
        mod $name {
            #[tokio::test]
            async fn current() {
                super::$name(super::Mode::Current).await;
            }
            #[tokio::test]
            async fn fallback() {
                super::$name(super::Mode::Fallback).await;
            }
        }
    )* };
}

mod after;
mod again;
mod cell;
mod contract;
mod input;
mod levels;
mod lossless;
mod printed;
mod trees;

/// Generous: nothing here measures time.
const DEADLINE: Duration = Duration::from_secs(20);

/// A line that came through the output pipe.
#[derive(Clone, Debug)]
struct Printed {
    stream: Stream,
    text: String,
    after_exit: bool,
}

/// What the log store would hold.
#[derive(Default)]
struct Sink {
    lines: Mutex<Vec<Printed>>,
    arrived: Notify,
}

struct Rig {
    manager: Manager,
    events: Mailbox,
    sink: Arc<Sink>,
    resources: ResourceManager,
    faults: FaultReceiver,
}

impl Rig {
    fn new(mode: Mode) -> Self {
        Self::with(mode, &ProcessManagerConfig::default())
    }

    fn with(mode: Mode, config: &ProcessManagerConfig) -> Self {
        let (rig, output) = Self::unread(mode, config);
        let sink = Arc::clone(&rig.sink);
        drop(rig.resources.spawn(Component::Logs, "sink", sink.serve(output)));
        rig
    }

    /// A rig whose output pipe nobody reads yet.
    fn unread(mode: Mode, config: &ProcessManagerConfig) -> (Self, mpsc::Receiver<OutputBatch>) {
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, faults) = ResourceManager::new(&ResourcesConfig::default(), Arc::clone(&metrics));
        let bus = EventBus::start(&EventBusConfig::default(), Mode::Current, &resources, metrics);
        let events = bus.subscribe(Filter::all(), Component::App, 1000, Backpressure::DropOldest);
        let (sender, output) = mpsc::channel(1);
        let parts = Parts { bus, resources: resources.clone(), output: sender };
        let status_read_strategy = match mode {
            Mode::Current => StatusReadStrategy::Atomic,
            Mode::Fallback => StatusReadStrategy::Locked,
        };
        let config = ProcessManagerConfig { status_read_strategy, ..config.clone() };
        let manager = Manager::start_manager(&config, mode, parts);
        (Self { manager, events, sink: Arc::default(), resources, faults }, output)
    }

    async fn event(&mut self) -> Event {
        let event = timeout(DEADLINE, self.events.recv()).await.expect("an event within the deadline");
        event.expect("the bus runs")
    }

    async fn exit(&mut self) -> (RunId, State, Exit, Seq) {
        // Other events may come for ever.
        let exit = async {
            loop {
                if let Event::ProcessExited { run, state, exit, last, .. } = self.event().await {
                    return (run, state, exit, last);
                }
            }
        };
        timeout(DEADLINE, exit).await.expect("an exit within the deadline")
    }

    async fn started(&mut self) -> u32 {
        loop {
            if let Event::ProcessStarted { pid, .. } = self.event().await {
                return pid;
            }
        }
    }

    /// Waits until this is known of a run.
    async fn detail(&mut self, is_it: impl Fn(&Detail) -> bool) {
        let known = async {
            loop {
                if let Event::ProcessDetail { detail, .. } = self.event().await
                    && is_it(&detail)
                {
                    return;
                }
            }
        };
        timeout(DEADLINE, known).await.expect("it is known within the deadline");
    }

    /// Waits until a run says that it waits for this.
    async fn waiting(&mut self, what: &str) {
        self.detail(|detail| detail.waiting.as_deref() == Some(what)).await;
    }

    /// Waits until a line of this text has come.
    async fn line(&self, text: &str) -> Printed {
        let seen = async {
            loop {
                let arrived = self.sink.arrived.notified();
                let found = self.sink.lines.lock().iter().find(|line| line.text == text).cloned();
                match found {
                    Some(line) => return line,
                    None => arrived.await,
                }
            }
        };
        timeout(DEADLINE, seen).await.unwrap_or_else(|_| panic!("no line {text:?} in {:?}", self.texts()))
    }

    fn texts(&self) -> Vec<String> {
        self.sink.lines.lock().iter().map(|line| line.text.clone()).collect()
    }
}

impl Sink {
    async fn serve(self: Arc<Self>, mut output: mpsc::Receiver<OutputBatch>) {
        while let Some(batch) = output.recv().await {
            match batch {
                OutputBatch::Begin { ack, .. } | OutputBatch::End { ack, .. } => {
                    ack.send(Seq(self.lines.lock().len() as u64)).ok();
                }
                OutputBatch::Lines { stream, text, after_exit, .. } => {
                    let text = String::from_utf8_lossy(&text);
                    let lines =
                        text.lines().map(|line| Printed { stream, text: line.to_owned(), after_exit });
                    self.lines.lock().extend(lines);
                    self.arrived.notify_waiters();
                }
            }
        }
    }
}

fn group_is_alive(pid: u32) -> bool {
    let group = i32::try_from(pid).expect("a process id");
    crate::guard::group(group).iter().any(|process| !process.zombie)
}
