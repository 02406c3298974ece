//! Gradle: tasks of the plugins a build file applies, those it registers, and the projects that the settings include.
//! Groovy and Kotlin are looked at as text, comments left out.

use std::path::Path;

use regex::Regex;

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::project::{Runner, Script, document::Node};

const KIND: &str = "gradle";
const BUILD: [&str; 2] = ["build.gradle.kts", "build.gradle"];
const SETTINGS: [&str; 2] = ["settings.gradle.kts", "settings.gradle"];

/// Plugins, and the tasks they bring that run something.
const PLUGINS: [(&str, &[(&str, u8)]); 7] = [
    ("org.springframework.boot", &[("bootRun", 93)]),
    ("io.quarkus", &[("quarkusDev", 94)]),
    ("application", &[("run", 95)]),
    ("io.ktor.plugin", &[("run", 95)]),
    ("io.micronaut.application", &[("run", 95)]),
    ("org.jetbrains.compose", &[("run", 95)]),
    ("com.android.application", &[("installDebug", 94), ("assembleDebug", 92)]),
];

pub(super) fn find(finder: &mut Finder<'_>) {
    let build = finder.first(&BUILD);
    let settings = finder.first(&SETTINGS);
    let Some(file) = build.clone().or(settings.clone()) else { return };
    let catalog = catalog(finder);
    let program = finder::wrapper(finder.root, "./gradlew", "gradle");
    if let Some(build) = &build {
        own(finder, build, &program, &catalog, None);
    }
    standard(finder, &file, &program, None);
    let Some(settings) = settings else { return };
    let text = finder.text(&settings).map(|text| without_comments(&text)).unwrap_or_default();
    for path in included(&text) {
        let directory = finder.root.join(path.trim_start_matches(':').replace(':', "/"));
        let Some(build) = BUILD.iter().map(|name| directory.join(name)).find(|file| file.is_file()) else {
            continue;
        };
        let name = path.rsplit(':').next().unwrap_or_default();
        let Some(package) = finder.package(name, &directory) else { continue };
        let scope = Some((package.as_str(), path.as_str()));
        own(finder, &build, &program, &catalog, scope);
        standard(finder, &build, &program, scope);
    }
}

/// What a build file brings.
fn own(
    finder: &mut Finder<'_>,
    build: &Path,
    program: &[&str],
    catalog: &[(String, String)],
    scope: Option<(&str, &str)>,
) {
    let text = finder.text(build).map(|text| without_comments(&text)).unwrap_or_default();
    let applied = plugins(&text, catalog);
    for (plugin, tasks) in PLUGINS {
        let Some((_, line)) = applied.iter().find(|(name, _)| name == plugin) else { continue };
        for (task, priority) in tasks {
            let serves = matches!(*task, "bootRun" | "quarkusDev");
            let verb = match *task {
                "assembleDebug" => Verb::Build,
                _ if serves => Verb::Serve,
                _ => Verb::Run,
            };
            add(finder, (build, *line), *priority, verb, program, task, scope, false);
        }
    }
    for (task, line) in registered(&text) {
        let verb = Verb::of(&task);
        add(finder, (build, line), 80 + verb.bonus(), verb, program, &task, scope, true);
    }
}

fn standard(finder: &mut Finder<'_>, file: &Path, program: &[&str], scope: Option<(&str, &str)>) {
    for (priority, verb, task) in [(90, Verb::Build, "build"), (85, Verb::Test, "test")] {
        add(finder, (file, 1), priority, verb, program, task, scope, false);
    }
}

#[expect(clippy::too_many_arguments, reason = "the columns of a table")]
fn add(
    finder: &mut Finder<'_>,
    at: (&Path, usize),
    priority: u8,
    verb: Verb,
    program: &[&str],
    task: &str,
    scope: Option<(&str, &str)>,
    named: bool,
) {
    let path = scope.map_or(task.to_owned(), |(_, project)| format!("{project}:{task}"));
    let words: Vec<&str> = program.iter().copied().chain([path.as_str()]).collect();
    let script = finder.tool(KIND, at, priority, verb, &words);
    finder.push(Script {
        name: format!("gradle {task}"),
        package: scope.map(|(package, _)| package.to_owned()),
        bare: named.then(|| task.to_owned()),
        runner: Runner::Argv(words.iter().map(|word| (*word).to_owned()).collect()),
        ..script
    });
}

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

fn line_of(text: &str, at: usize) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() + 1
}

/// Plugins by id, with their lines; those of the catalog under `alias(libs.plugins.x)`. `apply false` is for others.
fn plugins(text: &str, catalog: &[(String, String)]) -> Vec<(String, usize)> {
    let id = r#"(?m)(?:\bid\s*\(?\s*|\bapply\s*\(?\s*plugin\s*[:=]\s*)["']([\w.-]+)["']([^\n]*)"#;
    let core = r"(?m)(?:^|[{;])\s*(?:`(\w+)`|(application))\s*(?:[;}]|$)";
    let alias = r"\balias\s*\(?\s*libs\.plugins\.([\w.]+)\)?([^\n]*)";
    let mut found = Vec::new();
    for hit in regex(id).iter().flat_map(|id| id.captures_iter(text)) {
        if !hit[2].contains("apply false") && !hit[2].contains("apply(false)") {
            found.push((hit[1].to_owned(), hit.get(1).map_or(0, |hit| hit.start())));
        }
    }
    for hit in regex(core).iter().flat_map(|core| core.captures_iter(text)) {
        found.extend(hit.get(1).or(hit.get(2)).map(|hit| (hit.as_str().to_owned(), hit.start())));
    }
    for hit in regex(alias).iter().flat_map(|alias| alias.captures_iter(text)) {
        let known = catalog.iter().find(|(name, _)| *name == hit[1] && !hit[2].contains("apply false"));
        found.extend(known.map(|(_, id)| (id.clone(), hit.get(1).map_or(0, |hit| hit.start()))));
    }
    found.into_iter().map(|(name, at)| (name, line_of(text, at))).collect()
}

/// Tasks that are registered by a name in quotes.
fn registered(text: &str) -> Vec<(String, usize)> {
    let pattern = concat!(
        r#"(?m)\btasks\.(?:register|create)(?:<[\w.]+>)?\s*\(?\s*["']([\w-]+)["']"#,
        r"|^\s*task\s+([\w-]+)\b",
        r"|^\s*val\s+(\w+)\s+by\s+tasks\.(?:registering|creating)",
        r#"|^\s*task\s*\(\s*["']([\w-]+)["']"#,
    );
    let Some(pattern) = regex(pattern) else { return Vec::new() };
    let hits = pattern.captures_iter(text);
    hits.filter_map(|hit| (1..=4).find_map(|group| hit.get(group)))
        .map(|hit| (hit.as_str().to_owned(), line_of(text, hit.start())))
        .collect()
}

/// Projects as `:app`, `:libs:core`.
fn included(text: &str) -> Vec<String> {
    // In brackets, or on lines that end with commas.
    let pattern = r"\binclude\s*\(([^)]*)\)|\binclude\s+([^\n(]*(?:,\s*\n[^\n(]*)*)";
    let Some(include) = regex(pattern) else { return Vec::new() };
    let Some(quoted) = regex(r#"["']:?([\w.:-]+)["']"#) else { return Vec::new() };
    let mut found = Vec::new();
    for hit in include.captures_iter(text) {
        let names = hit.get(1).or(hit.get(2)).map_or("", |names| names.as_str());
        found.extend(quoted.captures_iter(names).map(|name| format!(":{}", &name[1])));
    }
    found
}

/// The plugins of the version catalog, by the name they are accessed with.
fn catalog(finder: &mut Finder<'_>) -> Vec<(String, String)> {
    let Some(catalog) = finder.toml(&finder.root.join("gradle/libs.versions.toml")) else {
        return Vec::new();
    };
    let plugins = catalog.get("plugins").map(|plugins| plugins.node.members()).unwrap_or_default();
    let id = |node: &Node| match node.text() {
        Some(text) => text.split(':').next().map(str::to_owned),
        None => node.get("id")?.node.text().map(str::to_owned),
    };
    let named =
        plugins.iter().filter_map(|plugin| Some((plugin.name.replace(['-', '_'], "."), id(&plugin.node)?)));
    named.collect()
}

/// The text with blanks in place of comments, so that lines stay.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c, chars.peek()) {
            (Some(_), '\\', Some(_)) => {
                out.push(c);
                out.extend(chars.next());
            }
            (Some(mark), _, _) => {
                if c == mark || c == '\n' {
                    quote = None;
                }
                out.push(c);
            }
            (None, '/', Some('/')) => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            (None, '/', Some('*')) => {
                let mut last = ' ';
                for c in chars.by_ref() {
                    if c == '\n' {
                        out.push('\n');
                    }
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            (None, '"' | '\'', _) => {
                quote = Some(c);
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
