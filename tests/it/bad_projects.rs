//! Projects with something wrong in them: one line says what, where and what to do, and everything else works.

use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::support::{brummer, clean_env, host::Host, nvim::Nvim, project::Project};

fn output(project: &Project, args: &[&str]) -> Output {
    let mut command = Command::new(brummer());
    command.args(args).current_dir(project.root()).stdin(Stdio::null());
    clean_env(&mut command);
    command.env("HOME", project.root()).output().unwrap()
}

/// What is said on standard error.
fn said(project: &Project, args: &[&str]) -> Vec<String> {
    let out = output(project, args);
    String::from_utf8(out.stderr).unwrap().lines().map(str::to_owned).collect()
}

/// The last word of what a script printed.
fn printed(project: &Project, args: &[&str]) -> String {
    let out = output(project, &[&["run"], args].concat());
    let (stdout, stderr) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
    assert!(out.status.success(), "{args:?}: {stdout}{stderr}");
    stdout.lines().last().and_then(|line| line.rsplit(' ').next()).unwrap_or_default().to_owned()
}

#[test]
fn a_malformed_package_json_keeps_nothing_else_from_running() {
    let project = Project::empty();
    project.write("package.json", "{\n  \"scripts\": {\n    \"dev\": \"vite\",,\n  }\n}\n");
    let line = "package.json:3: key must be a string: correct the JSON there";
    // It is all there is.
    assert_eq!(said(&project, &["scripts"]), [format!("brummer: {line}")]);
    project.write("Makefile", "lint:\n\t@echo linted\n");
    let told = said(&project, &["scripts"]);
    assert!(told.len() == 1 && told[0].ends_with(line), "{told:?}");
    assert_eq!(printed(&project, &["lint"]), "linted");
    let told = said(&project, &["run", "dev"]);
    assert!(!told.is_empty() && told.iter().all(|told| told.ends_with(line)), "{told:?}");
}

#[test]
fn scripts_that_wait_for_each_other_are_named() {
    let project = Project::empty();
    project.write(
        ".brum.toml",
        "[scripts.c]\ncommand = 'true'\nafter = ['a']\n[scripts.a]\ncommand = 'true'\nafter = ['b']\n\
         [scripts.b]\ncommand = 'true'\nafter = ['c']\n[scripts.free]\ncommand = 'echo ran'\n",
    );
    let told = said(&project, &["scripts"]);
    let message =
        ".brum.toml:6: each waits for the next, for ever: a → b → c → a: remove one of these from its after";
    assert!(told.len() == 1 && told[0].ends_with(message), "{told:?}");
    let told = said(&project, &["run", "c"]);
    assert!(told.iter().all(|told| told.ends_with(message)) && !told.is_empty(), "{told:?}");
    assert_eq!(printed(&project, &["free"]), "ran");
}

#[test]
fn a_probe_that_never_succeeds_is_said_after_its_time() {
    let project = Project::empty();
    project.write(
        ".brum.toml",
        "[scripts.db]\ncommand = 'exec sleep 1007'\nready = { log = 'never', timeout = '100ms' }\n\
         [scripts.api]\ncommand = 'echo never'\nafter = ['db']\n",
    );
    let out = output(&project, &["run", "api"]);
    let told = String::from_utf8(out.stderr).unwrap();
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("not ready after")).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("db")), "{told}");
    assert!(!out.status.success() && out.stdout.is_empty(), "{told}");
}

#[test]
fn an_env_file_that_cannot_be_read_is_named() {
    let project = Project::empty();
    project.write(
        ".brum.toml",
        "[scripts.x]\ncommand = 'echo never'\nenv_files = ['secrets']\n[scripts.y]\ncommand = 'echo ran'\n",
    );
    project.write("secrets/file", "");
    let told = said(&project, &["run", "x"]);
    assert_eq!(told.last().unwrap(), "brummer: x cannot be run: secrets: is not a regular file");
    assert_eq!(printed(&project, &["y"]), "ran");
}

#[test]
fn a_broken_tasks_json_is_named_with_its_line() {
    let project = Project::with(&[("dev", "echo ran")]);
    project.write(".vscode/tasks.json", "{\n  \"version\": \"2.0.0\",\n  \"tasks\": [ { \"label\": } ]\n}\n");
    let told = said(&project, &["scripts"]);
    assert!(told.len() == 1 && told[0].contains(".vscode/tasks.json:3: "), "{told:?}");
    assert_eq!(printed(&project, &["dev"]), "ran");
}

#[test]
fn a_glob_of_a_workspace_that_leads_nowhere_is_named() {
    let project = Project::empty();
    project.write(
        "package.json",
        "{ \"name\": \"x\", \"scripts\": { \"dev\": \"echo ran\" },\n  \"workspaces\": [\"libs/*\", \"../*\"] }\n",
    );
    let told = said(&project, &["scripts"]);
    assert_eq!(told.len(), 2, "{told:?}");
    let leads =
        "package.json:2: workspaces: leads out of the workspace: name the directories there one by one";
    assert!(told[0].ends_with(leads), "{told:?}");
    assert!(
        told[1].ends_with("package.json:2: workspaces: \"libs/*\" leads to no directory with a package.json"),
        "{told:?}"
    );
    assert_eq!(printed(&project, &["dev"]), "ran");
}

const ODD: [&str; 8] = ["run", "stop", "host", "a  b", "#x", "größe 日本", "a/b", "100%"];

#[test]
fn scripts_with_odd_names_run() {
    let commands: Vec<(String, String)> =
        ODD.iter().enumerate().map(|(at, name)| ((*name).to_owned(), format!("echo number{at}"))).collect();
    let commands: Vec<_> = commands.iter().map(|(name, line)| (name.as_str(), line.as_str())).collect();
    let project = Project::with(&commands);
    for (at, name) in ODD.iter().enumerate() {
        assert_eq!(printed(&project, &[name]), format!("number{at}"), "{name}");
    }
    assert_eq!(said(&project, &["scripts"]), [""; 0]);
    let nvim = Nvim::start(project.root());
    for name in ["stop", "#x", "größe 日本", "100%"] {
        nvim.ex(&format!("BrummerRun! {}", name.replace(' ', "\\ ")));
        nvim.wait_state(name, &["success"]);
    }
}

#[test]
fn a_restart_reads_the_files_again() {
    let project = Project::empty();
    project.write(".brum.toml", "[scripts.x]\ncommand = 'echo $SHADE \"$@\"; exec sleep 1008'\n");
    project.write(".env", "SHADE=dark\n");
    let host = Host::start(project.root());
    host.watch(5, project.root(), "x", 100);
    let answer =
        host.ask("run", &json!({ "root": project.root(), "names": ["x"], "args": ["one"] })).unwrap();
    let id = answer["started"][0]["id"].as_u64().unwrap();
    let line = |line: &'static str| {
        host.wait(line, |seen| {
            seen.buffers.get(&5).filter(|buffer| buffer.lines.iter().any(|text| text == line)).map(drop)
        });
    };
    line("dark one");
    project.write(".env", "SHADE=light\n");
    host.ask("restart", &json!({ "id": id })).unwrap();
    line("light one");
    project.write(".brum.toml", "[scripts.x]\ncommand = 'echo other \"$@\"; exec sleep 1008'\n");
    host.ask("restart", &json!({ "id": id })).unwrap();
    line("other one");
    // What is wrong with it now leaves the run alone.
    project.write(".brum.toml", "[scripts.x]\ncommand = 'true'\nenv_files = ['gone']\n");
    let error = host.ask("restart", &json!({ "id": id })).unwrap_err();
    assert!(error.starts_with("x cannot be run: gone: "), "{error}");
    host.wait_state(id, &["running"]);
    // Taken out, it runs as it did.
    project.write(".brum.toml", "");
    host.ask("restart", &json!({ "id": id })).unwrap();
    host.wait("a second line", |seen| {
        (seen.lines(5).iter().filter(|line| *line == "other one").count() == 2).then_some(())
    });
}

#[test]
fn a_bad_line_of_an_env_file_is_told_by_the_run() {
    let project = Project::empty();
    project.write(".brum.toml", "[scripts.x]\ncommand = 'true'\n");
    project.write(".env", "A=1\nhunter2\n");
    let host = Host::start(project.root());
    let answer = host.ask("run", &json!({ "root": project.root(), "names": ["x"], "args": [] })).unwrap();
    let problems = answer["problems"].as_array().unwrap();
    let problem = problems.first().and_then(|problem| problem.as_str()).unwrap_or_default();
    assert!(
        problems.len() == 1
            && problem.starts_with(".env:2: there is no = in it")
            && !problem.contains("hunter2"),
        "{problems:?}"
    );
}
