//! What the core does under load, at its limits, and over time. Each program counts its own operations and holds them
//! against what the rooms say of themselves.
//!
//! `cargo test --test stress -- NAME…` runs the programs whose names begin so; `--list` tells them, `--long` makes them
//! longer, `--light` shorter, and `--patient` allows them four times the time (ThreadSanitizer). A program that stands still is ended by the
//! watchdog, with the places where its threads wait when they wait for each other (feature `deadlock`).

// No libtest here, because ThreadSanitizer reports races in it that are none. The load comes from tasks and threads that
// are not the program's own, so they are not to be counted as such.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::needless_pass_by_value
)]
#![allow(missing_docs, unreachable_pub)]

mod deadlock;
mod exhaust;
mod load;
mod planted;
mod rig;
mod soak;
mod watchdog;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::{Duration, Instant},
};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Tasks at once.
    pub tasks: usize,
    /// What each does.
    pub operations: usize,
    /// How long all of it may take.
    pub limit: Duration,
    /// How long the soak goes on.
    pub soak: Duration,
    /// The long form was asked for.
    pub long: bool,
}

/// One program: its name, and what it does. It panics when a check fails, and returns what it found worth telling.
pub type Program = (&'static str, fn(&Scale) -> String);

fn main() -> ExitCode {
    if let Some(code) = brummer::guard::main_if_asked() {
        return code;
    }
    let mut scale = Scale {
        tasks: 100,
        operations: 1000,
        limit: Duration::from_secs(30),
        soak: Duration::from_secs(20),
        long: std::env::var_os("RUN_SLOW_TESTS").is_some(),
    };
    let mut patience = 1;
    let mut wanted = Vec::new();
    let programs: Vec<Program> =
        [load::PROGRAMS, exhaust::PROGRAMS, deadlock::PROGRAMS, soak::PROGRAMS, planted::PROGRAMS].concat();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--long" => scale.long = true,
            "--light" => scale.operations /= 4,
            "--patient" => patience = 4,
            "--list" => {
                programs.iter().for_each(|(name, _)| println!("{name}"));
                return ExitCode::SUCCESS;
            }
            _ => wanted.push(argument),
        }
    }
    if scale.long {
        scale.operations *= 5;
        scale.limit *= 5;
        scale.soak = Duration::from_secs(300);
    }
    if let Some(seconds) = std::env::var("STRESS_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()) {
        scale.soak = Duration::from_secs(seconds);
    }
    scale.limit *= patience;

    let named = |name: &str| wanted.iter().any(|start| name.starts_with(start.as_str()));
    // What only a planted fault or a named run asks for is left out otherwise.
    let chosen: Vec<Program> = programs
        .into_iter()
        .filter(|(name, _)| if wanted.is_empty() { !planted::only_by_name(name) } else { named(name) })
        .collect();
    if chosen.is_empty() {
        println!("No program is called so; --list tells their names.");
        return ExitCode::FAILURE;
    }

    // One line for a panic: most of them are planned, and a failed check says enough.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let watchdog = watchdog::Watchdog::start();
    println!("{:<22} {:<7} {:>8}  what was done", "program", "result", "time");
    let mut failed = 0_usize;
    for (name, run) in chosen {
        // Time beyond the program's own limit: to start, drain and count.
        let most = match name {
            "standstill" => Duration::from_secs(2),
            "soak" => scale.soak * 2 + scale.limit * 2,
            _ => scale.limit * 6,
        };
        watchdog.watch(name, most);
        let start = Instant::now();
        let (result, told) = match catch_unwind(AssertUnwindSafe(|| run(&scale))) {
            Ok(told) => ("ok", told),
            Err(panic) => ("FAILED", message(&*panic)),
        };
        failed += usize::from(result == "FAILED");
        println!("{name:<22} {result:<7} {:>6.1} s  {told}", start.elapsed().as_secs_f64());
    }
    watchdog.stop();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without text").to_owned()
}
