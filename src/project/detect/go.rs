//! Go: `go.mod`, the programs of its directories, the modules of `go.work`.

use std::path::Path;

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::project::Script;

const KIND: &str = "go";

/// How many directories below `cmd` are looked at.
const MAX_COMMANDS: usize = 200;
/// How many files of a directory are looked at for what package it is.
const MAX_FILES: usize = 50;

pub(super) fn find(finder: &mut Finder<'_>) {
    if finder.has("go.mod") {
        module(finder, finder.root.to_owned().as_path(), None);
    }
    let work = finder.root.join("go.work");
    let Some(text) = finder.text(&work) else { return };
    for (directory, _) in used(&text) {
        let path = finder.root.join(directory.trim_start_matches("./"));
        if path == *finder.root || directory == "." || !path.join("go.mod").is_file() {
            continue;
        }
        let name = directory.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let Some(package) = finder.package(name, &path) else { continue };
        module(finder, &path, Some(&package));
    }
}

/// The commands of the module in `directory`.
fn module(finder: &mut Finder<'_>, directory: &Path, package: Option<&str>) {
    let file = directory.join("go.mod");
    let text = finder.text(&file).unwrap_or_default();
    let line = text.lines().position(|line| line.trim_start().starts_with("module")).map_or(1, |at| at + 1);
    let mut add = |file: &Path, line, priority, verb, words: &[&str]| {
        let script = finder.tool(KIND, (file, line), priority, verb, words);
        let package = package.map(str::to_owned);
        finder.push(Script { package, cwd: directory.to_owned(), ..script });
    };
    if let Some(main) = main_file(directory) {
        add(&directory.join(main), 1, 95, Verb::Run, &["go", "run", "."]);
    }
    let commands = directory.join("cmd");
    for name in finder::entries(&commands).iter().take(MAX_COMMANDS) {
        let place = commands.join(name);
        if let Some(main) = main_file(&place) {
            add(&place.join(main), 1, 94, Verb::Run, &["go", "run", &format!("./cmd/{name}")]);
        }
    }
    add(&file, line, 90, Verb::Build, &["go", "build", "./..."]);
    add(&file, line, 85, Verb::Test, &["go", "test", "./..."]);
    add(&file, line, 80, Verb::Other, &["go", "mod", "tidy"]);
}

/// The first file of `directory` that belongs to a program, by name.
fn main_file(directory: &Path) -> Option<String> {
    let sources = finder::entries(directory).into_iter();
    let mut sources: Vec<String> =
        sources.filter(|name| name.ends_with(".go") && !name.ends_with("_test.go")).collect();
    // Where it is mostly found.
    sources.sort_by_key(|name| name != "main.go");
    sources.into_iter().take(MAX_FILES).find(|name| {
        let text = finder::read(&directory.join(name)).ok().flatten().unwrap_or_default();
        is_main(&text)
    })
}

/// Whether a source says `package main` and is not left out of builds.
fn is_main(text: &str) -> bool {
    let mut comment = false;
    for line in text.lines() {
        let line = line.trim();
        if comment {
            comment = !line.contains("*/");
        } else if line.starts_with("//go:build") && line.split_whitespace().any(|word| word == "ignore") {
            return false;
        } else if line.starts_with("/*") {
            comment = !line.contains("*/");
        } else if !line.is_empty() && !line.starts_with("//") {
            let mut words = line.split_whitespace();
            return words.next() == Some("package")
                && words.next().is_some_and(|name| name.trim_end_matches(';') == "main");
        }
    }
    false
}

/// The directories that `use` names, with their lines.
fn used(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut block = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let directory = match line.strip_prefix("use") {
            Some(rest) if rest.trim() == "(" => {
                block = true;
                continue;
            }
            Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim(),
            _ if line == ")" => {
                block = false;
                continue;
            }
            _ if block => line,
            _ => continue,
        };
        let directory = directory.trim_matches(['"', '`']);
        if !directory.is_empty() {
            found.push((directory.to_owned(), index + 1));
        }
    }
    found
}
