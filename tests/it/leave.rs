//! Leaving, in every way: nothing the host started outlives it, and who listens is asked before it is killed.

use rustix::process::Signal;
use serde_json::json;

use crate::support::{
    host::Host,
    nvim::Nvim,
    proc::{self, eventually},
    project::Project,
    slow_tests,
};

/// A script with children: one that notes the TERM it gets, one that ignores it, one in the background of all.
fn tree() -> Project {
    let project = Project::with(&[("tree", "sh tree.sh")]);
    project.write(
        "tree.sh",
        "sleep 1001 &\n\
         sh -c 'trap \"\" TERM HUP INT; while :; do sleep 0.1; done' deaf-child &\n\
         sh -c 'trap \"echo asked >>asked; exit 0\" TERM; : >listening; while :; do sleep 0.02; done' polite-child &\n\
         echo up\n\
         wait\n",
    );
    project
}

fn wait_tree(marker: &proc::Marker, project: &Project) {
    eventually("the tree", || {
        let alive =
            ["sleep 1001", "deaf-child", "polite-child"].iter().all(|part| !marker.named(part).is_empty());
        (alive && project.exists("listening")).then_some(())
    });
}

fn start(project: &Project) -> Nvim {
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun tree");
    wait_tree(&nvim.marker, project);
    nvim
}

#[test]
fn quitting_ends_what_runs_with_all_its_children() {
    let project = tree();
    let mut nvim = start(&project);
    nvim.ex("qall!");
    assert_eq!(nvim.wait_exit(), Some(0));
    nvim.marker.assert_none_left();
    assert_eq!(project.read("asked"), "asked\n", "TERM comes before KILL");
}

#[test]
fn a_plain_quit_asks_nothing_about_logs() {
    let project = tree();
    let mut nvim = start(&project);
    nvim.ex("qall");
    assert_eq!(nvim.wait_exit(), Some(0));
    nvim.marker.assert_none_left();
}

#[test]
fn writing_all_and_quitting_asks_nothing_about_logs() {
    let project = tree();
    let mut nvim = start(&project);
    nvim.ex("wqall");
    assert_eq!(nvim.wait_exit(), Some(0));
    nvim.marker.assert_none_left();
}

#[test]
fn a_killed_editor_leaves_nothing() {
    let project = tree();
    let mut nvim = start(&project);
    nvim.kill();
    nvim.marker.assert_none_left();
    assert_eq!(project.read("asked"), "asked\n", "TERM comes before KILL");
}

#[test]
fn signals_end_the_host_and_what_it_started() {
    for signal in [Signal::TERM, Signal::HUP] {
        let project = tree();
        let nvim = Nvim::at(project.root()).size(160, 40).start();
        nvim.ex("BrummerRun tree");
        wait_tree(&nvim.marker, &project);
        proc::signal(nvim.marker.host().unwrap().pid, signal);
        for part in [" host --stdio", "sleep 1001", "-child", "tree.sh"] {
            nvim.marker.assert_none_named(part);
        }
        assert_eq!(project.read("asked"), "asked\n", "TERM comes before KILL");
        nvim.assert_typing_works();
        // The next command starts it again.
        nvim.ex("BrummerRun tree");
        wait_tree(&nvim.marker, &project);
    }
}

#[test]
fn a_host_ends_by_itself_however_it_is_told() {
    // The long form looks for races between the tree's forks and the host's signals.
    let times = if slow_tests() { 20 } else { 1 };
    for how in [None, Some(Signal::TERM), Some(Signal::HUP)].iter().cycle().take(3 * times) {
        let project = tree();
        let mut host = Host::start(project.root());
        host.run(project.root(), &["tree"]);
        wait_tree(&host.marker, &project);
        match how {
            Some(signal) => host.signal(*signal),
            None => host.hang_up(),
        }
        host.wait_end();
        host.marker.assert_none_left();
        assert_eq!(project.read("asked"), "asked\n", "{how:?}");
    }
}

#[test]
fn goodbye_ends_the_host() {
    let project = tree();
    let mut host = Host::start(project.root());
    host.run(project.root(), &["tree"]);
    wait_tree(&host.marker, &project);
    host.call("bye", &json!({}));
    assert!(host.wait_end().success());
    host.marker.assert_none_left();
}

#[test]
fn an_editor_that_hangs_up_without_answering_does_not_keep_the_host() {
    let project = Project::with(&[("flood", "seq 1 1000000; exec sleep 1001")]);
    let mut host = Host::start(project.root());
    host.watch(5, project.root(), "flood", 10_000);
    let id = host.run(project.root(), &["flood"])[0];
    host.wait_state(id, &["running"]);
    host.hold();
    host.wait("lines", |seen| (!seen.lines(5).is_empty()).then_some(()));
    host.hang_up();
    host.wait_end();
    host.marker.assert_none_left();
}

#[test]
fn a_host_that_meets_no_editor_ends() {
    let project = Project::empty();
    let mut host = Host::unshaken(project.root());
    host.hang_up();
    host.wait_end();
    host.marker.assert_none_left();
}

#[test]
fn confirmed_quits_ask_when_the_user_wants_it() {
    let project = tree();
    let mut nvim = Nvim::at(project.root()).options("confirm_quit = true").start();
    nvim.ex("BrummerRun tree");
    wait_tree(&nvim.marker, &project);
    nvim.ex("confirm qall");
    nvim.wait_screen("1 running");
    nvim.keys("c");
    nvim.wait_until("the question to be gone", |nvim| nvim.mode() == "n");
    assert_eq!(nvim.status("tree")["state"], "running");
    nvim.ex("qall!");
    assert_eq!(nvim.wait_exit(), Some(0));
    nvim.marker.assert_none_left();
}

#[test]
fn a_start_that_waits_for_what_the_last_run_left_does_not_outlive_the_host() {
    let project =
        Project::with(&[("dev", "(trap '' TERM; echo left; while :; do sleep 0.05; done) & sleep 0.1")]);
    let mut host = Host::start(project.root());
    host.watch(5, project.root(), "dev", 1000);
    let id = host.run(project.root(), &["dev"])[0];
    host.wait("what it left", |seen| seen.lines(5).iter().any(|line| line == "left").then_some(()));
    host.wait_exit_event(id, 1);
    // The second start waits until the first run's child is gone, which ignores TERM.
    assert_eq!(host.run(project.root(), &["dev"]), [id]);
    host.signal(Signal::TERM);
    assert!(host.wait_end().success());
    host.marker.assert_none_left();
}

#[test]
fn a_quick_return_waits_for_the_old_run() {
    let project = Project::with(&[("dev", "sh slow.sh")]);
    // It takes longer to leave than its editor and its host.
    project.write(
        "slow.sh",
        "trap 'while ! [ -e release ]; do sleep 0.05; done; rmdir lock; exit 0' TERM\n\
         mkdir lock || { echo busy; exit 1; }\n\
         echo up\n\
         while :; do sleep 0.05; done\n",
    );
    project.write(".brum.toml", "[process_manager]\nstop_grace = \"60s\"\n");
    let runtime = tempfile::Builder::new().prefix("brummer-runtime-").tempdir().unwrap();
    let at = || Nvim::at(project.root()).env("XDG_RUNTIME_DIR", runtime.path().to_str().unwrap());
    let mut first = at().start();
    first.ex("BrummerRun dev");
    first.wait_until("it to be up", |_| project.exists("lock"));
    first.ex("qall");
    assert_eq!(first.wait_exit(), Some(0));
    let next = at().start();
    next.ex("BrummerRun dev");
    let waits = |nvim: &Nvim| nvim.status("dev")["waiting"].as_str().map(str::to_owned);
    let said = next.wait_for("the wait", waits);
    assert!(said.starts_with("waiting for the old dev to end"), "{said}");
    // Above the log and in the list, with the seconds it may still take.
    next.wait_screen("waiting for the old dev to end (");
    next.ex("Brummer");
    next.wait_screen("… dev   waiting for the old dev to end (");
    assert!(project.exists("lock"), "the old one is still there");
    project.write("release", "");
    next.wait_until("it to run", |nvim| nvim.status("dev")["state"] == "running");
    next.wait_screen("up");
    assert!(!next.screen().contains("busy"));
    first.marker.assert_none_left();
}
