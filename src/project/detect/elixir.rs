//! Elixir: mix tasks, Phoenix, the aliases of `mix.exs`, the apps of an umbrella.

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::project::{Runner, Script};

const KIND: &str = "mix";
const FILE: &str = "mix.exs";

pub(super) fn find(finder: &mut Finder<'_>) {
    if !finder.has(FILE) {
        return;
    }
    let file = finder.root.join(FILE);
    let text = finder.text(&file).unwrap_or_default();
    let line = |part: &str| text.lines().position(|line| uncommented(line).contains(part)).map(|at| at + 1);
    let mut phoenix = line("{:phoenix,");
    if let Some(at) = line("apps_path:") {
        for app in finder::entries(&finder.root.join("apps")) {
            let directory = finder.root.join("apps").join(&app);
            let file = directory.join(FILE);
            let Some(text) = finder.text(&file) else { continue };
            phoenix = phoenix.or(text.contains("{:phoenix,").then_some(at));
            let Some(package) = finder.package(&app, &directory) else { continue };
            let script = finder.tool(KIND, (&file, 1), 85, Verb::Test, &["mix", "test"]);
            finder.push(Script { package: Some(package), cwd: directory, ..script });
        }
    }
    let mut add = |line: usize, priority, verb, words: &[&str]| {
        finder.push(finder.tool(KIND, (&file, line), priority, verb, words));
    };
    if let Some(line) = phoenix {
        add(line, 95, Verb::Serve, &["mix", "phx.server"]);
    } else if let Some(line) = line("mod: {") {
        // An application with a supervision tree: without the flag it would end at once.
        add(line, 93, Verb::Serve, &["mix", "run", "--no-halt"]);
    }
    add(1, 90, Verb::Build, &["mix", "compile"]);
    add(1, 85, Verb::Test, &["mix", "test"]);
    add(1, 80, Verb::Other, &["mix", "deps.get"]);
    for (name, line) in aliases(&text) {
        let script = finder.task(KIND, (&file, line), 82, &["mix"], &name);
        // An alias of a task that mix has is the task; it is listed above.
        let runner = Runner::Argv(vec!["mix".to_owned(), name]);
        finder.push(Script { runner, ..script });
    }
}

fn uncommented(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

/// The keys of the list that `aliases` returns, with their lines.
fn aliases(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut depth: Option<usize> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if depth.is_none() {
            let begins = line.starts_with("defp aliases") || line.starts_with("def aliases");
            depth = begins.then_some(0);
            continue;
        }
        if line == "end" && depth == Some(0) {
            break;
        }
        if depth == Some(1) || (depth == Some(0) && line.starts_with('[')) {
            let entry = line.trim_start_matches('[').trim_start();
            found.extend(key(entry).map(|name| (name, index + 1)));
        }
        let mut quoted = false;
        for byte in line.bytes() {
            let now = depth.unwrap_or_default();
            match byte {
                b'"' => quoted = !quoted,
                b'#' if !quoted => break,
                b'[' | b'{' | b'(' if !quoted => depth = Some(now + 1),
                b']' | b'}' | b')' if !quoted => depth = Some(now.saturating_sub(1)),
                _ => {}
            }
        }
    }
    found
}

/// `setup: …`, `"ecto.reset": …`.
fn key(entry: &str) -> Option<String> {
    if let Some(rest) = entry.strip_prefix('"') {
        let (name, rest) = rest.split_once('"')?;
        return rest.starts_with(':').then(|| name.to_owned());
    }
    let (name, rest) = entry.split_once(':')?;
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '?' || c == '!';
    (!name.is_empty() && name.chars().all(plain) && rest.starts_with(' ')).then(|| name.to_owned())
}
