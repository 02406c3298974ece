//! One process tree by `/proc`: from its root down along the lists of children, so that other processes cost nothing.

use crate::guard;

/// A tree is not followed further than this: a program that starts others without end must not keep the sampler.
const MEMBERS: usize = 4096;

/// What a tree uses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Tree {
    /// Everything below the root.
    pub(super) members: Vec<u32>,
    /// Those of them that live.
    pub(super) processes: u32,
    /// Resident bytes of them.
    pub(super) memory: u64,
    /// Processor time in clock ticks, the root's too, with that of processes that were waited for.
    pub(super) ticks: u64,
}

/// The parts of a `/proc/PID/stat` line that matter here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stat {
    zombie: bool,
    ticks: u64,
    threads: u64,
    pages: u64,
}

/// Reads the tree below `root`. Not a snapshot: what starts or ends meanwhile may be missing.
pub(super) fn read(root: u32) -> Tree {
    let mut tree = Tree::default();
    let mut buffer = Vec::with_capacity(1024);
    let page = rustix::param::page_size() as u64;
    let (has_lists, mut below) = (guard::has_child_lists(), Vec::new());
    let mut next = if has_lists {
        vec![root]
    } else {
        let all = guard::descendants(root.cast_signed());
        std::iter::once(root).chain(all.iter().map(|process| process.pid.cast_unsigned())).collect()
    };
    while let Some(pid) = next.pop() {
        let Some(stat) = stat(pid, &mut buffer) else { continue };
        tree.ticks += stat.ticks;
        if pid != root {
            tree.members.push(pid);
            if !stat.zombie {
                tree.processes += 1;
                tree.memory += stat.pages * page;
            }
        }
        if has_lists && tree.members.len() < MEMBERS {
            guard::child_ids(pid.cast_signed(), stat.threads, &mut buffer, &mut below);
            next.extend(below.drain(..).map(i32::cast_unsigned));
        }
    }
    tree
}

fn stat(pid: u32, buffer: &mut Vec<u8>) -> Option<Stat> {
    guard::read_proc(&format!("/proc/{pid}/stat"), buffer).then(|| parse(buffer))?
}

/// From a line of proc_pid_stat(5). The name in field 2 may hold spaces and parentheses, so the fields are counted from
/// the last `)`.
fn parse(line: &[u8]) -> Option<Stat> {
    let after = memchr::memrchr(b')', line)? + 1;
    let fields: Vec<&str> = std::str::from_utf8(&line[after..]).ok()?.split_ascii_whitespace().collect();
    // The first of these is field 3.
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    // Times of children are signed there, and never below 0.
    let ticks = number(14)? + number(15)? + number(16).unwrap_or(0) + number(17).unwrap_or(0);
    let zombie = matches!(fields.first(), Some(&("Z" | "X")));
    Some(Stat { zombie, ticks, threads: number(20)?, pages: number(24)? })
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_by_its_fields() {
        let line =
            b"71 (a) S 9 (b)) S 1 71 71 0 -1 4194560 6591 44221 0 3 12 3 50 7 20 0 11 0 777 123456 2500 1 1";
        assert_eq!(parse(line), Some(Stat { zombie: false, ticks: 72, threads: 11, pages: 2500 }));
        assert_eq!(parse(b"nonsense"), None);
    }
}
