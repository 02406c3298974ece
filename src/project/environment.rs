//! Which variables a script gets beside the host's own, and who sets each.
//!
//! The later wins: `.env` and `.env.local` in the script's working directory, the env files it names, the host's own
//! environment, what its file says of it, `[scripts.NAME] env`. What brummer adds itself comes on top when it is started.
//!
//! Scripts of `package.json` read no files unless they are told to: their tools do, by rules of their own. A named file that
//! cannot be read keeps the script from being run; one that nobody named is left out and told.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    rc::Rc,
};

use super::{
    Script, Variable,
    bounded::{self, Refused},
    env_file::{self, Outside},
    package_json,
};
use crate::config::{EnvFiles, Place, Problem, Source};

/// What is read where nobody says anything.
const USUAL: [&str; 2] = [".env", ".env.local"];

/// An env file larger than this is some other file.
const MAX_BYTES: u64 = 1024 * 1024;

/// The host's environment, one variable at a time.
pub(super) type Host<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The env files of a project, each read once.
pub(super) struct Files<'a> {
    root: &'a Path,
    host: Host<'a>,
    texts: HashMap<PathBuf, Rc<Result<Option<String>, String>>>,
    /// What could not be used, each told once.
    pub(super) problems: Vec<Problem>,
}

/// What stands around the lines of one file.
struct Around<'a> {
    host: Host<'a>,
    before: &'a [Variable],
}

// === impl Files ===

impl<'a> Files<'a> {
    pub(super) fn new(root: &'a Path, host: Host<'a>) -> Self {
        Self { root, host, texts: HashMap::new(), problems: Vec::new() }
    }

    /// Puts the variables of the env files beneath those the script has already, and leaves one of each name.
    pub(super) fn lay_beneath(&mut self, script: &mut Script, all: &EnvFiles) {
        let choice = script.env_files.as_ref().unwrap_or(all);
        let own_rules = script.file.file_name().is_some_and(|name| name == package_json::FILE_NAME);
        let usual = match choice {
            EnvFiles::Off => return keep_last(&mut script.env),
            EnvFiles::On => true,
            EnvFiles::Auto | EnvFiles::Named(_) => !own_rules,
        };
        let named: &[PathBuf] = if let EnvFiles::Named(named) = choice { named } else { &[] };
        let mut variables = Vec::new();
        for name in USUAL.iter().filter(|_| usual) {
            let file = script.cwd.join(name);
            match &*self.text(&file) {
                Ok(Some(text)) => self.read(&file, text, &mut variables),
                Ok(None) => {}
                Err(why) => self.tell(Problem::new(&file, 0, "", format!("{why}; it is left out"))),
            }
        }
        for name in named {
            let file = self.root.join(name);
            let text = self.text(&file);
            let why = match &*text {
                Ok(Some(text)) => {
                    self.read(&file, text, &mut variables);
                    continue;
                }
                Ok(None) => "there is no such file: create it or correct env_files",
                Err(why) => why,
            };
            self.tell(Problem::new(&file, 0, "", why));
            script.refused.get_or_insert_with(|| format!("{}: {why}", name.display()));
        }
        for variable in &mut variables {
            if (self.host)(&variable.name).is_some()
                && let Source::File(place) = &variable.source
            {
                variable.source = Source::Inherited(place.clone());
                variable.value.clear();
            }
        }
        variables.append(&mut script.env);
        script.env = variables;
        keep_last(&mut script.env);
    }

    fn read(&mut self, file: &Path, text: &str, variables: &mut Vec<Variable>) {
        let (entries, bad) = env_file::parse(text, &Around { host: self.host, before: variables });
        variables.extend(entries.into_iter().map(|entry| Variable {
            name: entry.name,
            value: entry.value,
            source: Source::File(Place { file: file.to_owned(), line: entry.line }),
        }));
        for bad in bad {
            self.tell(Problem::new(file, bad.line, "", format!("{}; the line is left out", bad.message)));
        }
    }

    fn tell(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn text(&mut self, file: &Path) -> Rc<Result<Option<String>, String>> {
        let known = self.texts.entry(file.to_owned()).or_insert_with(|| Rc::new(text_of(file)));
        Rc::clone(known)
    }
}

/// The text of an env file; `None` when there is none, the error worded for the user.
fn text_of(file: &Path) -> Result<Option<String>, String> {
    let bytes = match bounded::read(file, MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(Refused::NotAFile) => return Err("is not a regular file".to_owned()),
        Err(Refused::TooLarge) => return Err("is larger than 1 MiB".to_owned()),
        Err(Refused::Failed(error)) => return Err(format!("cannot be read: {}", error.kind())),
    };
    String::from_utf8(bytes).map(Some).map_err(|_| "is not UTF-8: save the file as UTF-8".to_owned())
}

/// Of several variables with one name the last counts.
fn keep_last(variables: &mut Vec<Variable>) {
    let mut known = HashSet::new();
    variables.reverse();
    variables.retain(|variable| known.insert(variable.name.clone()));
    variables.reverse();
}

// === impl Around ===

impl Outside for Around<'_> {
    fn over(&self, name: &str) -> Option<String> {
        (self.host)(name)
    }

    fn under(&self, name: &str) -> Option<String> {
        self.before.iter().rev().find(|variable| variable.name == name).map(|variable| variable.value.clone())
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::fs;

    use super::*;

    /// A project with these files; `HOST` is set in the host's environment.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[(&str, &str)]) -> Self {
            let dir = tempfile::TempDir::new().expect("a directory");
            for (name, text) in files {
                let file = dir.path().join(name);
                fs::create_dir_all(file.parent().expect("within the directory")).expect("a directory");
                fs::write(file, text).expect("a file");
            }
            Self(dir)
        }

        /// The variables of a script defined in `file` as `NAME=value source`, then what is told.
        fn read(&self, file: &str, own: Option<EnvFiles>, all: &EnvFiles) -> Vec<String> {
            let root = self.0.path();
            let host = |name: &str| (name == "HOST").then(|| "of the host".to_owned());
            let place = Place { file: root.join(".brum.toml"), line: 9 };
            let set = |name: &str| Variable {
                name: name.to_owned(),
                value: "set".to_owned(),
                source: Source::File(place.clone()),
            };
            let mut script = Script {
                env: vec![set("SET"), set("HOST_SET")],
                env_files: own,
                ..Script::new("dev", "x", &root.join("web"), root.join(file), 1)
            };
            let mut files = Files::new(root, &host);
            // Twice: a file is told of once.
            files.lay_beneath(&mut script.clone(), all);
            files.lay_beneath(&mut script, all);
            let variables = script.env.iter().filter(|variable| variable.name != "HOST_SET");
            variables
                .map(|it| format!("{}={} {}", it.name, it.value, it.source.within(root)))
                .chain(files.problems.iter().map(|problem| problem.within(root)))
                .chain(script.refused)
                .collect()
        }
    }

    #[test]
    fn the_later_wins_and_each_variable_knows_who_set_it() {
        let tree = Tree::new(&[
            ("web/.env", "A=1\nB=1\nC=1\nHOST=no\nSET=no\n"),
            ("web/.env.local", "B=2 # ${A}\nC=${B}${HOST}\n"),
            (".env.more", "C=${C}!\nD=${A}\n"),
        ]);
        let more = EnvFiles::Named(vec![".env.more".into()]);
        assert_eq!(
            tree.read("Makefile", Some(more.clone()), &EnvFiles::Off),
            [
                "A=1 web/.env:1",
                "HOST= environment, over web/.env:4",
                "B=2 web/.env.local:1",
                "C=2of the host! .env.more:1",
                "D=1 .env.more:2",
                "SET=set .brum.toml:9",
            ]
        );
        let names = |file: &str, own: Option<EnvFiles>, all: &EnvFiles| -> String {
            let read = tree.read(file, own, all);
            read.iter().map(|it| it.split('=').next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("Makefile", None, &EnvFiles::Auto), "A HOST B C SET");
        assert_eq!(names("package.json", None, &EnvFiles::Auto), "SET");
        assert_eq!(names("package.json", None, &EnvFiles::On), "A HOST B C SET");
        assert_eq!(names("package.json", Some(more.clone()), &EnvFiles::Auto), "C D SET");
        assert_eq!(names("package.json", None, &more), "C D SET");
        assert_eq!(names("Makefile", Some(EnvFiles::Off), &EnvFiles::On), "SET");
    }

    #[test]
    fn what_cannot_be_read_is_told_once_and_a_named_file_keeps_the_script_from_running() {
        let tree = Tree::new(&[("web/.env", "A=1\nhunter2\n"), ("web/.env.local/x", "")]);
        fs::write(tree.0.path().join("latin"), b"A=\xff").expect("a file");
        let named = EnvFiles::Named(vec!["gone".into(), "latin".into()]);
        assert_eq!(
            tree.read("Makefile", Some(named), &EnvFiles::Auto),
            [
                "A=1 web/.env:1",
                "SET=set .brum.toml:9",
                "web/.env:2: there is no = in it: write NAME=value, or put # before it; the line is left out",
                "web/.env.local: is not a regular file; it is left out",
                "gone: there is no such file: create it or correct env_files",
                "latin: is not UTF-8: save the file as UTF-8",
                "gone: there is no such file: create it or correct env_files",
            ]
        );
    }
}
