//! A look at the living processes: who descends from whom, and signals that cannot meet another process that got the
//! same number meanwhile.

#[cfg(target_os = "linux")]
#[path = "processes/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "processes/other.rs"]
mod system;

use std::collections::{HashMap, HashSet};

/// Lists of children, as the kernel keeps them: whether it does, and the process ids of one's children; and how such files
/// are read.
#[cfg(target_os = "linux")]
pub use system::{children as child_ids, has_lists as has_child_lists, read as read_proc};

use rustix::process::{Pid, Signal};

/// One process, as it was when it was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// Its process id.
    pub pid: i32,
    /// Its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// It has ended and its parent has not waited for it.
    pub zombie: bool,
    /// It is stopped, or waits in the kernel for something that is not a signal.
    pub still: bool,
    /// How many threads it has; 0 where that is not known.
    pub threads: u64,
    /// When it started, in clock ticks since the machine did; with the process id it names one process for ever.
    pub started: u64,
    /// What it calls itself: at most 15 bytes on Linux.
    pub name: String,
}

/// The process of this id, if there is one.
pub fn find(pid: i32) -> Option<Process> {
    system::find(pid)
}

/// The children of a process, those that have ended too.
pub fn children(parent: i32) -> Vec<Process> {
    if !system::has_lists() {
        return system::all().into_iter().filter(|process| process.parent == parent).collect();
    }
    let (mut buffer, mut found) = (Vec::new(), Vec::new());
    system::children(parent, 0, &mut buffer, &mut found);
    found.into_iter().filter_map(find).collect()
}

/// The children of this process, which has one thread; not surely all of them, and none where nobody keeps a list.
pub(super) fn own_children() -> Vec<Pid> {
    system::own_children()
}

/// The members of a process group, those that have ended too.
pub fn group(group: i32) -> Vec<Process> {
    system::all().into_iter().filter(|process| process.group == group).collect()
}

/// Everything below a process, parents before their children. Not a snapshot: who changes parents meanwhile may be missed,
/// so whoever needs all of them looks again until nothing changes. Other processes cost nothing where the kernel keeps lists
/// of children.
pub fn descendants(root: i32) -> Vec<Process> {
    if system::has_lists() { by_lists(root) } else { among_all(root) }
}

fn by_lists(root: i32) -> Vec<Process> {
    let (mut found, mut seen) = (Vec::new(), HashSet::from([root]));
    let (mut buffer, mut below, mut next) = (Vec::new(), Vec::new(), vec![(root, 0)]);
    while let Some((parent, threads)) = next.pop() {
        system::children(parent, threads, &mut buffer, &mut below);
        for process in below.drain(..).filter_map(find) {
            if seen.insert(process.pid) {
                next.push((process.pid, process.threads));
                found.push(process);
            }
        }
    }
    found
}

fn among_all(root: i32) -> Vec<Process> {
    let mut by_parent: HashMap<i32, Vec<Process>> = HashMap::new();
    for process in system::all() {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut seen = HashSet::from([root]);
    let mut next = vec![root];
    while let Some(parent) = next.pop() {
        for process in by_parent.remove(&parent).unwrap_or_default() {
            if seen.insert(process.pid) {
                next.push(process.pid);
                found.push(process);
            }
        }
    }
    found
}

/// Parts processes, parents before their children, into those that are to end and those that are spared: whoever has one of
/// these names, with all below it. One of them, by its number, is never spared for its own name.
pub fn part(
    processes: impl IntoIterator<Item = Process>,
    leave: &[impl AsRef<[u8]>],
    never: Option<i32>,
) -> (Vec<Process>, Vec<Process>) {
    let mut spared = HashSet::new();
    processes.into_iter().partition(|process| {
        let is_spared =
            spared.contains(&process.parent) || (Some(process.pid) != never && process.is_called(leave));
        if is_spared {
            spared.insert(process.pid);
        }
        !is_spared
    })
}

/// Sends a signal to this very process. Whether it was there to get it.
pub fn signal(process: &Process, signal: Signal) -> bool {
    system::signal(process, signal)
}

// === impl Process ===

impl Process {
    /// Whether a list of names means it: what it calls itself, or the file name of its program.
    pub fn is_called(&self, names: &[impl AsRef<[u8]>]) -> bool {
        if names.is_empty() {
            return false;
        }
        let program = system::program(self.pid);
        let own = self.name.as_bytes();
        names.iter().map(AsRef::as_ref).any(|name| {
            // The kernel keeps 15 bytes of a name.
            name == own || (own.len() == 15 && name.starts_with(own)) || Some(name) == program.as_deref()
        })
    }

    /// The value of a variable in the environment it was started with. None, too, where that cannot be read: of a zombie,
    /// and of a process of another user.
    pub fn variable(&self, name: &str) -> Option<Vec<u8>> {
        let environment = system::environment(self.pid);
        let mut entries = environment.split(|&byte| byte == 0);
        let value = entries.find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        value.map(<[u8]>::to_vec)
    }
}
