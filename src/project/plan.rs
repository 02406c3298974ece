//! From what somebody asked for to everything that has to be started, in start order: sets are put in full, and what a script
//! comes after is put before it.

use std::collections::HashSet;

use super::{PathLookup, Project, ProjectError, Script, command};
use crate::{
    config::{self, Condition, Place, Problem},
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
struct Walk<'a> {
    project: &'a Project,
    /// Scripts in start order.
    order: Vec<&'a Script>,
    /// By address: every script that was looked at.
    known: HashSet<*const Script>,
    /// From where the walk began to where it is.
    path: Vec<&'a Script>,
}

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
            walk.visit(script)?;
        }
        let steps = walk.order.iter().map(|script| {
            let asked = asked.iter().any(|asked| std::ptr::eq(*asked, *script));
            let args = if asked { args } else { &[] };
            let mut info = command::script(self, script, args, path)?;
            for after in &mut info.options.after {
                let before = self.before(script, &after.script)?;
                after.script = before.label();
                after.condition = Some(condition(after.condition, before));
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
            if let Err(error) = walk.visit(script) {
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
    fn visit(&mut self, script: &'a Script) -> Result<(), ProjectError> {
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
        for after in &script.options.after {
            self.visit(self.project.before(script, &after.script)?)?;
        }
        self.path.pop();
        self.order.push(script);
        Ok(())
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::fs;

    use expect_test::{Expect, expect};
    use tempfile::TempDir;

    use super::*;

    /// A project with these settings; every script runs through the shell.
    fn project(settings: &str) -> (TempDir, Project) {
        let dir = TempDir::new().expect("a directory");
        fs::write(dir.path().join(config::FILE_NAME), settings).expect("a file");
        let loaded = config::load(dir.path(), None, &|_| None);
        assert_eq!(loaded.problems, []);
        let project = crate::project::load(dir.path(), &loaded.config);
        (dir, project)
    }

    /// Scripts `a`, `b`, …, with what each comes after.
    fn scripts(after: &[(&str, &str)]) -> String {
        let one = |(name, after): &(&str, &str)| {
            format!("[scripts.{name}]\ncommand = 'run {name}'\nafter = {after}\n")
        };
        after.iter().map(one).collect()
    }

    /// What is started for these words, `+` before what nobody asked for, with the conditions it waits for.
    fn plan(settings: &str, words: &str) -> String {
        let (_dir, project) = project(settings);
        let words: Vec<&str> = words.split(' ').collect();
        let args = ["-x".to_owned()];
        let steps = match project.plan(&words, &args, &PathLookup::default()) {
            Ok(steps) => steps,
            Err(error) => return error.to_string(),
        };
        let one = |step: &Step| {
            let mark = if step.asked { "" } else { "+" };
            assert_eq!(step.info.args.is_empty(), !step.asked, "arguments are for what is named");
            let waits = step.info.options.after.iter().map(|after| match after.condition {
                Some(Condition::Started) => format!(" {}:started", after.script),
                Some(Condition::Ready) => format!(" {}:ready", after.script),
                Some(Condition::ExitedOk) => format!(" {}:exited", after.script),
                None => panic!("it is put in"),
            });
            format!("{mark}{}{}", step.info.label(), waits.collect::<String>())
        };
        steps.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_a_script_comes_after_is_started_before_it() {
        let text = scripts(&[
            ("web", "['api']"),
            ("api", "{ db = 'ready', migrate = 'exited-ok' }"),
            ("migrate", "['db']"),
            ("db", "[]\nready = { port = 5432 }"),
            ("lone", "[]"),
        ]);
        assert_eq!(
            plan(&text, "web"),
            "+db, +migrate db:ready, +api db:ready migrate:exited, web api:started"
        );
        assert_eq!(plan(&text, "lone db"), "lone, db");
        assert_eq!(plan(&text, "migrate db"), "db, migrate db:ready", "what is named was asked for");
        assert_eq!(
            plan(&text, "api migrate lone api"),
            "+db, migrate db:ready, api db:ready migrate:exited, lone"
        );
        let both = scripts(&[("a", "{ c = 'exited-ok' }"), ("b", "{ c = 'started' }"), ("c", "[]")]);
        assert_eq!(plan(&both, "a b"), "+c, a c:exited, b c:started");
    }

    #[test]
    fn a_set_stands_for_its_scripts() {
        let text = scripts(&[("a", "[]"), ("b", "['a']"), ("c", "[]")])
            + "[sets]\nab = ['b', 'a']\nall = ['c', 'ab', 'b']\n";
        assert_eq!(plan(&text, "ab"), "a, b a:started");
        assert_eq!(plan(&text, "all"), "c, a, b a:started");
        assert_eq!(plan(&text, "c ab"), "c, a, b a:started");
    }

    #[test]
    fn the_name_of_a_set_is_the_set_in_every_package() {
        let (dir, mut project) = project(&(scripts(&[("api", "[]")]) + "[sets]\ndev = ['web/dev', 'api']\n"));
        project.scripts.push(Script {
            package: Some("web".to_owned()),
            ..Script::new("dev", "run dev", dir.path(), dir.path().join("web/Procfile"), 1)
        });
        project.here = Some("web".to_owned());
        let labels = |words: &[&str]| -> Vec<String> {
            project.chosen(words).expect("they are there").into_iter().map(Script::label).collect()
        };
        assert_eq!(labels(&["dev"]), ["web/dev", "api"]);
        assert_eq!(labels(&["web/dev"]), ["web/dev"]);
    }

    /// What is told when it is run, and then of the project.
    fn refused(settings: &str, words: &str, expected: &Expect) {
        let (_dir, project) = project(settings);
        let problems: Vec<_> = project.problems.iter().map(|problem| problem.within(&project.root)).collect();
        expected.assert_eq(&format!("{}\n{}\n", plan(settings, words), problems.join("\n")));
    }

    #[test]
    fn what_cannot_be_planned_is_named() {
        refused(
            &scripts(&[("a", "['b']"), ("b", "['c']"), ("c", "['b']"), ("d", "['a']")]),
            "d",
            &expect![[r#"
                .brum.toml:6: each waits for the next, for ever: b → c → b: remove one of these from its after
                .brum.toml:6: each waits for the next, for ever: b → c → b: remove one of these from its after
            "#]],
        );
        refused(
            &scripts(&[("a", "['a']")]),
            "a",
            &expect![[r#"
            .brum.toml:3: each waits for the next, for ever: a → a: remove one of these from its after
            .brum.toml:3: each waits for the next, for ever: a → a: remove one of these from its after
        "#]],
        );
        refused(
            &scripts(&[("api", "['bd']"), ("db", "[]")]),
            "api",
            &expect![[r#"
            .brum.toml:3: api comes after "bd", which is no script (did you mean "db"?)
            .brum.toml:3: api comes after "bd", which is no script (did you mean "db"?)
        "#]],
        );
        let one = scripts(&[("web", "[]")]);
        refused(
            &format!("{one}[sets]\nall = ['web', 'wbe']\n"),
            "all",
            &expect![[r#"
            .brum.toml:5: sets.all: no script "wbe" (did you mean "web"?)
            .brum.toml:5: sets.all: no script "wbe" (did you mean "web"?)
        "#]],
        );
        refused(
            &format!("{one}[sets]\na = ['b']\nb = ['web', 'a']\n"),
            "b",
            &expect![[r#"
                .brum.toml:5: sets hold each other: a → b → a: remove one of them
                .brum.toml:5: sets hold each other: a → b → a: remove one of them
            "#]],
        );
        refused(
            &format!("{one}[sets]\nweb = ['web']\n"),
            "web",
            &expect![[r#"
            web
            .brum.toml:5: sets.web: a script has this name and is run instead: give the set another one
        "#]],
        );
        refused(
            &format!("{one}[sets]\ndev = ['web']\n"),
            "dve",
            &expect![[r#"
            no script "dve" in .brum.toml: did you mean "dev"? (web)

        "#]],
        );
    }

    #[test]
    fn the_list_of_scripts_names_the_sets_that_can_be_run() {
        let (_dir, project) = project(&(scripts(&[("a", "[]")]) + "[sets]\nall = ['a']\na = ['a']\n"));
        assert_eq!(project.to_json()["sets"], serde_json::json!([{ "name": "all", "scripts": ["a"] }]));
    }
}
