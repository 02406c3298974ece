//! What others than the user let the process hold: its control groups, and the machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where Linux tells it.
pub(super) struct Places {
    /// The groups of this process.
    pub(super) groups: PathBuf,
    /// Where the groups' files are.
    pub(super) mount: PathBuf,
    /// The machine's memory.
    pub(super) machine: PathBuf,
}

/// The least that any of them allows, in bytes; `None` where nothing is known.
pub(super) fn allowed(places: &Places) -> Option<u64> {
    let groups = fs::read_to_string(&places.groups).unwrap_or_default();
    let of_groups = groups.lines().filter_map(|line| of_group(line, &places.mount)).min();
    let of_machine = fs::read_to_string(&places.machine).ok().and_then(|text| total(&text));
    of_groups.into_iter().chain(of_machine).min()
}

/// A line of `/proc/self/cgroup`: `0::/path` in version 2, `7:memory:/path` in version 1.
fn of_group(line: &str, mount: &Path) -> Option<u64> {
    let (number, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    if number == "0" && controllers.is_empty() {
        // Where both versions are mounted, version 2 has a directory of its own.
        let limits = [mount.to_owned(), mount.join("unified")].map(|root| upwards(&root, path, "memory.max"));
        limits.into_iter().flatten().min()
    } else if controllers.split(',').any(|name| name == "memory") {
        upwards(&mount.join("memory"), path, "memory.limit_in_bytes")
    } else {
        None
    }
}

/// A group may have no more than the groups around it. Inside a container its path may not exist under the mount;
/// the mount itself is then the container's group.
fn upwards(root: &Path, path: &str, file: &str) -> Option<u64> {
    let inside = root.join(path.trim_start_matches('/'));
    let groups = inside.ancestors().take_while(|group| group.starts_with(root));
    // "max" is no number, which is right: it is no limit.
    groups.filter_map(|group| fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()).min()
}

/// `MemTotal:  24123456 kB`.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

// === impl Places ===

impl Default for Places {
    fn default() -> Self {
        Self {
            groups: PathBuf::from("/proc/self/cgroup"),
            mount: PathBuf::from("/sys/fs/cgroup"),
            machine: PathBuf::from("/proc/meminfo"),
        }
    }
}
