//! What a guard is, seen from outside: how it is started, what it costs, what its script gets.

use std::{fs, process::Command};

use serde_json::json;

use crate::support::{
    brummer, clean_env,
    host::Host,
    proc::{Marker, eventually},
    project::Project,
};

fn run(host: &Host, project: &Project, line: &str) -> u64 {
    let answer = host.ask("run", &json!({ "root": project.root(), "command": line, "args": [] })).unwrap();
    answer["started"][0]["id"].as_u64().unwrap()
}

/// The lines of a run of `line` under a host with this around it.
fn printed(around: &str, line: &str) -> Vec<String> {
    let project = Project::empty();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{around}; exec \"$0\" host --stdio"), brummer()]);
    let host = Host::program(shell, project.root());
    host.hello(crate::support::host::PROTOCOL);
    host.wait("the host's hello", |seen| seen.hello.clone());
    let file = project.path("printed");
    let id = run(&host, &project, &format!("{{ {line}; }} > {}", file.display()));
    host.wait_exit_event(id, 1);
    project.read("printed").lines().map(str::to_owned).collect()
}

#[test]
fn a_script_starts_with_every_signal_at_its_default_and_none_held_back() {
    // The host itself ignores some, as what is started by nohup does.
    let lines = printed("trap '' HUP PIPE QUIT USR1", "grep -E '^Sig(Ign|Blk)' /proc/self/status");
    assert_eq!(lines, ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"]);
}

#[test]
fn a_script_has_three_descriptors_and_the_limits_of_before() {
    // One that the host was given and knows nothing of; its own limit raised for itself.
    let lines = printed("exec 7</dev/null; ulimit -Sn 345", "ls /proc/self/fd; ulimit -Sn");
    // The third is the one `ls` reads the directory through.
    assert_eq!(lines, ["0", "1", "2", "3", "345"]);
}

#[test]
fn a_guard_is_small_and_named_and_in_a_session_of_its_own() {
    let project = Project::empty();
    let host = Host::start(project.root());
    let id = run(&host, &project, "exec sleep 1001");
    eventually("the sleep", || host.marker.named("sleep 1001").pop());
    let guard = host.marker.named("brummer-guard").pop().expect("a guard");
    assert_eq!(fs::read_to_string(format!("/proc/{}/comm", guard.pid)).unwrap(), "brummer-guard\n");
    assert_eq!(guard.group, guard.pid, "out of the host's group, which an editor may kill");
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", guard.pid)).unwrap().to_str(), Some("/"));
    let memory = fs::read_to_string(format!("/proc/{}/smaps_rollup", guard.pid)).unwrap();
    let dirty = memory.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    let dirty: u64 = dirty.trim().trim_end_matches(" kB").parse().unwrap();
    // The program's own pages are shared with the host and the other guards, and the kernel can drop them.
    assert!(dirty <= 2048, "{dirty} KiB are the guard's alone");
    let open: Vec<_> = fs::read_dir(format!("/proc/{}/fd", guard.pid)).unwrap().flatten().collect();
    assert!(open.len() <= 8, "{open:?}");
    host.ask("stop", &json!({ "id": id })).unwrap();
}

#[test]
fn guards_are_no_command_of_the_help() {
    let help = Command::new(brummer()).arg("--help").output().unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains("guard"));
    let asked = Command::new(brummer()).arg("guard").output().unwrap();
    assert!(!asked.status.success(), "only with the name of one");
}

#[test]
fn the_host_starts_guards_without_copying_itself() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: strace is not installed, so nobody sees how processes are made");
        return;
    }
    let project = Project::with(&[("dev", "true")]);
    let trace = project.path("trace");
    let mut command = Command::new("strace");
    clean_env(&mut command);
    let marker = Marker::new();
    let (name, value) = marker.env();
    command.env(name, value).env("HOME", project.root()).current_dir(project.root());
    command.args(["-f", "-qq", "-e", "trace=process", "-o"]).arg(&trace).args([brummer(), "run", "dev"]);
    assert!(command.output().unwrap().status.success());
    let trace = fs::read_to_string(trace).unwrap();
    // Which thread made which process or thread, and how.
    let made = trace
        .lines()
        .filter(|line| line.contains(" clone") || line.contains(" vfork(") || line.contains(" fork("));
    let first = trace.split_whitespace().next().unwrap().to_owned();
    let mut host = vec![first];
    let mut kinds = Vec::new();
    for line in made.filter(|line| !line.contains("resumed")) {
        let by = line.split_whitespace().next().unwrap().to_owned();
        if !host.contains(&by) {
            continue;
        }
        if line.contains("CLONE_THREAD") {
            // Its number stands behind the call, or where the call goes on.
            let number = |line: &str| {
                line.rsplit("= ").next().and_then(|id| id.split_whitespace().next()).map(str::to_owned)
            };
            let resumed = trace
                .lines()
                .find(|other| other.starts_with(&by) && other.contains("resumed") && other.contains("clone"));
            host.extend(
                number(line).filter(|_| !line.contains("unfinished")).or_else(|| resumed.and_then(number)),
            );
        } else {
            kinds.push(line.to_owned());
        }
    }
    assert!(!kinds.is_empty(), "a guard was started:\n{trace}");
    for line in &kinds {
        assert!(
            line.contains("CLONE_VFORK") && line.contains("CLONE_VM") || line.contains(" vfork("),
            "{line}"
        );
    }
    assert!(
        trace.lines().any(|line| line.contains("execve(\"/proc/self/exe\", [\"brummer-guard\", \"guard\"]"))
    );
}
