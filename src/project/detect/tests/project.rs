//! What is found, seen from outside: roots, names that are typed, command lines, settings over it.

use std::{ffi::OsStr, fs, os::unix::fs::PermissionsExt, path::Path};

use expect_test::expect;

use super::tree;
use crate::{
    config,
    event::ProcessInfo,
    project::{
        PathLookup, Project, ProjectError,
        detect::{LESSER_FILES, PROJECT_FILES},
        find_root, load,
    },
};

fn project(root: &Path) -> Project {
    let loaded = config::load(root, None, &|_| None);
    assert_eq!(loaded.problems, []);
    load(root, &loaded.config)
}

fn run(root: &Path, words: &[&str], args: &[&str]) -> Result<Vec<ProcessInfo>, ProjectError> {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let path = PathLookup::new(root.join("bin").as_os_str());
    Ok(project(root).plan(words, &args, &path)?.into_iter().map(|step| step.info).collect())
}

/// The command lines, relative to the root.
fn argv(root: &Path, words: &[&str], args: &[&str]) -> String {
    let infos = run(root, words, args).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let lines: Vec<String> = infos.iter().map(|info| info.argv.join(" ")).collect();
    lines.join("; ").replace(&format!("{}/", root.display()), "")
}

fn refused(root: &Path, words: &[&str]) -> String {
    run(root, words, &[]).unwrap_err().to_string()
}

const PROGRAM: &str = "#!/bin/sh\n";

#[test]
fn words_of_a_command_line_are_as_many_names_as_they_can_be() {
    let dir = tree(&[
        ("Cargo.toml", "[package]\nname = \"x\"\n"),
        ("src/main.rs", ""),
        ("Makefile", "build:\ntest:\nmy-task:\n"),
        ("Procfile", "web: serve --all\nworker: work\n"),
        ("bin/cargo", PROGRAM),
        ("bin/make", PROGRAM),
    ]);
    let root = dir.path();
    assert_eq!(argv(root, &["cargo", "run"], &[]), "bin/cargo run");
    assert_eq!(argv(root, &["cargo run", "make", "test"], &[]), "bin/cargo run; bin/make test");
    assert_eq!(argv(root, &["web", "worker"], &[]), "/bin/sh -c serve --all; /bin/sh -c work");
    assert_eq!(argv(root, &["my-task"], &[]), "bin/make my-task");
    assert_eq!(argv(root, &["test"], &[]), "bin/make test", "verbs of tools do not stand in the way");
    // Arguments go where the tool hands them on.
    assert_eq!(argv(root, &["cargo", "run"], &["--port", "1"]), "bin/cargo run -- --port 1");
    assert_eq!(argv(root, &["cargo", "test"], &["name"]), "bin/cargo test name");
    assert_eq!(argv(root, &["web"], &["a b"]), "/bin/sh -c serve --all \"$@\" procfile web a b");
    expect![[r#"no script "check" in Procfile, Cargo.toml or Makefile: did you mean "cargo check"? (procfile web, procfile worker, cargo run, 6 more)"#]]
        .assert_eq(&refused(root, &["check"]));
    expect![[r#"no script "cargo rnu" in Procfile, Cargo.toml or Makefile: did you mean "cargo run"? (procfile web, procfile worker, cargo run, 6 more)"#]].assert_eq(&refused(root, &["web", "cargo", "rnu"]));
    expect!["unknown option '--port'; those of the script come after --"]
        .assert_eq(&refused(root, &["cargo", "run", "--port", "1"]));
}

#[test]
fn a_word_that_means_several_is_refused() {
    let dir = tree(&[("Makefile", "lint:\n"), ("justfile", "lint:\n"), ("bin/just", PROGRAM)]);
    expect![[r#""lint" could be just lint, make lint: say which"#]]
        .assert_eq(&refused(dir.path(), &["lint"]));
    assert_eq!(argv(dir.path(), &["just", "lint"], &[]), "bin/just lint");
    expect!["make is not installed (Makefile asks for it)"].assert_eq(&refused(dir.path(), &["make lint"]));
}

#[test]
fn package_scripts_come_before_words_and_the_command_line_is_a_name_too() {
    let dir = tree(&[
        ("package.json", r#"{ "scripts": { "dev": "vite" } }"#),
        ("Makefile", "dev:\n"),
        ("compose.yaml", "services:\n  db: {}\n"),
        ("composer.json", "{ \"require-dev\": { \"phpunit/phpunit\": \"1\" } }"),
        ("bin/npm", PROGRAM),
        ("bin/make", PROGRAM),
        ("bin/docker", PROGRAM),
    ]);
    let root = dir.path();
    assert_eq!(argv(root, &["dev"], &[]), "bin/npm run dev");
    assert_eq!(argv(root, &["make", "dev"], &[]), "bin/make dev");
    for words in [&["db"][..], &["compose", "up", "db"], &["docker", "compose", "up", "db"]] {
        assert_eq!(argv(root, words, &[]), "bin/docker compose up db");
    }
    expect!["vendor/bin/phpunit is not there, or may not be executed (composer.json asks for it)"]
        .assert_eq(&refused(root, &["vendor/bin/phpunit"]));
    let names: Vec<String> = project(root).listed().map(crate::project::Script::label).collect();
    assert_eq!(
        names,
        ["dev", "make dev", "vendor/bin/phpunit", "composer install", "compose up", "compose up db"]
    );
}

#[test]
fn settings_are_laid_over_what_is_found() {
    let dir = tree(&[
        ("Procfile", "web: serve\n"),
        ("Makefile", "db:\n"),
        (
            ".brum.toml",
            "[scripts.web]\nenv.A = '1'\nafter = ['db']\n[scripts.'make db']\ncommand = ['postgres', '-D', 'x']\nenv_files = false\n",
        ),
        (".env", "B=2\n"),
        ("bin/postgres", PROGRAM),
    ]);
    let infos = run(dir.path(), &["web"], &[]).unwrap();
    let names: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
    assert_eq!(names, ["make db", "procfile web"]);
    assert_eq!(infos[0].argv[1..], ["-D", "x"]);
    let env = [("B".to_owned(), "2".to_owned()), ("A".to_owned(), "1".to_owned())];
    assert_eq!(infos[1].env, env);
    assert_eq!(infos[0].env, []);
}

#[test]
fn a_task_that_cannot_be_known_says_so_when_it_is_run() {
    let tasks = r#"{ "version": "2.0.0", "inputs": [{ "id": "p", "description": "Port" }], "tasks": [
  { "label": "ask", "type": "shell", "command": "serve ${input:p}" },
  { "label": "away", "type": "shell", "command": "x", "options": { "cwd": "gone" } },
  { "label": "both", "dependsOrder": "sequence", "dependsOn": ["one", "two"] },
  { "label": "one", "type": "shell", "command": "1" },
  { "label": "two", "type": "shell", "command": "2" }
] }"#;
    let dir = tree(&[(".vscode/tasks.json", tasks)]);
    expect![[r#"vscode ask cannot be run: it needs the input "p" (Port); write its command into .brum.toml to run it here"#]]
        .assert_eq(&refused(dir.path(), &["ask"]));
    expect![".vscode/tasks.json:3: vscode away: there is no directory gone"]
        .assert_eq(&refused(dir.path(), &["away"]));
    let infos = run(dir.path(), &["both"], &[]).unwrap();
    let names: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
    assert_eq!(names, ["vscode one", "vscode two", "vscode both"]);
    let json = project(dir.path()).to_json();
    let shown: Vec<&str> =
        json["scripts"].as_array().unwrap().iter().map(|script| script["name"].as_str().unwrap()).collect();
    assert_eq!(shown, ["vscode ask", "vscode away", "vscode both", "vscode one", "vscode two"]);
}

#[test]
fn what_is_told_of_a_script() {
    let dir = tree(&[
        ("Procfile", "web: serve\n"),
        (".env", "A=1\n"),
        ("crates/a/Cargo.toml", "[package]\nname='a'\n"),
        ("Cargo.toml", "[workspace]\nmembers=['crates/*']\n"),
    ]);
    let json = project(dir.path()).to_json();
    let text = serde_json::to_string_pretty(&serde_json::json!({ "web": json["scripts"][0], "test": json["scripts"][5], "packages": json["packages"] })).unwrap();
    expect![[r#"
        {
          "web": {
            "name": "procfile web",
            "command": "serve",
            "cwd": "ROOT",
            "file": "ROOT/Procfile",
            "line": 1,
            "kind": "procfile",
            "argv": [
              "/bin/sh",
              "-c",
              "serve"
            ],
            "priority": 96,
            "background": true,
            "env": [
              {
                "name": "A",
                "source": ".env:1"
              }
            ],
            "after": [],
            "group": "run",
            "bare": "web"
          },
          "test": {
            "name": "cargo test",
            "command": "cargo test -p a",
            "cwd": "ROOT",
            "file": "ROOT/crates/a/Cargo.toml",
            "line": 1,
            "kind": "cargo",
            "argv": [
              "cargo",
              "test",
              "-p",
              "a"
            ],
            "priority": 85,
            "background": false,
            "env": [
              {
                "name": "A",
                "source": ".env:1"
              }
            ],
            "after": [],
            "package": "a",
            "group": "test"
          },
          "packages": [
            {
              "name": "a",
              "path": "ROOT/crates/a"
            }
          ]
        }"#]]
    .assert_eq(&text.replace(dir.path().to_str().unwrap(), "ROOT"));
}

#[test]
fn a_root_is_the_nearest_project_and_a_part_only_where_there_is_none() {
    let dir = tree(&[
        ("outer/.git/", ""),
        ("outer/Makefile", ""),
        ("outer/docs/Makefile", ""),
        ("outer/docs/deep/", ""),
        ("outer/api/go.mod", ""),
        ("outer/api/hack/Makefile", ""),
        ("outer/net/Shop.csproj", ""),
        ("outer/net/src/", ""),
        ("outer/py/manage.py/", ""),
        ("outer/tasks/.vscode/tasks.json", ""),
    ]);
    let find = |from: &str| {
        let root = find_root(&dir.path().join(from));
        root.map(|root| root.strip_prefix(dir.path()).unwrap().display().to_string())
    };
    assert_eq!(find("outer/docs/deep").as_deref(), Some("outer/docs"), "a part, where nothing else is");
    assert_eq!(find("outer/src/main.c").as_deref(), Some("outer"));
    assert_eq!(find("outer/api/hack/x").as_deref(), Some("outer/api"), "a project above a part");
    assert_eq!(find("outer/net/src").as_deref(), Some("outer/net"));
    assert_eq!(find("outer/py").as_deref(), Some("outer"), "a directory is no file");
    assert_eq!(find("outer/tasks").as_deref(), Some("outer/tasks"));
}

#[test]
fn a_package_of_a_workspace_is_seen_from_its_root() {
    let member = "[package]\nname = \"acme-api\"\n";
    let dir = tree(&[
        (".git/", ""),
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"crates/own\"]\n"),
        ("crates/api/Cargo.toml", member),
        ("crates/api/src/main.rs", ""),
        ("crates/own/Cargo.toml", member),
        ("crates/set/Cargo.toml", "[package]\nname = \"set\"\n"),
        ("crates/set/.brum.toml", ""),
        ("bin/cargo", PROGRAM),
    ]);
    let root = dir.path();
    assert_eq!(find_root(&root.join("crates/api/src/main.rs")).as_deref(), Some(root));
    assert_eq!(find_root(&root.join("crates/own")), Some(root.join("crates/own")));
    assert_eq!(find_root(&root.join("crates/set")), Some(root.join("crates/set")));
    assert_eq!(argv(root, &["acme-api/cargo run"], &["-v"]), "bin/cargo run -p acme-api -- -v");
    assert_eq!(argv(root, &["crates/api/cargo", "run"], &[]), "bin/cargo run -p acme-api");
    assert_eq!(argv(root, &["cargo", "test"], &[]), "bin/cargo test");
    let path = PathLookup::new(root.join("bin").as_os_str());
    let inside = project(root).seen_from(&root.join("crates/api/src"));
    let test = inside.command("cargo test", &[], &path).unwrap();
    assert_eq!((test.argv[1..].join(" ").as_str(), test.cwd.as_path()), ("test -p acme-api", root));
}

#[test]
fn a_wrapper_that_may_not_be_executed_goes_through_the_shell() {
    let dir = tree(&[("pom.xml", "<project/>"), ("mvnw", PROGRAM), ("bin/sh", PROGRAM)]);
    assert_eq!(argv(dir.path(), &["mvn", "test"], &[]), "./mvnw test");
    fs::set_permissions(dir.path().join("mvnw"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(argv(dir.path(), &["mvn", "test"], &[]), "bin/sh ./mvnw test");
    assert_eq!(PathLookup::new(OsStr::new("")), PathLookup::default());
}

#[test]
fn the_editor_looks_for_the_same_files() {
    let lua = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lua/brummer/root.lua"));
    for name in PROJECT_FILES.iter().chain(&LESSER_FILES) {
        assert!(lua.contains(&format!("'{name}'")), "{name} is not in lua/brummer/root.lua");
    }
}

#[test]
fn bun_and_deno_run_the_file_a_program_begins_with() {
    let bun = r#"{ "name": "b", "module": "index.ts" }"#;
    let programs = [("bin/bun", PROGRAM), ("bin/deno", PROGRAM)];
    let dir = tree(&[&[("package.json", bun), ("bun.lock", ""), ("index.ts", "")], &programs[..]].concat());
    assert_eq!(argv(dir.path(), &["bun", "run", "index.ts"], &[]), "bin/bun run index.ts");
    let scripts = r#"{ "module": "index.ts", "scripts": { "dev": "bun --hot index.ts" } }"#;
    fs::write(dir.path().join("package.json"), scripts).unwrap();
    assert_eq!(project(dir.path()).scripts.len(), 1);
    let dir = tree(&[&[("deno.json", "{}"), ("main.ts", "")], &programs[..]].concat());
    assert_eq!(argv(dir.path(), &["deno", "run", "main.ts"], &[]), "bin/deno run main.ts");
    let web = r#"{ "name": "web", "scripts": { "dev": "x" } }"#;
    let files = [("deno.json", r#"{ "workspace": ["web"] }"#), ("web/package.json", web)];
    let dir = tree(&[&files[..], &programs].concat());
    assert_eq!(argv(dir.path(), &["web/dev"], &[]), "bin/deno task dev");
}
