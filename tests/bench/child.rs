//! One piece of work in a process of its own, so that its peak of memory is its own.

use std::{fs, process::Command};

use brummer::config::Mode;

use crate::{
    logs,
    work::{self, Cost},
};

/// The first argument of such a process.
pub const ARGUMENT: &str = "--piece";

/// What the process measured of itself.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Piece {
    pub cost: Cost,
    /// Processor time of the process, seconds; not that of its children.
    pub cpu: f64,
    /// Peak of the resident set, megabytes.
    pub peak: f64,
}

/// Measures a piece of work in a new process.
pub fn measure(name: &str, mode: Mode, at_once: usize, count: usize) -> Piece {
    let mode = if mode == Mode::Current { "current" } else { "fallback" };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([ARGUMENT, name, mode, &at_once.to_string(), &count.to_string()]);
    let output = command.env("RUST_BACKTRACE", "0").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{name}: {error}: {said}"))
}

/// Does what [`measure`] asked for.
pub fn run(arguments: &[String]) {
    let [name, mode, at_once, count] = arguments else { panic!("four arguments: {arguments:?}") };
    let mode = if mode == "current" { Mode::Current } else { Mode::Fallback };
    let (at_once, count) = (at_once.parse().unwrap(), count.parse().unwrap());
    let cost = work::block_on(async {
        match name.as_str() {
            "events" => work::events(mode, at_once, count).await,
            "processes" => work::processes(mode, at_once, count).await,
            "lines" => work::lines(mode, at_once, count, true).await,
            "kept" => work::lines(mode, at_once, count, false).await,
            "updates" => work::updates(mode, at_once, count).await,
            "through" => logs::through(mode, "blocks", at_once, count).await,
            "written" => logs::through(mode, "lines", at_once, count).await,
            "recorded" => logs::recorded(mode, at_once, count).await,
            "aged" => logs::aged(mode, count).await,
            _ => panic!("no piece of work is called {name}"),
        }
    });
    println!("{}", serde_json::to_string(&Piece { cost, cpu: cpu(), peak: peak() }).unwrap());
}

/// Seconds in user and kernel, of which Linux counts a hundredth at a time.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
