//! Makefiles, as GNU make reads them, but without running anything: both branches of every conditional are read, and a
//! target whose name has to be computed is not found.
//!
//! Left out are pattern rules, special targets, names that begin with `_`, and files: a target with a `/` or a `.` in
//! its name that is not declared `.PHONY`.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{
    finder::{self, Finder},
    glob,
};
use crate::project::Script;

/// The one that make takes, the first first.
const FILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];
/// How many files includes may lead to.
const MAX_FILES: usize = 50;

/// A target as written.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Target {
    name: String,
    line: usize,
    help: Option<String>,
}

/// What one file says.
#[derive(Default, Debug)]
struct Makefile {
    targets: Vec<Target>,
    phony: HashSet<String>,
    includes: Vec<String>,
    default: Option<String>,
}

pub(super) fn find(finder: &mut Finder<'_>) {
    let Some(file) = finder.first(&FILES) else { return };
    let mut waiting = vec![file];
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut found: Vec<(PathBuf, Target)> = Vec::new();
    let mut phony = HashSet::new();
    let mut default = None;
    while let Some(file) = waiting.pop() {
        if seen.contains(&file) || seen.len() >= MAX_FILES {
            continue;
        }
        let text = finder.text(&file).unwrap_or_default();
        let makefile = parse(&text);
        default = default.or(makefile.default);
        phony.extend(makefile.phony);
        found.extend(makefile.targets.into_iter().map(|target| (file.clone(), target)));
        let included = makefile.includes.iter().flat_map(|name| glob::expand(finder.root, name));
        let mut included: Vec<PathBuf> = included.collect();
        included.reverse();
        waiting.extend(included);
        seen.push(file);
    }
    let shown = |name: &str| phony.contains(name) || !name.contains(['/', '.']);
    let found: Vec<_> = found.into_iter().filter(|(_, target)| shown(&target.name)).collect();
    let default = default.or_else(|| found.first().map(|(_, target)| target.name.clone()));
    for (file, target) in found {
        let at: (&Path, usize) = (&file, target.line);
        let mut script =
            Script { description: target.help, ..finder.task("make", at, 84, &["make"], &target.name) };
        if default.as_ref() == Some(&target.name) {
            script.priority += 1;
        }
        finder.push(script);
    }
}

fn parse(text: &str) -> Makefile {
    let mut makefile = Makefile::default();
    let mut define = 0_usize;
    let mut help: Option<String> = None;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        // A recipe, whose own continuations begin with a tab or do not matter.
        let recipe = line.starts_with('\t');
        let mut whole = line.to_owned();
        while whole.ends_with('\\') {
            whole.truncate(whole.trim_end_matches(['\\', ' ', '\t']).len());
            let Some((_, next)) = lines.next() else { break };
            whole.push(' ');
            whole.push_str(next.trim_start());
        }
        let word = whole.split_whitespace().next().unwrap_or_default();
        if define > 0 || word == "define" || whole.trim_start().starts_with("override define") {
            define = match word {
                "endef" => define.saturating_sub(1),
                "define" | "override" => define + 1,
                _ => define,
            };
            continue;
        }
        if recipe {
            continue;
        }
        if let Some(comment) = whole.trim_start().strip_prefix("##") {
            help = finder::short(comment.trim_start_matches('#'));
            continue;
        }
        makefile.line(&whole, index + 1, help.take());
    }
    makefile
}

/// The place of the colon that ends the targets; colons inside `$(…)` do not.
fn colon(line: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            b'#' => return None,
            // An assignment.
            b'=' if depth == 0 => return None,
            b':' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether what follows the colon is the value of a variable: `:=`, or one that holds for a target only.
fn assigns(rest: &str) -> bool {
    let rest = rest.trim_start_matches(':').trim_start();
    let Some(at) = rest.find('=') else { return false };
    let before = rest[..at].trim_end_matches(['?', '+', ':', '!']);
    let mut words =
        before.split_whitespace().filter(|word| !matches!(*word, "export" | "override" | "private"));
    let name = words.next().unwrap_or_default();
    words.next().is_none() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

// === impl Makefile ===

impl Makefile {
    fn line(&mut self, line: &str, number: usize, above: Option<String>) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("include" | "-include" | "sinclude") => {
                let names = words.take_while(|word| !word.starts_with('#'));
                self.includes.extend(names.filter(|name| !name.contains('$')).map(str::to_owned));
                return;
            }
            Some(".DEFAULT_GOAL") => {
                let value = line.split_once('=').map(|(_, value)| value.trim());
                self.default = value.filter(|value| !value.contains('$')).map(str::to_owned);
                return;
            }
            _ => {}
        }
        let Some(at) = colon(line) else { return };
        let (names, rest) = line.split_at(at);
        let rest = &rest[1..];
        if assigns(rest) {
            return;
        }
        // A space that belongs to a name; nobody types such names.
        if names.contains('\\') {
            return;
        }
        let names = names.trim_end_matches('&');
        if names.trim() == ".PHONY" {
            let rest = rest.split('#').next().unwrap_or_default();
            self.phony.extend(rest.split_whitespace().map(str::to_owned));
            return;
        }
        let beside = rest.find("##").and_then(|at| finder::short(rest[at..].trim_start_matches('#')));
        let help = beside.or(above);
        for name in names.split_whitespace() {
            let computed = name.contains(['$', '%', '(', ')', '*', '?', '"', '\'', '<', '|', ';']);
            let hidden = name.starts_with(['.', '_', '-']);
            let full = self.targets.len() > finder::MAX_SCRIPTS;
            match self.targets.iter_mut().find(|known| known.name == name) {
                _ if computed || hidden => {}
                Some(known) => known.help = known.help.take().or_else(|| help.clone()),
                None if full => {}
                None => self.targets.push(Target { name: name.to_owned(), line: number, help: help.clone() }),
            }
        }
    }
}
