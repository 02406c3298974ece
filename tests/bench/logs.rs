//! The way of a line: from a child through the reader and the writer into the store, errors and addresses looked for, beside
//! `cat`. Both have the same child, whose lines all differ.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use brummer::{
    config::Mode,
    event::{ProcessId, RunId, Seq, State, Timestamp},
    history::History,
    logs::Logs,
    process::{OutputBatch, Stream},
};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{mpsc, oneshot};

use crate::{
    child, print,
    table::{Table, median, ms},
    work::{self, Cost, Stand},
};

const LINES: usize = 2_000_000;
const ROUNDS: usize = 5;

/// Ten gigabytes.
const MANY: usize = 100_000_000;

/// How many lines a store has seen when it is asked what one more costs: few, and many.
const SEEN: [usize; 2] = [10_000, 50_000_000];

/// Lines over which that is measured.
const SAMPLE: usize = 1_000_000;

pub fn rows(table: &mut Table) {
    table.head("2,000,000 lines of 100 bytes, in ms", ["median", "least", "most"]);
    let nothing = "cat >/dev/null";
    beside_a_pipe(table, "in blocks of 64 KiB", ("through", "blocks", nothing), 1, "budget 1.5");
    beside_a_pipe(table, "in blocks, with a history", ("recorded", "blocks", "cat >file"), 1, "budget 1.5");
    beside_a_pipe(table, "one line per write", ("written", "lines", nothing), 1, "budget 1.2");
    beside_a_pipe(table, "in blocks, of 10 processes at once", ("through", "blocks", nothing), 10, "");
    let mut append: Vec<f64> =
        (0..ROUNDS).map(|_| child::measure("lines", Mode::Current, 1, LINES).cost.ms).collect();
    table.row("lines: one writer, straight into the store", &mut append);
    table.figure("  million lines a second", LINES as f64 / 1e3 / median(&mut append), "");

    table.head("one more line, processor time of the host in ns", ["few", "many", "times"]);
    let [few, many] = SEEN.map(|seen| child::measure("aged", Mode::Current, 1, seen).cost.p99);
    table.figures("lines: 10 thousand seen, and 50 million", [few, many, many / few], "budget 1");

    if std::env::var_os("RUN_SLOW_TESTS").is_none() {
        return println_unless(table, "10 GB at once are measured with RUN_SLOW_TESTS=1.");
    }
    table.head("100,000,000 lines of 100 bytes", ["", "", ""]);
    let through = child::measure("through", Mode::Current, 1, MANY);
    table.figure("lines: from start to end, s", through.cost.ms / 1e3, "");
    table.figure("  processor time of the host, s", through.cpu, "");
    table.figure("  peak of its resident set, MB", through.peak, "budget 64");
}

fn println_unless(table: &Table, text: &str) {
    if !table.is_json() {
        println!("{text}");
    }
}

/// So many children at once that print [`LINES`] together, into the store and into another program.
fn beside_a_pipe(
    table: &mut Table,
    what: &str,
    (work, how, other): (&str, &str, &str),
    children: usize,
    budget: &str,
) {
    let (mut pipe, mut store, mut cpu, mut peak) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        pipe.push(into(other, how, children));
        let through = child::measure(work, Mode::Current, children, LINES);
        store.push(through.cost.ms);
        cpu.push(through.cpu);
        peak.push(through.peak);
    }
    table.row(&format!("lines {what}: generator | {other}"), &mut pipe);
    table.row(&format!("lines {what}: into the store"), &mut store);
    table.figure(&format!("  times the pipe, {what}"), median(&mut store) / median(&mut pipe), budget);
    table.figure(&format!("  processor time of the host, s, {what}"), median(&mut cpu), "");
    table.figure(&format!("  peak of its resident set, MB, {what}"), median(&mut peak), "");
}

fn into(other: &str, how: &str, children: usize) -> f64 {
    let script = format!("{} | {other}", print::command(how, LINES / children));
    let directory = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let run = |_| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script]).current_dir(directory.path()).stdin(Stdio::null());
        command.spawn().unwrap()
    };
    let mut running: Vec<_> = (0..children).map(run).collect();
    assert!(running.iter_mut().all(|child| child.wait().unwrap().success()));
    ms(start.elapsed())
}

/// From the start to the last exit, which is told when the last line can be read.
pub async fn through(mode: Mode, how: &str, children: usize, lines: usize) -> Cost {
    let stand = Stand::start(mode);
    let (logs, output) = stand.logs(mode);
    let cost = run(&stand, mode, (&logs, output), how, children, lines).await;
    drop(logs);
    stand.end().await;
    cost
}

/// The same with a history that is written meanwhile.
pub async fn recorded(mode: Mode, children: usize, lines: usize) -> Cost {
    let stand = Stand::start(mode);
    let directory = tempfile::tempdir().unwrap();
    let base = Some(directory.path().join("history"));
    let (history, recorder) = History::start(&stand.config.log_store, base, &stand.resources);
    let (logs, output) =
        Logs::start_recorded(&stand.config.log_store, mode, stand.bus.clone(), &stand.resources, recorder);
    let cost = run(&stand, mode, (&logs, output), "blocks", children, lines).await;
    drop((logs, history));
    stand.end().await;
    cost
}

async fn run(
    stand: &Stand,
    mode: Mode,
    (logs, output): (&Logs, mpsc::Sender<OutputBatch>),
    how: &str,
    children: usize,
    lines: usize,
) -> Cost {
    let manager = stand.manager(mode, output);
    let script = format!("exec {}", print::command(how, lines / children));
    let start = Instant::now();
    let mut processes = Vec::new();
    for number in 0..children {
        let info = work::shell(&format!("flood {number}"), &script);
        processes.push(manager.start(info).await.unwrap().process());
    }
    let is_over =
        |process: &ProcessId| manager.status(*process).is_some_and(|status| status.state.is_terminal());
    while !processes.iter().all(is_over) {
        // Polled from outside, so that no subscriber is part of what is measured; a millisecond of seconds.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let time = start.elapsed();
    assert!(processes.iter().all(|process| manager.status(*process).unwrap().state == State::Success));
    assert_eq!(logs.counts().await.unwrap().lines, lines as u64, "every line came");
    manager.shutdown(Duration::from_secs(1)).await;
    Cost { ms: ms(time), p99: 0.0 }
}

/// What a line costs a store that has seen so many, in nanoseconds of processor time, as `p99`.
pub async fn aged(mode: Mode, seen: usize) -> Cost {
    let stand = Stand::start(mode);
    let (logs, output) = stand.logs(mode);
    // As many different lines as a store keeps several times over.
    let blocks: Vec<Vec<u8>> = print::text(50_000).chunks(650 * print::LINE).map(<[u8]>::to_vec).collect();
    let (process, run, stream, at) = (ProcessId(1), RunId(1), Stream::Out, Timestamp(1));
    let mut blocks = blocks.iter().cycle();
    let (mut sent, mut cost) = (0, 0.0);
    for until in [seen, seen + SAMPLE] {
        let (before, start) = (sent, clock_gettime(ClockId::ProcessCPUTime));
        while sent < until {
            let text = blocks.next().unwrap().clone();
            sent += text.len() / print::LINE;
            let batch =
                OutputBatch::Lines { process, run, stream, at, text, cut: Vec::new(), after_exit: false };
            output.send(batch).await.unwrap();
        }
        let (ack, answer) = oneshot::channel();
        output.send(OutputBatch::End { process, run, ack }).await.unwrap();
        assert_eq!(answer.await.unwrap(), Seq(sent as u64), "every line is in");
        let end = clock_gettime(ClockId::ProcessCPUTime);
        let spent = (end.tv_sec - start.tv_sec) as f64 * 1e9 + (end.tv_nsec - start.tv_nsec) as f64;
        cost = spent / (sent - before) as f64;
    }
    drop((logs, output));
    stand.end().await;
    Cost { ms: 0.0, p99: cost }
}
