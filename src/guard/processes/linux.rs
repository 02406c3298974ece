//! By `/proc`.

use std::{fs, os::unix::ffi::OsStrExt, path::Path, sync::OnceLock};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal},
};

use super::Process;

/// Every process there is.
pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(find).collect()
}

pub(super) fn find(pid: i32) -> Option<Process> {
    let mut stat = Vec::with_capacity(512);
    read(&format!("/proc/{pid}/stat"), &mut stat).then(|| parse(pid, &stat))?
}

/// From a `/proc/PID/stat` line (proc_pid_stat(5)). The name in field 2 may hold spaces and parentheses, so the fields are
/// counted from the last `)`.
fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
    let open = memchr::memchr(b'(', stat)?;
    let close = memchr::memrchr(b')', stat)?;
    let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
    let mut fields = std::str::from_utf8(stat.get(close + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    let mut number = || fields.next()?.parse().ok();
    let (parent, group, session) = (number()?, number()?, number()?);
    // Fields 20 and 22; six was the last.
    let threads = fields.nth(13)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    let (zombie, still) = (matches!(state, "Z" | "X"), matches!(state, "T" | "t" | "D"));
    Some(Process { pid, parent, group, session, zombie, still, threads, started, name })
}

/// Whether this kernel keeps lists of children (`CONFIG_PROC_CHILDREN`).
pub fn has_lists() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| Path::new("/proc/thread-self/children").exists())
}

/// Adds the children of a process, zombies too. Each of its threads has a list of those that it started; how many there are is
/// 0 where the caller does not know. Who starts, ends or changes parents meanwhile may be missing.
pub fn children(pid: i32, threads: u64, buffer: &mut Vec<u8>, found: &mut Vec<i32>) {
    let mut list = |path: &str| {
        if read(path, buffer) {
            let text = std::str::from_utf8(buffer).unwrap_or_default();
            found.extend(text.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        }
    };
    if threads == 1 {
        return list(&format!("/proc/{pid}/task/{pid}/children"));
    }
    for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        list(&format!("/proc/{pid}/task/{}/children", thread.file_name().display()));
    }
}

/// Reads a small file of `/proc` in place of what is in the buffer. Whether it could be. Unlike `std`, it asks nothing of the
/// file before: many thousands are read in a minute.
pub fn read(path: &str, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let Ok(file) = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
        return false;
    };
    let mut block = [0; 1024];
    loop {
        match rustix::io::read(&file, &mut block) {
            Ok(0) => return true,
            Ok(count) => buffer.extend_from_slice(&block[..count]),
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

pub(super) fn own_children() -> Vec<Pid> {
    // One that starts or ends meanwhile may be missing.
    let list = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}

pub(super) fn program(pid: i32) -> Option<Vec<u8>> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(Path::new(&path).file_name()?.as_bytes().to_vec())
}

/// Empty for a zombie and for a process of another user.
pub(super) fn environment(pid: i32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()
}

pub(super) fn signal(process: &Process, signal: Signal) -> bool {
    let Some(pid) = Pid::from_raw(process.pid) else { return false };
    let is_it = || find(process.pid).is_some_and(|now| now.started == process.started);
    match pidfd_open(pid, PidfdFlags::empty()) {
        // From here on the descriptor means one process, and this says which.
        Ok(exactly) => is_it() && pidfd_send_signal(&exactly, signal).is_ok(),
        // Before Linux 5.3, or forbidden.
        Err(Errno::NOSYS | Errno::PERM) => is_it() && kill_process(pid, signal).is_ok(),
        Err(_) => false,
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn reads_a_stat_line_whose_name_looks_like_fields() {
        let stat = b"71 (a) S 9 (b)) Z 1 42 43 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9";
        let process = parse(71, stat).expect("a process");
        assert_eq!(process.name, "a) S 9 (b)");
        let Process { parent, group, session, zombie, threads, started, .. } = process;
        assert_eq!((parent, group, session, zombie, threads, started), (1, 42, 43, true, 1, 777));
        assert_eq!(parse(1, b"nonsense"), None);
        let own = find(std::process::id().try_into().expect("a process id")).expect("this one lives");
        assert!(own.started > 0 && !own.zombie);
    }
}
