//! `[process_manager]`, on real processes.

use std::{future::Future, pin::pin, task::Poll};

use brummer::{
    event::{Exit, ProcessId, Seq},
    process::OutputBatch,
    project,
};
use serde_json::json;
use tokio::time::timeout;

use super::{
    rig::{Rig, until},
    with,
};
use crate::support::{host::Host, proc::DEADLINE, project::Project};

#[tokio::test]
async fn as_many_commands_wait_as_the_queue_holds() {
    // Nothing but this runs meanwhile: the manager takes no command.
    let waiting = |text: &str| {
        let rig = Rig::start(&with(text));
        let mut accepted = 0;
        let offer = std::future::poll_fn(move |context| {
            loop {
                let mut stop = pin!(rig.manager.begin_stop(ProcessId(1)));
                match stop.as_mut().poll(context) {
                    Poll::Ready(_) => accepted += 1,
                    Poll::Pending => return Poll::Ready(accepted),
                }
            }
        });
        tokio::task::unconstrained(offer)
    };
    assert_eq!(waiting("").await, 100);
    assert_eq!(waiting("[process_manager]\ncommand_queue = 7\n").await, 7);
}

#[tokio::test]
async fn one_process_more_than_the_limit_is_refused() {
    for (text, limit) in [("", None), ("[process_manager]\nmax_processes = 2\n", Some(2))] {
        let rig = Rig::start(&with(text));
        for line in ["sleep 1001", "sleep 1002"] {
            rig.run(line).await;
        }
        let third = project::shell(std::path::Path::new("/"), "sleep 1003").unwrap();
        let said = rig.manager.start(third).await.err().map(|error| error.to_string());
        let expected = limit.map(|limit| {
            format!("{limit} processes are running, which is the limit (process_manager.max_processes)")
        });
        assert_eq!(said, expected);
        rig.end().await;
    }
}

/// How many of three runs' ends are told when the log is opened afterwards.
fn remembered(text: &str) -> usize {
    let project = Project::with(&[("dev", "echo up")]);
    project.write(".brum.toml", text);
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["dev"])[0];
    for times in 1..=3 {
        host.wait_exit_event(id, times);
        host.ask("restart", &json!({ "id": id })).unwrap();
    }
    host.wait_exit_event(id, 4);
    host.watch(5, project.root(), "dev", 1000);
    host.wait("the runs", |seen| {
        let runs = &seen.buffers.get(&5)?.runs;
        (runs.len() == 4).then(|| runs.iter().filter(|run| run["prev"].is_object()).count())
    })
}

#[test]
fn only_so_many_ended_runs_are_remembered() {
    assert_eq!(remembered(""), 3);
    // The run that ended last is remembered, and no rule follows it.
    assert_eq!(remembered("[process_manager]\nmax_process_history = 1\n"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_status_is_read_under_a_lock() {
    let fallback = "[process_manager]\nenable_new_sync = false\nfallback_mode = true\n";
    for (strategy, locked) in [("", false), ("status_read_strategy = \"locked\"\n", true)] {
        let mut rig = Rig::start(&with(&format!("{fallback}{strategy}")));
        let process = rig.run("true").await;
        rig.exit().await;
        assert!(rig.manager.status(process).is_some());
        let reads = rig.resources.metrics().snapshot().process.locked_reads;
        assert_eq!(reads > 0, locked, "{strategy}");
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_does_not_answer_in_time_is_said() {
    for (text, said) in [("", false), ("[process_manager]\nworker_timeout = \"20ms\"\n", true)] {
        let (rig, mut output) = Rig::unread(&with(text));
        // Until somebody acknowledges that the run begins, its task takes no command.
        let process = rig.run("exec sleep 1000").await;
        let running = || rig.manager.status(process).is_some_and(|status| status.pid.is_some());
        until("the program to run", running).await;
        let stopping = rig.manager.begin_stop(process).await.unwrap();
        if said {
            let answer = timeout(DEADLINE, stopping.done()).await.expect("an answer within the deadline");
            let error = answer.unwrap_err().to_string();
            assert!(error.contains("process_manager.worker_timeout"), "{error}");
        } else {
            let acknowledge = async {
                while let Some(batch) = output.recv().await {
                    match batch {
                        OutputBatch::Begin { ack, .. } | OutputBatch::End { ack, .. } => {
                            ack.send(Seq(0)).ok();
                        }
                        OutputBatch::Lines { .. } => {}
                    }
                }
            };
            tokio::select! {
                stopped = stopping.done() => stopped.unwrap(),
                () = acknowledge => panic!("the output ended"),
            }
        }
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_longer_than_the_grace_is_killed() {
    let slow = "trap 'sleep 0.1; exit 7' TERM; echo up; while :; do sleep 0.02; done";
    for (text, exit) in [("", Exit::Code(7)), ("[process_manager]\nstop_grace = \"0s\"\n", Exit::Signal(9))] {
        let mut rig = Rig::start(&with(text));
        let process = rig.run(slow).await;
        rig.event(|event| matches!(event, brummer::event::Event::LinesArrived { .. }).then_some(())).await;
        rig.manager.stop(process).await.unwrap();
        assert_eq!(rig.exit().await, exit);
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_measured_as_often_as_is_said() {
    let off = Rig::start(&with("[process_manager]\nusage_interval = 0\n"));
    off.run("exec sleep 1000").await;
    let often = Rig::start(&with("[process_manager]\nusage_interval = \"100ms\"\n"));
    often.run("exec sleep 1000").await;
    let looks = |rig: &Rig| rig.resources.metrics().snapshot().process.usage_samples;
    until("several looks", || looks(&often) > 3).await;
    assert_eq!(looks(&off), 0);
    off.end().await;
    often.end().await;
}
