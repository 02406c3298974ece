//! From what somebody typed to the scripts that were meant.
//!
//! A name is tried in this order, and the first that fits decides:
//! 1. the package one is in: `dev` in `packages/web` is the `dev` of that package;
//! 2. the scripts of the root: `dev`, `cargo run`;
//! 3. `PACKAGE/SCRIPT`, from everywhere: `web/dev`. The package may also be given by its whole name (`@shop/web/dev`), by
//!    its path (`packages/web/dev`) or the end of it, where that means one package;
//! 4. a word that one script of the root answers to: `web` of a Procfile;
//! 5. the name of a script that only one package has: `storybook`;
//! 6. the command line itself: `./gradlew run`, `docker compose up db`.
//!
//! The name of a set is the set from everywhere, unless a script is called exactly so. What settings say of scripts, sets and
//! `after` means the same from everywhere: 1, 5 and 6 are for what is typed.

use std::path::Path;

use super::{Package, Project, ProjectError, Runner, Script};
use crate::config;

/// No name has more words than this.
const WORDS: usize = 16;
/// How many files an error names.
const PLACES: usize = 3;

// === impl Project ===

impl Project {
    /// The same project for somebody in `directory`: the package that is in has its scripts meant first.
    #[must_use]
    pub fn seen_from(mut self, directory: &Path) -> Self {
        self.here = self.package_at(directory).map(|package| package.name.clone());
        self
    }

    /// The innermost package that a directory, or a file, is in.
    pub fn package_at(&self, path: &Path) -> Option<&Package> {
        let packages = self.packages.iter().filter(|package| path.starts_with(&package.path));
        packages.max_by_key(|package| package.path.components().count())
    }

    /// The script that `name` means to somebody in the package that is [`Project::here`]; see the module.
    pub fn meant(&self, name: &str) -> Option<&Script> {
        let here = self.here.as_deref();
        here.and_then(|here| self.script_of(Some(here), name))
            .or_else(|| self.script(name))
            .or_else(|| only(self.scripts.iter().filter(|script| script.name == name)))
            .or_else(|| {
                let programs = self.scripts.iter().filter(|script| matches!(script.runner, Runner::Argv(_)));
                only(programs.filter(|script| !script.hidden && script.command == name))
            })
    }

    /// The script of that name, wherever one is: as it is shown, or with its package called otherwise, or a word that one
    /// script of the root answers to.
    pub fn script(&self, name: &str) -> Option<&Script> {
        self.script_of(None, name)
            .or_else(|| self.scripts.iter().find(|script| script.is_called(name)))
            .or_else(|| only(self.also_called(name)))
            .or_else(|| only(self.bare(name)))
    }

    pub(super) fn script_of(&self, package: Option<&str>, name: &str) -> Option<&Script> {
        self.scripts.iter().find(|script| script.package.as_deref() == package && script.name == name)
    }

    /// The scripts that words of a command line name, in their order and each once: as many words as possible are one name,
    /// so that `cargo run` needs no quotes and `dev api` are two. A set stands for its scripts.
    pub fn chosen<S: AsRef<str>>(&self, words: &[S]) -> Result<Vec<&Script>, ProjectError> {
        self.require_scripts()?;
        let mut rest = words;
        let mut chosen: Vec<&Script> = Vec::new();
        while let Some(first) = rest.first() {
            let longest = (1..=rest.len().min(WORDS)).rev().find_map(|count| {
                let words: Vec<&str> = rest[..count].iter().map(AsRef::as_ref).collect();
                Some((count, self.named(&words.join(" "))?))
            });
            let (count, scripts) = longest.ok_or_else(|| self.unknown_words(first.as_ref(), rest))?;
            for script in scripts? {
                if !chosen.iter().any(|known| std::ptr::eq(*known, script)) {
                    chosen.push(script);
                }
            }
            rest = &rest[count..];
        }
        Ok(chosen)
    }

    /// The error for words of which not even the first is a name: where it begins one, all of them were meant.
    fn unknown_words<S: AsRef<str>>(&self, first: &str, words: &[S]) -> ProjectError {
        let begins =
            |script: &Script| script.name.strip_prefix(first).is_some_and(|rest| rest.starts_with(' '));
        if !self.listed().any(begins) {
            return self.unknown(first);
        }
        let words: Vec<&str> = words.iter().take(WORDS).map(AsRef::as_ref).collect();
        self.unknown(&words.join(" "))
    }

    /// An error that says what there is instead of `name`.
    pub(super) fn unknown(&self, name: &str) -> ProjectError {
        if name.starts_with('-') {
            return ProjectError::UnknownOption { name: name.to_owned() };
        }
        let elsewhere = self.scripts.iter().filter(|script| script.name == name);
        let several: Vec<String> =
            self.also_called(name).chain(self.bare(name)).chain(elsewhere).map(Script::label).collect();
        if several.len() > 1 {
            return ProjectError::Ambiguous { name: name.to_owned(), names: several };
        }
        // It may well be in the file that cannot be read.
        if let Some(broken) = &self.broken {
            return broken.clone();
        }
        let names: Vec<String> = self.listed().map(Script::label).collect();
        let bare = self.scripts.iter().filter_map(|script| script.bare.as_deref());
        let bare = bare.chain(self.sets.keys().map(String::as_str));
        ProjectError::UnknownScript {
            name: name.to_owned(),
            place: self.places(),
            near: config::nearest(name, names.iter().map(String::as_str).chain(bare))
                .or_else(|| ends_with(&names, name))
                .map(str::to_owned),
            names,
        }
    }

    /// The files the scripts are defined in, as a sentence goes on: `package.json or .brum.toml`.
    fn places(&self) -> String {
        let mut files: Vec<String> = Vec::new();
        for script in &self.scripts {
            let file = script.file.strip_prefix(&self.root).unwrap_or(&script.file).display().to_string();
            if !files.contains(&file) {
                files.push(file);
            }
        }
        match files.as_slice() {
            [] => "package.json".to_owned(),
            [only] => only.clone(),
            [first @ .., last] if first.len() < PLACES => format!("{} or {last}", first.join(", ")),
            [..] => format!("{} and {} more files", files[..PLACES].join(", "), files.len() - PLACES),
        }
    }

    /// The scripts of packages that are meant when the package is called otherwise.
    fn also_called<'a, 'w>(&'a self, name: &'w str) -> impl Iterator<Item = &'a Script> + use<'a, 'w> {
        self.scripts.iter().filter(move |script| {
            let package = name.strip_suffix(script.name.as_str()).and_then(|rest| rest.strip_suffix('/'));
            let own = script.package.as_ref().filter(|_| package.is_some());
            let own = own.and_then(|own| self.packages.iter().find(|known| &known.name == own));
            own.zip(package).is_some_and(|(own, package)| {
                let path = own.path.strip_prefix(&self.root).unwrap_or(&own.path);
                own.full_name == package || path.ends_with(package)
            })
        })
    }

    /// The scripts of the root that answer to a word which is not their name.
    fn bare<'a, 'w>(&'a self, word: &'w str) -> impl Iterator<Item = &'a Script> + use<'a, 'w> {
        self.scripts
            .iter()
            .filter(move |script| script.package.is_none() && script.bare.as_deref() == Some(word))
    }
}

/// The first name whose last word is `word`: `cargo test` for `test`.
fn ends_with<'a>(names: &'a [String], word: &str) -> Option<&'a str> {
    let mut names = names.iter().map(String::as_str);
    names.find(|name| name.strip_suffix(word).is_some_and(|rest| rest.ends_with(' ')))
}

fn only<'a>(mut found: impl Iterator<Item = &'a Script>) -> Option<&'a Script> {
    found.next().filter(|_| found.next().is_none())
}

// === impl Script ===

impl Script {
    /// Whether it is `PACKAGE/SCRIPT`, without putting that together for each of thousands.
    fn is_called(&self, name: &str) -> bool {
        let rest = self.package.as_deref().and_then(|package| name.strip_prefix(package));
        rest.and_then(|rest| rest.strip_prefix('/')) == Some(&self.name)
    }
}
