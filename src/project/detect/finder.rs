//! What the families share: the directory's entries, reading with bounds, and the list of what was found.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use super::{Detected, toml, verb::Verb};
use crate::{
    config::{PackageManagerName, Problem},
    project::{
        Package, Runner, Script,
        bounded::{self, Refused},
        document::{self, Bad, Node},
        script,
    },
};

/// A file larger than this, in bytes, is something else.
const MAX_BYTES: u64 = 1024 * 1024;
/// How many scripts one family may give.
pub(super) const MAX_SCRIPTS: usize = 1000;
/// How many entries of a directory are looked at.
pub(super) const MAX_ENTRIES: usize = 10_000;
/// How many problems are told.
const MAX_PROBLEMS: usize = 50;
/// How many packages a workspace may have.
const MAX_PACKAGES: usize = 1000;

/// The search of one directory.
pub(super) struct Finder<'a> {
    /// The directory, absolute.
    pub(super) root: &'a Path,
    /// What runs the scripts of `package.json`.
    pub(super) manager: PackageManagerName,
    /// The names in the directory, sorted.
    pub(super) entries: Vec<String>,
    found: Detected,
    /// The labels that are taken.
    taken: HashSet<(Option<String>, String)>,
    /// Where the scripts of this family begin.
    family: usize,
    /// That it has too many has been told.
    full: bool,
}

// === impl Finder ===

impl<'a> Finder<'a> {
    pub(super) fn new(root: &'a Path, manager: PackageManagerName, packages: Vec<Package>) -> Self {
        Self {
            root,
            manager,
            entries: entries(root),
            found: Detected { packages, ..Detected::default() },
            taken: HashSet::new(),
            family: 0,
            full: false,
        }
    }

    pub(super) fn next_family(&mut self) {
        self.family = self.found.scripts.len();
        self.full = false;
    }

    pub(super) fn into_found(self) -> Detected {
        self.found
    }

    /// Whether the directory has an entry of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.binary_search_by(|entry| entry.as_str().cmp(name)).is_ok()
            // Not all of a huge directory was listed.
            || self.entries.len() >= MAX_ENTRIES && self.root.join(name).exists()
    }

    /// The first of these files that is there.
    pub(super) fn first(&self, names: &[&str]) -> Option<PathBuf> {
        names
            .iter()
            .filter(|name| self.has(name))
            .map(|name| self.root.join(name))
            .find(|file| file.is_file())
    }

    /// The files whose name ends so, sorted.
    pub(super) fn ending(&self, ending: &str) -> Vec<PathBuf> {
        let named = self.entries.iter().filter(|name| name.ends_with(ending) && name.len() > ending.len());
        named.map(|name| self.root.join(name)).filter(|file| file.is_file()).collect()
    }

    /// The text of a file; bytes that are not UTF-8 are replaced. `None` where there is none, and, with the problem told, where
    /// it cannot be used.
    pub(super) fn text(&mut self, file: &Path) -> Option<String> {
        match read(file) {
            Ok(text) => text,
            Err(message) => {
                self.problem(file, 0, message);
                None
            }
        }
    }

    pub(super) fn json(&mut self, file: &Path) -> Option<Node> {
        self.parsed(file, document::parse_json)
    }

    pub(super) fn yaml(&mut self, file: &Path) -> Option<Node> {
        self.parsed(file, document::parse_yaml)
    }

    pub(super) fn toml(&mut self, file: &Path) -> Option<Node> {
        self.parsed(file, toml::parse)
    }

    fn parsed(&mut self, file: &Path, parse: fn(&str) -> Result<Node, Bad>) -> Option<Node> {
        let text = self.text(file)?;
        match parse(&text) {
            Ok(node) => Some(node),
            Err(bad) => {
                self.problem(file, bad.line, bad.message);
                None
            }
        }
    }

    /// Tells what is wrong with a file, once.
    pub(super) fn problem(&mut self, file: &Path, line: usize, message: impl Into<String>) {
        let problem = Problem::new(file, line, "", message);
        if self.found.problems.len() < MAX_PROBLEMS && !self.found.problems.contains(&problem) {
            self.found.problems.push(problem);
        }
    }

    /// A program with arguments, called what one would type.
    pub(super) fn tool(
        &self,
        kind: &'static str,
        at: (&Path, usize),
        priority: u8,
        verb: Verb,
        words: &[&str],
    ) -> Script {
        let script = Script {
            runner: Runner::Argv(words.iter().map(|word| (*word).to_owned()).collect()),
            kind,
            priority,
            ..Script::new(words.join(" "), shell_words::join(words), self.root, at.0, at.1)
        };
        verb.mark(script)
    }

    /// A task somebody has named: called `TOOL NAME`, and by its bare name.
    pub(super) fn task(
        &self,
        kind: &'static str,
        at: (&Path, usize),
        priority: u8,
        words: &[&str],
        name: &str,
    ) -> Script {
        let verb = Verb::of(name);
        let words: Vec<&str> = words.iter().copied().chain([name]).collect();
        Script { bare: Some(name.to_owned()), ..self.tool(kind, at, priority + verb.bonus(), verb, &words) }
    }

    /// Adds a script, unless one of that name is there, the family has too many, or nobody could type it.
    pub(super) fn push(&mut self, script: Script) {
        let argv = if let Runner::Argv(argv) = &script.runner { argv.as_slice() } else { &[] };
        let untypable = script.name.trim().is_empty() || script.name.contains(char::is_control);
        if untypable || script.command.contains('\0') || argv.iter().any(|word| word.contains('\0')) {
            return;
        }
        if self.found.scripts.len() - self.family >= MAX_SCRIPTS {
            if !std::mem::replace(&mut self.full, true) {
                let message = format!("has more than {MAX_SCRIPTS} things to run; the rest is left out");
                self.problem(&script.file, script.line, message);
            }
            return;
        }
        if self.taken.insert((script.package.clone(), script.name.clone())) {
            // Words of packages would be of no use: they are asked for with the package's name.
            let bare = script.bare.filter(|_| script.package.is_none());
            self.found.scripts.push(Script { bare, ..script });
        }
    }

    /// Adds a package of a workspace; the name it is given, which may be another than the one wanted: two packages of one
    /// name go by their paths.
    pub(super) fn package(&mut self, name: &str, path: &Path) -> Option<String> {
        if let Some(known) = self.found.packages.iter().find(|known| known.path == path) {
            return Some(known.name.clone());
        }
        if self.found.packages.len() >= MAX_PACKAGES {
            let message = format!("is left out, as further packages are: there are more than {MAX_PACKAGES}");
            if self.found.problems.iter().all(|problem| problem.message != message) {
                self.problem(path, 0, message);
            }
            return None;
        }
        let free =
            |name: &str| !name.is_empty() && self.found.packages.iter().all(|known| known.name != name);
        let relative = path.strip_prefix(self.root).unwrap_or(path).to_string_lossy().into_owned();
        let called = if free(name) { name.to_owned() } else { relative };
        self.found.packages.push(Package {
            name: called.clone(),
            full_name: name.to_owned(),
            path: path.to_owned(),
        });
        Some(called)
    }
}

/// The names in a directory, sorted; those that are not UTF-8 are left out.
pub(super) fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().take(MAX_ENTRIES);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The text of a file, its byte order mark taken off.
pub(super) fn read(file: &Path) -> Result<Option<String>, String> {
    let bytes = match bounded::read(file, MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) | Err(Refused::NotAFile) => return Ok(None),
        Err(Refused::TooLarge) => return Err("is larger than 1 MiB; it is left out".to_owned()),
        Err(Refused::Failed(error)) => return Err(format!("cannot be read: {}", error.kind())),
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

/// `words` run through the program that is there: the project's own wrapper, else the installed one.
pub(super) fn wrapper<'w>(root: &Path, own: &'w str, installed: &'w str) -> Vec<&'w str> {
    let file = root.join(own);
    match () {
        () if script::is_program(&file) => vec![own],
        // Unpacked from an archive, or from a system without such permissions.
        () if file.is_file() => vec!["sh", own],
        () => vec![installed],
    }
}

/// One line of a description, cut where it becomes a text.
pub(super) fn short(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(120).collect())
}
