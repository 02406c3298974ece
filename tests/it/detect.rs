//! Projects of other tools than package managers: what is found in them, and cargo, make and python really run.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value as Json, json};

use crate::support::{brummer, clean_env, host::Host, nvim::Nvim, project::Project};

/// The program with the toolchain this test was built with first on PATH: the one a user has may need their home.
fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(brummer());
    command.args(args).current_dir(dir).stdin(Stdio::null());
    clean_env(&mut command);
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    let toolchain = cargo.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(toolchain.into_iter().chain(std::env::split_paths(&path))).unwrap();
    for name in
        ["CARGO_TARGET_DIR", "RUSTFLAGS", "RUSTC_WRAPPER", "MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "PORT"]
    {
        command.env_remove(name);
    }
    command.env("PATH", path).env("CARGO_NET_OFFLINE", "true");
    command.env("HOME", dir).env("XDG_STATE_HOME", dir.join(".state"));
    command
}

fn output(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

/// What the scripts printed, without times and names; it has to end well.
fn printed(dir: &Path, args: &[&str]) -> Vec<String> {
    let out = output(dir, &[&["run"], args].concat());
    let stdout = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{args:?}: {stdout}{}", String::from_utf8_lossy(&out.stderr));
    let lines =
        stdout.lines().filter_map(|line| Some(line.split_once("] ")?.1.split_once(": ")?.1.to_owned()));
    lines.collect()
}

fn scripts(dir: &Path) -> Json {
    let out = output(dir, &["scripts", "--json"]);
    serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {out:?}"))
}

fn labels(json: &Json) -> Vec<String> {
    let scripts = json["scripts"].as_array().unwrap().iter();
    let label = |script: &Json| match script["package"].as_str() {
        Some(package) => format!("{package}/{}", script["name"].as_str().unwrap()),
        None => script["name"].as_str().unwrap().to_owned(),
    };
    scripts.map(label).collect()
}

#[test]
fn a_cargo_workspace_builds_runs_and_tests() {
    let project = Project::empty();
    project.write("Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"crates/*\"]\n");
    let manifest =
        |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    project.write("crates/hello/Cargo.toml", manifest("hello"));
    project.write(
        "crates/hello/src/main.rs",
        "fn main() { println!(\"args {:?}\", std::env::args().skip(1).collect::<Vec<_>>()); }\n",
    );
    project.write("crates/sums/Cargo.toml", manifest("sums"));
    let source = "pub fn two() -> u8 { 2 }\n#[test]\nfn adds() { assert_eq!(two(), 2); }\n";
    project.write("crates/sums/src/lib.rs", source);
    let json = scripts(project.root());
    assert_eq!(
        labels(&json),
        [
            "cargo run",
            "cargo build",
            "cargo test",
            "cargo check",
            "hello/cargo run",
            "hello/cargo build",
            "hello/cargo test",
            "hello/cargo check",
            "sums/cargo build",
            "sums/cargo test",
            "sums/cargo check"
        ]
    );
    // The root decides, wherever one is.
    assert_eq!(scripts(&project.path("crates/sums/src")), {
        let mut json = json.clone();
        json["here"] = "sums".into();
        json
    });
    let lines = printed(project.root(), &["hello/cargo", "run", "--", "--port", "1 2"]);
    assert!(lines.contains(&r#"args ["--port", "1 2"]"#.to_owned()), "{lines:#?}");
    assert!(printed(project.root(), &["cargo", "run"]).contains(&"args []".to_owned()), "the only binary");
    let lines = printed(&project.path("crates/sums"), &["cargo", "test"]);
    assert!(lines.contains(&"test adds ... ok".to_owned()), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("hello")), "its own tests only: {lines:#?}");
}

#[test]
fn an_error_of_cargo_points_into_the_member() {
    let project = Project::empty();
    project.write("Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"crates/*\"]\n");
    project.write(
        "crates/bad/Cargo.toml",
        "[package]\nname = \"bad\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    let file = project.write("crates/bad/src/lib.rs", "fn one() -> u8 {\n    \"two\"\n}\n");
    let out = output(&project.path("crates/bad"), &["run", "cargo", "check"]);
    let lines: Vec<String> = String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| Some(line.split_once("cargo check: ")?.1.to_owned() + "\n"))
        .collect();
    project.write("log", lines.concat());
    let json = scripts(&project.path("crates/bad"));
    let check = json["scripts"].as_array().unwrap().iter();
    let check =
        check.clone().find(|script| script["package"] == "bad" && script["name"] == "cargo check").unwrap();
    let cwd = check["cwd"].as_str().unwrap();
    let out = output(project.root(), &["locate", "--json", "--cwd", cwd, "log"]);
    let out = String::from_utf8_lossy(&out.stdout).into_owned();
    let places: Vec<Json> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found = places.iter().any(|place| {
        place["line"] == 2 && place["file"].as_str().is_some_and(|name| project.path(name) == file)
    });
    assert!(found, "{out}\n{lines:#?}");
}

#[test]
fn targets_of_make_run_by_their_names() {
    let project = Project::empty();
    project.write(
        "Makefile",
        "include mk/*.mk\n.PHONY: all\nall: größe ## everything\ngröße:\n\t@echo size is $(N)\nrun\\#1:\n\t@echo no\n",
    );
    project.write("mk/dev.mk", "serve: ; @echo serving from $(CURDIR)\n");
    let json = scripts(project.root());
    assert_eq!(labels(&json), ["make serve", "make all", "make größe"]);
    assert_eq!(json["scripts"][1]["description"], "everything");
    assert_eq!(
        (&json["scripts"][0]["file"], &json["scripts"][0]["line"]),
        (&json!(project.path("mk/dev.mk")), &json!(1))
    );
    assert_eq!(printed(project.root(), &["make", "größe", "--", "N=3"]), ["size is 3"]);
    let serving = format!("serving from {}", project.root().display());
    assert_eq!(printed(project.root(), &["serve"]), [serving.as_str()]);
    // From a directory that is a part of it.
    project.write("src/main.c", "");
    assert_eq!(printed(&project.path("src"), &["serve", "all"]).len(), 2);
}

#[test]
fn python_runs_with_the_interpreter_of_the_environment() {
    let project = Project::empty();
    project.write("requirements.txt", "");
    project.write("main.py", "import sys\nprint('prefix', sys.prefix)\nprint(sys.argv[1:])\n");
    project.write("tests/__init__.py", "");
    project.write("tests/test_sums.py", "import unittest\nclass Sums(unittest.TestCase):\n    def test_adds(self): self.assertEqual(1 + 1, 2)\n");
    let lines = printed(project.root(), &["python", "main.py", "--", "a b"]);
    assert!(lines.contains(&"['a b']".to_owned()) && !lines[0].contains(".venv"), "{lines:#?}");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--without-pip", ".venv"]).current_dir(project.root());
    assert!(venv.status().unwrap().success());
    let lines = printed(project.root(), &["python", "main.py"]);
    assert_eq!(lines[0], format!("prefix {}", project.path(".venv").display()));
    let lines = printed(project.root(), &["python", "-m", "unittest"]);
    assert!(lines.iter().any(|line| line.starts_with("Ran 1 test")), "{lines:#?}");
    assert_eq!(
        labels(&scripts(project.root())),
        ["python main.py", "python -m unittest", "python -m pip install -r requirements.txt"]
    );
}

#[test]
fn processes_of_a_procfile_get_a_port_and_the_env_file() {
    let project = Project::empty();
    project.write("Procfile", "web: echo web on $PORT $NAME\nworker: echo working\n");
    project.write(".env", "NAME=shop\n");
    assert_eq!(printed(project.root(), &["web"]), ["web on 5000 shop"]);
    project.write(".env", "NAME=shop\nPORT=4000\n");
    assert_eq!(printed(project.root(), &["procfile", "web", "worker"]).len(), 2);
    assert!(printed(project.root(), &["web", "worker"]).contains(&"web on 4000 shop".to_owned()));
}

#[test]
fn tasks_of_vscode_run_what_they_depend_on_first() {
    let project = Project::empty();
    project.write(
        ".vscode/tasks.json",
        r#"{
  // ours
  "version": "2.0.0",
  "options": { "env": { "WHO": "file" } },
  "tasks": [
    { "label": "all #1 ü", "dependsOrder": "sequence", "dependsOn": ["first", "second"] },
    { "label": "first", "type": "shell", "command": "sleep 0.2; echo first >> order", "options": { "cwd": "${workspaceFolder}/sub" } },
    { "label": "second", "type": "process", "command": "sh", "args": ["-c", "echo second $WHO >> sub/order"] },
    { "label": "ask", "type": "shell", "command": "${input:port}" },
  ]
}"#,
    );
    project.write("sub/here", "");
    let json = scripts(project.root());
    assert_eq!(labels(&json), ["vscode all #1 ü", "vscode first", "vscode second", "vscode ask"]);
    assert_eq!(json["scripts"][0]["after"], json!(["vscode first", "vscode second"]));
    assert_eq!(printed(project.root(), &["first", "second"]), [""; 0]);
    assert_eq!(project.read("sub/order").lines().count(), 2);
    let out = output(project.root(), &["run", "ask"]);
    let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(stderr.contains(r#"vscode ask cannot be run: it needs the input "port""#), "{stderr}");
    assert!(!out.status.success());
}

#[test]
fn a_task_that_several_depend_on_is_run_once_and_a_sequence_in_its_order() {
    let project = Project::empty();
    let task = |label: &str, more: &str| {
        let command = format!("echo {label} begins >> order; sleep 0.2; echo {label} ends >> order");
        format!(r#"{{ "label": "{label}", "type": "shell", "command": "{command}"{more} }}"#)
    };
    let serve = r#"{ "label": "serve", "type": "shell", "isBackground": true,
        "command": "sleep 0.2; echo serve is up >> order; echo ready; exec sleep 1001",
        "problemMatcher": { "background": { "beginsPattern": "x", "endsPattern": "^ready" } } }"#;
    let tasks = [
        task("gen", ""),
        task("clean", ""),
        task("build", r#", "dependsOn": "gen""#),
        task("test", r#", "dependsOn": ["build", "gen"]"#),
        serve.to_owned(),
        task(
            "all",
            r#", "dependsOrder": "sequence", "dependsOn": ["clean", "build", "serve", "test", "clean"]"#,
        ),
    ];
    project
        .write(".vscode/tasks.json", format!(r#"{{ "version": "2.0.0", "tasks": [{}] }}"#, tasks.join(",")));
    let host = Host::start(project.root());
    let both = |label: &str| [format!("{label} begins"), format!("{label} ends")];
    let ran = |labels: &[&str]| labels.iter().flat_map(|label| both(label)).collect::<Vec<_>>();
    let all = host.run(project.root(), &["vscode all"])[0];
    host.wait_exit_event(all, 1);
    let mut expected = ran(&["clean", "gen", "build"]);
    expected.push("serve is up".to_owned());
    expected.extend(ran(&["test", "all"]));
    assert_eq!(project.read("order").lines().collect::<Vec<_>>(), expected);
    // Again: what runs on is not started twice, what ended is a step again.
    project.write("order", "");
    host.run(project.root(), &["vscode all"]);
    host.wait_exit_event(all, 2);
    let again = ran(&["clean", "gen", "build", "test", "all"]);
    assert_eq!(project.read("order").lines().collect::<Vec<_>>(), again);
}

#[test]
fn a_broken_file_is_told_with_its_line_and_the_rest_is_there() {
    let project = Project::with(&[("dev", "echo dev")]);
    project.write(
        ".vscode/tasks.json",
        "{\n  \"version\": \"2.0.0\",\n  \"tasks\": [\n    { \"label\": }\n  ]\n}\n",
    );
    project.write("compose.yaml", "services:\n  db:\n  - [\n");
    project.write("Makefile", "lint:\n\t@echo lint\n");
    let out = output(project.root(), &["scripts"]);
    let (stdout, stderr) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(stderr.contains(".vscode/tasks.json:4: "), "{stderr}");
    assert!(stderr.contains("compose.yaml:"), "{stderr}");
    let lines: Vec<Vec<&str>> = stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["dev", "npm", "echo", "dev"], "{stdout}");
    assert_eq!(lines[1], ["make", "lint", "make", "make", "lint"], "{stdout}");
    assert_eq!(printed(project.root(), &["lint"]), ["lint"]);
}

#[test]
fn nothing_is_run_to_find_what_can_be_run() {
    let project = Project::empty();
    let trap = "#!/bin/sh\necho $0 >> \"$TRAPPED\"\n";
    for name in
        ["gradlew", "mvnw", "artisan", "bin/rails", "bin/dev", ".venv/bin/python", "vendor/bin/phpunit"]
    {
        project.program(name, trap);
    }
    for name in [
        "make", "just", "cargo", "go", "gradle", "mvn", "dotnet", "python3", "python", "uv", "bundle", "mix",
        "docker", "node", "npm", "git", "sh",
    ] {
        project.program(&format!("path/{name}"), trap);
    }
    let write = |name: &str, text: &str| project.write(name, text);
    write("Makefile", "X := $(shell touch made)\nall: $(shell touch made)\n");
    write("justfile", "x := `touch made`\nall:\n");
    write("build.gradle", "println 'x'.execute()\n");
    write("pom.xml", "<project/>");
    write("Cargo.toml", "[package]\nname = \"x\"\n");
    write("build.rs", "");
    write("go.mod", "module x\n");
    write("pyproject.toml", "[project.scripts]\nx = \"x:y\"\n");
    write("Gemfile", "`touch made`\ngem 'rails'\n");
    write("Rakefile", "`touch made`\n");
    write("composer.json", "{}");
    write("mix.exs", "System.cmd(\"touch\", [\"made\"])\n");
    write("compose.yaml", "services: { db: {} }\n");
    write("Shop.csproj", "<Project Sdk=\"Microsoft.NET.Sdk.Web\"/>");
    let mut command = command(project.root(), &["scripts", "--json"]);
    command.env("PATH", project.path("path")).env("TRAPPED", project.path("trapped"));
    let out = command.output().unwrap();
    assert!(out.status.success(), "{out:?}");
    let json: Json = serde_json::from_slice(&out.stdout).unwrap();
    assert!(labels(&json).len() > 25, "{:#?}", labels(&json));
    assert_eq!(project.read("trapped"), "");
    assert!(!project.exists("made"));
}

#[test]
fn the_editor_runs_what_is_found() {
    let project = Project::empty();
    project.write("Makefile", "serve:\n\t@echo up; exec sleep 1000\n");
    project.write("src/main.c", "");
    let host = Host::start(project.root());
    let found = host.ask("scripts", &json!({ "dir": project.path("src") })).unwrap();
    assert_eq!(found["root"], json!(project.root()));
    assert_eq!(labels(&found), ["make serve"]);
    let ids = host.run(project.root(), &["make", "serve"]);
    assert_eq!(ids.len(), 1);
    host.watch(7, project.root(), "make serve", 100);
    host.wait("its line", |seen| {
        seen.buffers.get(&7).filter(|buffer| buffer.lines.iter().any(|line| line == "up")).map(drop)
    });
    let again = host.ask("run", &json!({ "root": project.root(), "names": ["serve"], "args": [] })).unwrap();
    assert_eq!(
        (again["started"][0]["id"].as_u64(), &again["started"][0]["state"]),
        (Some(ids[0]), &json!("running"))
    );
}

#[test]
fn commands_of_tools_are_typed_in_the_editor_as_in_a_shell() {
    let project = Project::empty();
    project.write("Makefile", "serve:\n\t@echo up; exec sleep 1000\nprint-%: ; @echo $*\n'odd name':\n");
    project.write(
        ".vscode/tasks.json",
        r#"{ "version": "2.0.0", "tasks": [{ "label": "greet #1 ü", "type": "shell", "command": "echo hello" }] }"#,
    );
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun make serve");
    nvim.wait_until("its log", |nvim| nvim.buffer().ends_with("make serve"));
    let log = nvim.buffer();
    nvim.wait_line(&log, "up");
    assert_eq!(nvim.status("make serve")["state"], "running");
    // The bare word means the same process.
    nvim.keys("<C-w>p");
    nvim.ex("BrummerRun serve");
    nvim.wait_until("the same log", |nvim| nvim.buffer() == log);
    assert_eq!(nvim.status("make serve")["run"], 1);
    nvim.ex(r"BrummerRun greet\ #1\ ü");
    nvim.wait_until("the task", |nvim| nvim.buffer().contains("greet"));
    let log = nvim.buffer();
    nvim.wait_line(&log, "hello");
}
