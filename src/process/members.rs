//! The processes of a tree, for somebody who looks at one run.

use std::{collections::HashMap, fs};

use crate::guard;

/// More of a tree is not told.
const MOST: usize = 200;

/// Bytes of a command line that are told.
const COMMAND: usize = 1024;

/// One process of a tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its process id.
    pub pid: u32,
    /// How far below the run's first process it is; 0 for that one and for those that have lost their parent.
    pub depth: usize,
    /// Its command line, cut; its name where it has none.
    pub command: String,
}

/// What lives below `root`, each after its parent.
pub(super) fn below(root: u32) -> Vec<Member> {
    let mut by_parent: HashMap<i32, Vec<guard::Process>> = HashMap::new();
    for process in guard::descendants(root.cast_signed()).into_iter().filter(|process| !process.zombie) {
        by_parent.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut next: Vec<_> = children(&mut by_parent, root.cast_signed(), 0);
    while let Some((process, depth)) = next.pop().filter(|_| found.len() < MOST) {
        next.extend(children(&mut by_parent, process.pid, depth + 1));
        found.push(Member { pid: process.pid.cast_unsigned(), depth, command: command(&process) });
    }
    found
}

/// The last first: they are taken from the end.
fn children(
    by_parent: &mut HashMap<i32, Vec<guard::Process>>,
    parent: i32,
    depth: usize,
) -> Vec<(guard::Process, usize)> {
    let mut list = by_parent.remove(&parent).unwrap_or_default();
    list.sort_by_key(|process| std::cmp::Reverse(process.started));
    list.into_iter().map(|process| (process, depth)).collect()
}

fn command(process: &guard::Process) -> String {
    let bytes = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
    let bytes = &bytes[..bytes.len().min(COMMAND)];
    // Who gives itself a title pads it.
    let bytes = bytes.trim_ascii_end();
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let words = bytes[..end].split(|byte| *byte == 0).map(String::from_utf8_lossy).collect::<Vec<_>>();
    match words.as_slice() {
        [only] if only.is_empty() => process.name.clone(),
        // A title is words already.
        [only] => only.trim().to_owned(),
        words => shell_words::join(words),
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::{
        os::unix::process::CommandExt as _,
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn a_tree_is_told_from_its_root_down() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 1000 & echo $!; wait"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().expect("its output"));
        std::io::BufRead::read_line(&mut output, &mut line).expect("a line");
        // Until it has become another program, a child is called as its parent.
        let deadline = Instant::now() + Duration::from_secs(20);
        let found = loop {
            let found = below(child.id());
            if found.iter().all(|member| member.command == "sleep 1000") || Instant::now() > deadline {
                break found;
            }
            std::thread::yield_now();
        };
        let sleep = line.trim().parse().expect("a process id");
        if cfg!(target_os = "linux") {
            assert_eq!(found, [Member { pid: sleep, depth: 0, command: "sleep 1000".to_owned() }]);
        }
        let own = below(std::process::id());
        let depth = |pid| own.iter().find(|member| member.pid == pid).map(|member| member.depth);
        if cfg!(target_os = "linux") {
            assert_eq!((depth(child.id()), depth(sleep)), (Some(0), Some(1)));
        }
        let group = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).expect("its own group");
        child.wait().expect("its end");
    }
}
