//! As many as may run wait for one thing, and everything that may restarts at once and is given up: what they hold while they
//! wait is bounded and given back, and then all works as before.

use std::{fs, time::Duration};

use brummer::{
    bus::{Filter, Mailbox},
    config::{After, Config, Mode, Ready, ReadyProbe, RestartPolicy, RestartWhen, RunOptions},
    event::{Component, Event, EventKind, Exit, ProcessInfo, State},
    process::{Manager, ProcessError, Started},
};
use tokio::time::timeout;

use super::processes::with_logs;
use crate::rig::{self, Rig, config, until};

const MOST: usize = 30;
const GRACE: Duration = Duration::from_secs(2);

fn limited(mode: Mode) -> Config {
    let mut config = config(mode);
    config.process_manager.max_processes = MOST;
    config
}

fn exits(rig: &Rig, config: &Config) -> Mailbox {
    let kinds = Filter::of(&[EventKind::ProcessExited]);
    rig.bus.subscribe(kinds, Component::App, 10 * MOST, config.eventbus.backpressure)
}

async fn exit(exits: &mut Mailbox) -> (State, Exit, Option<String>) {
    let exit = timeout(Duration::from_secs(60), exits.recv()).await.expect("it ends");
    let Some(Event::ProcessExited { state, exit, reason, .. }) = exit else { panic!("only exits: {exit:?}") };
    (state, exit, reason.map(|reason| reason.to_string()))
}

/// Ready when the file is there, ended with 1 when the other one is.
fn gate(directory: &std::path::Path) -> ProcessInfo {
    let script = format!(
        "cd '{}'; until [ -e open ] || [ -e shut ]; do sleep 0.01; done; [ -e open ] || exit 1; echo open; exec sleep 1000",
        directory.display()
    );
    let ready = Ready { probe: ReadyProbe::Log("^open$".to_owned()), timeout: Duration::from_secs(60) };
    let options = RunOptions { ready: Some(ready), ..RunOptions::default() };
    ProcessInfo { options, ..rig::shell("gate", &script) }
}

fn waits(number: usize) -> ProcessInfo {
    let after = vec![After { script: "gate".to_owned(), condition: None }];
    let options = RunOptions { after, ..RunOptions::default() };
    ProcessInfo { options, ..rig::shell(&format!("waits {number}"), "exec sleep 1000") }
}

fn state(manager: &Manager, started: Started) -> Option<State> {
    manager.status(started.process()).map(|status| status.state)
}

pub fn waiting(mode: Mode) -> String {
    rig::run(async {
        let config = limited(mode);
        let rig = Rig::start(&config);
        let mut exits = exits(&rig, &config);
        let manager = with_logs(&rig, &config);
        let directory = tempfile::tempdir().unwrap();
        for round in ["shut", "open"] {
            let mut started = Vec::new();
            for number in 1..MOST {
                let first = vec![gate(directory.path())];
                let asked = manager.begin_start_after(first, waits(number)).await.unwrap();
                started.push(asked.done().await.expect("there is room"));
            }
            assert!(started.iter().all(|one| state(&manager, *one) == Some(State::Pending)), "all wait");
            let refused = manager.start(waits(MOST)).await;
            assert_eq!(refused, Err(ProcessError::TooMany(MOST)), "who waits has a place");
            // Those who wait hold no turn: something else starts at once when there is room for it.
            manager.stop(started[0].process()).await.unwrap();
            assert_eq!(exit(&mut exits).await.1, Exit::NotStarted);
            manager.start(rig::shell("other", "true")).await.expect("there is room again");
            assert_eq!(exit(&mut exits).await, (State::Success, Exit::Code(0), None));

            fs::write(directory.path().join(round), "").unwrap();
            if round == "open" {
                for one in &started[1..] {
                    until("all run", || state(&manager, *one) == Some(State::Running)).await;
                }
                break;
            }
            for number in 1..MOST {
                let (state, exit, reason) = exit(&mut exits).await;
                // The gate itself is one of them.
                let expected = match exit {
                    Exit::Code(1) => None,
                    _ => Some("gate exited with 1 before it was ready".to_owned()),
                };
                assert_eq!((state, reason), (State::Failed, expected), "{number}");
            }
            fs::remove_file(directory.path().join(round)).unwrap();
        }
        manager.shutdown(GRACE).await;
        drop((manager, exits));
        rig.end().await;
        format!("{} waited for one that failed, were told so, and ran when it was ready", MOST - 2)
    })
}

pub fn restarts(mode: Mode) -> String {
    const RESTARTS: u32 = 4;
    rig::run(async {
        let config = limited(mode);
        let rig = Rig::start(&config);
        let mut exits = exits(&rig, &config);
        let manager = with_logs(&rig, &config);
        let failing = |number: usize| {
            let restart = RestartPolicy {
                when: RestartWhen::OnFailure,
                delay: Duration::from_millis(1),
                limit: Some(RESTARTS),
                ..RestartPolicy::default()
            };
            let options = RunOptions { restart, ..RunOptions::default() };
            ProcessInfo { options, ..rig::shell(&format!("fails {number}"), "exit 1") }
        };
        for round in 1..=2 {
            for number in 0..MOST {
                manager.start(failing(number)).await.expect("there is room");
            }
            let mut given_up = 0;
            while given_up < MOST {
                let (state, _, reason) = exit(&mut exits).await;
                assert_eq!(state, State::Failed);
                given_up += usize::from(reason.is_some_and(|why| why == "gave up after 4 restarts: exit 1"));
            }
            let process = rig.metrics.snapshot().process;
            let runs = (MOST as u64) * u64::from(RESTARTS) * round;
            assert_eq!((process.restarts, process.given_up), (runs, MOST as u64 * round));
            assert_eq!(process.running, 0);
        }
        manager.start(rig::shell("other", "true")).await.expect("there is room");
        assert_eq!(exit(&mut exits).await, (State::Success, Exit::Code(0), None));
        manager.shutdown(GRACE).await;
        drop((manager, exits));
        rig.end().await;
        format!("{MOST} failed {} times each and were given up, twice", RESTARTS + 1)
    })
}
