//! Real npm, pnpm and Yarn: their workspaces, and scripts without them beside the same scripts with them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::support::{brummer, node, nvim::Nvim, project::Project};

/// A workspace: `web` needs `tool`, whose program its scripts call.
fn workspace(manager: &str) -> Project {
    let project = Project::empty();
    let mut root =
        json!({ "name": "shop", "version": "1.0.0", "private": true, "scripts": { "dev": "echo root" } });
    match manager {
        "pnpm" => {
            drop(project.write("pnpm-workspace.yaml", "packages:\n  - 'packages/**'\n  - '!**/left/**'\n"));
        }
        _ => root["workspaces"] = json!(["packages/*", "!packages/left"]),
    }
    match manager {
        "yarn" => drop(project.write("yarn.lock", "")),
        "berry" => {
            project.write("yarn.lock", "");
            project.write(".yarnrc.yml", "nodeLinker: node-modules\n");
        }
        _ => {}
    }
    let write =
        |file: &str, package: &Json| project.write(file, serde_json::to_string_pretty(package).unwrap());
    write("package.json", &root);
    // pnpm links what a package names so; the others link any package of the workspace that fits.
    let tool = if matches!(manager, "pnpm" | "berry") { "workspace:*" } else { "1.0.0" };
    write(
        "packages/web/package.json",
        &json!({ "name": "@shop/web", "version": "1.0.0", "dependencies": { "@shop/tool": tool }, "scripts": {
            "where": "node -p \"process.cwd()\"",
            "tool": "tool --from script",
        } }),
    );
    write(
        "packages/tool/package.json",
        &json!({ "name": "@shop/tool", "version": "1.0.0", "bin": { "tool": "./tool.js" } }),
    );
    project.program(
        "packages/tool/tool.js",
        "#!/usr/bin/env node\nconsole.log('tool:', ...process.argv.slice(2), process.env.npm_package_name);\n",
    );
    write(
        "packages/left/package.json",
        &json!({ "name": "left", "version": "1.0.0", "scripts": { "dev": "x" } }),
    );
    project
}

/// The lines a script printed, without what brummer puts before them.
fn lines(text: &str, label: &str) -> Vec<String> {
    let start = format!(" {label}: ");
    text.lines().filter_map(|line| line.split_once(&start)).map(|(_, line)| line.to_owned()).collect()
}

fn a_workspace_of(manager: &str, install: &[&str]) {
    let project = workspace(manager);
    let line: Vec<_> = [manager.replace("berry", "yarn")].into_iter().collect();
    node::ok(&project, "", manager, &[&[line[0].as_str()], install].concat());

    let listed: Json =
        serde_json::from_str(&node::ok(&project, "packages/web", manager, &[brummer(), "scripts", "--json"]))
            .unwrap();
    assert_eq!(listed["root"], json!(project.root()), "{listed:#}");
    assert_eq!((&listed["manager"], &listed["here"]), (&json!(line[0]), &json!("web")), "{listed:#}");
    let packages: Vec<_> =
        listed["packages"].as_array().unwrap().iter().map(|package| &package["name"]).collect();
    assert_eq!(packages, ["tool", "web"]);
    let problems = node::run(&project, "", manager, &[brummer(), "scripts"]);
    assert_eq!(String::from_utf8_lossy(&problems.stderr), "");

    let place = project.path("packages/web");
    for (directory, name) in
        [("", "web/where"), ("packages/web", "where"), ("packages/tool", "@shop/web/where")]
    {
        let out = node::ok(&project, directory, manager, &[brummer(), "run", name]);
        assert!(lines(&out, "web/where").iter().any(|line| *line == place.display().to_string()), "{out}");
    }
    let with_args = [brummer(), "run", "web/tool", "--", "--flag", "two words", "it's \"$HOME\" *"];
    let expected = "tool: --from script --flag two words it's \"$HOME\" * @shop/web";
    let out = node::ok(&project, "", manager, &with_args);
    assert!(lines(&out, "web/tool").iter().any(|line| line == expected), "{out}");
    // Without the manager: the same program, the same arguments.
    project.write(".brum.toml", "[process_manager]\nrunner = \"direct\"\n");
    let out = node::ok(&project, "", manager, &with_args);
    assert_eq!(lines(&out, "web/tool"), [expected], "{out}");
    let out = node::ok(&project, "packages/web", manager, &[brummer(), "run", "where"]);
    assert_eq!(lines(&out, "web/where"), [place.display().to_string()], "{out}");
}

#[test]
fn npm_runs_the_packages_of_its_workspace() {
    a_workspace_of("npm", &["install", "--offline", "--no-audit", "--no-fund"]);
}

#[test]
fn pnpm_runs_the_packages_of_its_workspace() {
    a_workspace_of("pnpm", &["install", "--offline"]);
}

#[test]
fn yarn_runs_the_packages_of_its_workspace() {
    a_workspace_of("yarn", &["install", "--offline", "--non-interactive"]);
}

#[test]
fn a_later_yarn_runs_the_packages_of_its_workspace() {
    a_workspace_of("berry", &["install"]);
}

#[test]
fn yarn_without_node_modules_is_not_run_directly() {
    let project = workspace("berry");
    project.write(".yarnrc.yml", "nodeLinker: pnp\n");
    node::ok(&project, "", "berry", &["yarn", "install"]);
    assert!(project.exists(".pnp.cjs"));
    let out = node::ok(&project, "", "berry", &[brummer(), "run", "web/tool"]);
    assert!(lines(&out, "web/tool").iter().any(|line| line.starts_with("tool: --from")), "{out}");
    project.write(".brum.toml", "[scripts.\"web/tool\"]\nrunner = \"direct\"\n");
    let out = node::run(&project, "", "berry", &[brummer(), "run", "web/tool"]);
    let error = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && error.contains("Plug'n'Play"), "{error}");
}

// === the direct runner beside npm ===

/// Prints what a script is given, as one line of JSON.
const SHOW: &str = "
const { env, argv, cwd } = process;
const wanted = /^(npm_|NODE$|INIT_CWD$|PATH$|PWD$)/;
const shown = Object.fromEntries(Object.entries(env).filter(([name]) => wanted.test(name)));
console.log('shown ' + JSON.stringify({ env: shown, args: argv.slice(2), cwd: process.cwd() }));
";

/// What npm takes from `.npmrc` files and its own installation: no part of what a package says, and not set.
const OF_SETTINGS: [&str; 18] = [
    "npm_config_allow_scripts",
    "npm_config_audit",
    "npm_config_cache",
    "npm_config_cafile",
    "npm_config_fund",
    "npm_config_global_prefix",
    "npm_config_globalconfig",
    "npm_config_init_module",
    "npm_config_node_gyp",
    "npm_config_nodedir",
    "npm_config_noproxy",
    "npm_config_omit_lockfile_registry_resolved",
    "npm_config_prefix",
    "npm_config_proxy",
    "npm_config_registry",
    "npm_config_update_notifier",
    "npm_config_userconfig",
    "npm_config_yes",
];

/// What each step of a script is given.
fn shown(project: &Project, directory: &str, name: &str, label: &str, args: &[&str]) -> Vec<Json> {
    let line = [&[brummer(), "run", name, "--"], args].concat();
    let out = node::ok(project, directory, "npm", &line);
    let lines = lines(&out, label).into_iter();
    let shown = lines.filter_map(|line| Some(serde_json::from_str(line.strip_prefix("shown ")?).unwrap()));
    shown.collect()
}

fn variables(step: &Json) -> BTreeMap<String, String> {
    let own = step["env"].as_object().unwrap().iter();
    own.filter(|(name, _)| !OF_SETTINGS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn a_script_without_npm_is_given_what_npm_gives_it() {
    let project = Project::empty();
    project.write("show.js", SHOW);
    let show = format!("node {}", project.path("show.js").display());
    let package = |name: &str| {
        serde_json::to_string_pretty(&json!({
            "name": name, "version": "2.0.1-rc.1", "private": true,
            "bin": "./cli.js", "engines": { "node": ">=18" },
            "config": { "port": 8080, "on": true, "off": false, "nothing": null, "deep": { "list": [1, "two", null] } },
            "workspaces": (name == "shop").then(|| json!(["packages/*"])),
            "scripts": {
                "show": &show, "preshow": format!("{show} before"), "postshow": &show,
                "alone": format!("{show} \"a b\" $npm_package_config_port"),
            },
        }))
        .unwrap()
    };
    project.write("package.json", package("shop"));
    project.write("packages/web/package.json", package("@shop/web"));
    let nasty = [
        "--port",
        "4000",
        "two words",
        "",
        "it's",
        "'",
        "\"$HOME\"",
        "`id`",
        "a\nb",
        "*",
        "~",
        "\\",
        "#x",
        "''",
        "a;b",
    ];
    for (directory, label) in [("", ""), ("packages/web", "web/")] {
        for (name, steps) in [("show", 3), ("alone", 1)] {
            let label = format!("{label}{name}");
            project.write(".brum.toml", "");
            let with = shown(&project, directory, name, &label, &nasty);
            project.write(".brum.toml", "[process_manager]\nrunner = \"direct\"\n");
            let without = shown(&project, directory, name, &label, &nasty);
            assert_eq!((with.len(), without.len()), (steps, steps), "{label}");
            for (with, without) in with.iter().zip(&without) {
                assert_eq!(with["args"], without["args"], "{label}");
                assert_eq!(with["cwd"], without["cwd"], "{label}");
                pretty(&variables(with), &variables(without), &label);
            }
        }
    }
}

/// Names the variables that differ, not the fifty that do not.
fn pretty(with: &BTreeMap<String, String>, without: &BTreeMap<String, String>, label: &str) {
    let names: std::collections::BTreeSet<_> = with.keys().chain(without.keys()).collect();
    let differ: Vec<_> = names.into_iter().filter(|name| with.get(*name) != without.get(*name)).collect();
    let told: Vec<_> =
        differ.iter().map(|name| format!("{name}: {:?} {:?}", with.get(*name), without.get(*name))).collect();
    assert!(differ.is_empty(), "{label}: with npm, without npm:\n{}", told.join("\n"));
}

/// Runs a script with its manager and without: its exit code and the words its steps printed.
fn both_ways(project: &Project, manager: &str, name: &str) -> Vec<(Option<i32>, Vec<String>)> {
    let run = |runner: &str| {
        let program = manager.replace("berry", "yarn");
        let settings =
            format!("preferred_package_manager = '{program}'\nprocess_manager.runner = '{runner}'\n");
        project.write(".brum.toml", settings);
        let out = node::run(project, "", manager, &[brummer(), "run", name]);
        let lines = lines(&String::from_utf8_lossy(&out.stdout), name).into_iter();
        (out.status.code(), lines.filter(|line| line.starts_with("step ")).collect())
    };
    ["manager", "direct"].map(run).to_vec()
}

#[test]
fn the_steps_around_a_script_are_those_of_its_manager() {
    let project = Project::with(&[
        ("prebuild", "echo step before"),
        ("build", "echo step $npm_lifecycle_event; exit 7"),
        ("postbuild", "echo step after"),
        ("pretest", "exit 3"),
        ("test", "echo step test"),
        ("lint", "echo step lint"),
        ("postlint", "echo step after"),
    ]);
    project.write("yarn.lock", "");
    project.write(".yarnrc.yml", "nodeLinker: node-modules\n");
    node::ok(&project, "", "berry", &["yarn", "install"]);
    let words = |words: &[&str]| words.iter().map(|word| format!("step {word}")).collect::<Vec<_>>();
    for manager in ["npm", "pnpm", "yarn", "berry"] {
        let (build, test, lint) = if manager == "berry" {
            ((Some(7), words(&["build"])), (Some(0), words(&["test"])), (Some(0), words(&["lint"])))
        } else {
            ((Some(7), words(&["before", "build"])), (Some(3), vec![]), (Some(0), words(&["lint", "after"])))
        };
        for (name, expected) in [("build", build), ("test", test), ("lint", lint)] {
            assert_eq!(both_ways(&project, manager, name), vec![expected; 2], "{manager} {name}");
        }
    }
}

// === in the editor ===

#[test]
fn a_name_in_a_file_of_a_package_is_the_script_of_that_package() {
    let project = Project::empty();
    let package = |name: &str, directory: &str, scripts: &Json| {
        let package =
            json!({ "name": name, "private": true, "workspaces": ["packages/*"], "scripts": scripts });
        project.write(&format!("{directory}package.json"), package.to_string());
    };
    package("shop", "", &json!({ "dev": "echo the root; exec sleep 1000" }));
    package("@shop/web", "packages/web/", &json!({ "dev": "echo the web; exec sleep 1000" }));
    package("@shop/api", "packages/api/", &json!({ "dev": "pwd; exec sleep 1000", "it": "echo api it" }));
    project.write("packages/web/src/main.js", "1\n");
    let nvim = Nvim::at(project.root()).arg("packages/web/src/main.js").start();
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/web/dev", "the web");
    nvim.ex("BrummerRun api/dev");
    nvim.wait_line("brummer://logs/api/dev", &project.path("packages/api").display().to_string());
    // A log is of its project: there the name is the root's.
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "the root");
    nvim.ex("BrummerRun it");
    nvim.wait_line("brummer://logs/api/it", "api it");
    assert_eq!(nvim.lua("#require('brummer').processes()"), 4);
    nvim.wait_until("the names of all packages to be completed", |nvim| {
        let names = nvim.lua("vim.fn.getcompletion('BrummerRun ', 'cmdline')");
        let names: Vec<_> = names
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        ["dev", "web/dev", "api/dev", "api/it"].iter().all(|name| names.iter().any(|known| known == name))
    });
}
