//! Python: the scripts and tasks of `pyproject.toml` and `Pipfile`, Django, Flask, FastAPI, `main.py`, tests, installing.
//!
//! They run through the tool the project is managed with, as `uv run`; else with the interpreter of its virtual environment;
//! else with `python3`.

mod framework;
mod tables;

use std::path::{Path, PathBuf};

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::project::{Runner, Script, document::Node};

const KIND: &str = "python";

/// Virtual environments, relative to the project.
const ENVIRONMENTS: [&str; 3] = [".venv", "venv", "env"];

/// What runs Python here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manager {
    Uv,
    Poetry,
    Pdm,
    Hatch,
    Pipenv,
    Rye,
    /// None: the virtual environment here, if any.
    Plain(Option<&'static str>),
}

/// The files, read once.
struct Python {
    manager: Manager,
    pyproject: Option<(PathBuf, Node)>,
    /// Everything that may name a dependency, in lower case.
    dependencies: String,
    /// The file the general commands point at.
    file: PathBuf,
}

pub(super) fn find(finder: &mut Finder<'_>) {
    let files = ["pyproject.toml", "setup.py", "setup.cfg", "manage.py", "requirements.txt", "Pipfile"];
    let Some(file) = finder.first(&files) else { return };
    let python = Python::read(finder, file);
    framework::django(finder, &python);
    framework::servers(finder, &python);
    tables::find(finder, &python);
    if let Some(main) = finder.first(&["main.py"]) {
        python.add(finder, (&main, 1), 90, Verb::Run, &["python", "main.py"]);
    }
    let file = python.file.as_path();
    let marks = ["pytest.ini", "conftest.py", "tests/conftest.py"];
    if python.depends("pytest")
        || python.field(&["tool", "pytest"]).is_some()
        || marks.iter().any(|mark| finder.root.join(mark).is_file())
    {
        python.add(finder, (file, 1), 85, Verb::Test, &["python", "-m", "pytest"]);
    } else if finder.has("tests") || finder.has("test") {
        python.add(finder, (file, 1), 84, Verb::Test, &["python", "-m", "unittest"]);
    }
    for (mark, program) in [("tox.ini", "tox"), ("noxfile.py", "nox")] {
        if let Some(mark) = finder.first(&[mark]) {
            python.add(finder, (&mark, 1), 83, Verb::Test, &[program]);
        }
    }
    python.install(finder);
}

// === impl Python ===

impl Python {
    fn read(finder: &mut Finder<'_>, file: PathBuf) -> Self {
        let pyproject = finder.root.join("pyproject.toml");
        let mut dependencies = String::new();
        for name in
            ["requirements.txt", "requirements-dev.txt", "setup.py", "setup.cfg", "Pipfile", "pyproject.toml"]
        {
            if finder.has(name) {
                dependencies += &finder.text(&finder.root.join(name)).unwrap_or_default().to_lowercase();
                dependencies.push('\n');
            }
        }
        let pyproject = finder.has("pyproject.toml").then(|| finder.toml(&pyproject)).flatten();
        let manager = manager(finder, pyproject.as_ref());
        let pyproject = pyproject.map(|node| (finder.root.join("pyproject.toml"), node));
        Self { manager, pyproject, dependencies, file }
    }

    /// A value of `pyproject.toml` by its tables, and its line.
    fn field(&self, path: &[&str]) -> Option<&Node> {
        let (_, root) = self.pyproject.as_ref()?;
        path.iter().try_fold(root, |node, name| Some(&node.get(name)?.node))
    }

    /// Whether a dependency of that name is written down: the whole word, outside of comments.
    fn depends(&self, name: &str) -> bool {
        let inside = |byte: Option<u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        self.dependencies.lines().any(|line| {
            let line = line.split('#').next().unwrap_or_default();
            line.match_indices(name).any(|(at, _)| {
                let before = at.checked_sub(1).and_then(|at| line.as_bytes().get(at).copied());
                !inside(before) && !inside(line.as_bytes().get(at + name.len()).copied())
            })
        })
    }

    /// Adds what one would type with the environment active.
    fn add(&self, finder: &mut Finder<'_>, at: (&Path, usize), priority: u8, verb: Verb, typed: &[&str]) {
        let script = self.script(finder, at, priority, verb, typed);
        finder.push(script);
    }

    fn script(
        &self,
        finder: &Finder<'_>,
        at: (&Path, usize),
        priority: u8,
        verb: Verb,
        typed: &[&str],
    ) -> Script {
        let words = self.manager.argv(finder.root, typed);
        let name = match self.manager.prefix() {
            // As it is typed, where that is the shorter way to say it.
            Some(prefix) if typed[0] != "python" => [prefix, typed].concat().join(" "),
            _ => typed.join(" "),
        };
        let script = finder.tool(KIND, at, priority, verb, typed);
        Script { name, command: shell_words::join(&words), runner: Runner::Argv(words), ..script }
    }

    /// Whether `pyproject.toml` says what to install; some hold settings of linters only.
    fn is_package(&self) -> bool {
        self.field(&["project"]).or(self.field(&["build-system"])).is_some()
    }

    /// What brings the dependencies.
    fn install(&self, finder: &mut Finder<'_>) {
        let requirements = finder.first(&["requirements.txt"]);
        let whole: &[&str] = match self.manager {
            Manager::Uv => &["uv", "sync"],
            Manager::Poetry => &["poetry", "install"],
            Manager::Pdm => &["pdm", "install"],
            Manager::Pipenv => &["pipenv", "install"],
            Manager::Rye => &["rye", "sync"],
            Manager::Hatch => return,
            Manager::Plain(_) => {
                let typed: &[&str] = match requirements {
                    Some(_) => &["python", "-m", "pip", "install", "-r", "requirements.txt"],
                    None if self.is_package() || finder.has("setup.py") => {
                        &["python", "-m", "pip", "install", "-e", "."]
                    }
                    None => return,
                };
                let file = requirements.as_deref().unwrap_or(&self.file);
                return self.add(finder, (file, 1), 80, Verb::Other, typed);
            }
        };
        finder.push(finder.tool(KIND, (&self.file, 1), 80, Verb::Other, whole));
    }
}

/// What the project is managed with: its lock file says it best, then its table in `pyproject.toml`.
fn manager(finder: &Finder<'_>, pyproject: Option<&Node>) -> Manager {
    let tool = |name: &str| pyproject.and_then(|root| root.get("tool")?.node.get(name)).is_some();
    // Its table for building is in many projects that nobody runs hatch in.
    let hatch = || pyproject.and_then(|root| root.get("tool")?.node.get("hatch")?.node.get("envs")).is_some();
    match () {
        () if finder.has("uv.lock") => Manager::Uv,
        () if finder.has("poetry.lock") => Manager::Poetry,
        () if finder.has("pdm.lock") => Manager::Pdm,
        () if finder.has("Pipfile") => Manager::Pipenv,
        () if tool("poetry") => Manager::Poetry,
        () if tool("pdm") => Manager::Pdm,
        () if tool("rye") => Manager::Rye,
        () if tool("uv") => Manager::Uv,
        () if hatch() => Manager::Hatch,
        () => {
            let has = |place: &&str| finder.root.join(place).join("bin/python").exists();
            Manager::Plain(ENVIRONMENTS.into_iter().find(has))
        }
    }
}

// === impl Manager ===

impl Manager {
    /// What stands before a command.
    fn prefix(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Uv => Some(&["uv", "run"]),
            Self::Poetry => Some(&["poetry", "run"]),
            Self::Pdm => Some(&["pdm", "run"]),
            Self::Hatch => Some(&["hatch", "run"]),
            Self::Pipenv => Some(&["pipenv", "run"]),
            Self::Rye => Some(&["rye", "run"]),
            Self::Plain(_) => None,
        }
    }

    /// The command line for what would be typed with the environment active.
    fn argv(self, root: &Path, typed: &[&str]) -> Vec<String> {
        let mut words: Vec<String> = typed.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Plain(Some(environment)) => {
                let program = format!("{environment}/bin/{}", typed[0]);
                // What is not installed in it is looked for along PATH.
                if typed[0] == "python" || root.join(&program).exists() {
                    words[0] = program;
                }
            }
            // Many systems have no `python`.
            Self::Plain(None) if typed[0] == "python" => "python3".clone_into(&mut words[0]),
            Self::Plain(None) => {}
            _ => words
                .splice(0..0, self.prefix().unwrap_or_default().iter().map(|word| (*word).to_owned()))
                .for_each(drop),
        }
        words
    }
}

/// The words of a command, for its description.
fn described(text: &str) -> Option<String> {
    finder::short(text)
}
