//! Shows that the programs can fail: each is run once more, in a child process, with a fault planted in it.
//!
//! The faults stand in the programs themselves, not in the rooms: one count too few, a permit never given back.

use std::{cell::UnsafeCell, process::Command, sync::Arc, thread};

use crate::{Program, Scale, watchdog};

pub const PROGRAMS: &[Program] = &[
    ("planted", every_planted_fault_is_found),
    ("data-race", data_race),
    ("lock-cycle", lock_cycle),
    ("standstill", standstill),
];

/// The name of the variable that plants a fault.
const VARIABLE: &str = "STRESS_PLANT";

/// Which fault, the program it is planted in, and what that program must say.
const FAULTS: &[(&str, &str, &str)] = &[
    ("lost-event", "load.bus.current", "delivered and seen"),
    ("held-permit", "load.resource", "permits"),
    ("lost-line", "load.logs.current", "lines"),
    ("lost-row", "load.model.current", "row"),
    ("lost-fault", "load.health", "faults"),
    ("torn-status", "load.status", "torn"),
    ("lost-exit", "load.process.current", "exit"),
    ("keep-files", "load.row.current", "as before"),
    ("leaked-task", "load.resource", "tasks are left"),
    ("no-recovery", "exhaust.permits", "permit"),
    ("unread-fault", "exhaust.faults", "fault"),
    ("grow", "soak", "memory"),
];

/// Whether a program is run only when it is asked for by name.
pub fn only_by_name(name: &str) -> bool {
    matches!(name, "data-race" | "lock-cycle" | "standstill") || name.starts_with("soak")
}

/// Whether this fault is planted in this run.
pub fn is(fault: &str) -> bool {
    std::env::var_os(VARIABLE).is_some_and(|planted| planted == fault)
}

/// How a program that was run with a fault ended, and what it said.
fn child(program: &str, fault: &str) -> (Option<i32>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(program).env(VARIABLE, fault).env("STRESS_SOAK_SECONDS", "8").env_remove("RUN_SLOW_TESTS");
    let output = command.output().unwrap();
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn every_planted_fault_is_found(_scale: &Scale) -> String {
    let found = |&(fault, program, says): &(&str, &str, &str)| {
        let (code, text) = child(program, fault);
        assert_eq!(code, Some(1), "{program} with {fault} planted did not fail:\n{text}");
        let told = text.lines().find(|line| line.starts_with(program) && line.contains("FAILED"));
        assert!(
            told.is_some_and(|line| line.contains(says)),
            "{program} with {fault}: no {says:?} in\n{text}"
        );
    };
    // Together, because most of them wait for something that does not come.
    thread::scope(|scope| {
        for fault in FAULTS {
            scope.spawn(move || found(fault));
        }
        scope.spawn(|| {
            let (code, text) = child("standstill", "");
            assert_eq!(code, Some(watchdog::ENDED), "the standstill:\n{text}");
        });
        if cfg!(feature = "deadlock") {
            scope.spawn(|| {
                let (code, text) = child("lock-cycle", "");
                assert!(code != Some(0) && text.contains("deadlock 1 of 1"), "the lock cycle:\n{text}");
            });
        }
    });
    let cycle = if cfg!(feature = "deadlock") { " and a lock cycle" } else { "" };
    format!("{} faults, a standstill{cycle}", FAULTS.len())
}

/// Two threads that take two locks in opposite order. They do not get past this, and the watchdog must see it.
fn lock_cycle(_scale: &Scale) -> String {
    let locks = Arc::new((parking_lot::Mutex::new(()), parking_lot::Mutex::new(())));
    let both = Arc::new(std::sync::Barrier::new(2));
    let other = std::thread::spawn({
        let (locks, both) = (Arc::clone(&locks), Arc::clone(&both));
        move || {
            let _second = locks.1.lock();
            both.wait();
            let _first = locks.0.lock();
        }
    });
    let _first = locks.0.lock();
    both.wait();
    let _second = locks.1.lock();
    other.join().unwrap();
    "nothing: no lock cycle came about".to_owned()
}

/// Stands still.
fn standstill(_scale: &Scale) -> String {
    loop {
        std::thread::park();
    }
}

struct Shared(UnsafeCell<u64>);

#[allow(unsafe_code, reason = "a planted data race, which ThreadSanitizer must report")]
unsafe impl Sync for Shared {}

/// Two tasks count on one number without a lock. Only ThreadSanitizer can tell.
#[allow(unsafe_code, reason = "a planted data race, which ThreadSanitizer must report")]
fn data_race(scale: &Scale) -> String {
    let shared = Arc::new(Shared(UnsafeCell::new(0)));
    let operations = scale.operations;
    crate::rig::run(crate::rig::crowd(4, scale.limit, |_| {
        let shared = Arc::clone(&shared);
        async move {
            for _ in 0..operations {
                // SAFETY: none; that is the point.
                unsafe { *shared.0.get() += 1 };
                tokio::task::yield_now().await;
            }
        }
    }));
    "a data race, which ThreadSanitizer must have reported".to_owned()
}
