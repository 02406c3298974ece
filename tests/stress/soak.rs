//! A mix of everything for a while, in rounds. After each round all has come to rest: then as many tasks are alive and as
//! many files open as at first, and memory does not grow.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use brummer::{
    bus::{EventBus, Filter},
    config::{Backpressure, Mode},
    event::{Component, Health, Pressure},
    logs::Logs,
    model::{Model, Revision},
    process::{Manager, Parts},
    resource::ResourceManager,
};

use crate::{
    Program, Scale,
    exhaust::rings,
    planted,
    rig::{self, Rig, config, until},
};

pub const PROGRAMS: &[Program] = &[("soak", run)];

/// Rounds before memory is looked at: until then rings and tables fill.
const WARM_UP: f64 = 0.3;

/// How much memory may grow after that. What is kept is bounded, what the allocator keeps varies.
const FACTOR: f64 = 1.5;
const SLACK: u64 = 48 << 20;

/// Tasks of one round, and what each does.
const TASKS: usize = 50;
const OPERATIONS: usize = 40;
const PROCESSES: usize = 6;

/// What is constant or bounded, as it stood after a round.
#[derive(Clone, Copy, Debug)]
struct Sample {
    resident: u64,
    tasks: usize,
    files: usize,
}

#[derive(Clone)]
struct Rooms {
    bus: EventBus,
    resources: ResourceManager,
    logs: Logs,
    output: tokio::sync::mpsc::Sender<brummer::process::OutputBatch>,
    manager: Manager,
    model: Arc<Model>,
}

fn run(scale: &Scale) -> String {
    rig::run(async {
        let mut config = config(Mode::Current);
        config.process_manager.stop_grace = Duration::from_secs(2);
        let rig = Rig::start(&config);
        let model = Arc::new(Model::default());
        let updated = Arc::clone(&model);
        let updates =
            rig.bus.on(Filter::all(), Component::Model, "update", move |event| updated.update(event));
        let (logs, output) = Logs::start(&config.log_store, Mode::Current, rig.bus.clone(), &rig.resources);
        let parts = Parts { bus: rig.bus.clone(), resources: rig.resources.clone(), output: output.clone() };
        let manager = Manager::start_manager(&config.process_manager, Mode::Current, parts);
        let (bus, resources) = (rig.bus.clone(), rig.resources.clone());
        let parts = Rooms { bus, resources, logs, output, manager, model };
        // The first round makes what stays for ever: an entry and a task for each process.
        let mut hoard: Vec<Vec<u8>> = Vec::new();
        round(&parts, scale, 0).await;
        let first = rest(&parts, None).await;

        let start = Instant::now();
        let (mut rounds, mut warm, mut most) = (1, first.resident, first.resident);
        while start.elapsed() < scale.soak {
            round(&parts, scale, rounds).await;
            if planted::is("grow") {
                hoard.push(vec![1; 32 << 20]);
            }
            let sample = rest(&parts, Some(first)).await;
            assert_eq!(
                (sample.tasks, sample.files),
                (first.tasks, first.files),
                "tasks and files after round {rounds}"
            );
            if start.elapsed() < scale.soak.mul_f64(WARM_UP) {
                warm = warm.max(sample.resident);
            }
            most = most.max(sample.resident);
            let bound = (warm as f64 * FACTOR) as u64 + SLACK;
            assert!(
                sample.resident <= bound,
                "memory grows: {sample:?} after round {rounds}, {warm} when warm"
            );
            rounds += 1;
        }
        let Rooms { manager, logs, output, .. } = parts;
        manager.shutdown(Duration::from_secs(2)).await;
        let counts = logs.counts().await.unwrap();
        assert_eq!(counts.evicted + counts.kept, counts.lines, "{counts:?}");
        drop((manager, logs, output, updates));
        let bus = rig.metrics.snapshot().bus;
        rig.end().await;
        format!(
            "{rounds} rounds in {:.0} s, {} events, {} lines; tasks {}, files {}; resident {} MB at first, {} when warm, {} at most",
            start.elapsed().as_secs_f64(),
            bus.published.iter().sum::<u64>(),
            counts.lines,
            first.tasks,
            first.files,
            first.resident >> 20,
            warm >> 20,
            most >> 20
        )
    })
}

/// Everything at once.
async fn round(parts: &Rooms, scale: &Scale, number: usize) {
    let switching = tokio::spawn(change(parts.clone(), number));
    rig::crowd(TASKS, scale.limit, |task| {
        let parts = parts.clone();
        async move {
            for operation in 0..OPERATIONS {
                operate(&parts, task, operation).await;
            }
        }
    })
    .await;
    switching.await.unwrap();
    for process in 1..=PROCESSES {
        // Some have ended by themselves.
        parts.manager.stop(rig::id(process)).await.expect("it is known");
    }
}

/// Modes, levels and pressure, and back. The pauses are a pace, not waits: the load is to go on in each state for a while,
/// and nothing follows from how long.
async fn change(parts: Rooms, number: usize) {
    for mode in [Mode::Fallback, Mode::Current] {
        match number % 4 {
            0 => parts.bus.switch(mode).await,
            1 => parts.logs.switch(mode).await,
            2 => parts.manager.switch(mode).await,
            _ => parts.model.switch(mode),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for health in [Health::Degraded, Health::Failing, Health::Healthy] {
        parts.bus.degrade(health);
        parts.logs.degrade(health);
        parts.manager.degrade(health);
        parts.model.degrade(health);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for pressure in [Pressure::Warning, Pressure::Critical, Pressure::Normal] {
        parts.resources.set_pressure(pressure);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A probe has a second, which is short on a machine that does other things too: one of many must succeed.
    for attempt in 1.. {
        let probes = [
            parts.bus.probe().await,
            parts.logs.probe().await,
            parts.manager.probe().await,
            parts.model.probe(),
        ];
        if probes.iter().all(Result::is_ok) {
            break;
        }
        assert!(attempt < 30, "no probe succeeds: {probes:?}");
    }
}

async fn operate(parts: &Rooms, task: usize, operation: usize) {
    // Numbers behind those of the real processes.
    let process = 1000 + task;
    match (task + operation) % 8 {
        0 => parts.bus.publish(rig::exited(process, operation)).await.expect("High is taken"),
        1 => drop(parts.bus.publish(rig::lines(process, operation)).await),
        2 => {
            let kinds = Filter::all();
            let mut mailbox = parts.bus.subscribe(kinds, Component::App, 8, Backpressure::DropOldest);
            parts.bus.try_publish(rig::error(process, operation)).expect("High is taken");
            tokio::task::yield_now().await;
            while mailbox.try_recv().is_some() {}
        }
        3 => {
            let permit = parts.resources.acquire(Component::App).await;
            let answer = parts.resources.spawn(Component::App, "short", async move { operation }).await;
            assert_eq!(answer, Some(operation));
            drop(permit);
        }
        4 => {
            let text = (0..20)
                .map(|line| format!("line {line} of {operation}: {:0200}\n", line))
                .collect::<String>();
            parts.output.send(rings::batch(process, text.into_bytes())).await.expect("the store goes on");
        }
        5 => drop(rings::all(&parts.logs, process).await),
        6 => drop(parts.model.view(Revision(0), 0)),
        _ => {
            let number = (task + operation / 8) % PROCESSES;
            let script = if number.is_multiple_of(2) { "seq 1 200" } else { "echo up; exec sleep 1000" };
            parts
                .manager
                .start(rig::shell(&format!("script {number}"), script))
                .await
                .expect("there is room");
        }
    }
}

/// Waits until nothing moves any more, and looks.
async fn rest(parts: &Rooms, wanted: Option<Sample>) -> Sample {
    until("all is delivered", || parts.bus.account().iter().all(|book| book.queued + book.in_flight == 0))
        .await;
    let look = || Sample { resident: resident(), tasks: parts.resources.alive(), files: files() };
    match wanted {
        // What has just ended may take a moment to go.
        Some(wanted) => {
            let as_before = || {
                let now = look();
                (now.tasks, now.files) == (wanted.tasks, wanted.files)
            };
            let limit = Duration::from_secs(30);
            let start = Instant::now();
            while !as_before() && start.elapsed() < limit {
                // The condition is looked at again: the system tells nobody when a file is closed.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        None => {
            let mut before = (0, 0);
            let mut same = 0;
            while same < 20 {
                let now = (look().tasks, look().files);
                same = if now == before { same + 1 } else { 0 };
                before = now;
                // What is waited for is that nothing changes, which takes time by itself.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    look()
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident set");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
