//! What is set and run; `tests/it/tools_node.rs` has the same beside real managers.

use std::{collections::BTreeMap, fs, os::unix::fs::symlink, process::Command};

use tempfile::TempDir;

use super::*;
use crate::{
    config::{self, Config},
    event::ProcessInfo,
    project::load,
};

/// A project, with an npm and a Node.js as they are installed.
fn tree(package: &str, settings: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    let write = |file: &str, text: &str| {
        let file = dir.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    write("app/package.json", package);
    write("app/.brum.toml", settings);
    write("usr/lib/node_modules/npm/bin/npm-cli.js", "");
    write("usr/lib/node_modules/npm/package.json", r#"{ "name": "npm", "version": "10.9.2" }"#);
    write("usr/lib/node_modules/corepack/dist/pnpm.js", "");
    write("usr/lib/node_modules/corepack/package.json", r#"{ "name": "corepack", "version": "0.30.0" }"#);
    write(
        "usr/include/node/node_version.h",
        "#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 20\n#define NODE_PATCH_VERSION 0\n",
    );
    write("usr/bin/node", "");
    symlink("../lib/node_modules/npm/bin/npm-cli.js", dir.path().join("usr/bin/npm")).unwrap();
    symlink("../lib/node_modules/corepack/dist/pnpm.js", dir.path().join("usr/bin/pnpm")).unwrap();
    dir
}

fn run(dir: &TempDir, name: &str, args: &[&str]) -> Result<ProcessInfo, ProjectError> {
    let root = dir.path().join("app");
    let loaded = config::load(&root, None, &|_| None);
    assert_eq!(loaded.problems, []);
    let config = Config { process_manager: direct_by_default(&loaded.config), ..loaded.config };
    let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let path = env::join_paths([dir.path().join("usr/bin"), "/nowhere".into(), "".into()]).unwrap();
    load(&root, &config).command(name, &args, &PathLookup::new(&path))
}

fn direct_by_default(config: &Config) -> config::ProcessManagerConfig {
    config::ProcessManagerConfig { runner: config::ScriptRunner::Direct, ..config.process_manager.clone() }
}

fn variables_of(dir: &TempDir, info: &ProcessInfo) -> BTreeMap<String, String> {
    let shown = |text: &str| text.replace(&dir.path().display().to_string(), "");
    info.env.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
}

#[test]
fn the_line_is_that_of_the_script_with_the_arguments_quoted() {
    let dir = tree(r#"{ "scripts": { "dev": "vite --host" } }"#, "");
    assert_eq!(run(&dir, "dev", &[]).unwrap().argv, ["/bin/sh", "-c", "vite --host"]);
    let info = run(&dir, "dev", &["--open", "a b", "it's", ""]).unwrap();
    assert_eq!(info.argv, ["/bin/sh", "-c", "vite --host --open 'a b' 'it'\\''s' ''"]);
    assert_eq!((info.script.as_str(), info.cwd), ("vite --host", dir.path().join("app")));
}

#[test]
fn tools_are_told_what_would_have_run_them() {
    let dir = tree(r#"{ "name": "@a/b", "version": "1.0.0", "scripts": { "dev": "x" } }"#, "");
    let info = run(&dir, "dev", &[]).unwrap();
    let env = variables_of(&dir, &info);
    let value = |name: &str| env.get(name).map(String::as_str);
    assert_eq!(value("npm_config_user_agent").unwrap().split(' ').next(), Some("npm/10.9.2"));
    assert!(value("npm_config_user_agent").unwrap().contains("node/v22.20.0"), "{env:#?}");
    assert_eq!(value("npm_command"), Some("run-script"), "before npm 11");
    assert_eq!(value("npm_execpath"), Some("/usr/lib/node_modules/npm/bin/npm-cli.js"));
    assert_eq!((value("npm_node_execpath"), value("NODE")), (Some("/usr/bin/node"), Some("/usr/bin/node")));
    assert_eq!((value("INIT_CWD"), value("npm_package_name")), (Some("/app"), Some("@a/b")));
    assert!(value("PATH").unwrap().starts_with("/app/node_modules/.bin:"), "{env:#?}");
    assert!(value("PATH").unwrap().ends_with(":/node_modules/.bin:/usr/bin:/nowhere:"), "{env:#?}");
    // The version corepack is to bring; where nobody says, none is made up.
    fs::write(
        dir.path().join("app/package.json"),
        r#"{ "packageManager": "pnpm@9.1.0+sha1.0", "scripts": { "dev": "x" } }"#,
    )
    .unwrap();
    let env = variables_of(&dir, &run(&dir, "dev", &[]).unwrap());
    assert!(env["npm_config_user_agent"].starts_with("pnpm/9.1.0 npm/? node/v22.20.0 "), "{env:#?}");
    assert_eq!(env.get("npm_config_npm_version"), None);
    fs::remove_file(dir.path().join("usr/include/node/node_version.h")).unwrap();
    fs::write(
        dir.path().join("app/package.json"),
        r#"{ "packageManager": "pnpm", "scripts": { "dev": "x" } }"#,
    )
    .unwrap();
    let env = variables_of(&dir, &run(&dir, "dev", &[]).unwrap());
    assert!(env["npm_config_user_agent"].starts_with("pnpm/? npm/? node/? "), "{env:#?}");
    // Neither is installed: the script may need neither.
    for name in ["npm", "pnpm", "node"] {
        fs::remove_file(dir.path().join("usr/bin").join(name)).unwrap();
    }
    assert!(!variables_of(&dir, &run(&dir, "dev", &[]).unwrap()).contains_key("NODE"));
}

#[test]
fn a_version_manager_s_directory_tells_the_version() {
    let dir = tree(r#"{ "scripts": { "dev": "x" } }"#, "");
    for versioned in [".nvm/versions/node/v18.20.4", ".volta/tools/image/node/18.20.4", "opt/node-v18.20.4"] {
        let bin = dir.path().join(versioned).join("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("node"), "").unwrap();
        fs::remove_file(dir.path().join("usr/bin/node")).unwrap();
        symlink(bin.join("node"), dir.path().join("usr/bin/node")).unwrap();
        fs::set_permissions(bin.join("node"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let env = variables_of(&dir, &run(&dir, "dev", &[]).unwrap());
        assert!(env["npm_config_user_agent"].contains(" node/v18.20.4 "), "{versioned}: {env:#?}");
    }
}

#[test]
fn what_the_user_sets_stays_and_is_seen() {
    let settings = "[scripts.dev]\nenv = { PATH = '/mine', NODE = 'my node', A = '1' }\ncwd = 'sub'\n";
    let dir = tree(r#"{ "scripts": { "dev": "x" }, "config": { "a=b": 1, "c": "\u0000" } }"#, settings);
    fs::create_dir(dir.path().join("app/sub")).unwrap();
    let info = run(&dir, "dev", &[]).unwrap();
    let env = variables_of(&dir, &info);
    assert!(
        env["PATH"].starts_with("/app/node_modules/.bin:") && env["PATH"].ends_with(":/mine"),
        "{env:#?}"
    );
    assert_eq!(
        (env["NODE"].as_str(), env["A"].as_str(), env["INIT_CWD"].as_str()),
        ("my node", "1", "/app/sub")
    );
    assert_eq!(info.env.iter().filter(|(name, _)| name == "PATH").count(), 1);
    assert!(env.keys().all(|name| !name.contains('=')) && !env.contains_key("npm_package_config_c"));
}

#[test]
fn the_manager_is_back_with_one_word() {
    let dir = tree(
        r#"{ "scripts": { "dev": "x", "test": "y" } }"#,
        "[scripts.dev]\nrunner = 'manager'\n[scripts.sh]\ncommand = 'z'\n",
    );
    assert!(run(&dir, "dev", &[]).unwrap().argv[0].ends_with("/npm"));
    assert_eq!(run(&dir, "test", &[]).unwrap().argv, ["/bin/sh", "-c", "y"]);
    assert_eq!(run(&dir, "sh", &[]).unwrap().argv, ["/bin/sh", "-c", "z"]);
    assert!(run(&dir, "sh", &[]).unwrap().env.iter().all(|(name, _)| !name.starts_with("npm_")));
}

#[test]
fn steps_run_in_turn_until_one_fails() {
    let package = |pre: &str| {
        format!(
            r#"{{ "scripts": {{ "predev": "echo $npm_lifecycle_event; {pre}", "dev": "echo $npm_lifecycle_event: $npm_lifecycle_script", "postdev": "echo last; exit 4", "prelint": "", "lint": "x" }} }}"#
        )
    };
    let printed = |pre: &str| {
        let dir = tree(&package(pre), "");
        let info = run(&dir, "dev", &["a b"]).unwrap();
        let output = Command::new(&info.argv[0]).args(&info.argv[1..]).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let whole = "predev\ndev: echo $npm_lifecycle_event: $npm_lifecycle_script a b\nlast\n";
    assert_eq!(printed("true"), (whole.to_owned(), Some(4)));
    assert_eq!(printed("exit 3"), ("predev\n".to_owned(), Some(3)));
    assert_eq!(
        run(&tree(&package("true"), ""), "lint", &[]).unwrap().argv,
        ["/bin/sh", "-c", "x"],
        "an empty one is none"
    );
}
