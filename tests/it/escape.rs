//! Trees that try to get away, and who only looks like one of a tree.

use std::{fs::File, process::Command};

use rustix::{
    fs::{FlockOperation, flock},
    process::Signal,
};
use serde_json::{Value as Json, json};

use crate::support::{
    brummer,
    host::{Host, PROTOCOL},
    proc::{self, Marker, eventually},
    project::Project,
};

/// One process that is another one all the time: each starts the next and ends. All of them hold the lock. It ends by itself
/// after a while, so that a failing test leaves nothing.
const CHAIN: &str = "import fcntl, os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = open('lock', 'w')
fcntl.flock(lock, fcntl.LOCK_EX)
open('up', 'w').close()
end = time.monotonic() + 60
while time.monotonic() < end:
    if os.fork():
        os._exit(0)
    if sys.argv[1] == 'setsid':
        os.setsid()
";

fn project() -> Project {
    let project = Project::with(&[("keep", "sh keep.sh")]);
    project.write("chain.py", CHAIN);
    // A program of its own name, which a setting can mean.
    std::fs::copy("/bin/sh", project.path("keeper")).unwrap();
    let settings = "[process_manager]\nstop_grace = \"300ms\"\n[scripts.keep]\nleave = [\"keeper\"]\n";
    project.write(".brum.toml", settings);
    project
}

fn command(host: &Host, project: &Project, line: &str) -> u64 {
    let answer = host.ask("run", &json!({ "root": project.root(), "command": line, "args": [] })).unwrap();
    answer["started"][0]["id"].as_u64().unwrap()
}

fn one(marker: &Marker, part: &str) -> i32 {
    eventually(part, || marker.named(part).first().map(|living| living.pid))
}

/// Kills the guard above a process, which may be some processes further up.
fn kill_guard_of(pid: i32) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    if stat.contains("(brummer-guard)") {
        return proc::signal(pid, Signal::KILL);
    }
    kill_guard_of(stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap());
}

fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A zombie is there.
fn is_there(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn a_process_that_forks_faster_than_it_is_looked_for_ends_with_a_stop() {
    for way in ["group", "setsid"] {
        let project = project();
        let host = Host::start(project.root());
        let id = command(&host, &project, &format!("sh -c 'python3 chain.py {way} & exit 0'"));
        host.wait_exit_event(id, 1);
        eventually("the chain", || project.exists("up").then_some(()));
        host.ask("stop", &json!({ "id": id })).unwrap();
        let lock = File::open(project.path("lock")).unwrap();
        assert!(flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(), "{way}: it lives on");
    }
}

#[test]
fn many_processes_that_start_more_end_with_a_stop_though_their_leader_is_gone() {
    let project = project();
    project.write(
        "more.py",
        "import os, sys, time
os.setsid()
end = time.monotonic() + 60
for level in range(7):
    os.fork()
open('up', 'w').close()
while time.monotonic() < end:
    if os.fork() == 0:
        time.sleep(0.05)
        os._exit(0)
    os.wait()
",
    );
    let host = Host::start(project.root());
    let id = command(&host, &project, "sh -c 'trap \"\" TERM; python3 more.py & exit 0'");
    host.wait_exit_event(id, 1);
    eventually("all of them", || (host.marker.named("more.py").len() >= 128).then_some(()));
    host.ask("stop", &json!({ "id": id })).unwrap();
    assert_eq!(host.marker.named("more.py").len(), 0);
}

#[test]
fn what_is_spared_survives_the_loss_of_any_guard_and_is_reaped_in_the_end() {
    let project = project();
    // With no environment it is like something of whatever guard is lost.
    project.write("keep.sh", "env -i setsid ./keeper -c 'echo $$ >kept; sleep 1001; :' &\nexec sleep 1002\n");
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["keep"])[0];
    let kept: i32 = eventually("what is kept", || project.read("kept").trim().parse().ok());
    let below = eventually("its child", || children(kept).first().copied());
    one(&host.marker, "sleep 1002");
    host.ask("stop", &json!({ "id": id })).unwrap();
    assert!(is_alive(kept) && is_alive(below));

    let other = command(&host, &project, "sleep 1003");
    kill_guard_of(one(&host.marker, "sleep 1003"));
    assert_eq!(host.wait_exit_event(other, 1)["state"], "failed");
    assert!(is_alive(kept) && is_alive(below), "it is of another run");
    proc::signal(kept, Signal::KILL);
    proc::signal(below, Signal::KILL);
    eventually("no zombie", || (!is_there(kept) && !is_there(below)).then_some(()));
}

#[test]
fn what_is_spared_survives_the_loss_of_its_own_guard_with_all_below_it() {
    let project = project();
    project.write("keep.sh", "setsid ./keeper -c 'echo $$ >kept; sleep 1001; :' &\nexec sleep 1002\n");
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["keep"])[0];
    let kept: i32 = eventually("what is kept", || project.read("kept").trim().parse().ok());
    let below = eventually("its child", || children(kept).first().copied());
    kill_guard_of(one(&host.marker, "sleep 1002"));
    assert_eq!(host.wait_exit_event(id, 1)["state"], "failed");
    assert!(is_alive(kept) && is_alive(below));

    let other = command(&host, &project, "sleep 1003");
    kill_guard_of(one(&host.marker, "sleep 1003"));
    host.wait_exit_event(other, 1);
    assert!(is_alive(kept) && is_alive(below), "it is of another run");
    proc::signal(kept, Signal::KILL);
    proc::signal(below, Signal::KILL);
    eventually("no zombie", || (!is_there(kept) && !is_there(below)).then_some(()));
}

#[test]
fn children_that_the_program_had_before_it_was_a_host_are_not_its_own() {
    let project = project();
    let mut shell = Command::new("sh");
    shell.args(["-c", "env -i sleep 1004 & echo $! >theirs; exec \"$0\" host --stdio", brummer()]);
    shell.current_dir(project.root());
    let host = Host::program(shell, project.root());
    host.hello(PROTOCOL);
    host.wait("the host's hello", |seen| seen.hello.clone());
    let theirs: i32 = eventually("their child", || project.read("theirs").trim().parse().ok());
    let id = command(&host, &project, "sleep 1005");
    kill_guard_of(one(&host.marker, "sleep 1005"));
    let end: Json = host.wait_exit_event(id, 1);
    assert_eq!(end["state"], "failed");
    let survived = is_alive(theirs);
    proc::signal(theirs, Signal::KILL);
    assert!(survived);
}

fn children(parent: i32) -> Vec<i32> {
    let lists = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    lists.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
