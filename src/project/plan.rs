//! From what somebody asked for to everything that has to be started, in start order: sets are put in full, and what a script
//! comes after is put before it.

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::collections::HashSet;

use super::{PathLookup, Project, ProjectError, Script, command};
use crate::{
    config::{self, After, Condition, Place, Problem},
    event::ProcessInfo,
};

/// One start of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What is started.
    pub info: ProcessInfo,
    /// Somebody asked for it; otherwise it is here because something else comes after it.
    pub asked: bool,
}

/// A walk along `after`, each script once.
///
/// What comes after things one by one puts a gate before all that is met first behind each of them: it waits for the one
/// before, too, in this plan. No circle comes of that: what is before a gate has been walked to its end.
struct Walk<'a> {
    project: &'a Project,
    /// Scripts in start order, each with its gates.
    order: Vec<(&'a Script, Vec<Gate<'a>>)>,
    /// By address: every script that was looked at.
    known: HashSet<*const Script>,
    /// From where the walk began to where it is.
    path: Vec<&'a Script>,
}

/// What a script waits for besides what it comes after.
type Gate<'a> = (&'a Script, Condition);

// === impl Project ===

impl Project {
    /// What has to be started for the scripts and sets that `words` name, in start order. `args` are for what is named,
    /// not for what comes before it.
    pub fn plan<S: AsRef<str>>(
        &self,
        words: &[S],
        args: &[String],
        path: &PathLookup,
    ) -> Result<Vec<Step>, ProjectError> {
        let asked = self.chosen(words)?;
        let mut walk = Walk::new(self);
        for script in &asked {
            walk.visit(script, &[])?;
        }
        let steps = walk.order.iter().map(|(script, gates)| {
            let asked = asked.iter().any(|asked| std::ptr::eq(*asked, *script));
            let args = if asked { args } else { &[] };
            let mut info = command::script(self, script, args, path)?;
            for after in &mut info.options.after {
                let before = self.before(script, &after.script)?;
                after.script = before.label();
                after.condition = Some(condition(after.condition, before));
            }
            for (before, condition) in gates {
                let gate = After { script: before.label(), condition: Some(*condition) };
                if !info.options.after.contains(&gate) {
                    info.options.after.push(gate);
                }
            }
            Ok(Step { info, asked })
        });
        steps.collect()
    }

    /// The scripts that one name stands for: one script, or those of a set. A set's name is the set's wherever one is; only
    /// a script of exactly that label is meant before it. `None` when nothing has that name.
    pub(super) fn named(&self, name: &str) -> Option<Result<Vec<&Script>, ProjectError>> {
        let Some((name, _)) = self.sets.get_key_value(name).filter(|_| !self.has_label(name)) else {
            return self.meant(name).map(|script| Ok(vec![script]));
        };
        let mut scripts = Vec::new();
        Some(self.members(name, &mut Vec::new(), &mut scripts).map(|()| scripts))
    }

    /// Whether a script is called exactly so.
    pub(super) fn has_label(&self, label: &str) -> bool {
        self.scripts.iter().any(|script| script.label() == label)
    }

    /// Adds the scripts of a set, those of the sets in it too.
    fn members<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        scripts: &mut Vec<&'a Script>,
    ) -> Result<(), ProjectError> {
        let Some(set) = self.sets.get(name) else { return Ok(()) };
        if let Some(at) = path.iter().position(|known| *known == name) {
            let (first, cycle) = cycle(&path[at..]);
            let place = self.sets.get(*first).map(|set| self.shown(&set.place)).unwrap_or_default();
            return Err(ProjectError::SetCycle { place, cycle });
        }
        path.push(name);
        for member in &set.scripts {
            let is_set = self.sets.contains_key(member) && !self.has_label(member);
            if let Some(script) = self.script(member).filter(|_| !is_set) {
                if !scripts.iter().any(|known| std::ptr::eq(*known, script)) {
                    scripts.push(script);
                }
            } else if is_set {
                self.members(member, path, scripts)?;
            } else {
                return Err(ProjectError::UnknownMember {
                    place: self.shown(&set.place),
                    set: name.to_owned(),
                    name: member.clone(),
                    near: self.near(member),
                });
            }
        }
        path.pop();
        Ok(())
    }

    /// The script that `script` comes after by that label: of its own package first.
    fn before(&self, script: &Script, label: &str) -> Result<&Script, ProjectError> {
        let own = script.package.as_deref().and_then(|package| self.script_of(Some(package), label));
        own.or_else(|| self.script(label)).ok_or_else(|| ProjectError::UnknownBefore {
            place: self.shown(&after_place(script)),
            script: script.label(),
            name: label.to_owned(),
            near: self.near(label),
        })
    }

    fn near(&self, name: &str) -> Option<String> {
        let labels: Vec<_> = self.scripts.iter().map(Script::label).collect();
        let all = labels.iter().map(String::as_str).chain(self.sets.keys().map(String::as_str));
        config::nearest(name, all).map(str::to_owned)
    }

    fn shown(&self, place: &Place) -> Place {
        let file = place.file.strip_prefix(&self.root).unwrap_or(&place.file);
        Place { file: file.to_owned(), line: place.line }
    }

    /// Tells what stands in the way of sets and of scripts that come after others, before anybody runs them.
    pub(super) fn check_plans(&mut self) {
        let mut problems = Vec::new();
        for (name, set) in &self.sets {
            let key = format!("sets.{name}");
            if self.has_label(name) {
                let message = "a script has this name and is run instead: give the set another one";
                problems.push(Problem::new(&set.place.file, set.place.line, key, message));
            } else if let Err(error) = self.members(name, &mut Vec::new(), &mut Vec::new()) {
                problems.extend(self.problem(&error));
            }
        }
        let mut walk = Walk::new(self);
        for script in &self.scripts {
            if let Err(error) = walk.visit(script, &[]) {
                problems.extend(self.problem(&error));
                walk.path.clear();
            }
        }
        for problem in problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// The error as a problem, at its own place.
    fn problem(&self, error: &ProjectError) -> Option<Problem> {
        let place = error.place()?;
        let text = error.to_string();
        let message = text.strip_prefix(&format!("{place}: ")).unwrap_or(&text);
        Some(Problem::new(&self.root.join(&place.file), place.line, "", message))
    }
}

/// The names of a cycle, `a → b → a`, and the one it is told from: the first by name, so that it is told alike from
/// wherever it is met.
fn cycle<T: AsRef<str> + Ord>(names: &[T]) -> (&T, String) {
    let first = (0..names.len()).min_by_key(|at| &names[*at]).unwrap_or_default();
    let around = names[first..].iter().chain(&names[..=first]).map(AsRef::as_ref);
    (&names[first], around.collect::<Vec<_>>().join(" → "))
}

/// Where it is said what a script comes after.
fn after_place(script: &Script) -> Place {
    let own = || Place { file: script.file.clone(), line: script.line };
    script.after_place.clone().unwrap_or_else(own)
}

/// What has to be true of `before`, where it is not said.
fn condition(said: Option<Condition>, before: &Script) -> Condition {
    said.unwrap_or(if before.options.ready.is_some() { Condition::Ready } else { Condition::Started })
}

// === impl Walk ===

impl<'a> Walk<'a> {
    fn new(project: &'a Project) -> Self {
        Self { project, order: Vec::new(), known: HashSet::new(), path: Vec::new() }
    }

    /// Puts `script` into the order, and before it all it comes after.
    fn visit(&mut self, script: &'a Script, gates: &[Gate<'a>]) -> Result<(), ProjectError> {
        if let Some(at) = self.path.iter().position(|known| std::ptr::eq(*known, script)) {
            let labels: Vec<_> = self.path[at..].iter().map(|script| script.label()).collect();
            let (first, cycle) = cycle(&labels);
            let first = self.path[at..].iter().find(|script| script.label() == *first).unwrap_or(&script);
            return Err(ProjectError::Cycle { place: self.project.shown(&after_place(first)), cycle });
        }
        if !self.known.insert(std::ptr::from_ref(script)) {
            return Ok(());
        }
        self.path.push(script);
        let mut inner = gates.to_vec();
        for after in &script.options.after {
            let before = self.project.before(script, &after.script)?;
            self.visit(before, &inner)?;
            if script.one_by_one {
                inner.push((before, condition(after.condition, before)));
            }
        }
        self.path.pop();
        self.order.push((script, gates.to_vec()));
        Ok(())
    }
}
