//! Dart and Flutter: `pubspec.yaml`, and the scripts of melos.

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::project::{Script, document::Node};

const FILE: &str = "pubspec.yaml";

pub(super) fn find(finder: &mut Finder<'_>) {
    if !finder.has(FILE) {
        return;
    }
    let file = finder.root.join(FILE);
    let pubspec = finder.yaml(&file);
    let has = |table: &str, name: &str| {
        pubspec
            .as_ref()
            .and_then(|pubspec| pubspec.get(table))
            .and_then(|table| table.node.get(name))
            .is_some()
    };
    let flutter = has("dependencies", "flutter");
    let (kind, tool) = if flutter { ("flutter", "flutter") } else { ("dart", "dart") };
    let mut add = |priority, verb, words: &[&str]| {
        finder.push(finder.tool(kind, (&file, 1), priority, verb, words));
    };
    if flutter {
        add(95, Verb::Serve, &["flutter", "run"]);
        for (directory, target) in
            [("android", "apk"), ("ios", "ios"), ("web", "web"), ("linux", "linux"), ("macos", "macos")]
        {
            if file.with_file_name(directory).is_dir() {
                add(88, Verb::Build, &["flutter", "build", target]);
            }
        }
    } else {
        let name = pubspec.as_ref().and_then(|pubspec| pubspec.get("name")).and_then(|name| name.node.text());
        let bin = file.with_file_name("bin");
        for program in finder::entries(&bin).iter().filter(|name| name.ends_with(".dart")) {
            match program.strip_suffix(".dart") {
                Some(stem) if Some(stem) == name => add(95, Verb::Run, &["dart", "run"]),
                _ => add(93, Verb::Run, &["dart", "run", &format!("bin/{program}")]),
            }
        }
    }
    if file.with_file_name("test").is_dir() {
        add(85, Verb::Test, &[tool, "test"]);
    }
    if has("dev_dependencies", "build_runner") {
        add(84, Verb::Serve, &["dart", "run", "build_runner", "watch"]);
    }
    add(80, Verb::Other, &[tool, "pub", "get"]);
    melos(finder, pubspec.as_ref());
}

/// Scripts of `melos.yaml`, or of `melos` in `pubspec.yaml`.
fn melos(finder: &mut Finder<'_>, pubspec: Option<&Node>) {
    let own = finder.root.join("melos.yaml");
    let (file, scripts) = match finder.yaml(&own) {
        Some(melos) => (own, melos.get("scripts").map(|scripts| scripts.node.clone())),
        None => {
            let melos = pubspec.and_then(|pubspec| pubspec.get("melos"));
            let scripts =
                melos.and_then(|melos| melos.node.get("scripts")).map(|scripts| scripts.node.clone());
            (finder.root.join(FILE), scripts)
        }
    };
    for script in scripts.as_ref().map(Node::members).unwrap_or_default() {
        let task = finder.task("melos", (&file, script.line), 84, &["melos", "run"], &script.name);
        let description = script.node.get("description").and_then(|text| text.node.text());
        let description = description.or(script.node.text()).and_then(finder::short);
        finder.push(Script { description, separator: true, ..task });
    }
}
