//! Projects in a temporary directory; package managers are empty files on a PATH of our own.

use std::{ffi::OsString, fs, os::unix::fs::PermissionsExt};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{root::find_root_beside, *};
use crate::config::{self, PackageManagerName};

/// A repository with a project in `app` and all four managers in `bin`.
struct Tree {
    dir: TempDir,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        for at in ["repo/.git", "repo/app", "bin"] {
            fs::create_dir_all(dir.path().join(at)).unwrap();
        }
        for manager in PackageManagerName::ALL {
            let program = dir.path().join("bin").join(manager.as_str());
            fs::write(&program, "").unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let tree = Self { dir };
        for (at, text) in files {
            fs::write(tree.at(at), text).unwrap();
        }
        tree
    }

    /// A project whose `package.json` is this text.
    fn package(text: &str) -> Self {
        Self::new(&[("repo/app/package.json", text)])
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn root(&self) -> PathBuf {
        self.at("repo/app")
    }

    fn config(&self) -> Config {
        let loaded = config::load(&self.root(), None, &|_| None);
        assert_eq!(loaded.problems, []);
        loaded.config
    }

    fn load(&self) -> Project {
        load(&self.root(), &self.config())
    }

    fn path(&self) -> PathLookup {
        PathLookup::new(self.at("bin").as_os_str())
    }

    fn run(&self, name: &str, args: &[&str]) -> Result<ProcessInfo, ProjectError> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.load().command(name, &args, &self.path())
    }

    /// The command line, `bin/` standing for the directory of the managers.
    fn argv(&self, name: &str, args: &[&str]) -> Vec<String> {
        let bin = self.at("bin").display().to_string();
        self.run(name, args).unwrap().argv.iter().map(|arg| arg.replace(&bin, "bin")).collect()
    }

    /// What running `name` is refused with.
    fn error(&self, name: &str) -> String {
        let error = self.run(name, &[]).unwrap_err().to_string();
        error.replace(&self.dir.path().display().to_string(), "")
    }

    fn lines(&self) -> Vec<(String, usize)> {
        self.load().scripts.into_iter().map(|script| (script.name, script.line)).collect()
    }
}

/// What a `package.json` with this text is told.
fn refused(text: &str, expected: &Expect) {
    expected.assert_eq(&Tree::package(text).error("dev"));
}

const DEV: &str = r#"{ "scripts": { "dev": "vite" } }"#;

// === scripts and their lines ===

#[test]
fn scripts_keep_their_order_and_know_their_line() {
    let tree = Tree::package(
        r#"{
  "name": "shop",
  "config": { "scripts": { "dev": "not this one" }, "x": ["}", "{\"scripts\":"] },
  "scripts": {
    "zeta": "a \"quoted\" } thing",

    "scripts": "echo scripts",
    "d\u0065v": "vite", "build":
      "vite build",
    "esc\\": "b\\"
  },
  "after": { "zeta": "not this one either" }
}"#,
    );
    let lines = tree.lines();
    let lines: Vec<_> = lines.iter().map(|(name, line)| (name.as_str(), *line)).collect();
    assert_eq!(lines, [("zeta", 5), ("scripts", 7), ("dev", 8), ("build", 8), ("esc\\", 10)]);
    let project = tree.load();
    assert_eq!(project.name, "shop");
    assert_eq!(project.script("zeta").unwrap().command, "a \"quoted\" } thing");
    assert_eq!(project.script("dev").unwrap().command, "vite");
    assert_eq!(project.script("dev").unwrap().file, tree.at("repo/app/package.json"));
    assert_eq!(project.script("esc\\").unwrap().command, "b\\");
}

#[test]
fn of_two_with_one_name_the_last_counts() {
    let tree = Tree::package(
        "{\"scripts\":{\"old\":\"1\"},\n\"scripts\":{\"dev\":\"1\",\n\"build\":\"2\",\n\"dev\":\"3\"}}",
    );
    assert_eq!(tree.lines(), [("dev".to_owned(), 4), ("build".to_owned(), 3)]);
    assert_eq!(tree.load().script("dev").unwrap().command, "3");
}

#[test]
fn byte_order_mark_and_carriage_returns_change_nothing() {
    let tree = Tree::package("\u{feff}{\r\n  \"scripts\": {\r\n    \"dev\": \"vite\"\r\n  }\r\n}\r\n");
    assert_eq!(tree.lines(), [("dev".to_owned(), 3)]);
}

#[test]
fn a_value_that_is_no_string_is_left_out_and_reported() {
    let tree = Tree::package(
        "{ \"scripts\": {\n  \"dev\": \"vite\",\n  \"bad\": 3,\n  \"worse\": {\"a\": [1]},\n  \"//\": \"notes\" } }",
    );
    let project = tree.load();
    assert_eq!(tree.lines(), [("dev".to_owned(), 2)]);
    let problems: Vec<_> = project.problems.iter().map(|problem| problem.within(&project.root)).collect();
    assert_eq!(
        problems,
        [
            "package.json:3: scripts.bad: must be a string, not a number; it is left out",
            "package.json:4: scripts.worse: must be a string, not an object; it is left out",
        ]
    );
    assert_eq!(tree.run("dev", &[]).unwrap().script, "vite");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the file is laid out, the names, commands and lines found are those that were written.
    #[test]
    fn the_scan_agrees_with_what_was_written(
        scripts in proptest::collection::vec(("[a-z\"\\\\{}\u{e9}\u{1f600}]{1,6}", ".{0,10}", 0_usize..3), 0..8),
        before in "[\"{}\\[\\],:a]{0,8}",
    ) {
        let mut text = format!("{{ {}: {{ \"scripts\": {{}} }},\n\"scripts\": {{", serde_json::json!(before));
        let (mut line, mut expected) = (2, Vec::<(String, String, usize)>::new());
        for (index, (name, command, breaks)) in scripts.iter().enumerate() {
            if before == "scripts" || expected.iter().any(|(known, ..)| known == name) {
                continue;
            }
            text += if index == 0 { "" } else { "," };
            text += &"\n".repeat(*breaks);
            line += breaks;
            text += &format!("{} : {}", serde_json::json!(name), serde_json::json!(command));
            expected.push((name.clone(), command.clone(), line));
        }
        text += "} }";
        let found = Tree::package(&text).load().scripts;
        let found: Vec<_> = found.into_iter().map(|s| (s.name, s.command, s.line)).collect();
        prop_assert_eq!(found, expected);
    }

    /// Whatever is in the file, what is told of it is one line.
    #[test]
    fn no_text_breaks_the_reader(text in "[{}\\[\\]\",:a1\\\\\n ]{0,40}") {
        let tree = Tree::package(&text);
        for problem in &tree.load().problems {
            prop_assert!(!problem.to_string().contains('\n'), "{problem}");
        }
        // The scan itself must survive what serde_json would have refused.
        let _members = json::members(&text, 1);
    }
}

// === broken files ===

#[test]
fn a_malformed_file_names_the_line_and_what_to_do() {
    refused(
        "{\n  \"scripts\": { \"dev\": \"vite\"\n  \"build\": \"x\" }\n}",
        &expect!["package.json:3: expected `,` or `}`: correct the JSON there"],
    );
    refused(
        "{\n  \"scripts\": {\n    \"dev\": \"vite\",\n  }\n}",
        &expect!["package.json:4: trailing comma: correct the JSON there"],
    );
    refused(
        "{\n  // mine\n  \"scripts\": {} }",
        &expect!["package.json:2: key must be a string: comments are not allowed, remove it"],
    );
    refused(
        "{\n<<<<<<< HEAD\n\"a\": 1 }",
        &expect!["package.json:2: key must be a string: resolve the merge conflict there"],
    );
    refused(
        "{ \"scripts\": {\n \"dev\": \"vite\"",
        &expect!["package.json:2: the file ends too early: close what is open"],
    );
    refused("{} x", &expect!["package.json:1: trailing characters: correct the JSON there"]);
    refused("", &expect!["package.json is empty: write {} into it or remove it"]);
    refused(
        "\n[1]",
        &expect![[r#"package.json:1: the file must be an object, not a list: { "scripts": { … } }"#]],
    );
    refused(
        "{\n\"scripts\": [\"dev\"] }",
        &expect![[r#"package.json:2: scripts must be an object, not a list: { "dev": "vite" }"#]],
    );
}

#[test]
fn a_malformed_file_takes_nothing_else_away() {
    let tree = Tree::package("{ \"scripts\": {\n  \"dev\": \"vite\",,\n} }");
    fs::write(tree.at("repo/app/Makefile"), "lint:\n\techo\n").unwrap();
    fs::write(tree.at("repo/app/.brum.toml"), "[scripts.api]\ncommand = 'x'\n").unwrap();
    let project = tree.load();
    let names: Vec<_> = project.scripts.iter().map(|script| script.name.as_str()).collect();
    assert_eq!(names, ["api", "make lint"]);
    let message = "package.json:2: key must be a string: correct the JSON there";
    assert_eq!(project.problems[0].within(&project.root), message);
    // What is asked for may be in that file.
    assert_eq!(tree.error("dev"), message);
    assert_eq!(tree.run("api", &[]).unwrap().script, "x");
}

#[test]
fn a_name_nobody_can_type_is_left_out_and_reported() {
    let project = Tree::package(r#"{ "scripts": { "": "x", "a\nb": "y", "a b": "z" } }"#).load();
    assert_eq!(project.scripts.iter().map(|script| script.name.as_str()).collect::<Vec<_>>(), ["a b"]);
    let problems: Vec<_> = project.problems.iter().map(|problem| problem.within(&project.root)).collect();
    assert_eq!(
        problems,
        [
            "package.json:1: scripts: \"\" cannot be typed as a name; it is left out",
            "package.json:1: scripts: \"a\\nb\" cannot be typed as a name; it is left out",
        ]
    );
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let tree = Tree::package(&format!("{{ \"x\": \"{}\" }}", "a".repeat(5 << 20)));
    expect!["package.json is larger than 4 MiB: it cannot be a package.json"].assert_eq(&tree.error("dev"));
    let tree = Tree::new(&[]);
    fs::write(tree.at("repo/app/package.json"), b"{\n\"name\": \"\xff\" }").unwrap();
    expect!["package.json:2: is not UTF-8: save the file as UTF-8"].assert_eq(&tree.error("dev"));
    let tree = Tree::new(&[]);
    fs::create_dir(tree.at("repo/app/package.json")).unwrap();
    expect!["package.json cannot be read: not a regular file"].assert_eq(&tree.error("dev"));
    let tree = Tree::package(DEV);
    let file = tree.at("repo/app/package.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads it all the same.
    if fs::read(&file).is_err() {
        expect!["package.json cannot be read: permission denied"].assert_eq(&tree.error("dev"));
    }
}

#[test]
fn nothing_to_run_says_what_was_looked_for_and_how_to_add_it() {
    expect![[r#"
        nothing to run in /repo/app: no package.json, no command in .brum.toml, nothing of Deno, Procfile, Taskfile, justfile, Makefile, Cargo, Go, Gradle, Maven, .NET, Python, Ruby, PHP, Elixir, Dart, compose, .vscode/tasks.json
        To add one, write there:
        [scripts.dev]
        command = "npx vite"
        cwd = ".""#]]
    .assert_eq(&Tree::new(&[]).error("dev"));
    assert!(Tree::package("{}").error("dev").contains("no scripts in package.json"));
    // The three lines do what they say.
    let advice = Tree::new(&[]).error("dev");
    let lines = advice.splitn(3, '\n').last().unwrap().to_owned();
    assert_eq!(Tree::new(&[("repo/app/.brum.toml", &lines)]).argv("dev", &[]), ["/bin/sh", "-c", "npx vite"]);
}

#[test]
fn an_unknown_script_names_the_nearest_and_a_few_of_the_others() {
    let tree = Tree::package(r#"{ "scripts": { "dev": "1", "build": "2", "test": "3" } }"#);
    expect![[r#"no script "dve" in package.json: did you mean "dev"? (dev, build, test)"#]]
        .assert_eq(&tree.error("dve"));
    expect![[r#"no script "zebra" in package.json (dev, build, test)"#]].assert_eq(&tree.error("zebra"));
    fs::write(tree.at("repo/app/.brum.toml"), "[scripts.db]\ncommand = \"x\"\n").unwrap();
    expect![[r#"no script "zebra" in package.json or .brum.toml (dev, build, test, db)"#]]
        .assert_eq(&tree.error("zebra"));

    let many: Vec<String> = (0..40).map(|n| format!("\"script-{n}\": \"x\"")).collect();
    let tree = Tree::package(&format!("{{ \"scripts\": {{ {} }} }}", many.join(", ")));
    let error = tree.error(&"long ".repeat(100));
    expect![[r#"no script "long long long long long long long long…" in package.json (script-0, script-1, script-2, script-3, 36 more)"#]]
    .assert_eq(&error);
}

// === managers ===

#[test]
fn each_manager_has_its_own_way_to_pass_arguments() {
    let argv = |lock: &str, args: &[&str]| {
        let tree = Tree::new(&[("repo/app/package.json", DEV), (&format!("repo/app/{lock}"), "")]);
        tree.argv("dev", args).join(" ")
    };
    assert_eq!(argv("package-lock.json", &["--port", "4000"]), "bin/npm run dev -- --port 4000");
    assert_eq!(argv("package-lock.json", &[]), "bin/npm run dev");
    assert_eq!(argv("npm-shrinkwrap.json", &[]), "bin/npm run dev");
    assert_eq!(argv("yarn.lock", &["--port", "4000"]), "bin/yarn run dev --port 4000");
    assert_eq!(argv("pnpm-lock.yaml", &["--port", "4000"]), "bin/pnpm run dev --port 4000");
    assert_eq!(argv("bun.lock", &["--port", "4000"]), "bin/bun run dev --port 4000");
    assert_eq!(argv("bun.lockb", &[]), "bin/bun run dev");
}

#[test]
fn field_then_setting_then_lock_file_then_npm() {
    let tree = Tree::package(DEV);
    let manager = || tree.load().manager.name;
    assert_eq!(tree.load().manager.to_string(), "npm");
    assert_eq!(manager(), PackageManagerName::Npm);
    fs::write(tree.at("yarn.lock"), "").unwrap();
    assert_eq!(manager(), PackageManagerName::Npm, "a lock file above the repository decides nothing");
    fs::write(tree.at("repo/pnpm-lock.yaml"), "").unwrap();
    assert_eq!(manager(), PackageManagerName::Pnpm, "one at the workspace root does");
    fs::write(tree.at("repo/app/bun.lock"), "").unwrap();
    assert_eq!(manager(), PackageManagerName::Bun, "the nearest one first");
    fs::write(tree.at("repo/app/.brum.toml"), "preferred_package_manager = \"npm\"").unwrap();
    assert_eq!(manager(), PackageManagerName::Npm);
    fs::write(tree.at("repo/package.json"), r#"{ "packageManager": "yarn@4.1.0" }"#).unwrap();
    assert_eq!(manager(), PackageManagerName::Yarn);
    fs::write(tree.root().join("package.json"), r#"{ "packageManager": "pnpm@9.1.0+sha512.00" }"#).unwrap();
    assert_eq!(manager(), PackageManagerName::Pnpm);
    fs::write(tree.root().join("package.json"), "{ \"packageManager\":\n \"cnpm@2\" }").unwrap();
    assert_eq!(manager(), PackageManagerName::Yarn, "one that is not known is passed over");
    let problems = tree.load().problems;
    assert_eq!(
        problems[0].within(&tree.root()),
        "package.json:1: packageManager: \"cnpm\" is not npm, yarn, pnpm, bun or deno; it is ignored"
    );
    fs::write(tree.at("repo/package.json"), "{ broken").unwrap();
    assert_eq!(manager(), PackageManagerName::Npm, "a broken file above is as if it had no such field");
}

#[test]
fn a_missing_manager_says_who_asks_for_it_and_what_to_do() {
    let missing = |files: &[(&str, &str)]| {
        let tree = Tree::new(files);
        for manager in PackageManagerName::ALL {
            fs::remove_file(tree.at("bin").join(manager.as_str())).unwrap();
        }
        tree.error("dev")
    };
    let package = ("repo/app/package.json", DEV);
    expect!["pnpm is not installed: npm install -g pnpm (pnpm-lock.yaml asks for it)"]
        .assert_eq(&missing(&[package, ("repo/app/pnpm-lock.yaml", "")]));
    expect!["npm is not installed: install Node.js"].assert_eq(&missing(&[package]));
    expect!["bun is not installed: npm install -g bun (preferred_package_manager asks for it)"]
        .assert_eq(&missing(&[package, ("repo/app/.brum.toml", "preferred_package_manager = 'bun'")]));
    let field = r#"{ "packageManager": "yarn@4.1.0", "scripts": { "dev": "x" } }"#;
    expect!["yarn is not installed: corepack enable (packageManager in package.json asks for it)"]
        .assert_eq(&missing(&[("repo/app/package.json", field)]));
}

#[test]
fn programs_are_found_along_path_by_absolute_entries_only() {
    let tree = Tree::new(&[("bin/plain", "")]);
    fs::create_dir(tree.at("bin/directory")).unwrap();
    let mut path = OsString::from(":relative:/nowhere:");
    path.push(tree.at("bin"));
    let path = PathLookup::new(&path);
    assert_eq!(path.find("yarn"), Some(tree.at("bin/yarn")));
    assert_eq!(path.find("plain"), None, "a file that may not be executed is no program");
    assert_eq!(path.find("directory"), None);
    assert_eq!(PathLookup::new(OsStr::new("")).find("yarn"), None);
    let relative = PathLookup::new(OsStr::new("src:."));
    assert_eq!((relative.find("yarn"), relative.find("project.rs")), (None, None));
    assert!(PathLookup::from_env().find("sh").is_some());
}

// === commands ===

#[test]
fn a_command_of_the_settings_runs_through_the_shell() {
    let tree = Tree::new(&[
        ("repo/app/package.json", r#"{ "scripts": { "build": "x", "dev": "vite" } }"#),
        (
            "repo/app/.brum.toml",
            "[scripts.dev]\ncommand = 'make dev'\nenv = { PORT = '1' }\n[scripts.up]\ncommand = 'run \"$1\" now'\ncwd = 'sub'\n",
        ),
    ]);
    fs::create_dir(tree.at("repo/app/sub")).unwrap();
    assert_eq!(tree.argv("dev", &[]), ["/bin/sh", "-c", "make dev"]);
    assert_eq!(
        tree.argv("dev", &["a b", "$HOME"]),
        ["/bin/sh", "-c", "make dev \"$@\"", "dev", "a b", "$HOME"]
    );
    assert_eq!(tree.argv("up", &["x"]), ["/bin/sh", "-c", "run \"$1\" now", "up", "x"]);
    let info = tree.run("up", &["x"]).unwrap();
    assert_eq!((info.cwd, info.root), (tree.at("repo/app/sub"), tree.root()));
    assert_eq!((info.script.as_str(), info.args), ("run \"$1\" now", vec!["x".to_owned()]));
    assert_eq!(tree.run("dev", &[]).unwrap().env, [("PORT".to_owned(), "1".to_owned())]);
    let project = tree.load();
    let names: Vec<_> = project.scripts.iter().map(|script| script.name.as_str()).collect();
    assert_eq!(names, ["build", "dev", "up"]);
    let dev = project.script("dev").unwrap();
    assert_eq!(
        (dev.file.clone(), dev.line, dev.runner.clone()),
        (tree.at("repo/app/.brum.toml"), 2, Runner::Shell)
    );
}

#[test]
fn settings_of_a_script_travel_with_it() {
    let tree = Tree::new(&[
        ("repo/app/package.json", DEV),
        (
            "repo/app/.brum.toml",
            "[scripts.dev]\ncwd = 'web'\nenv = { B = '2', A = '1' }\n[scripts.dve]\nenv.X = '1'\n",
        ),
    ]);
    expect![".brum.toml:2: scripts.dev.cwd: there is no directory web: create it or change cwd"]
        .assert_eq(&tree.error("dev"));
    fs::create_dir(tree.at("repo/app/web")).unwrap();
    let info = tree.run("dev", &["-x"]).unwrap();
    assert_eq!(info.cwd, tree.at("repo/app/web"));
    assert_eq!(info.env, [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())]);
    assert_eq!(info.argv[1..], ["run", "dev", "--", "-x"]);
    assert_eq!((info.script.as_str(), info.args), ("vite", vec!["-x".to_owned()]));
    let project = tree.load();
    expect!["package.json:1, .brum.toml:4: scripts.dve: no such script; add command = \"…\" to make one (did you mean `dev`?)"]
        .assert_eq(&format!(
            "package.json:{}, {}",
            project.scripts[0].line,
            project.problems[0].within(&project.root)
        ));
}

#[test]
fn any_line_runs_through_the_shell_in_the_root() {
    let tree = Tree::package(DEV);
    let info = tree.load().shell("cargo watch -x 'test a'").unwrap();
    assert_eq!(info.argv, ["/bin/sh", "-c", "cargo watch -x 'test a'"]);
    assert_eq!((info.name.as_str(), &info.cwd), ("cargo watch -x 'test a'", &tree.root()));
    assert_eq!(info.label(), "cargo watch -x 'test a'");
    expect!["no command after !: try !make watch"]
        .assert_eq(&shell(&tree.root(), "  ").unwrap_err().to_string());
    assert!(matches!(shell(&tree.at("gone"), "x"), Err(ProjectError::RootMissing { .. })));
}

#[test]
fn arguments_reach_a_shell_command_unharmed() {
    let tree = Tree::new(&[("repo/app/.brum.toml", "[scripts.p]\ncommand = \"printf '%s|'\"\n")]);
    let argv = tree.argv("p", &["a b", "$(echo no)", "'", ""]);
    let output = std::process::Command::new(&argv[0]).args(&argv[1..]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a b|$(echo no)|'||");
}

// === roots ===

#[test]
fn the_root_is_the_nearest_directory_with_something_to_run() {
    let tree =
        Tree::new(&[("repo/package.json", "{}"), ("repo/app/package.json", DEV), ("bin/.brum.toml", "")]);
    let deep = tree.at("repo/app/src/deep");
    let dependency = tree.at("repo/app/node_modules/vite/dist");
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir_all(&dependency).unwrap();
    fs::write(dependency.join("package.json"), "{}").unwrap();
    fs::write(deep.join("main.ts"), "").unwrap();
    let find = |from: &Path| find_root_beside(from, Some(&tree.at("bin")));
    assert_eq!(find(&tree.root()), Some(tree.root()));
    assert_eq!(find(&deep.join("main.ts")), Some(tree.root()));
    assert_eq!(find(&deep.join("not/there/yet.ts")), Some(tree.root()));
    assert_eq!(find(&dependency.join("index.js")), Some(tree.root()), "a dependency is no project");
    assert_eq!(find(&tree.at("repo/other")), Some(tree.at("repo")));
    assert_eq!(find(&tree.at("bin/file")), None, "settings in the home directory make no project");
    assert_eq!(find_root_beside(&tree.at("bin/file"), None), Some(tree.at("bin")));
    assert_eq!(find_root(&deep), Some(tree.root()));
}

#[test]
fn a_command_that_is_none_is_told_once() {
    let tree =
        Tree::new(&[("repo/app/package.json", DEV), ("repo/app/.brum.toml", "[scripts.x]\ncommand = 5\n")]);
    let loaded = config::load(&tree.root(), None, &|_| None);
    assert_eq!(loaded.problems.len(), 1);
    assert_eq!(load(&tree.root(), &loaded.config).problems, []);
}
