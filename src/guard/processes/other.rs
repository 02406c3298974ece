//! Where there is no `/proc`: macOS by its own calls; elsewhere nobody is found, and the process group is all that is ended.

use rustix::process::{Pid, Signal, kill_process};

use super::Process;

#[cfg(target_os = "macos")]
pub(super) fn all() -> Vec<Process> {
    crate::guard::sys::processes()
}

#[cfg(not(target_os = "macos"))]
pub(super) fn all() -> Vec<Process> {
    Vec::new()
}

pub(super) fn find(pid: i32) -> Option<Process> {
    all().into_iter().find(|process| process.pid == pid)
}

/// No such list is kept here.
pub(super) fn own_children() -> Vec<Pid> {
    Vec::new()
}

/// Not known here: names are compared with what a process calls itself alone.
pub(super) fn program(_pid: i32) -> Option<Vec<u8>> {
    None
}

/// None are kept here.
pub(super) fn has_lists() -> bool {
    false
}

/// See [`has_lists`].
pub(super) fn children(_pid: i32, _threads: u64, _buffer: &mut Vec<u8>, _found: &mut Vec<i32>) {}

/// Not readable here.
pub(super) fn environment(_pid: i32) -> Vec<u8> {
    Vec::new()
}

pub(super) fn signal(process: &Process, signal: Signal) -> bool {
    let is_it = find(process.pid).is_some_and(|now| now.started == process.started);
    is_it && Pid::from_raw(process.pid).is_some_and(|pid| kill_process(pid, signal).is_ok())
}
