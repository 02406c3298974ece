//! As many processes as may run, one start at a time, and an output pipe nobody reads.

use std::time::Duration;

use brummer::{
    bus::Filter,
    config::{Config, Mode},
    event::{Component, Event, EventKind, Exit, Seq, State},
    logs::Logs,
    process::{Manager, OutputBatch, Parts, ProcessError, Started},
};
use tokio::sync::mpsc;

use crate::{
    Scale,
    rig::{self, Rig, config, until},
};

const GRACE: Duration = Duration::from_secs(2);

fn manager(rig: &Rig, config: &Config, output: mpsc::Sender<OutputBatch>) -> Manager {
    let parts = Parts { bus: rig.bus.clone(), resources: rig.resources.clone(), output };
    Manager::start_manager(&config.process_manager, config.process_manager.rollout.mode().start(), parts)
}

pub fn with_logs(rig: &Rig, config: &Config) -> Manager {
    let mode = config.log_store.rollout.mode().start();
    let (logs, output) = Logs::start(&config.log_store, mode, rig.bus.clone(), &rig.resources);
    drop(logs);
    manager(rig, config, output)
}

fn state(manager: &Manager, started: Started) -> Option<State> {
    manager.status(started.process()).map(|status| status.state)
}

pub fn most(mode: Mode) -> String {
    const MOST: usize = 3;
    rig::run(async {
        let mut config = config(mode);
        config.process_manager.max_processes = MOST;
        let rig = Rig::start(&config);
        let manager = with_logs(&rig, &config);
        let sleeper = |number: usize| rig::shell(&format!("sleeper {number}"), "exec sleep 1000");
        let mut started = Vec::new();
        for number in 0..MOST {
            started.push(manager.start(sleeper(number)).await.expect("there is room"));
        }
        for _ in 0..3 {
            let refused = manager.start(sleeper(MOST)).await;
            assert_eq!(refused, Err(ProcessError::TooMany(MOST)));
        }
        assert_eq!(manager.start(sleeper(0)).await, Ok(Started::Running(started[0].process())));
        for one in &started {
            until("they run", || state(&manager, *one) == Some(State::Running)).await;
        }

        manager.stop(started[0].process()).await.unwrap();
        let late = manager.start(sleeper(MOST)).await.expect("there is room again");
        until("it runs", || state(&manager, late) == Some(State::Running)).await;
        assert_eq!(manager.start(sleeper(0)).await, Err(ProcessError::TooMany(MOST)), "and full again");
        manager.shutdown(GRACE).await;
        drop(manager);
        rig.end().await;
        format!("{MOST} ran, 4 more were refused, one came when another had gone")
    })
}

pub fn starts(_scale: &Scale) -> String {
    const PROCESSES: usize = 40;
    rig::run(async {
        let mut config = config(Mode::Current);
        config.process_manager.max_concurrent_starts = 1;
        let rig = Rig::start(&config);
        let kinds = Filter::of(&[EventKind::ProcessExited]);
        let mut exits = rig.bus.subscribe(kinds, Component::App, PROCESSES, config.eventbus.backpressure);
        let manager = with_logs(&rig, &config);
        let mut pending = 0;
        for number in 0..PROCESSES {
            let started = manager.start(rig::shell(&format!("short {number}"), "true")).await.unwrap();
            pending += usize::from(state(&manager, started) == Some(State::Pending));
        }
        for _ in 0..PROCESSES {
            let exit =
                tokio::time::timeout(Duration::from_secs(60), exits.recv()).await.expect("all have a turn");
            assert!(matches!(exit, Some(Event::ProcessExited { exit: Exit::Code(0), .. })), "{exit:?}");
        }
        drop(exits);
        manager.shutdown(GRACE).await;
        drop(manager);
        rig.end().await;
        format!("{PROCESSES} asked for, one start at a time; {pending} were seen pending; all ran")
    })
}

pub fn pipe(mode: Mode) -> String {
    /// More than fits into the pipe of the kernel and ours.
    const LINES: u64 = 300_000;
    rig::run(async {
        let config = config(mode);
        let rig = Rig::start(&config);
        let (output, mut batches) = mpsc::channel(4);
        let manager = manager(&rig, &config, output.clone());
        let started = manager.start(rig::shell("flood", &format!("seq 1 {LINES}"))).await.unwrap();
        let Some(OutputBatch::Begin { ack, .. }) = batches.recv().await else { panic!("a run begins") };
        ack.send(Seq(0)).unwrap();
        until("the pipe is full", || output.capacity() == 0).await;
        let unread = output.max_capacity();
        assert_eq!(state(&manager, started), Some(State::Running), "the child waits");

        let mut next = 1;
        let end = loop {
            match batches.recv().await.expect("the end comes") {
                OutputBatch::Lines { text, .. } => {
                    for line in text.split_inclusive(|byte| *byte == b'\n') {
                        assert_eq!(line, format!("{next}\n").as_bytes(), "in order and complete");
                        next += 1;
                    }
                }
                OutputBatch::End { ack, .. } => break ack,
                OutputBatch::Begin { .. } => panic!("one run"),
            }
        };
        assert_eq!(next, LINES + 1, "nothing is lost");
        end.send(Seq(LINES)).unwrap();
        until("it has ended", || state(&manager, started) == Some(State::Success)).await;
        drop((output, batches));
        manager.shutdown(GRACE).await;
        drop(manager);
        rig.end().await;
        format!("{unread} batches unread, the child waited, {LINES} lines came")
    })
}
