//! The list of processes, the list of scripts and what belongs to them, as a user sees them in a real Neovim.

use std::fs;

use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    nvim::Nvim,
    proc::{self, eventually},
    project::Project,
};

/// Listens on a port of its own choice and says which.
const SERVER: &str = "import socket, time\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\nprint('port', s.getsockname()[1], flush=True)\ntime.sleep(1000)\n";

const SETTINGS: &str = r#"
[scripts.db]
command = "while [ ! -e go ]; do sleep 0.05; done; echo listening; exec sleep 1003"
ready = { log = "listening" }
[scripts.worker]
command = "echo work; exec sleep 1004"
after = ["db"]
env = { LEVEL = "9" }
[scripts.daemon]
command = "setsid sleep 1005 >/dev/null 2>&1 & echo done"
[scripts.server]
command = ["python3", "server.py"]
[sets]
stack = ["server", "worker"]
"#;

fn project() -> Project {
    let project = Project::empty();
    project.write(".brum.toml", SETTINGS);
    project.write("server.py", SERVER);
    project
}

/// Chooses the n-th of whatever is offered, and keeps what that was in `_G.offered`.
fn chooses(nvim: &Nvim, n: usize) {
    nvim.exec(&format!(
        "vim.ui.select = function(items, opts, cb)
           _G.offered = {{ prompt = opts.prompt, items = vim.tbl_map(opts.format_item, items) }}
           cb(items[{n}])
         end"
    ));
}

/// The row of the screen in which `text` stands.
fn row(nvim: &Nvim, text: &str) -> String {
    nvim.wait_for(text, |nvim| nvim.screen().lines().find(|line| line.contains(text)).map(str::to_owned))
}

#[test]
fn the_list_shows_what_runs_what_waits_and_what_was_left_running() {
    let project = project();
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun! stack");
    nvim.ex("BrummerRun! daemon");
    nvim.ex("Brummer");
    nvim.ex("only");
    nvim.wait_screen("waiting for db (ready: log /listening/)");
    assert!(row(&nvim, "● db").contains("not ready"), "{}", nvim.screen());
    nvim.wait_screen("left running: sleep (");
    assert!(row(&nvim, "✓ daemon").contains("ok"), "{}", nvim.screen());

    let port = nvim.wait_for("a port", |nvim| nvim.status("server")["ports"][0].as_u64());
    nvim.wait_until("all its figures", |nvim| {
        let row = row(nvim, "● server");
        [format!(":{port}").as_str(), "up ", "cpu ", " MB"].iter().all(|part| row.contains(part))
    });

    project.write("go", "");
    nvim.wait_until("both up", |nvim| {
        row(nvim, " db ").contains("● db")
            && row(nvim, " db ").contains("ready ")
            && row(nvim, " worker ").contains("up ")
    });

    // The row beneath means the process above.
    nvim.exec("vim.fn.search('left running')");
    nvim.keys("s");
    nvim.wait_until("nothing left", |nvim| !nvim.screen().contains("left running"));
    nvim.marker.assert_none_named("sleep 1005");
    nvim.ex("Brummer stop --all");
    nvim.wait_until("the end of all", |nvim| nvim.screen().contains("0 running"));
    for script in ["sleep 1003", "sleep 1004", "server.py"] {
        nvim.marker.assert_none_named(script);
    }
}

#[test]
fn rows_fit_narrow_and_wide_screens_and_plain_terminals() {
    let project = project();
    project.write("go", "");
    for (size, options, mark) in
        [((60, 20), "", "● worker"), ((120, 40), "", "● worker"), ((80, 24), "icons = 'ascii'", "* worker")]
    {
        let nvim = Nvim::at(project.root()).size(size.0, size.1).options(options).start();
        nvim.ex("BrummerRun! stack");
        nvim.ex("BrummerRun! daemon");
        nvim.ex("Brummer");
        nvim.ex("only");
        nvim.wait_screen(mark);
        nvim.wait_screen("left running");
        nvim.wait_until("figures", |nvim| nvim.status("worker")["memory"].as_u64().is_some());
        let lines = nvim.lines("brummer://");
        for line in &lines {
            assert!(line.chars().count() <= usize::from(size.0), "{line}");
        }
        let worker = lines.iter().find(|line| line.contains("worker")).unwrap();
        assert_eq!(worker.contains("echo work"), size.0 > 60, "{worker}");
        assert!(worker.contains("up ") && worker.contains(" MB"), "{worker}");
        if !options.is_empty() {
            assert!(lines.iter().all(|line| line.is_ascii()), "{lines:#?}");
        }
    }
}

#[test]
fn k_shows_where_a_process_comes_from_and_how_it_is_run() {
    let project = project();
    project.write("go", "");
    let nvim = Nvim::at(project.root()).size(100, 40).start();
    nvim.ex("BrummerRun worker");
    nvim.wait_line("brummer://logs/worker", "work");
    // On a line K is about the line.
    nvim.ex("Brummer clear");
    nvim.keys("K");
    for part in [
        "command      /bin/sh -c 'echo work; exec sleep 1004'",
        "defined in   .brum.toml:6",
        "after        db (ready)",
        "stop         SIGTERM, SIGKILL after 5 s",
        "environment  LEVEL from .brum.toml:8",
        "sleep 1004",
    ] {
        nvim.wait_screen(part);
    }
    nvim.keys("q");
    nvim.ex("Brummer stop --all");
    nvim.wait_state("db", &["stopped"]);
}

#[test]
fn scripts_of_every_kind_are_offered_and_run_by_the_name_one_types() {
    let project = Project::with(&[("dev", "echo from package"), ("a#b ♥", "echo odd name")]);
    project.write("Makefile", "greet:\n\t@echo from make\n");
    project.write("Procfile", "web: echo from procfile\n");
    project.write(
        ".brum.toml",
        "[scripts.stop]\ncommand = 'echo named like a command'\n[sets]\nboth = ['dev', 'stop']\n",
    );
    let nvim = Nvim::at(project.root()).size(100, 24).start();
    chooses(&nvim, 1);
    nvim.ex("BrummerRun");
    nvim.wait_line("brummer://logs", "named like a command");
    let offered = nvim.lua("_G.offered");
    let items: Vec<_> =
        offered["items"].as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect();
    for part in ["both", "dev", "a#b ♥", "stop", "make greet", "procfile web"] {
        assert!(items.iter().any(|item| item.contains(part)), "{part}: {items:#?}");
    }
    assert!(items[0].contains("set"), "{items:#?}");

    for (typed, log, line) in [
        ("make greet", "make greet", "from make"),
        ("web", "procfile web", "from procfile"),
        ("a#b\\ ♥", "a#b ♥", "odd name"),
        ("stop", "stop", "named like a command"),
    ] {
        nvim.ex(&format!("BrummerRun {typed}"));
        nvim.wait_line(&format!("brummer://logs/{log}"), line);
        assert_eq!(nvim.buffer(), format!("brummer://logs/{log}"));
    }
    let complete = nvim.lua("vim.fn.getcompletion('BrummerRun make gr', 'cmdline')");
    assert_eq!(complete, json!(["greet"]));
}

#[test]
fn give_ups_and_dependencies_that_fail_are_told() {
    let project = Project::empty();
    project.write(
        ".brum.toml",
        "[scripts.flaky]\ncommand = 'exit 4'\nrestart = { when = 'on-failure', delay = '100ms', limit = 2 }\n\
         [scripts.db]\ncommand = 'exit 1'\nready = { port = 1 }\n\
         [scripts.api]\ncommand = 'echo never'\nafter = ['db']\n\
         [scripts.slow]\ncommand = 'exec sleep 1006'\nready = { log = 'never', timeout = '200ms' }\n",
    );
    let nvim = Nvim::at(project.root()).size(120, 30).start();
    nvim.ex("BrummerRun! flaky");
    nvim.wait_said(&["flaky failed", "gave up after 2 restarts: exit 4"]);
    nvim.ex("BrummerRun! slow");
    nvim.wait_said(&["slow is not ready after 200 ms"]);
    nvim.ex("Brummer");
    nvim.wait_screen("not ready after 200 ms");
    nvim.ex("BrummerRun! api");
    let api = nvim.wait_state("api", &["failed"]);
    assert!(api["reason"].as_str().is_some_and(|reason| reason.contains("db")), "{api}");
    nvim.ex("Brummer stop slow");
    nvim.wait_state("slow", &["stopped"]);
}

#[test]
fn what_ran_when_neovim_was_left_is_offered_and_runs_again() {
    let project =
        Project::with(&[("dev", "echo dev up; exec sleep 1007"), ("api", "echo api up; exec sleep 1008")]);
    let state = TempDir::new().unwrap();
    let start = || {
        Nvim::at(project.root())
            .size(120, 30)
            .options("session_restore = true")
            .env("XDG_STATE_HOME", state.path().to_str().unwrap())
            .start()
    };
    let mut first = start();
    first.ex("BrummerRun! dev api");
    first.wait_state("dev", &["running"]);
    first.wait_state("api", &["running"]);
    first.ex("qa");
    first.wait_exit();
    eventually("what it ran to be gone", || first.marker.living().is_empty().then_some(()));

    let second = start();
    second.wait_said(&["ran here: dev, api; :Brummer run --restore"]);
    assert!(second.marker.host().is_none(), "nothing is started for it");
    second.ex("Brummer run --restore");
    second.wait_line("brummer://logs", "dev up");
    second.wait_line("brummer://logs", "api up");
    second.ex("Brummer stop --all");
    second.wait_state("api", &["stopped"]);
}

/// Two editors of one user.
fn beside(project: &Project, runtime: &TempDir) -> Nvim {
    let runtime = runtime.path().to_str().unwrap();
    Nvim::at(project.root()).size(120, 30).env("XDG_RUNTIME_DIR", runtime).start()
}

#[test]
fn a_script_that_another_neovim_runs_can_be_watched_or_run_beside_it() {
    let project = Project::with(&[("dev", "echo from dev; exec sleep 1009")]);
    let runtime = TempDir::new().unwrap();
    let (first, second) = (beside(&project, &runtime), beside(&project, &runtime));
    first.ex("BrummerRun dev");
    first.wait_state("dev", &["running"]);
    let host = first.marker.host().unwrap().pid;

    chooses(&second, 1);
    second.ex("BrummerRun dev");
    let log = format!("brummer://logs/dev @{host}");
    second.wait_line(&log, "from dev");
    assert_eq!(second.lua("_G.offered.items"), json!(["show its log", "run another", "cancel"]));
    let prompt = second.lua("_G.offered.prompt");
    let said = prompt.as_str().unwrap();
    assert!(said.starts_with(&format!("dev runs in another Neovim (pid {host}, since ")), "{said}");
    second.ex("Brummer stop");
    second.wait_said(&["dev", &format!("in another Neovim (pid {host})")]);
    assert_eq!(first.status("dev")["state"], "running");

    second.exec("require('brummer').run('dev', { another = true })");
    second.wait_line("brummer://logs/dev", "from dev");
    assert_eq!(second.status("dev")["state"], "running");
}

#[test]
fn what_a_crash_left_is_told_once_and_ended_when_asked_to() {
    let project = Project::with(&[("dev", "exec sleep 1010")]);
    project.write("tree.sh", "sleep 1011 &\nsetsid sleep 1012 &\nwait\n");
    project.write("package.json", r#"{"scripts":{"dev":"sh tree.sh"}}"#);
    let runtime = TempDir::new().unwrap();
    let first = beside(&project, &runtime);
    first.ex("BrummerRun dev");
    first.wait_state("dev", &["running"]);
    eventually("its tree", || (first.marker.named("sleep 101").len() == 2).then_some(()));
    eventually("its record", || {
        let files = fs::read_dir(runtime.path().join("brummer/runs")).ok()?;
        files.flatten().any(|file| file.path().extension().is_some_and(|end| end == "json")).then_some(())
    });
    // Nobody may be there in time to end the tree: the guards first.
    let guards = first.marker.named("brummer-guard");
    assert!(!guards.is_empty(), "{:#?}", first.marker.living());
    let host = first.marker.host().unwrap().pid;
    proc::signal(host, Signal::STOP);
    for guard in guards {
        proc::signal(guard.pid, Signal::KILL);
    }
    proc::signal(host, Signal::KILL);
    let left = first.marker.named("sleep 101");
    if left.is_empty() {
        // The death signal reached all of them.
        return;
    }

    let second = beside(&project, &runtime);
    second.ex("BrummerRun! !true");
    second.wait_said(&["left over: dev", ":Brummer stop --leftovers"]);
    assert_eq!(first.marker.named("sleep 101").len(), left.len(), "nothing is ended unasked");
    second.ex("Brummer stop --leftovers");
    second.wait_said(&["ended what was left over: dev"]);
    first.marker.assert_none_named("sleep 101");
}
