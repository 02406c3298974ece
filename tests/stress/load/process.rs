//! Real processes through the manager: 100 tasks look at them, and start, stop and restart them in between. Some come after
//! others, some are started again by themselves, some say when they are ready.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use brummer::{
    bus::Filter,
    config::{After, Condition, Mode, Ready, ReadyProbe, RestartPolicy, RestartWhen, RunOptions},
    event::{Component, Event, ProcessInfo, RunId},
    logs::Logs,
    process::{Manager, Parts, ProcessError, Started},
};
use parking_lot::Mutex;

use crate::{
    Scale, planted,
    rig::{self, Rig, config},
};

/// Processes that are asked for.
const PROCESSES: usize = 12;

/// One operation of so many starts, stops or restarts; the others look. A start costs a real program.
const LOOKS: usize = 32;

/// The task of a process, a reader for each of its two pipes, and one for each stop that is waited for.
const TASKS_EACH: usize = 3;

/// What was told of one run.
#[derive(Default, Debug, Clone, Copy)]
struct Told {
    pending: u32,
    started: u32,
    exited: u32,
    disordered: bool,
}

pub fn run(scale: &Scale, mode: Mode) -> String {
    rig::run(async {
        let mut config = config(mode);
        config.process_manager.max_concurrent_starts = 4;
        config.process_manager.stop_grace = Duration::from_secs(2);
        let rig = Rig::start(&config);
        let told: Arc<Mutex<HashMap<RunId, Told>>> = Arc::default();
        let seen = Arc::clone(&told);
        let watching = rig.bus.on(Filter::all(), Component::App, "watch", move |event| note(&seen, event));
        let start = config.log_store.rollout.mode().start();
        let (logs, output) = Logs::start(&config.log_store, start, rig.bus.clone(), &rig.resources);
        let parts = Parts { bus: rig.bus.clone(), resources: rig.resources.clone(), output };
        let manager = Manager::start_manager(
            &config.process_manager,
            config.process_manager.rollout.mode().start(),
            parts,
        );
        let resting = rig.resources.alive();

        let peak = rig.peak();
        let asked = Arc::new(AtomicU64::new(0));
        let operations = scale.operations;
        rig::crowd(scale.tasks, scale.limit, |task| {
            let (manager, asked) = (manager.clone(), Arc::clone(&asked));
            async move {
                for operation in 0..operations {
                    let number = task * 31 + operation / LOOKS;
                    if (task + operation).is_multiple_of(LOOKS) {
                        operate(&manager, &asked, number).await;
                    } else {
                        look(&manager, task + operation);
                        tokio::task::yield_now().await;
                    }
                }
            }
        })
        .await;
        manager.shutdown(Duration::from_secs(2)).await;
        let most = peak.take();
        let refused = manager.start(rig::shell("late", "true")).await;
        assert_eq!(refused, Err(ProcessError::Closed), "after the end");

        // A run that never came to start has no process to wait for, and its exit may be told a little later.
        let all_ended = || told.lock().values().all(|told| told.exited > 0);
        rig::until("every exit is told", all_ended).await;
        drop((manager, logs));
        let stopped = rig.bus.stop().await;
        assert_eq!(stopped.left, 0, "{stopped:?}");
        let mut told = told.lock().clone();
        if planted::is("lost-exit") {
            told.values_mut().next().unwrap().exited = 0;
        }
        // What was asked for, what that brought with it, and what policies asked for.
        let process = rig.metrics.snapshot().process;
        assert_eq!(told.len() as u64, process.starts, "runs that were accepted and told of");
        let asked = asked.load(Relaxed) + process.restarts;
        assert!(process.starts >= asked && process.restarts > 0, "{asked} were asked for: {process:?}");
        assert_eq!(process.running, 0, "all have ended");
        for (run, told) in &told {
            assert!(
                told.pending == 1 && told.started <= 1 && told.exited == 1,
                "one exit for each: {run:?} {told:?}"
            );
            assert!(!told.disordered, "{run:?} {told:?}");
        }
        let allowed = resting + PROCESSES * TASKS_EACH + scale.tasks;
        assert!(most <= allowed, "{most} tasks at once, {allowed} are declared");
        let told = format!(
            "{} operations on {PROCESSES} processes, {} runs; tasks {most} of {allowed}",
            scale.tasks * operations,
            told.len(),
        );
        drop(watching);
        rig.end().await;
        told
    })
}

/// Some end by themselves, well or not, some only when they are told to. The number says what each comes after: nothing
/// that comes after it in turn.
fn script(name: usize) -> ProcessInfo {
    let text = match name % 6 {
        0 | 3 => "echo one; echo two >&2",
        1 => "echo up; exit 1",
        _ => "echo up; exec sleep 1000",
    };
    let when = if name % 6 == 1 { RestartWhen::OnFailure } else { RestartWhen::Never };
    let restart = RestartPolicy { when, delay: Duration::from_millis(1), ..RestartPolicy::default() };
    let before = match name % 6 {
        4 => Some((name - 1, Condition::ExitedOk)),
        5 => Some((name - 1, Condition::Ready)),
        _ => None,
    };
    let after = before
        .map(|(before, condition)| After { script: format!("script {before}"), condition: Some(condition) });
    let probe = ReadyProbe::Log("up".to_owned());
    let ready = (name % 6 == 4).then_some(Ready { probe, timeout: Duration::from_secs(30) });
    let options = RunOptions { restart, after: after.into_iter().collect(), ready, ..RunOptions::default() };
    ProcessInfo { options, ..rig::shell(&format!("script {name}"), text) }
}

async fn operate(manager: &Manager, asked: &AtomicU64, number: usize) {
    let name = number % PROCESSES;
    let first = (name - name % 6..name).map(script).collect();
    let started = manager.begin_start_after(first, script(name)).await.expect("it goes on");
    let process = match started.done().await.expect("there is room") {
        Started::New(process, _) => {
            asked.fetch_add(1, Relaxed);
            process
        }
        Started::Running(process) => process,
    };
    assert!(manager.status(process).is_some() && manager.info(process).is_some());
    match number % 5 {
        // These are left to their policy.
        _ if name % 6 == 1 => {}
        0 | 1 => manager.stop(process).await.expect("it is known"),
        2 => {
            // Refused when nothing may run any more, which is not the case here.
            manager.restart(process).await.expect("it can run again");
            asked.fetch_add(1, Relaxed);
        }
        _ => {}
    }
}

/// State, exit and time of a status were written together.
fn look(manager: &Manager, number: usize) {
    let Some(status) = manager.status(rig::id(1 + number % PROCESSES)) else { return };
    let over = status.state.is_terminal();
    assert_eq!((status.exit.is_some(), status.ended_at.is_some()), (over, over), "{status:?}");
}

fn note(told: &Mutex<HashMap<RunId, Told>>, event: &Event) {
    let mut told = told.lock();
    match event {
        Event::ProcessPending { run, .. } => told.entry(*run).or_default().pending += 1,
        Event::ProcessStarted { run, .. } => {
            let told = told.entry(*run).or_default();
            told.disordered |= told.pending == 0 || told.exited > 0;
            told.started += 1;
        }
        Event::ProcessExited { run, .. } => {
            let told = told.entry(*run).or_default();
            told.disordered |= told.pending == 0;
            told.exited += 1;
        }
        _ => {}
    }
}
