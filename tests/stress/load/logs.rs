//! The log store: 100 processes write, readers read at the same time, and every line read is the one that was written.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use brummer::{
    config::Mode,
    event::{Component, EventKind, RunId, Seq, Timestamp},
    logs::{Logs, Query, Which},
    process::{OutputBatch, Stream},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Scale, planted,
    rig::{self, Rig, config},
};

/// Lines of one batch.
const BATCH: usize = 4;

/// Readers at once.
const READERS: usize = 4;

pub fn run(scale: &Scale, mode: Mode) -> String {
    rig::run(async {
        let config = config(mode);
        let rig = Rig::start(&config);
        let (logs, output) = Logs::start(
            &config.log_store,
            config.log_store.rollout.mode().start(),
            rig.bus.clone(),
            &rig.resources,
        );
        let declared = rig.resources.alive();
        let errors = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&errors);
        let kinds = brummer::bus::Filter::of(&[EventKind::ErrorDetected]);
        let counting = rig.bus.on(kinds, Component::App, "count", move |_| {
            told.fetch_add(1, Relaxed);
        });
        let (going, read) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
        let readers: Vec<_> = (0..READERS)
            .map(|number| {
                let (logs, going, read) = (logs.clone(), Arc::clone(&going), Arc::clone(&read));
                tokio::spawn(reader(logs, number * scale.tasks / READERS, scale.tasks, going, read))
            })
            .collect();

        let peak = rig.peak();
        let operations = scale.operations;
        rig::crowd(scale.tasks, scale.limit, |task| write(output.clone(), task, operations)).await;
        going.store(false, Relaxed);
        for reader in readers {
            reader.await.unwrap();
        }
        let most = peak.take();

        let counts = logs.counts().await.unwrap();
        let lines = (scale.tasks * scale.operations * BATCH) as u64;
        let expected = if planted::is("lost-line") { lines + 1 } else { lines };
        assert_eq!(counts.lines, expected, "lines written and taken in: {counts:?}");
        assert_eq!(counts.evicted + counts.kept, counts.lines, "{counts:?}");
        assert!(counts.kept <= config.log_store.max_entries as u64, "{counts:?}");
        assert!(most <= declared, "{most} tasks at once, {declared} are declared");
        // The fallback does not look for errors.
        let headlines = logs.headlines().await.map_or(0, |headlines| headlines.len());
        let least = usize::from(mode == Mode::Current);
        assert!(
            (least..=config.log_store.max_error_entries * scale.tasks).contains(&headlines),
            "{headlines} headlines"
        );
        drop((output, logs));
        let bus = rig.metrics.snapshot().bus;
        let told = format!(
            "{} batches, {lines} lines from {} processes; {} read meanwhile; kept {}; headlines {headlines}; \
             error events {}, put together {}; tasks {most} of {declared}",
            scale.tasks * scale.operations,
            scale.tasks,
            read.load(Relaxed),
            counts.kept,
            errors.load(Relaxed),
            bus.coalesced[0],
        );
        drop(counting);
        rig.end().await;
        told
    })
}

/// What line `number` of a process says. Every hundredth is an error.
fn text(process: usize, number: usize) -> String {
    let what = if number.is_multiple_of(100) { "error: failed at" } else { "p" };
    format!("{what} {process}/{number}")
}

async fn write(output: mpsc::Sender<OutputBatch>, task: usize, operations: usize) {
    let (process, run, at) = (rig::id(task), RunId(task as u64 + 1), Timestamp(1));
    let (ack, answer) = oneshot::channel();
    output.send(OutputBatch::Begin { process, run, number: 1, at, info: None, ack }).await.unwrap();
    assert_eq!(answer.await.unwrap(), Seq(0), "a log is empty at first");
    for operation in 0..operations {
        let mut lines = Vec::new();
        for line in 1..=BATCH {
            lines.extend_from_slice(text(task, operation * BATCH + line).as_bytes());
            lines.push(b'\n');
        }
        let stream = if operation.is_multiple_of(2) { Stream::Out } else { Stream::Err };
        let batch =
            OutputBatch::Lines { process, run, stream, at, text: lines, cut: Vec::new(), after_exit: false };
        output.send(batch).await.unwrap();
    }
    let (ack, answer) = oneshot::channel();
    output.send(OutputBatch::End { process, run, ack }).await.unwrap();
    assert_eq!(answer.await.unwrap(), Seq((operations * BATCH) as u64), "all lines of process {task}");
}

/// Reads one log after another, some lines at a time.
async fn reader(logs: Logs, first: usize, processes: usize, going: Arc<AtomicBool>, read: Arc<AtomicU64>) {
    let mut which = first;
    while going.load(Relaxed) {
        which += 1;
        let whole = which.is_multiple_of(8);
        let which = if whole { Which::Merged } else { Which::Process(rig::id(which % processes)) };
        let query = Query { which, from: Seq(1), max_lines: 50, max_behind: 50, max_bytes: 64 << 10 };
        let (slice, _) = logs.read(query, 0).await.unwrap();
        let mut before = None;
        for (seq, process, line) in slice.lines() {
            let line = String::from_utf8_lossy(line);
            assert_eq!(line, text(process.0 as usize, usize::try_from(seq.0).unwrap()), "line {seq:?}");
            assert!(whole || before.is_none_or(|before| before + 1 == seq.0), "a gap before {line}");
            before = Some(seq.0);
            read.fetch_add(1, Relaxed);
        }
    }
}
