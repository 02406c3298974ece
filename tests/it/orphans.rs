//! Nothing is left: each shape a process tree takes, ended in each way there is. And who was not started by brummer is never
//! touched.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use rustix::process::Signal;
use serde_json::{Value as Json, json};

use crate::support::{
    host::Host,
    nvim::{Nvim, quote},
    proc::{self, Marker, eventually},
    project::Project,
};

/// The shapes: name, script, what of it is seen on command lines.
const SHAPES: &[(&str, &str, &[&str])] = &[
    ("same group", "sleep 1001 & sleep 1002 & wait\n", &["sleep 1001", "sleep 1002"]),
    (
        "own session",
        "setsid sh -c 'sleep 1001 & sleep 1002 & wait' & sleep 1003 & wait\n",
        &["sleep 1001", "sleep 1002", "sleep 1003"],
    ),
    (
        "deaf",
        "trap '' TERM INT HUP\nsh -c 'while :; do sleep 0.1; done' deaf-child &\nsleep 1001 & while :; do sleep 0.1; done\n",
        &["deaf-child", "sleep 1001"],
    ),
    (
        "daemon",
        "(setsid sh -c '(setsid sleep 1001 >/dev/null 2>&1 </dev/null &) ; sleep 1002 & wait' &)\nsleep 1003 & wait\n",
        &["sleep 1001", "sleep 1002", "sleep 1003"],
    ),
];

/// What a script that ignores TERM gets here.
const GRACE: &str = "[process_manager]\nstop_grace = \"300ms\"\n";

fn project(script: &str) -> Project {
    let project = Project::with(&[("tree", "sh tree.sh")]);
    project.write("tree.sh", script);
    project.write(".brum.toml", GRACE);
    project
}

/// Runs a command line.
fn command(host: &Host, project: &Project, line: &str) -> u64 {
    let answer = host.ask("run", &json!({ "root": project.root(), "command": line, "args": [] })).unwrap();
    answer["started"][0]["id"].as_u64().unwrap()
}

fn wait_tree(marker: &Marker, parts: &[&str]) {
    eventually("the tree", || parts.iter().all(|part| !marker.named(part).is_empty()).then_some(()));
}

/// Everything of a test but its host.
fn but_the_host(marker: &Marker) -> Vec<proc::Living> {
    marker.living().into_iter().filter(|living| !living.command.contains(" host --stdio")).collect()
}

fn assert_only_the_host_is_left(host: &Host, what: &str) {
    assert!(
        proc::poll(|| but_the_host(&host.marker).is_empty()),
        "{what}: {:#?}",
        but_the_host(&host.marker)
    );
    eventually("no zombie", || children(host.pid()).is_empty().then_some(()));
}

/// The children of a process, zombies too.
fn children(parent: i32) -> Vec<String> {
    let stats = fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let child = |stat: &String| {
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[1] == parent.to_string()
    };
    stats.filter(child).collect()
}

fn guards(marker: &Marker) -> Vec<proc::Living> {
    marker.named("brummer-guard")
}

#[test]
fn a_stop_leaves_nothing_of_any_shape() {
    for (shape, script, parts) in SHAPES {
        let project = project(script);
        let host = Host::start(project.root());
        let id = command(&host, &project, "sh tree.sh");
        wait_tree(&host.marker, parts);
        host.ask("stop", &json!({ "id": id })).unwrap();
        // At once: the answer says that nothing is left.
        let left = but_the_host(&host.marker);
        assert!(left.is_empty(), "{shape}: {left:#?}");
        assert_eq!(host.wait_exit_event(id, 1)["state"], "stopped", "{shape}");
        assert_only_the_host_is_left(&host, shape);
    }
}

#[test]
fn a_host_that_ends_leaves_nothing_of_any_shape() {
    for signal in [Signal::TERM, Signal::KILL] {
        for (shape, script, parts) in SHAPES {
            let project = project(script);
            let mut host = Host::start(project.root());
            command(&host, &project, "sh tree.sh");
            wait_tree(&host.marker, parts);
            host.signal(signal);
            host.wait_end();
            let what = format!("{shape}, {signal:?}");
            assert!(proc::poll(|| host.marker.living().is_empty()), "{what}: {:#?}", host.marker.living());
        }
    }
}

#[test]
fn a_killed_editor_leaves_nothing_of_any_shape() {
    for (shape, script, parts) in SHAPES {
        let project = project(script);
        let mut nvim = Nvim::start(project.root());
        nvim.ex("BrummerRun tree");
        wait_tree(&nvim.marker, parts);
        nvim.kill();
        assert!(proc::poll(|| nvim.marker.living().is_empty()), "{shape}: {:#?}", nvim.marker.living());
    }
}

#[test]
fn a_killed_guard_leaves_nothing_of_any_shape_and_the_host_goes_on() {
    for (shape, script, parts) in SHAPES {
        let project = project(script);
        let host = Host::start(project.root());
        let id = command(&host, &project, "sh tree.sh");
        wait_tree(&host.marker, parts);
        for guard in guards(&host.marker) {
            proc::signal(guard.pid, Signal::KILL);
        }
        let event = host.wait_exit_event(id, 1);
        assert_eq!((&event["state"], &event["signal"]), (&json!("failed"), &json!("SIGKILL")), "{shape}");
        assert_only_the_host_is_left(&host, shape);
        // The next run is as good as any.
        command(&host, &project, "sh tree.sh");
        wait_tree(&host.marker, parts);
        host.ask("stop", &json!({ "id": id })).unwrap();
        assert_only_the_host_is_left(&host, shape);
    }
}

#[test]
fn all_guards_killed_at_once_leave_nothing() {
    let project = project("");
    let host = Host::start(project.root());
    let line = |number: usize| {
        format!("setsid sleep 20{number} & env -i setsid sleep 30{number} & exec sleep 10{number}")
    };
    let ids: Vec<u64> = (0..5).map(|number| command(&host, &project, &line(number))).collect();
    let sleeps: Vec<String> = (0..5).flat_map(|n| [format!("sleep 20{n}"), format!("sleep 10{n}")]).collect();
    wait_tree(&host.marker, &sleeps.iter().map(String::as_str).collect::<Vec<_>>());
    let bare = || -> Vec<String> {
        let all = fs::read_dir("/proc").unwrap().flatten();
        let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| (0..5).any(|n| line.starts_with(&format!("sleep 30{n}")))).collect()
    };
    eventually("those without an environment", || (bare().len() >= 5).then_some(()));
    for guard in guards(&host.marker) {
        proc::signal(guard.pid, Signal::KILL);
    }
    for id in ids {
        assert_eq!(host.wait_exit_event(id, 1)["state"], "failed");
    }
    assert_only_the_host_is_left(&host, "five guards");
    assert!(proc::poll(|| bare().is_empty()), "no environment tells whose they are: {:#?}", bare());
}

#[test]
fn a_guard_that_is_asked_to_end_ends_its_tree_first() {
    let (_, script, parts) = SHAPES[3];
    let project = project(script);
    let host = Host::start(project.root());
    let id = command(&host, &project, "sh tree.sh");
    wait_tree(&host.marker, parts);
    proc::signal(guards(&host.marker)[0].pid, Signal::TERM);
    assert_eq!(host.wait_exit_event(id, 1)["state"], "failed");
    assert_only_the_host_is_left(&host, "TERM");
}

#[test]
fn a_stop_during_the_start_leaves_nothing() {
    let project = project("setsid sleep 1001 & exec sleep 1002\n");
    let host = Host::start(project.root());
    for round in 0..30 {
        let params = json!({ "root": project.root(), "command": "sh tree.sh", "args": [] });
        let run = host.call("run", &params);
        let id = host.reply(run).unwrap()["started"][0]["id"].clone();
        host.ask("stop", &json!({ "id": id })).unwrap();
        let left = but_the_host(&host.marker);
        assert!(left.is_empty(), "round {round}: {left:#?}");
    }
    assert_only_the_host_is_left(&host, "30 stops");
}

#[test]
fn a_hundred_restarts_leave_one_tree() {
    let project = project("setsid sleep 1001 & echo up; exec sleep 1002\n");
    let host = Host::start(project.root());
    let id = command(&host, &project, "sh tree.sh");
    for _ in 0..100 {
        host.ask("restart", &json!({ "id": id })).unwrap();
    }
    host.wait_exit_event(id, 100);
    wait_tree(&host.marker, &["sleep 1001", "sleep 1002"]);
    for part in ["sleep 1001", "sleep 1002", "brummer-guard"] {
        assert_eq!(host.marker.named(part).len(), 1, "{part}: {:#?}", host.marker.living());
    }
    host.ask("stop", &json!({ "id": id })).unwrap();
    assert_only_the_host_is_left(&host, "100 restarts");
}

#[test]
fn what_outlives_its_leader_is_told_and_ends_with_stop_start_and_host() {
    let project = project("setsid sleep 1001 >/dev/null 2>&1 &\nsleep 1002 >/dev/null 2>&1 &\necho up\n");
    let mut host = Host::start(project.root());
    let id = command(&host, &project, "sh tree.sh");
    let event = host.wait_exit_event(id, 1);
    assert_eq!((&event["state"], &event["exit_code"]), (&json!("success"), &json!(0)));
    let left = |names: &[&str]| {
        host.wait("what is left", |seen| {
            let row = seen.procs.get(&id)?;
            let left = row["left"].as_array().cloned().unwrap_or_default();
            let said: Vec<&str> = left.iter().filter_map(|one| one["name"].as_str()).collect();
            (said == names).then_some(())
        });
    };
    left(&["sleep", "sleep"]);
    wait_tree(&host.marker, &["sleep 1001", "sleep 1002"]);
    host.ask("stop", &json!({ "id": id })).unwrap();
    assert_eq!(but_the_host(&host.marker).len(), 0);
    left(&[]);
    assert_eq!(host.seen().events("exited").len(), 1, "its run was over");

    command(&host, &project, "sh tree.sh");
    host.wait_exit_event(id, 2);
    let before = host.marker.named("sleep 100");
    assert_eq!(before.len(), 2);
    command(&host, &project, "sh tree.sh");
    host.wait_exit_event(id, 3);
    wait_tree(&host.marker, &["sleep 1001", "sleep 1002"]);
    let now = host.marker.named("sleep 100");
    assert!(now.iter().all(|living| before.iter().all(|old| old.pid != living.pid)), "{now:#?}");
    host.signal(Signal::TERM);
    host.wait_end();
    host.marker.assert_none_left();
}

#[test]
fn a_port_that_the_tree_held_is_free_when_the_stop_is_answered() {
    let listen = "import socket,time; s=socket.create_server(('127.0.0.1', 0)); \
                  open('port','w').write(str(s.getsockname()[1])); time.sleep(1000)";
    let project = project(&format!("setsid python3 -c \"{listen}\" & wait\n"));
    let host = Host::start(project.root());
    for _ in 0..3 {
        fs::remove_file(project.path("port")).ok();
        let id = command(&host, &project, "sh tree.sh");
        let port: u16 = eventually("a port", || project.read("port").parse().ok());
        assert!(TcpListener::bind(("127.0.0.1", port)).is_err(), "it is taken");
        host.ask("stop", &json!({ "id": id })).unwrap();
        TcpListener::bind(("127.0.0.1", port)).unwrap();
    }
}

/// Somebody else's process, ended with the value.
struct Bystander(Child);

impl Bystander {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn bystanders_of_the_same_name_and_on_the_same_port_survive_every_end() {
    let shared = "import socket,sys,time; s=socket.socket(); \
                  s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); \
                  s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); open(sys.argv[2],'w').write('up'); time.sleep(1000)";
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port().to_string();
    let project = project(&format!("sleep 1001 &\nexec python3 -c \"{shared}\" {port} up\n"));
    let theirs = project.path("theirs");
    let mut same_name = Bystander::start("sleep", &["1001"]);
    let mut same_port = Bystander::start("python3", &["-c", shared, &port, theirs.to_str().unwrap()]);
    eventually("the other listener", || project.exists("theirs").then_some(()));
    for end in ["stop", "guard", "host"] {
        fs::remove_file(project.path("up")).ok();
        let mut host = Host::start(project.root());
        let id = command(&host, &project, "sh tree.sh");
        eventually("our listener", || project.exists("up").then_some(()));
        wait_tree(&host.marker, &["sleep 1001"]);
        match end {
            "stop" => drop(host.ask("stop", &json!({ "id": id })).unwrap()),
            "guard" => proc::signal(guards(&host.marker)[0].pid, Signal::KILL),
            _ => {
                host.signal(Signal::KILL);
                host.wait_end();
            }
        }
        assert!(proc::poll(|| but_the_host(&host.marker).is_empty()), "{:#?}", but_the_host(&host.marker));
        assert!(same_name.is_alive() && same_port.is_alive(), "{end}");
    }
}

#[test]
fn an_editor_with_a_stopped_guard_still_stops_its_script() {
    let project = project("setsid sleep 1001 & exec sleep 1002\n");
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun tree");
    wait_tree(&nvim.marker, &["sleep 1001", "sleep 1002"]);
    // It does not answer; whoever waits for it must not wait for ever.
    proc::signal(guards(&nvim.marker)[0].pid, Signal::STOP);
    let code = format!("require('brummer').stop({})", quote("tree"));
    nvim.exec(&code);
    let state: Json = nvim.wait_state("tree", &["stopped", "failed"]);
    assert!(state["state"] == "stopped", "{state}");
    for part in ["sleep 100", "brummer-guard"] {
        nvim.marker.assert_none_named(part);
    }
}
