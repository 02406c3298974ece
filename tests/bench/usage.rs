//! What it costs to look at what the trees use, with many other processes around.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use brummer::config::{Mode, ProcessManagerConfig};

use crate::{
    table::Table,
    work::{self, Stand},
};

const TREES: usize = 50;

/// Processes of nobody's tree.
const OTHERS: usize = 500;

/// A shell, two programs and one below another.
const TREE: &str = "sleep 1000 & sleep 1000 & sh -c 'sleep 1000 & wait' & wait";

/// Looks that are measured.
const LOOKS: u64 = 50;

pub fn rows(table: &mut Table) {
    table.head("looks at what 50 trees use, 500 other processes", ["median", "", ""]);
    let ms = work::block_on(cost());
    table.figure("processor time of a look", ms, "ms");
    let interval = ProcessManagerConfig::default().usage_interval;
    let part = ms / (interval.as_secs_f64() * 1e3) * 100.0;
    table.figure("at the default interval, of one core", part, "%; at most 0.5");
}

/// Milliseconds of processor time that a look takes, with what is done of its figures.
async fn cost() -> f64 {
    let mut others: Vec<Child> = (0..OTHERS).map(|_| other()).collect();
    let mut stand = Stand::start(Mode::Current);
    stand.config.process_manager.usage_interval = Duration::ZERO;
    let (logs, output) = stand.logs(Mode::Current);
    let manager = stand.manager(Mode::Current, output);
    let mut trees = Vec::new();
    for number in 0..TREES {
        let started = manager.start(work::shell(&format!("tree {number}"), TREE)).await.unwrap();
        trees.push(started.process());
    }
    until(|| trees.iter().all(|tree| manager.members(*tree).len() >= 5)).await;
    let looks = || stand.resources.metrics().snapshot().process.usage_samples;
    let look =
        |interval| ProcessManagerConfig { usage_interval: interval, ..stand.config.process_manager.clone() };
    manager.reconfigure(&look(Duration::from_millis(100)));
    // The first ones look for the owners of ports.
    until(|| looks() >= 5).await;
    let (first, before, began) = (looks(), used(), Instant::now());
    until(|| looks() >= first + LOOKS).await;
    let (count, took, lasted) = (looks() - first, used() - before, began.elapsed());
    manager.reconfigure(&look(Duration::ZERO));
    tokio::time::sleep(Duration::from_millis(200)).await;
    // What this program does besides.
    let before = used();
    tokio::time::sleep(lasted).await;
    let idle = used() - before;
    manager.shutdown(Duration::from_secs(2)).await;
    drop((manager, logs));
    stand.end().await;
    for other in &mut others {
        other.kill().unwrap();
        other.wait().unwrap();
    }
    (took - idle).max(0.0) / count as f64
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn other() -> Child {
    let mut command = Command::new("sleep");
    command.arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Milliseconds of processor time this program has used, without that of others.
fn used() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.tv_sec as f64 * 1e3 + used.tv_nsec as f64 / 1e6
}
