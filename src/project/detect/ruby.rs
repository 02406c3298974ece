//! Ruby: Rails, `bin/dev`, rack, RSpec, the tasks of a Rakefile that have a description (as `rake -T` lists them).

use std::path::PathBuf;

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::project::{Runner, Script};

const KIND: &str = "ruby";
const RAKEFILES: [&str; 4] = ["rakefile", "Rakefile", "rakefile.rb", "Rakefile.rb"];

pub(super) fn find(finder: &mut Finder<'_>) {
    let gemfile = finder.first(&["Gemfile", "gems.rb"]);
    let text = gemfile.as_ref().and_then(|file| finder.text(file)).unwrap_or_default();
    let gem = |name: &str| {
        let says = |line: &str| {
            let rest =
                line.trim_start().strip_prefix("gem ").unwrap_or_default().trim_start_matches(['(', ' ']);
            rest.trim_start_matches(['"', '\'']).split(['"', '\'']).next() == Some(name)
        };
        text.lines().position(says).map(|at| at + 1)
    };
    let bundle: &[&str] = if gemfile.is_some() { &["bundle", "exec"] } else { &[] };
    dev(finder);
    let rails = finder.root.join("bin/rails");
    let is_rails =
        rails.is_file() || (gem("rails").is_some() && finder.root.join("config/application.rb").is_file());
    if is_rails {
        let program = if rails.is_file() {
            finder::wrapper(finder.root, "bin/rails", "rails")
        } else {
            [bundle, &["rails"]].concat()
        };
        let at = (gemfile.clone().unwrap_or(rails), gem("rails").unwrap_or(1));
        add(finder, &at, 95, Verb::Serve, &program, &["rails", "server"]);
        if finder.has("test") {
            add(finder, &at, 86, Verb::Test, &program, &["rails", "test"]);
        }
        add(finder, &at, 82, Verb::Other, &program, &["rails", "db:migrate"]);
    } else if let Some(rack) = finder.first(&["config.ru"]) {
        let program = [bundle, &["rackup"]].concat();
        add(finder, &(rack, 1), 93, Verb::Serve, &program, &["rackup"]);
    }
    if let (Some(file), Some(line)) = (&gemfile, gem("jekyll")) {
        let program = [bundle, &["jekyll"]].concat();
        add(finder, &(file.clone(), line), 95, Verb::Serve, &program, &["jekyll", "serve"]);
    }
    let rspec = gem("rspec").or(gem("rspec-rails"));
    if rspec.is_some() || finder.has(".rspec") {
        let at = (gemfile.clone().unwrap_or_else(|| finder.root.join(".rspec")), rspec.unwrap_or(1));
        add(finder, &at, 85, Verb::Test, &[bundle, &["rspec"]].concat(), &["rspec"]);
    }
    if let Some(file) = gemfile {
        finder.push(finder.tool(KIND, (&file, 1), 80, Verb::Other, &["bundle", "install"]));
    }
    rake(finder, &[bundle, &["rake"]].concat());
}

/// The program of the project that starts everything, as Rails writes it.
fn dev(finder: &mut Finder<'_>) {
    let file = finder.root.join("bin/dev");
    if !file.is_file() {
        return;
    }
    let words = finder::wrapper(finder.root, "bin/dev", "bin/dev");
    let script = finder.tool(KIND, (&file, 1), 97, Verb::Serve, &words);
    finder.push(Script { name: "bin/dev".to_owned(), bare: Some("dev".to_owned()), ..script });
}

/// A command called what one would type with everything installed.
fn add(
    finder: &mut Finder<'_>,
    at: &(PathBuf, usize),
    priority: u8,
    verb: Verb,
    program: &[&str],
    name: &[&str],
) {
    let words: Vec<&str> = program.iter().chain(&name[1..]).copied().collect();
    let script = finder.tool(KIND, (&at.0, at.1), priority, verb, &words);
    finder.push(Script { name: name.join(" "), ..script });
}

fn rake(finder: &mut Finder<'_>, program: &[&str]) {
    let mut files: Vec<PathBuf> = finder.first(&RAKEFILES).into_iter().collect();
    if files.is_empty() {
        return;
    }
    for directory in ["lib/tasks", "rakelib"] {
        let place = finder.root.join(directory);
        let names = finder::entries(&place).into_iter().filter(|name| name.ends_with(".rake"));
        files.extend(names.map(|name| place.join(name)));
    }
    for file in files {
        let text = finder.text(&file).unwrap_or_default();
        for (name, line, description) in tasks(&text) {
            let script = finder.task("rake", (&file, line), 84, &["rake"], &name);
            let words: Vec<String> =
                program.iter().copied().chain([name.as_str()]).map(str::to_owned).collect();
            finder.push(Script {
                command: shell_words::join(&words),
                runner: Runner::Argv(words),
                description: Some(description),
                ..script
            });
        }
    }
}

/// Tasks with their descriptions. Where a namespace ends is told by the indentation of its `end`.
fn tasks(text: &str) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    let mut spaces: Vec<(usize, String)> = Vec::new();
    let mut description: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        let (word, rest) = line.split_once([' ', '(']).unwrap_or((line, ""));
        match word {
            "desc" => description = finder::short(rest.trim_matches(['"', '\'', ' ', ')'])),
            "namespace" if rest.trim_end().ends_with("do") => {
                spaces.extend(symbol(rest).map(|name| (indent, name)));
            }
            "task" | "multitask" => {
                let Some(description) = description.take() else { continue };
                let Some(name) = symbol(rest) else { continue };
                let path = spaces.iter().map(|(_, space)| space.as_str()).chain([name.as_str()]);
                found.push((path.collect::<Vec<_>>().join(":"), index + 1, description));
            }
            "end" => spaces.retain(|(at, _)| *at < indent),
            _ => {}
        }
    }
    found
}

/// The name in `:name, …`, `name: …`, `"name" => …`.
fn symbol(text: &str) -> Option<String> {
    let text = text.trim_start();
    let name: String = match text.chars().next()? {
        mark @ ('"' | '\'') => text[1..].split(mark).next()?.to_owned(),
        _ => {
            let plain = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '?' | '!' | '-');
            text.trim_start_matches(':').chars().take_while(plain).collect()
        }
    };
    (!name.is_empty()).then_some(name)
}
