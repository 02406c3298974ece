//! Rust: `Cargo.toml`, its binaries and examples, the members of its workspace, the aliases of `.cargo/config.toml`.

use std::path::{Path, PathBuf};

use super::{
    finder::{self, Finder},
    glob,
    verb::Verb,
};
use crate::project::{Runner, Script, document::Node};

const FILE: &str = "Cargo.toml";
const KIND: &str = "cargo";

/// A binary or an example.
struct Target {
    name: String,
    line: usize,
    /// What it cannot be built without.
    features: Vec<String>,
}

pub(super) fn find(finder: &mut Finder<'_>) {
    if !finder.has(FILE) {
        return;
    }
    let file = finder.root.join(FILE);
    // A broken file stops no one from trying: cargo says what is wrong.
    let manifest = finder.toml(&file);
    let workspace = manifest.as_ref().and_then(|manifest| manifest.get("workspace"));
    let package = manifest.as_ref().and_then(|manifest| manifest.get("package"));
    if let Some(manifest) = manifest.as_ref().filter(|_| package.is_some()) {
        run(finder, manifest, &file, None);
    }
    let at = (file.as_path(), package.or(workspace).map_or(1, |table| table.line));
    for (priority, verb, word) in
        [(90, Verb::Build, "build"), (85, Verb::Test, "test"), (80, Verb::Other, "check")]
    {
        finder.push(finder.tool(KIND, at, priority, verb, &["cargo", word]));
    }
    if let Some(workspace) = workspace {
        if package.is_some() {
            finder.push(finder.tool(KIND, at, 84, Verb::Test, &["cargo", "test", "--workspace"]));
        }
        let members = members(finder.root, &workspace.node, "members");
        if package.is_none() {
            let default = workspace.node.get("default-members");
            let default = default.map(|_| self::members(finder.root, &workspace.node, "default-members"));
            only_binary(finder, default.as_ref().unwrap_or(&members), at);
        }
        for directory in members {
            member(finder, &directory);
        }
    }
    aliases(finder);
}

/// `cargo run` in a workspace without a package of its own: it works where all its members have one binary.
fn only_binary(finder: &mut Finder<'_>, members: &[PathBuf], at: (&Path, usize)) {
    let mut binaries = 0;
    for directory in members {
        let Some(manifest) = finder.toml(&directory.join(FILE)) else { continue };
        let name = manifest.get("package").and_then(|table| table.node.get("name"));
        let name = name.and_then(|name| name.node.text().map(str::to_owned));
        binaries += targets(&manifest, "bin", name.as_deref(), directory, 1).len();
    }
    if binaries == 1 {
        let script = finder.tool(KIND, at, 95, Verb::Run, &["cargo", "run"]);
        finder.push(Script { separator: true, ..script });
    }
}

fn member(finder: &mut Finder<'_>, directory: &Path) {
    let file = directory.join(FILE);
    let Some(manifest) = finder.toml(&file) else { return };
    let Some(table) = manifest.get("package") else { return };
    let Some(name) = table.node.get("name").and_then(|name| name.node.text()) else { return };
    let Some(package) = finder.package(name, directory) else { return };
    run(finder, &manifest, &file, Some((&package, name)));
    for (priority, verb, word) in
        [(90, Verb::Build, "build"), (85, Verb::Test, "test"), (80, Verb::Other, "check")]
    {
        let script = finder.tool(KIND, (&file, table.line), priority, verb, &["cargo", word]);
        let argv = ["cargo", word, "-p", name];
        finder.push(in_package(script, &package, &argv));
    }
}

/// The commands that run what `manifest` builds.
fn run(finder: &mut Finder<'_>, manifest: &Node, file: &Path, package: Option<(&str, &str)>) {
    let directory = file.parent().unwrap_or(finder.root).to_owned();
    let table = manifest.get("package");
    let line = table.map_or(1, |table| table.line);
    let field = |name: &str| table.and_then(|table| table.node.get(name)).and_then(|found| found.node.text());
    let bins = targets(manifest, "bin", field("name"), &directory, line);
    let examples = targets(manifest, "example", None, &directory, line);
    let mut add = |target: &Target, flag: Option<&str>, priority: u8| {
        let mut words = vec!["cargo", "run"];
        words.extend(flag.into_iter().flat_map(|flag| [flag, target.name.as_str()]));
        let script = finder.tool(KIND, (file, target.line), priority, Verb::Run, &words);
        let script = Script { separator: true, ..script };
        let features = target.features.join(",");
        if !features.is_empty() {
            words.extend(["--features", &features]);
        }
        if let Some((package, name)) = package {
            words.extend(["-p", name]);
            finder.push(in_package(script, package, &words));
        } else {
            finder.push(with_argv(script, &words));
        }
    };
    let default = field("default-run").and_then(|name| bins.iter().find(|bin| bin.name == name));
    if let Some(bin) = default.or(bins.first()).filter(|_| default.is_some() || bins.len() == 1) {
        add(bin, None, 95);
    }
    for bin in bins.iter().filter(|_| bins.len() > 1) {
        add(bin, Some("--bin"), 94);
    }
    for example in &examples {
        add(example, Some("--example"), 82);
    }
}

/// The targets of a kind: those of the manifest, then those cargo finds by their place.
fn targets(manifest: &Node, kind: &str, main: Option<&str>, directory: &Path, line: usize) -> Vec<Target> {
    let text =
        |node: &Node, name: &str| node.get(name).and_then(|found| found.node.text()).map(str::to_owned);
    let mut found: Vec<Target> = Vec::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    let listed = manifest.get(kind).and_then(|list| list.node.list()).unwrap_or_default();
    for entry in listed {
        let name = text(entry, "name");
        paths.extend(text(entry, "path").map(|path| directory.join(path)));
        let features = entry.get("required-features").and_then(|list| list.node.list()).unwrap_or_default();
        let features = features.iter().filter_map(Node::text).map(str::to_owned).collect();
        let line = entry.members().first().map_or(entry.line, |member| member.line);
        found.extend(name.map(|name| Target { name, line, features }));
    }
    let switch = if kind == "bin" { "autobins" } else { "autoexamples" };
    let automatic = manifest.get("package").and_then(|table| table.node.get(switch));
    if automatic.is_some_and(|found| found.node.value == crate::project::document::Value::Boolean(false)) {
        return found;
    }
    let mut add = |name: &str, path: &Path| {
        let known = found.iter().any(|target| target.name == name) || paths.iter().any(|known| known == path);
        if path.is_file() && !known {
            found.push(Target { name: name.to_owned(), line, features: Vec::new() });
        }
    };
    if let Some(main) = main {
        add(main, &directory.join("src/main.rs"));
    }
    let place = directory.join(if kind == "bin" { "src/bin" } else { "examples" });
    for entry in finder::entries(&place) {
        match entry.strip_suffix(".rs") {
            Some(name) => add(name, &place.join(&entry)),
            None => add(&entry, &place.join(&entry).join("main.rs")),
        }
    }
    found
}

/// The directories of the members under that key, those that are excluded left out.
fn members(root: &Path, workspace: &Node, key: &str) -> Vec<PathBuf> {
    let list = |name: &str| -> Vec<PathBuf> {
        let list = workspace.get(name).and_then(|list| list.node.list()).unwrap_or_default();
        list.iter().filter_map(Node::text).flat_map(|pattern| glob::expand(root, pattern)).collect()
    };
    let excluded = list("exclude");
    let mut members = list(key);
    members.retain(|member| member != root && !excluded.contains(member) && member.join(FILE).is_file());
    members
}

/// `[alias]` of `.cargo/config.toml`.
fn aliases(finder: &mut Finder<'_>) {
    for name in [".cargo/config.toml", ".cargo/config"] {
        let file = finder.root.join(name);
        let Some(config) = finder.toml(&file) else { continue };
        for alias in config.get("alias").map(|table| table.node.members()).unwrap_or_default() {
            let mut script = finder.task(KIND, (&file, alias.line), 80, &["cargo"], &alias.name);
            let words = alias.node.list().unwrap_or_default().iter().filter_map(Node::text);
            let words = words.collect::<Vec<_>>().join(" ");
            script.description = finder::short(alias.node.text().unwrap_or(&words));
            finder.push(script);
        }
        break;
    }
}

/// It runs at the root, where cargo's messages name their files from.
fn in_package(script: Script, package: &str, argv: &[&str]) -> Script {
    Script { package: Some(package.to_owned()), ..with_argv(script, argv) }
}

fn with_argv(script: Script, argv: &[&str]) -> Script {
    Script {
        command: shell_words::join(argv),
        runner: Runner::Argv(argv.iter().map(|word| (*word).to_owned()).collect()),
        ..script
    }
}
