//! A store whose lines are recorded: in both modes and in every state, and beside a disk that takes nothing.

use std::path::Path;

use tokio::time::timeout;

use super::{
    contract::{DEADLINE, Rig, lines},
    *,
};
use crate::{
    event::{Pressure, ProcessInfo},
    history::{self, History, Reader},
};

/// Tells what a process of the project in `dir` is.
async fn begin(rig: &Rig, process: ProcessId, dir: &Path) {
    let (ack, answer) = oneshot::channel();
    let info = ProcessInfo { root: dir.to_owned(), ..ProcessInfo::of_shell("dev") };
    let info = Some(Arc::new(info));
    let begin = OutputBatch::Begin { process, run: RunId(1), number: 1, at: Timestamp(1), info, ack };
    rig.pipe.send(begin).await.expect("the writer lives");
    timeout(DEADLINE, answer).await.expect("answered").expect("the writer lives");
}

/// What is recorded is what was printed, though the store looks for nothing, keeps half or runs its fallback.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_lines_are_recorded_in_every_mode_and_state() {
    let dir = tempfile::tempdir().expect("a directory");
    let base = dir.path().join("history");
    let config = LogStoreConfig { max_entries: 10, ..LogStoreConfig::default() };
    let of = |resources: &ResourceManager| History::start(&config, Some(base.clone()), resources).1;
    let rig = Rig::recorded(Mode::Current, &config, of);
    begin(&rig, P, dir.path()).await;
    let states = [Health::Healthy, Health::Degraded, Health::Failing, Health::Failed];
    let pressures = [Pressure::Normal, Pressure::Warning, Pressure::Critical];
    let mut printed = 0;
    for mode in [Mode::Current, Mode::Fallback] {
        rig.logs.switch(mode).await;
        for (health, pressure) in states.into_iter().flat_map(|it| pressures.map(|pressure| (it, pressure))) {
            rig.logs.degrade(health);
            rig.resources.set_pressure(pressure);
            for _ in 0..20 {
                printed += 1;
                rig.print(P, 1, &format!("\u{1b}[1mline\u{1b}[0m {printed}\n")).await;
            }
        }
    }
    assert_eq!(rig.end(P, 1).await, Seq(printed));
    let reader = Reader::open(&base, dir.path()).expect("it can be read");
    let records = reader.records(history::Query::default()).map(|record| record.expect("it can be read"));
    let read: Vec<_> = records
        .flat_map(|record| {
            record
                .lines()
                .map(|(seq, text)| (seq.0, String::from_utf8_lossy(text).into_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    let expected: Vec<_> =
        (1..=printed).map(|number| (number, format!("\u{1b}[1mline\u{1b}[0m {number}"))).collect();
    assert_eq!(read, expected);
    assert!(rig.read().evicted > 0, "of which the store has forgotten most");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_disk_that_hangs_questions_are_answered_and_lines_go_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut held = None;
    let patience = Duration::from_millis(300);
    let rig = Rig::recorded(Mode::Current, &LogStoreConfig::default(), |resources| {
        let (_, recorder, hangs) = history::Hanging::start(resources, patience);
        held = Some(hangs);
        recorder
    });
    begin(&rig, P, dir.path()).await;
    // More than may wait for the disk and in the pipe: somebody has to give up first.
    let line = "x".repeat(60_000) + "\n";
    let flood = async {
        for _ in 0..300 {
            rig.pipe.send(lines(P, 1, &line)).await.expect("the writer lives");
        }
    };
    let mut flood = std::pin::pin!(flood);
    let mut answers = 0;
    let all = async {
        loop {
            tokio::select! {
                () = &mut flood => return answers,
                counts = rig.logs.counts() => {
                    counts.expect("the writer answers");
                    answers += 1;
                }
            }
        }
    };
    assert!(timeout(DEADLINE, all).await.expect("the lines go on") > 0);
    assert_eq!(rig.end(P, 1).await, Seq(300), "none is lost in memory");
    assert_eq!(rig.resources.metrics().snapshot().history.failures, 1);
    drop(held);
}
