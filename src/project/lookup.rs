//! From what somebody typed to the scripts that were meant.

use super::{Project, ProjectError, Script};
use crate::config;

/// No name has more words than this.
const WORDS: usize = 16;
/// How many files an error names.
const PLACES: usize = 3;

impl Project {
    /// The script of that name: as it is shown (`dev`, `web/dev`, `cargo run`), with the full name of its package
    /// (`@shop/web/dev`), or, where only one script of the root answers to it, the bare word (`web` of a Procfile).
    pub fn script(&self, name: &str) -> Option<&Script> {
        let called = |script: &&Script| match (&script.package, name.strip_suffix(script.name.as_str())) {
            (None, Some(package)) => package.is_empty(),
            (Some(own), Some(package)) => package.strip_suffix('/').is_some_and(|package| {
                package == own
                    || self.packages.iter().any(|known| &known.name == own && known.full_name == package)
            }),
            (_, None) => false,
        };
        self.scripts.iter().find(called).or_else(|| {
            let mut bare = self.bare(name);
            bare.next().filter(|_| bare.next().is_none())
        })
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
            let (count, scripts) = longest.ok_or_else(|| self.unknown(first.as_ref()))?;
            for script in scripts? {
                if !chosen.iter().any(|known| std::ptr::eq(*known, script)) {
                    chosen.push(script);
                }
            }
            rest = &rest[count..];
        }
        Ok(chosen)
    }

    /// An error that says what there is instead of `name`.
    pub(super) fn unknown(&self, name: &str) -> ProjectError {
        let several: Vec<String> = self.bare(name).map(Script::label).collect();
        if several.len() > 1 {
            return ProjectError::Ambiguous { name: name.to_owned(), names: several };
        }
        let names: Vec<String> = self.scripts.iter().map(Script::label).collect();
        let bare = self.scripts.iter().filter_map(|script| script.bare.as_deref());
        let bare = bare.chain(self.sets.keys().map(String::as_str));
        ProjectError::UnknownScript {
            name: name.to_owned(),
            place: self.places(),
            near: config::nearest(name, names.iter().map(String::as_str).chain(bare)).map(str::to_owned),
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

    /// The scripts of the root that answer to a word which is not their name.
    fn bare<'a, 'w>(&'a self, word: &'w str) -> impl Iterator<Item = &'a Script> + use<'a, 'w> {
        self.scripts
            .iter()
            .filter(move |script| script.package.is_none() && script.bare.as_deref() == Some(word))
    }
}
