//! The way of a line: from a child through the reader and the writer into the store, beside a pipe into nothing.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use brummer::{config::Mode, event::State};

use crate::{
    child,
    table::{Table, median, ms},
    work::{self, Cost, Stand},
};

const LINES: usize = 2_000_000;
const ROUNDS: usize = 5;

/// Prints lines of 100 bytes as fast as a pipe takes them.
fn generator(lines: usize) -> String {
    format!("yes {:099} | head -n {lines}", 7)
}

pub fn rows(table: &mut Table) {
    let (mut pipe, mut store, mut append) = (Vec::new(), Vec::new(), Vec::new());
    let (mut cpu, mut peak) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        pipe.push(nothing());
        let through = child::measure("through", Mode::Current, 1, LINES);
        store.push(through.cost.ms);
        cpu.push(through.cpu);
        peak.push(through.peak);
        append.push(child::measure("lines", Mode::Current, 1, LINES).cost.ms);
    }
    table.head("2,000,000 lines of 100 bytes, in ms", ["median", "least", "most"]);
    table.row("lines: generator | cat >/dev/null", &mut pipe);
    table.row("lines: a child, the manager and the store, exit told", &mut store);
    table.figure("  times the pipe", median(&mut store) / median(&mut pipe), "budget 1.5");
    table.figure("  processor time of the host, s", median(&mut cpu), "");
    table.figure("  peak of its resident set, MB", median(&mut peak), "the store keeps 10,000 lines");
    table.row("lines: one writer, straight into the store", &mut append);
    table.figure("  million lines a second", LINES as f64 / 1e3 / median(&mut append), "");
}

fn nothing() -> f64 {
    let start = Instant::now();
    let script = format!("{} | cat >/dev/null", generator(LINES));
    let status = Command::new("/bin/sh").args(["-c", &script]).stdin(Stdio::null()).status().unwrap();
    assert!(status.success());
    ms(start.elapsed())
}

/// From the start to the exit, which is told when the last line can be read.
pub async fn through(mode: Mode, lines: usize) -> Cost {
    let stand = Stand::start(mode);
    let (logs, output) = stand.logs(mode);
    let manager = stand.manager(mode, output);
    let start = Instant::now();
    let process = manager.start(work::shell("flood", &generator(lines))).await.unwrap().process();
    while manager.status(process).is_none_or(|status| !status.state.is_terminal()) {
        // Polled from outside, so that no subscriber is part of what is measured; a millisecond of seconds.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let time = start.elapsed();
    assert_eq!(manager.status(process).unwrap().state, State::Success);
    assert_eq!(logs.counts().await.unwrap().lines, lines as u64, "every line came");
    manager.shutdown(Duration::from_secs(1)).await;
    drop((manager, logs));
    stand.end().await;
    Cost { ms: ms(time), p99: 0.0 }
}
