//! The pieces of work that are measured, each in a mode and with so many at once. All of them run to their end and check
//! that nothing was lost, because a lost event is quick.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use brummer::{
    bus::{EventBus, Filter},
    config::{Backpressure, Config, Mode},
    event::{
        Component, Event, EventKind, Exit, Health, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp,
    },
    logs::Logs,
    metrics::SynchronizationMetrics,
    model::{HISTORY, Model, Revision},
    process::{Manager, OutputBatch, Parts, Stream},
    resource::ResourceManager,
};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinSet,
};

/// What a piece of work took.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// From start to end, milliseconds.
    pub ms: f64,
    /// The 99th percentile of what one who takes part waits for, microseconds.
    pub p99: f64,
}

/// The parts below what is measured.
pub struct Stand {
    pub resources: ResourceManager,
    pub bus: EventBus,
    pub config: Config,
}

/// Runs a piece of work on a runtime as the host has it.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

impl Stand {
    pub fn start(mode: Mode) -> Self {
        let mut config = Config::default();
        config.eventbus.backpressure = Backpressure::Block;
        config.process_manager.stop_grace = Duration::from_secs(2);
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, faults) = ResourceManager::new(&config.resources, Arc::clone(&metrics));
        drop(faults);
        let bus = EventBus::start(&config.eventbus, mode, &resources, metrics);
        Self { resources, bus, config }
    }

    pub fn logs(&self, mode: Mode) -> (Logs, mpsc::Sender<OutputBatch>) {
        Logs::start(&self.config.log_store, mode, self.bus.clone(), &self.resources)
    }

    pub fn manager(&self, mode: Mode, output: mpsc::Sender<OutputBatch>) -> Manager {
        let parts = Parts { bus: self.bus.clone(), resources: self.resources.clone(), output };
        Manager::start_manager(&self.config.process_manager, mode, parts)
    }

    pub async fn end(self) {
        self.resources.shutdown().begin();
        assert_eq!(self.bus.stop().await.left, 0);
        drop(self.bus);
        assert_eq!(self.resources.drained(Duration::from_secs(20)).await, 0, "tasks are left");
    }
}

/// Waits for all of them; gives the 99th percentile of what they waited for.
async fn all(mut tasks: JoinSet<Vec<Duration>>) -> f64 {
    let mut waits = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        waits.extend(ended.unwrap());
    }
    percentile(&mut waits)
}

fn percentile(waits: &mut [Duration]) -> f64 {
    waits.sort_unstable();
    waits.get(waits.len() * 99 / 100).map_or(0.0, |wait| wait.as_secs_f64() * 1e6)
}

fn id(number: usize) -> ProcessId {
    ProcessId(u32::try_from(number).unwrap() + 1)
}

/// Events from publishers that wait for room, to one handler.
pub async fn events(mode: Mode, publishers: usize, count: usize) -> Cost {
    let stand = Stand::start(mode);
    let seen = Arc::new(AtomicU64::new(0));
    let counting = stand.bus.on(Filter::all(), Component::App, "count", {
        let seen = Arc::clone(&seen);
        move |_| {
            seen.fetch_add(1, Relaxed);
        }
    });
    let each = count / publishers;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for publisher in 0..publishers {
        let bus = stand.bus.clone();
        tasks.spawn(async move {
            let mut waits = Vec::with_capacity(each / 8);
            for number in 0..each {
                let last = Seq(number as u64);
                let before = Instant::now();
                // Refused after 100 ms without room, which a busy machine makes of less.
                let event = Event::LinesArrived { process: id(publisher), first: last, last };
                while bus.publish(event.clone()).await.is_err() {}
                if number.is_multiple_of(8) {
                    waits.push(before.elapsed());
                }
            }
            waits
        });
    }
    let p99 = all(tasks).await;
    let bus = stand.bus.clone();
    assert_eq!(bus.stop().await.left, 0);
    let cost = Cost { ms: start.elapsed().as_secs_f64() * 1e3, p99 };
    assert_eq!(seen.load(Relaxed), (each * publishers) as u64, "every event is seen");
    drop((counting, bus));
    stand.end().await;
    cost
}

/// Processes started and, once they run, stopped again.
pub async fn processes(mode: Mode, at_once: usize, count: usize) -> Cost {
    let stand = Stand::start(mode);
    let running: Arc<Mutex<HashMap<ProcessId, Arc<Notify>>>> = Arc::default();
    let told = Arc::clone(&running);
    let started = Filter::of(&[EventKind::ProcessStarted]);
    let watching = stand.bus.on(started, Component::App, "watch", move |event| {
        if let Event::ProcessStarted { process, .. } = event {
            let notify = Arc::clone(told.lock().entry(*process).or_default());
            notify.notify_one();
        }
    });
    let (logs, output) = stand.logs(mode);
    let manager = stand.manager(mode, output);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..at_once {
        let (manager, running) = (manager.clone(), Arc::clone(&running));
        tasks.spawn(async move {
            let mut waits = Vec::new();
            for _ in 0..count / at_once {
                let before = Instant::now();
                let process = manager.start(sleeper(number)).await.unwrap().process();
                let runs = Arc::clone(running.lock().entry(process).or_default());
                runs.notified().await;
                manager.stop(process).await.unwrap();
                waits.push(before.elapsed());
            }
            waits
        });
    }
    let p99 = all(tasks).await;
    let ms = start.elapsed().as_secs_f64() * 1e3;
    manager.shutdown(Duration::from_secs(1)).await;
    drop((manager, logs, watching));
    stand.end().await;
    Cost { ms, p99 }
}

fn sleeper(number: usize) -> ProcessInfo {
    shell(&format!("sleeper {number}"), "exec sleep 1000")
}

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

/// Lines of 100 bytes in batches of 500, straight into the store. Who writes waits until what it wrote can be read, once
/// for every tenth batch.
pub async fn lines(mode: Mode, writers: usize, count: usize, looks: bool) -> Cost {
    const BATCH: usize = 500;
    let stand = Stand::start(mode);
    let (logs, output) = stand.logs(mode);
    if !looks {
        // What a store does without while it is failing, and the fallback always.
        logs.degrade(Health::Failing);
    }
    let text: Vec<u8> = (0..BATCH).flat_map(|number| format!("{number:099}\n").into_bytes()).collect();
    let batches = count / BATCH / writers;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let (output, logs, text) = (output.clone(), logs.clone(), text.clone());
        tasks.spawn(async move {
            let (process, run, at) = (id(writer), RunId(writer as u64 + 1), Timestamp(1));
            let mut waits = Vec::new();
            let (ack, answer) = oneshot::channel();
            output.send(OutputBatch::Begin { process, run, number: 1, at, info: None, ack }).await.unwrap();
            answer.await.unwrap();
            for batch in 0..batches {
                let (text, stream) = (text.clone(), Stream::Out);
                let lines =
                    OutputBatch::Lines { process, run, stream, at, text, cut: Vec::new(), after_exit: false };
                let before = Instant::now();
                output.send(lines).await.unwrap();
                if batch.is_multiple_of(10) {
                    logs.counts().await.unwrap();
                    waits.push(before.elapsed());
                }
            }
            let (ack, answer) = oneshot::channel();
            output.send(OutputBatch::End { process, run, ack }).await.unwrap();
            assert_eq!(answer.await.unwrap(), Seq((batches * BATCH) as u64), "every line is in");
            waits
        });
    }
    let p99 = all(tasks).await;
    let ms = start.elapsed().as_secs_f64() * 1e3;
    drop((logs, output));
    stand.end().await;
    Cost { ms, p99 }
}

/// Events into the model from several threads, and one reader that follows.
pub async fn updates(mode: Mode, writers: usize, count: usize) -> Cost {
    let model = Arc::new(Model::new(mode, HISTORY));
    let reader = tokio::spawn({
        let model = Arc::clone(&model);
        async move {
            let mut seen = Revision(0);
            while seen.0 < u64::MAX {
                model.changed().await;
                let view = model.view(seen, 0);
                seen = view.revision;
                // The work of a reader: an editor looks about so often.
                tokio::time::sleep(Duration::from_millis(8)).await;
            }
        }
    });
    let each = count / writers;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let model = Arc::clone(&model);
        tasks.spawn(async move {
            let mut waits = Vec::with_capacity(each / 8);
            for number in 0..each {
                let event = update(writer, number);
                let before = Instant::now();
                model.update(&event);
                if number.is_multiple_of(8) {
                    waits.push(before.elapsed());
                }
                if number.is_multiple_of(64) {
                    tokio::task::yield_now().await;
                }
            }
            waits
        });
    }
    let p99 = all(tasks).await;
    let ms = start.elapsed().as_secs_f64() * 1e3;
    reader.abort();
    assert_eq!(model.view(Revision(0), 0).rows.len(), writers, "a row for each");
    Cost { ms, p99 }
}

fn update(writer: usize, number: usize) -> Event {
    let (process, run, at) = (id(writer), RunId((number / 4) as u64 + 1), Timestamp(number as u64));
    let seq = Seq(number as u64);
    match number % 4 {
        0 => Event::ProcessPending { process, run, info: Arc::new(sleeper(writer)), at },
        1 => Event::ProcessStarted { process, run, pid: 1, after: seq, at },
        2 => Event::LinesArrived { process, first: seq, last: seq },
        _ => {
            let (state, exit) = (State::Success, Exit::Code(0));
            Event::ProcessExited { process, run, state, exit, last: seq, reason: None, at }
        }
    }
}
