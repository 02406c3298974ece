//! The life of a process: one terminal state, one exit, the right code and signal, ids that never come twice.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use crate::support::{host::Host, nvim::Nvim, proc::eventually, project::Project};

fn command(host: &Host, project: &Project, line: &str) -> u64 {
    let answer = host.ask("run", &json!({ "root": project.root(), "command": line, "args": [] })).unwrap();
    answer["started"][0]["id"].as_u64().unwrap()
}

#[test]
fn exit_codes_and_signals_are_told_as_they_were() {
    let project = Project::with(&[("seven", "exit 7")]);
    let host = Host::start(project.root());
    // (command, state, exit code, signal)
    let cases = [
        ("true", "success", json!(0), Json::Null),
        ("exit 3", "failed", json!(3), Json::Null),
        ("exit 255", "failed", json!(255), Json::Null),
        ("kill -KILL $$", "failed", Json::Null, json!("SIGKILL")),
        ("kill -SEGV $$", "failed", Json::Null, json!("SIGSEGV")),
        ("kill -TERM $$", "failed", Json::Null, json!("SIGTERM")),
    ];
    for (line, state, code, signal) in cases {
        let id = command(&host, &project, line);
        let event = host.wait_exit_event(id, 1);
        assert_eq!(
            (&event["state"], &event["exit_code"], &event["signal"]),
            (&json!(state), &code, &signal),
            "{line}"
        );
        let row = host.wait_state(id, &[state]);
        assert_eq!((&row["exit_code"], &row["signal"]), (&code, &signal), "{line}: {row}");
        assert!(row["ended_at"].as_u64() >= row["started_at"].as_u64(), "{row}");
    }
    let seven = host.run(project.root(), &["seven"])[0];
    assert_eq!(host.wait_exit_event(seven, 1)["exit_code"], 7);
}

#[test]
fn each_run_has_one_exit_and_an_id_of_its_own() {
    let project = Project::with(&[("a", "echo a"), ("b", "echo b"), ("c", "exit 1")]);
    let host = Host::start(project.root());
    let ids = host.run(project.root(), &["a", "b", "c"]);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 3);
    for times in 1..=3 {
        for id in &ids {
            host.wait_exit_event(*id, times);
            if times < 3 {
                // At once: well within a second of the run before.
                host.ask("restart", &json!({ "id": id })).unwrap();
            }
        }
    }
    // A later command's answer comes behind whatever the host still had to say about these.
    host.ask("scripts", &json!({ "dir": project.root() })).unwrap();
    let seen = host.seen();
    let key = |event: &Json| (event["id"].as_u64().unwrap(), event["run"].as_u64().unwrap());
    for kind in ["started", "exited"] {
        let events = seen.events(kind);
        assert_eq!(events.len(), 9, "{kind}: {events:#?}");
        assert_eq!(events.iter().map(key).collect::<HashSet<_>>().len(), 9, "{kind}: {events:#?}");
    }
    // The start is told before the end.
    for exited in seen.events("exited") {
        let order = |kind: &str| {
            seen.timeline.iter().position(|part| match part {
                crate::support::host::Part::Event(event) => {
                    event["kind"] == kind && key(event) == key(&exited)
                }
                _ => false,
            })
        };
        assert!(order("started") < order("exited"));
    }
}

#[test]
fn two_starts_at_once_are_one_process() {
    let project = Project::with(&[("dev", "echo up; exec sleep 1000")]);
    let host = Host::start(project.root());
    let params = json!({ "root": project.root(), "names": ["dev"], "args": [] });
    let (first, second) = (host.call("run", &params), host.call("run", &params));
    let first = host.reply(first).unwrap()["started"][0].clone();
    let second = host.reply(second).unwrap()["started"][0].clone();
    assert_eq!(first["id"], second["id"]);
    assert_eq!((&first["state"], &second["state"]), (&json!("started"), &json!("running")));
    host.wait_state(first["id"].as_u64().unwrap(), &["running"]);
    eventually("one process", || (host.marker.named("sleep 1000").len() == 1).then_some(()));
}

#[test]
fn a_stopped_process_is_stopped_not_failed() {
    let project = Project::with(&[("dev", "echo up; exec sleep 1000")]);
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["dev"])[0];
    host.wait_state(id, &["running"]);
    eventually("the sleep", || host.marker.named("sleep 1000").pop());
    host.ask("stop", &json!({ "id": id })).unwrap();
    // The answer says that the group is gone.
    assert!(host.marker.named("sleep 1000").is_empty(), "{:#?}", host.marker.living());
    assert_eq!(host.wait_exit_event(id, 1)["state"], "stopped");
    assert_eq!(host.wait_state(id, &["stopped"])["state"], "stopped");
    assert_eq!(host.seen().events("exited").len(), 1);
}

#[test]
fn a_stop_ends_children_that_ignore_it() {
    let project = Project::with(&[("tree", "sh tree.sh")]);
    project.write(
        "tree.sh",
        "sleep 1001 & sh -c 'trap \"\" TERM; echo deaf; sleep 1002 & wait; sleep 1003' & wait\n",
    );
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["tree"])[0];
    eventually("the tree", || host.marker.named("sleep 1002").pop());
    host.ask("stop", &json!({ "id": id })).unwrap();
    assert!(host.marker.named("sleep 10").is_empty(), "{:#?}", host.marker.living());
    assert_eq!(host.wait_exit_event(id, 1)["state"], "stopped");
}

#[test]
fn a_restart_waits_for_the_run_before_to_end() {
    // The lock directory stands for a port: a second run that comes too early fails.
    let project = Project::with(&[("dev", "sh dev.sh")]);
    project.write(
        "dev.sh",
        "mkdir lock || { echo port taken; exit 1; }\ntrap 'rmdir lock; exit 0' TERM\necho up\nwhile :; do sleep 0.02; done\n",
    );
    let host = Host::start(project.root());
    host.watch(5, project.root(), "dev", 1000);
    let id = host.run(project.root(), &["dev"])[0];
    for run in 1..=3 {
        host.wait(&format!("start {run}"), |seen| {
            (seen.lines(5).iter().filter(|line| *line == "up").count() == run).then_some(())
        });
        if run < 3 {
            host.ask("restart", &json!({ "id": id })).unwrap();
        }
    }
    assert!(
        !host.seen().lines(5).iter().any(|line| line.contains("port taken")),
        "{:#?}",
        host.seen().lines(5)
    );
}

#[test]
fn a_wrong_name_among_right_ones_starts_nothing() {
    let project = Project::with(&[("dev", "exec sleep 1000"), ("api", "exec sleep 1000")]);
    let host = Host::start(project.root());
    let error =
        host.ask("run", &json!({ "root": project.root(), "names": ["dev", "apj"], "args": [] })).unwrap_err();
    assert!(error.contains("apj") && error.contains("api"), "{error}");
    host.ask("scripts", &json!({ "dir": project.root() })).unwrap();
    assert!(host.seen().procs.is_empty(), "{:#?}", host.seen().procs);
    assert!(host.marker.named("sleep 1000").is_empty());
}

#[test]
fn the_scripts_of_a_directory_are_those_of_the_root_above() {
    let project = Project::with(&[("dev", "vite"), ("build", "vite build")]);
    project.write("src/a/b.js", "");
    let host = Host::start(project.root());
    let answer = host.ask("scripts", &json!({ "dir": project.path("src/a") })).unwrap();
    assert_eq!(answer["root"], json!(project.root()));
    assert_eq!((&answer["project"], &answer["manager"]), (&json!("sample"), &json!("npm")));
    let scripts = answer["scripts"].as_array().unwrap();
    let names: Vec<&Json> = scripts.iter().map(|script| &script["name"]).collect();
    assert_eq!(names, ["dev", "build"]);
    let lines: Vec<&str> = scripts.iter().map(|script| script["command"].as_str().unwrap()).collect();
    assert_eq!(lines, ["vite", "vite build"]);
    let package = project.read("package.json");
    let line = package.lines().position(|line| line.contains("\"build\"")).unwrap() + 1;
    assert_eq!(scripts[1]["line"], line);
}

#[test]
fn errors_are_listed_with_their_places() {
    let project = Project::with(&[(
        "check",
        "echo 'a.ts(2,3): error TS1: first'; echo 'gone.ts(1,1): error TS2: second'",
    )]);
    project.write("a.ts", "one\ntwo\n");
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["check"])[0];
    host.wait_exit_event(id, 1);
    let answer = host.ask("errors", &json!({ "root": project.root() })).unwrap();
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2, "{answer:#}");
    assert_eq!(errors[0]["file"], json!(project.path("a.ts")));
    assert_eq!((&errors[0]["line"], &errors[0]["col"]), (&json!(2), &json!(3)));
    assert!(errors[0]["message"].as_str().unwrap().contains("first"));
    assert!(errors[1].get("file").is_none(), "a file that does not exist is not named: {answer:#}");
    assert_ne!(errors[0]["error"], errors[1]["error"]);
}

#[test]
fn user_events_tell_one_start_and_one_exit() {
    let project = Project::with(&[("fail", "echo oops; exit 3")]);
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun fail");
    nvim.wait_until("the exit", |nvim| nvim.events("BrummerProcessExited").len() == 1);
    nvim.wait_state("fail", &["failed"]);
    assert_eq!(nvim.events("BrummerProcessStarted").len(), 1);
    let exit = nvim.events("BrummerProcessExited")[0].clone();
    assert_eq!((&exit["data"]["exit_code"], &exit["data"]["state"]), (&json!(3), &json!("failed")), "{exit}");
    assert_eq!(nvim.status("fail")["exit_code"], 3);
    nvim.wait_said(&["fail", "exit 3"]);
}

#[test]
fn an_error_on_the_very_last_line_is_told_before_the_exit() {
    let project = Project::with(&[("dev", "echo 'Error: Cannot find module x'; exit 1")]);
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["dev"])[0];
    let exit = host.wait_exit_event(id, 1);
    assert!(exit["message"].as_str().unwrap_or_default().contains("Cannot find module x"), "{exit}");
    assert_eq!(host.wait_state(id, &["failed"])["errors"], 1);
}

#[test]
fn numbers_of_runs_agree_although_some_never_ran() {
    let project = Project::with(&[("dev", "echo up; trap '' TERM; while :; do sleep 0.05; done")]);
    project.write(".brum.toml", "[process_manager]\nstop_grace = \"300ms\"\n");
    let host = Host::start(project.root());
    host.watch(5, project.root(), "dev", 1000);
    let id = host.run(project.root(), &["dev"])[0];
    host.wait("up", |seen| seen.lines(5).iter().any(|line| line == "up").then_some(()));
    for _ in 0..3 {
        host.ask("restart", &json!({ "id": id })).unwrap();
    }
    host.wait("the fourth run", |seen| {
        let shown = seen.buffers[&5].runs.last()?["run"].as_u64()?;
        (shown == 4 && seen.procs[&id]["run"] == 4).then_some(())
    });
    host.ask("stop", &json!({ "id": id })).unwrap();
}

#[test]
fn at_the_limit_a_restart_still_restarts() {
    let project = Project::with(&[("dev", "echo up; exec sleep 1000"), ("other", "true")]);
    project.write(".brum.toml", "[process_manager]\nmax_processes = 1\n");
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["dev"])[0];
    host.wait_state(id, &["running"]);
    host.ask("restart", &json!({ "id": id })).unwrap();
    host.wait("the second run", |seen| (seen.events("started").len() == 2).then_some(()));
    let refused =
        host.ask("run", &json!({ "root": project.root(), "names": ["other"], "args": [] })).unwrap_err();
    assert!(refused.contains("max_processes"), "{refused}");
    assert_eq!(host.wait_state(id, &["running"])["run"], 2);
}

#[test]
fn a_stop_ends_what_a_finished_script_left_behind() {
    let project = Project::with(&[("bg", "sleep 1000 >/dev/null 2>&1 & echo done")]);
    let nvim = crate::support::nvim::Nvim::start(project.root());
    nvim.ex("BrummerRun bg");
    nvim.wait_state("bg", &["success"]);
    assert_eq!(nvim.marker.named("sleep 1000").len(), 1);
    nvim.ex("Brummer stop bg");
    nvim.marker.assert_none_named("sleep 1000");
}

#[test]
fn a_stop_typed_right_after_the_run_stops_it() {
    let project = Project::with(&[("dev", "echo up; exec sleep 1000")]);
    let nvim = crate::support::nvim::Nvim::start(project.root());
    // In one go, before there is a host.
    nvim.exec("vim.cmd('BrummerRun dev') vim.cmd('Brummer stop dev')");
    nvim.wait_state("dev", &["stopped"]);
    nvim.marker.assert_none_named("sleep 1000");
}
