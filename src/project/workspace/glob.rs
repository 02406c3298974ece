//! The patterns that say which directories are packages: `packages/*`, `apps/**`, `!**/fixtures/**`.
//!
//! They are matched part by part, so only directories that can lead to a match are read, and what is below
//! `node_modules` never is. As in the package managers `*` and `**` pass over names that begin with a dot, `**` follows no
//! symbolic link, and `packages/**` fits `packages` itself.
//!
//! A pattern with `!` wins wherever it stands, but over a later one without wildcards, as npm has it.

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use globset::{Glob, GlobMatcher};

use super::DEPENDENCIES;

/// Directories read for one workspace. A repository with more is read in part, and that is told.
const MAX_DIRECTORIES: usize = 50_000;

/// What braces may multiply one pattern into.
const MAX_ALTERNATIVES: usize = 256;

/// The patterns of one workspace, in their order.
#[derive(Default)]
pub(super) struct Patterns(Vec<Pattern>);

struct Pattern {
    /// As written.
    text: String,
    line: usize,
    negated: bool,
    /// One list of parts for each choice that braces leave.
    alternatives: Vec<Vec<Part>>,
}

enum Part {
    /// This name, `..` included.
    Name(String),
    /// Any name that fits.
    Fitting(GlobMatcher),
    /// `**`: any number of names, none included.
    Deep,
}

/// What the patterns lead to.
#[derive(Default)]
pub(super) struct Expanded {
    /// Directories, sorted.
    pub(super) directories: BTreeSet<PathBuf>,
    /// Patterns that lead to nothing, with their lines.
    pub(super) empty: Vec<(String, usize)>,
    /// Whether there was more than may be read.
    pub(super) cut: bool,
}

/// One look through the directories.
struct Walk<'a> {
    accept: &'a dyn Fn(&Path) -> bool,
    found: BTreeSet<PathBuf>,
    left: usize,
}

/// What a brace group may be multiplied into, braces resolved.
fn alternatives(text: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(text) = open.pop() {
        match group(&text) {
            Some((before, choices, after)) if done.len() + open.len() + choices.len() <= MAX_ALTERNATIVES => {
                open.extend(choices.iter().rev().map(|choice| format!("{before}{choice}{after}")));
            }
            _ => done.push(text),
        }
    }
    done
}

/// The first brace group with a comma: what stands before it, its choices, what stands after it.
fn group(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    for (start, _) in text.match_indices('{') {
        let (mut depth, mut from, mut choices) = (0_usize, start + 1, Vec::new());
        for (at, byte) in text.bytes().enumerate().skip(start) {
            match byte {
                b'{' => depth += 1,
                b',' if depth == 1 => {
                    choices.push(&text[from..at]);
                    from = at + 1;
                }
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                if choices.is_empty() {
                    break;
                }
                choices.push(&text[from..at]);
                return Some((&text[..start], choices, &text[at + 1..]));
            }
        }
    }
    None
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for name in text.split('/').filter(|name| !matches!(*name, "" | ".")) {
        if name == "**" {
            // Two in a row mean no more than one.
            if !matches!(parts.last(), Some(Part::Deep)) {
                parts.push(Part::Deep);
            }
        } else if ["!(", "@(", "+(", "*(", "?("].iter().any(|group| name.contains(group)) {
            return Err(format!("{name:?} is not understood: write the names in braces, {{a,b}}"));
        } else if name.contains(['*', '?', '[']) {
            let glob = Glob::new(name).map_err(|error| error.kind().to_string())?;
            parts.push(Part::Fitting(glob.compile_matcher()));
        } else if name == ".." && matches!(parts.last(), Some(part) if !part.is_above()) {
            parts.pop();
        } else {
            parts.push(Part::Name(name.to_owned()));
        }
    }
    let leads_out = parts.first().is_some_and(Part::is_above);
    if leads_out && parts.iter().any(|part| !matches!(part, Part::Name(_))) {
        return Err("leads out of the workspace: name the directories there one by one".to_owned());
    }
    Ok(parts)
}

fn fits(parts: &[Part], names: &[&str]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return names.is_empty() };
    if matches!(part, Part::Deep) {
        return fits(rest, names)
            || names.split_first().is_some_and(|(name, names)| is_open(name) && fits(parts, names));
    }
    names.split_first().is_some_and(|(name, names)| part.fits(name) && fits(rest, names))
}

/// Whether `**` goes there.
fn is_open(name: &str) -> bool {
    !name.starts_with('.') && name != DEPENDENCIES
}

fn names(relative: &Path) -> Option<Vec<&str>> {
    let name = |part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    };
    relative.components().map(name).collect()
}

/// The path without its `..`, which the file system is not asked about.
fn resolve(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(resolved.pop()),
            other => resolved.push(other),
        }
    }
    resolved
}

// === impl Patterns ===

impl Patterns {
    /// From what is written in a file, with the lines. Those that cannot be read are left out and told.
    pub(super) fn new(written: &[(String, usize)]) -> (Self, Vec<(usize, String)>) {
        let (mut patterns, mut bad) = (Vec::new(), Vec::new());
        for (text, line) in written {
            let bare = text.trim().trim_start_matches('!');
            let negated = (text.trim().len() - bare.len()) % 2 == 1;
            let slashed = bare.replace('\\', "/");
            let directory = slashed.strip_suffix("/package.json").unwrap_or(&slashed);
            let read: Result<Vec<_>, _> = alternatives(directory).iter().map(|text| parts(text)).collect();
            match read {
                Ok(alternatives) => {
                    patterns.push(Pattern { text: text.clone(), line: *line, negated, alternatives });
                }
                Err(error) => bad.push((*line, error)),
            }
        }
        (Self(patterns), bad)
    }

    /// From directories in which no letter is special.
    pub(super) fn literal(written: &[(String, usize)]) -> Self {
        let pattern = |(text, line): &(String, usize)| {
            let names = text.split('/').filter(|name| !matches!(*name, "" | "."));
            let parts = names.map(|name| Part::Name(name.to_owned())).collect();
            Pattern { text: text.clone(), line: *line, negated: false, alternatives: vec![parts] }
        };
        Self(written.iter().map(pattern).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a directory, relative to the workspace root, is one of those meant.
    pub(super) fn fit(&self, relative: &Path) -> bool {
        let Some(names) = names(relative) else { return false };
        !names.is_empty()
            && !names.contains(&DEPENDENCIES)
            && self.0.iter().any(|pattern| !pattern.negated && pattern.fits(&names))
            && !self.refuses(&names)
    }

    /// The directories below `root` that are meant and accepted.
    pub(super) fn expand(&self, root: &Path, accept: &dyn Fn(&Path) -> bool) -> Expanded {
        let mut expanded = Expanded::default();
        let mut walk = Walk { accept, found: BTreeSet::new(), left: MAX_DIRECTORIES };
        for pattern in self.0.iter().filter(|pattern| !pattern.negated) {
            for parts in &pattern.alternatives {
                walk.go(root, parts);
            }
            let found = std::mem::take(&mut walk.found);
            if found.is_empty() {
                expanded.empty.push((pattern.text.clone(), pattern.line));
            }
            expanded.directories.extend(found);
        }
        expanded.cut = walk.left == 0;
        expanded.directories.remove(root);
        expanded.directories.retain(|directory| {
            let names = directory.strip_prefix(root).ok().and_then(names);
            names.is_none_or(|names| !self.refuses(&names))
        });
        expanded
    }

    fn refuses(&self, names: &[&str]) -> bool {
        let refusing = |(index, pattern): (usize, &Pattern)| {
            let back = || self.0[index..].iter().any(|later| later.is_plain() && later.fits(names));
            pattern.negated && pattern.fits(names) && !back()
        };
        self.0.iter().enumerate().any(refusing)
    }
}

// === impl Pattern ===

impl Pattern {
    fn fits(&self, names: &[&str]) -> bool {
        self.alternatives.iter().any(|parts| fits(parts, names))
    }

    /// Whether it names one directory and takes it in.
    fn is_plain(&self) -> bool {
        let plain = |parts: &Vec<Part>| parts.iter().all(|part| matches!(part, Part::Name(_)));
        !self.negated && self.alternatives.iter().all(plain)
    }
}

// === impl Part ===

impl Part {
    fn is_above(&self) -> bool {
        matches!(self, Self::Name(name) if name == "..")
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            // A dot is fitted by a dot only, as in a shell.
            Self::Fitting(glob) => {
                name != DEPENDENCIES
                    && (!name.starts_with('.') || glob.glob().glob().starts_with('.'))
                    && glob.is_match(name)
            }
            Self::Deep => is_open(name),
        }
    }
}

// === impl Walk ===

impl Walk<'_> {
    fn go(&mut self, directory: &Path, parts: &[Part]) {
        let Some((part, rest)) = parts.split_first() else {
            let directory = resolve(directory);
            if (self.accept)(&directory) {
                self.found.insert(directory);
            }
            return;
        };
        match part {
            Part::Name(name) if name == DEPENDENCIES => {}
            Part::Name(name) => self.go(&directory.join(name), rest),
            Part::Fitting(_) => {
                for (name, _) in self.below(directory) {
                    if part.fits(&name) {
                        self.go(&directory.join(name), rest);
                    }
                }
            }
            Part::Deep => {
                self.go(directory, rest);
                for (name, link) in self.below(directory) {
                    if !link && is_open(&name) {
                        self.go(&directory.join(name), parts);
                    }
                }
            }
        }
    }

    /// The directories in a directory, and whether each is a symbolic link to one.
    fn below(&mut self, directory: &Path) -> Vec<(String, bool)> {
        if self.left == 0 {
            return Vec::new();
        }
        self.left -= 1;
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        let found = entries.flatten().filter_map(|entry| {
            let kind = entry.file_type().ok()?;
            let link = kind.is_symlink();
            let is_directory = kind.is_dir() || link && entry.path().is_dir();
            // A name that is not UTF-8 cannot be written in a pattern or a message.
            is_directory.then(|| Some((entry.file_name().into_string().ok()?, link))).flatten()
        });
        found.collect()
    }
}
