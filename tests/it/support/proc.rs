//! A look at the living processes of a test, found by the marker they inherited, and the one way to wait.

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long a condition may take. Generous: only a failing test waits this long.
pub const DEADLINE: Duration = Duration::from_secs(20);

const VARIABLE: &str = "IT_MARKER";

/// A value in the environment of everything one test starts. Dropping it kills what is left.
#[derive(Debug)]
pub struct Marker(String);

/// One living process of a test.
#[derive(Clone, Debug)]
pub struct Living {
    pub pid: i32,
    pub group: i32,
    pub command: String,
}

impl Marker {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self(format!("{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The variable to set on a child.
    pub fn env(&self) -> (&'static str, &str) {
        (VARIABLE, &self.0)
    }

    /// Everything alive that inherited the marker. A zombie is dead; so is what has no environment any more.
    pub fn living(&self) -> Vec<Living> {
        let needle = format!("{VARIABLE}={}", self.0).into_bytes();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("the tests need /proc").flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            let Ok(environ) = fs::read(entry.path().join("environ")) else { continue };
            if !environ.split(|byte| *byte == 0).any(|pair| pair == needle) {
                continue;
            }
            if let Some(living) = stat(pid) {
                found.push(living);
            }
        }
        found
    }

    /// Those whose command line contains `part`.
    pub fn named(&self, part: &str) -> Vec<Living> {
        self.living().into_iter().filter(|living| living.command.contains(part)).collect()
    }

    /// The host. There is one, once it has been started.
    pub fn host(&self) -> Option<Living> {
        self.named(" host --stdio").into_iter().next()
    }

    /// Fails unless nothing of this test is left in the end.
    pub fn assert_none_left(&self) {
        self.assert_none_named("");
    }

    /// The same for those whose command line contains `part`.
    pub fn assert_none_named(&self, part: &str) {
        assert!(poll(|| self.named(part).is_empty()), "still alive: {:#?}", self.named(part));
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        // Twice: what was being forked during the first look is seen by the second.
        for _ in 0..2 {
            for living in self.living() {
                signal(living.pid, Signal::KILL);
            }
        }
    }
}

fn stat(pid: i32) -> Option<Living> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    // After the parent.
    let group = fields.nth(1)?.parse().ok()?;
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ").trim_end().to_owned();
    Some(Living { pid, group, command })
}

/// Sends a signal to one process that this test started.
pub fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may be gone already, which is as good.
        kill_process(pid, signal).ok();
    }
}

/// Whether `condition` holds within the deadline.
pub fn poll(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + DEADLINE;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        // Between two looks, not instead of one: nothing here can be waited on but by looking.
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// Waits until `look` finds something, or fails the test with `what`.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut found = None;
    poll(|| {
        found = look();
        found.is_some()
    });
    found.unwrap_or_else(|| panic!("waited in vain for {what}"))
}
