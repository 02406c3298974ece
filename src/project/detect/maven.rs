//! Maven: goals of the plugins a `pom.xml` has, the usual phases, and its modules.

use std::path::Path;

use super::{
    finder::{self, Finder},
    verb::Verb,
    xml::{self, Element},
};
use crate::project::{Runner, Script};

const KIND: &str = "maven";
const FILE: &str = "pom.xml";

/// Plugins, and their goal that runs the program.
const PLUGINS: [(&str, &str); 4] = [
    ("spring-boot-maven-plugin", "spring-boot:run"),
    ("quarkus-maven-plugin", "quarkus:dev"),
    ("jetty-maven-plugin", "jetty:run"),
    ("javafx-maven-plugin", "javafx:run"),
];

pub(super) fn find(finder: &mut Finder<'_>) {
    if !finder.has(FILE) {
        return;
    }
    let file = finder.root.join(FILE);
    let pom = xml::elements(&finder.text(&file).unwrap_or_default());
    let program = finder::wrapper(finder.root, "./mvnw", "mvn");
    goals(finder, &file, &pom, &program, None);
    let modules =
        pom.iter().filter(|element| element.name == "module" && element.within == "project/modules");
    for module in modules {
        let path = finder.root.join(&module.text);
        let directory = if path.is_file() { path.parent().unwrap_or(&path).to_owned() } else { path };
        let file = directory.join(FILE);
        let Some(text) = finder.text(&file) else { continue };
        let name = module.text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let Some(package) = finder.package(name, &directory) else { continue };
        let relative = directory.strip_prefix(finder.root).unwrap_or(&directory).display().to_string();
        goals(finder, &file, &xml::elements(&text), &program, Some((&package, &relative)));
    }
}

fn goals(
    finder: &mut Finder<'_>,
    file: &Path,
    pom: &[Element],
    program: &[&str],
    module: Option<(&str, &str)>,
) {
    let mut add = |line, priority, verb, goal: &str, with_upstream: bool| {
        let mut words = program.to_vec();
        if let Some((_, path)) = module {
            words.extend(["-pl", path]);
            words.extend(with_upstream.then_some("-am"));
        }
        words.push(goal);
        let script = finder.tool(KIND, (file, line), priority, verb, &words);
        finder.push(Script {
            name: format!("mvn {goal}"),
            package: module.map(|(package, _)| package.to_owned()),
            runner: Runner::Argv(words.iter().map(|word| (*word).to_owned()).collect()),
            ..script
        });
    };
    for (plugin, goal) in PLUGINS {
        // What `pluginManagement` says holds for modules that name the plugin themselves.
        let found = pom.iter().find(|element| {
            element.name == "artifactId"
                && element.text == plugin
                && element.within.ends_with("build/plugins/plugin")
        });
        if let Some(found) = found {
            add(found.line, 95, Verb::Serve, goal, false);
        }
    }
    let line = pom.iter().find(|element| element.name == "project").map_or(1, |project| project.line);
    add(line, 90, Verb::Build, "compile", true);
    add(line, 88, Verb::Build, "package", true);
    add(line, 85, Verb::Test, "test", true);
}
