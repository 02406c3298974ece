//! Several hosts of one user: one after the other, side by side, and after a crash.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Barrier,
    thread,
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    brummer, clean_env,
    host::Host,
    nvim::Nvim,
    proc::{self, eventually},
    project::Project,
};

/// Where hosts know of each other.
fn runtime() -> TempDir {
    tempfile::Builder::new().prefix("brummer-runtime-").tempdir().unwrap()
}

/// The records in it, by the name of the script.
fn records(runtime: &Path) -> Vec<(String, PathBuf, Value)> {
    let files = fs::read_dir(runtime.join("brummer/runs")).into_iter().flatten().flatten();
    let mut found: Vec<_> = files
        .filter(|file| file.path().extension().is_some_and(|end| end == "json"))
        .filter_map(|file| {
            let record: Value = serde_json::from_slice(&fs::read(file.path()).ok()?).ok()?;
            Some((record["name"].as_str()?.to_owned(), file.path(), record))
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn record(runtime: &Path, name: &str) -> Value {
    let of = |(known, _, record): (String, PathBuf, Value)| (known == name).then_some(record);
    eventually("a record", || records(runtime).into_iter().find_map(of))
}

/// The start of a script as a user asks for it.
fn run(host: &Host, project: &Project, name: &str) -> Value {
    host.ask("run", &json!({ "root": project.root(), "names": [name] })).unwrap()
}

fn pid(value: &Value) -> i32 {
    value["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap()
}

/// A line of `log` that says so.
fn wait_line(host: &Host, buf: u64, line: &str) {
    host.wait(line, |seen| seen.lines(buf).iter().any(|known| known == line).then_some(()));
}

#[test]
fn a_run_has_a_record_for_the_user_alone_for_as_long_as_it_lives() {
    use std::os::unix::fs::PermissionsExt;
    let (project, runtime) = (Project::with(&[("dev", "exec sleep 1001"), ("short", "true")]), runtime());
    let host = Host::beside(project.root(), runtime.path());
    let id = host.run(project.root(), &["dev"])[0];
    let row = host.wait_state(id, &["running"]);
    let known = record(runtime.path(), "dev");
    assert_eq!(known["root"], json!(project.root()));
    assert_eq!((&known["host"]["pid"], &known["leader"]["pid"]), (&json!(host.pid()), &row["pid"]));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let path = &records(runtime.path())[0].1;
    assert_eq!((mode(path), mode(path.parent().unwrap())), (0o600, 0o700));
    let short = host.run(project.root(), &["short"])[0];
    host.wait_exit_event(short, 1);
    host.ask("stop", &json!({ "id": id })).unwrap();
    eventually("no record", || records(runtime.path()).is_empty().then_some(()));
}

#[test]
fn a_host_and_its_guards_killed_at_once_leave_what_the_next_one_offers_and_ends_and_nothing_else() {
    let project = Project::with(&[("dev", "sh tree.sh"), ("api", "sh deaf.sh")]);
    project.write("deaf.sh", "setsid sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' deaf-api & wait\n");
    // What is in a session of its own does not die with the leader.
    project.write("tree.sh", "setsid sh -c 'sleep 1002' far-child & sleep 1003 & wait\n");
    let (runtime, elsewhere) = (runtime(), Project::empty());
    // The same program under the same name, started by somebody else.
    let bystander = Host::beside(elsewhere.root(), runtime.path());
    elsewhere.write("tree.sh", "setsid sh -c 'sleep 1002' far-child & wait\n");
    let command = json!({ "root": elsewhere.root(), "command": "sh tree.sh" });
    let other = bystander.ask("run", &command).unwrap()["started"][0]["id"].as_u64().unwrap();
    bystander.wait_state(other, &["running"]);
    eventually("the bystander", || bystander.marker.named("far-child").into_iter().next());
    let mut first = Host::beside(project.root(), runtime.path());
    first.run(project.root(), &["dev", "api"]);
    eventually("the trees", || {
        let alive = ["far-child", "deaf-api"].iter().all(|part| !first.marker.named(part).is_empty());
        (alive && records(runtime.path()).len() == 3).then_some(())
    });
    let of_first = [record(runtime.path(), "api"), record(runtime.path(), "dev")];
    // Stopped first, so that none of them sees the other die.
    let all: Vec<i32> =
        [first.pid()].into_iter().chain(of_first.iter().map(|it| pid(&it["guard"]))).collect();
    for signal in [Signal::STOP, Signal::KILL] {
        all.iter().for_each(|pid| proc::signal(*pid, signal));
    }
    first.wait_end();
    let left = || first.marker.named("far-child").len() + first.marker.named("deaf-api").len();
    assert_eq!(left(), 2);

    let next = Host::beside(project.root(), runtime.path());
    let event = next.wait("left-overs", |seen| seen.events("leftovers").first().cloned());
    let name = |row: &Value| row["name"].as_str().unwrap_or_default().to_owned();
    let rows = event["leftovers"].as_array().unwrap();
    let mut names: Vec<_> = rows.iter().map(name).collect();
    names.sort();
    assert_eq!(names, ["api", "dev"], "{event}");
    assert!(rows.iter().all(|row| row["root"] == json!(project.root()) && row["detached"].is_null()));
    let dev = rows.iter().find(|row| name(row) == "dev").unwrap();
    next.ask("end_leftovers", &json!({ "runs": [dev["run"]] })).unwrap();
    first.marker.assert_none_named("far-child");
    assert_eq!(left(), 1, "only what was asked for");
    let answer = next.ask("leftovers", &json!({})).unwrap();
    assert_eq!(answer["leftovers"].as_array().unwrap().iter().map(name).collect::<Vec<_>>(), ["api"]);
    assert!(!bystander.marker.named("far-child").is_empty());
    assert_eq!(records(runtime.path()).len(), 2);
    drop(next);
    // What is deaf is killed when its grace is over, here before the next start of that script.
    project.write(".brum.toml", "[process_manager]\nstop_grace = '200ms'\n");
    let last = Host::beside(project.root(), runtime.path());
    let api = run(&last, &project, "api")["started"][0]["id"].as_u64().unwrap();
    last.wait_state(api, &["running"]);
    assert!(first.marker.named("deaf-api").is_empty());
    assert!(!bystander.marker.named("far-child").is_empty());
}

#[test]
fn an_editor_that_comes_back_at_once_waits_for_the_old_run_and_meets_no_busy_port() {
    let project = Project::with(&[("dev", "exec python3 server.py")]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // It takes its time to leave, with its port in use.
    project.write(
        "server.py",
        format!(
            "import signal, socket, sys, time\n\
             s = socket.socket()\n\
             s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n\
             s.bind(('127.0.0.1', {port}))\n\
             s.listen()\n\
             def leave(*_):\n    time.sleep(2.5)\n    sys.exit(0)\n\
             signal.signal(signal.SIGTERM, leave)\n\
             print('listening', flush=True)\n\
             while True:\n    time.sleep(60)\n"
        ),
    );
    let runtime = runtime();
    let first = Host::beside(project.root(), runtime.path());
    first.watch(5, project.root(), "dev", 100);
    first.run(project.root(), &["dev"]);
    wait_line(&first, 5, "listening");
    first.hang_up();

    let next = Host::beside(project.root(), runtime.path());
    next.watch(5, project.root(), "dev", 100);
    // The first host may be alive: it leaves. Asked as an editor does.
    let id = run(&next, &project, "dev")["started"][0]["id"].as_u64().unwrap();
    let row =
        next.wait("the wait", |seen| seen.procs.get(&id).filter(|row| !row["waiting"].is_null()).cloned());
    let said = row["waiting"].as_str().unwrap();
    assert!(said.starts_with("waiting for the old dev to end"), "{said}");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "the old one still has its port");
    let row = next.wait_state(id, &["running", "failed"]);
    assert_eq!((row["state"].as_str(), &row["waiting"]), (Some("running"), &Value::Null));
    wait_line(&next, 5, "listening");
}

#[test]
fn a_start_that_waits_for_an_old_run_can_be_stopped() {
    let project = Project::with(&[("dev", "trap '' TERM; echo up; while :; do sleep 0.1; done")]);
    let runtime = runtime();
    let mut first = Host::beside(project.root(), runtime.path());
    first.watch(5, project.root(), "dev", 100);
    first.run(project.root(), &["dev"]);
    wait_line(&first, 5, "up");
    first.signal(Signal::KILL);
    first.wait_end();
    let next = Host::beside(project.root(), runtime.path());
    let id = run(&next, &project, "dev")["started"][0]["id"].as_u64().unwrap();
    next.wait("the wait", |seen| seen.procs.get(&id).filter(|row| !row["waiting"].is_null()).cloned());
    next.ask("stop", &json!({ "id": id })).unwrap();
    let row = next.wait_state(id, &["stopped"]);
    assert_eq!((&row["pid"], &row["waiting"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_another_editor_runs_is_said_and_shown_and_can_be_run_again() {
    let project = Project::with(&[("dev", "echo one; exec sleep 1001"), ("api", "true")]);
    let runtime = runtime();
    let first = Host::beside(project.root(), runtime.path());
    first.watch(5, project.root(), "dev", 100);
    let theirs = first.run(project.root(), &["dev"])[0];
    wait_line(&first, 5, "one");
    let there = first.wait_state(theirs, &["running"]);

    let second = Host::beside(project.root(), runtime.path());
    let asked = json!({ "root": project.root(), "names": ["api", "dev"] });
    let answer = second.ask("run", &asked).unwrap();
    let said =
        json!([{ "name": "dev", "root": project.root(), "pid": first.pid(), "since": there["started_at"] }]);
    assert_eq!(answer, json!({ "elsewhere": said }));
    assert!(second.seen().procs.is_empty(), "nothing is started");

    let show = json!({ "root": project.root(), "name": "dev", "pid": first.pid() });
    let shown = second.ask("show", &show).unwrap();
    let (id, name) = (shown["id"].as_u64().unwrap(), format!("dev @{}", first.pid()));
    assert_eq!(shown["name"], json!(name));
    second.watch(7, project.root(), &name, 100);
    wait_line(&second, 7, "one");
    let row = second.wait_state(id, &["running"]);
    assert_eq!((&row["elsewhere"], &row["pid"]), (&json!(first.pid()), &there["pid"]));
    for call in ["stop", "restart", "send"] {
        let error = second.ask(call, &json!({ "id": id, "text": "rs" })).unwrap_err();
        assert_eq!(error, format!("{name} runs in another editor and can only be read here"));
    }
    // Another one of their own beside it.
    let another = json!({ "root": project.root(), "names": ["dev"], "another": true });
    let own = second.ask("run", &another).unwrap()["started"][0]["id"].as_u64().unwrap();
    second.wait_state(own, &["running"]);
    assert_ne!(own, id);
    first.ask("stop", &json!({ "id": theirs })).unwrap();
    second.wait_state(id, &["stopped"]);
    second.wait_state(own, &["running"]);
    // Nobody else runs it now.
    let answer = second.ask("show", &show).unwrap_err();
    assert_eq!(answer, format!("dev does not run in the editor with pid {} any more", first.pid()));
}

#[test]
fn of_two_hosts_that_start_a_script_at_once_one_does_and_the_other_says_who() {
    let project = Project::with(&[("dev", "exec sleep 1001")]);
    let runtime = runtime();
    let hosts = [(); 2].map(|()| Host::beside(project.root(), runtime.path()));
    let asked = json!({ "root": project.root(), "names": ["dev"] });
    for _ in 0..5 {
        let start = Barrier::new(hosts.len());
        let answers = thread::scope(|scope| {
            let asks = hosts.each_ref().map(|host| {
                let (start, asked) = (&start, &asked);
                scope.spawn(move || {
                    start.wait();
                    host.ask("run", asked).unwrap()
                })
            });
            asks.map(|ask| ask.join().unwrap())
        });
        let winners: Vec<usize> = (0..2).filter(|at| answers[*at]["started"].is_array()).collect();
        let [winner] = winners[..] else { panic!("{answers:?}") };
        let said = &answers[1 - winner]["elsewhere"][0];
        assert_eq!(
            (&said["name"], &said["pid"]),
            (&json!("dev"), &json!(hosts[winner].pid())),
            "{answers:?}"
        );
        let id = answers[winner]["started"][0]["id"].as_u64().unwrap();
        hosts[winner].wait_state(id, &["running"]);
        assert!(hosts[1 - winner].marker.named("sleep 1001").is_empty(), "it runs once");
        hosts[winner].ask("stop", &json!({ "id": id })).unwrap();
        eventually("nothing is claimed or recorded", || {
            fs::read_dir(runtime.path().join("brummer/runs")).unwrap().next().is_none().then_some(())
        });
    }
}

#[test]
fn what_a_host_is_about_to_start_is_said_to_a_terminal_and_free_when_that_host_is_killed() {
    let project = Project::with(&[("dev", "echo dev runs; exec sleep 1001"), ("db", "exec sleep 1002")]);
    let ready = "[scripts.db]\nready = { log = 'never' }\n[scripts.dev]\nafter = ['db']\n";
    project.write(".brum.toml", ready);
    let runtime = runtime();
    let mut host = Host::beside(project.root(), runtime.path());
    let dev = run(&host, &project, "dev")["started"][0]["id"].as_u64().unwrap();
    host.wait("the wait", |seen| seen.procs.get(&dev).filter(|row| !row["waiting"].is_null()).cloned());
    let terminal = |args: &[&str]| {
        let mut command = Command::new(brummer());
        command.args(args).current_dir(project.root());
        clean_env(&mut command);
        command.env("XDG_RUNTIME_DIR", runtime.path()).stdin(Stdio::null());
        command.output().unwrap()
    };
    let refused = terminal(&["run", "dev"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains(&format!("dev runs already (pid {}", host.pid())),
        "{said}"
    );
    assert!(said.contains("stop it there, or start another with `brummer run --another`"), "{said}");
    // Nobody can give it back after this but the kernel.
    host.signal(Signal::KILL);
    host.wait_end();
    project.write(".brum.toml", "[scripts.dev]\ncommand = 'echo dev runs'\n");
    let free = terminal(&["run", "dev"]);
    assert!(free.status.success() && String::from_utf8_lossy(&free.stdout).contains("dev runs"), "{free:?}");
    // Beside one that runs, if that is what one wants.
    let host = Host::beside(project.root(), runtime.path());
    project.write(".brum.toml", "");
    let dev = run(&host, &project, "dev")["started"][0]["id"].as_u64().unwrap();
    host.wait_state(dev, &["running"]);
    assert!(!terminal(&["run", "dev"]).status.success());
    project.write(".brum.toml", "[scripts.dev]\ncommand = 'echo dev runs'\n");
    let another = terminal(&["run", "--another", "dev"]);
    assert!(another.status.success(), "{another:?}");
    host.wait_state(dev, &["running"]);
}

#[test]
fn what_is_detached_is_listed_and_left_alone() {
    let project = Project::with(&[("daemon", "exec sleep 1001")]);
    project.write(".brum.toml", "[scripts.daemon]\ndetach = true\n");
    let runtime = runtime();
    let mut first = Host::beside(project.root(), runtime.path());
    let id = first.run(project.root(), &["daemon"])[0];
    first.wait_state(id, &["running"]);
    record(runtime.path(), "daemon");
    first.hang_up();
    first.wait_end();
    // Its package manager takes its time.
    eventually("the daemon", || first.marker.named("sleep 1001").into_iter().next());
    let next = Host::beside(project.root(), runtime.path());
    let event = next.wait("left-overs", |seen| seen.events("leftovers").first().cloned());
    let rows = event["leftovers"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["name"], &rows[0]["detached"]), (1, &json!("daemon"), &json!(true)));
    next.ask("end_leftovers", &json!({ "runs": [rows[0]["run"]] })).unwrap();
    first.marker.assert_none_named("sleep 1001");
    eventually("no record", || records(runtime.path()).is_empty().then_some(()));
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_left_alone() {
    let (project, runtime) = (Project::empty(), runtime());
    drop(Host::beside(project.root(), runtime.path()));
    let broken = runtime.path().join("brummer/runs/4000000-7-1.json");
    fs::write(&broken, "{").unwrap();
    let host = Host::beside(project.root(), runtime.path());
    let event = host.wait("left-overs", |seen| seen.events("leftovers").first().cloned());
    let problem = event["problems"][0].as_str().unwrap();
    assert!(problem.starts_with(&format!("{}: ", broken.display())), "{problem}");
    assert_eq!(event["leftovers"], json!([]));
    assert!(broken.exists());
}

#[test]
fn two_editors_of_one_project_know_of_each_other() {
    let project = Project::with(&[("dev", "echo from the first; exec sleep 1001")]);
    let runtime = runtime();
    let dir = runtime.path().to_str().unwrap().to_owned();
    let first = Nvim::at(project.root()).env("XDG_RUNTIME_DIR", &dir).start();
    first.ex("BrummerRun dev");
    first.wait_screen("from the first");
    let host = first.marker.host().unwrap().pid;
    let second = Nvim::at(project.root()).env("XDG_RUNTIME_DIR", &dir).start();
    second.ex("BrummerRun dev");
    second.wait_until("it is said", |nvim| nvim.screen().contains(&host.to_string()));
    assert!(second.marker.named("sleep 1001").is_empty(), "nothing is started");
}
