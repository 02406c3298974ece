//! Something that can be run by name, and how.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Project, path};
use crate::config::{EnvFiles, Place, RunOptions, ScriptRunner, Source};

/// The priority of what somebody wrote down to be run by name: scripts of `package.json` and `.brum.toml`.
pub(super) const PACKAGE_JSON: u8 = 100;
/// The kind of a command line for the shell.
pub(super) const SHELL: &str = "sh";

/// Whether the file may be executed.
pub(super) fn is_program(file: &Path) -> bool {
    path::is_executable(file)
}

/// Something that can be run by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// Its name, unique in its package: `dev`, `cargo run`, `make test`.
    pub name: String,
    /// The workspace package it belongs to, where it is not the root's: [`super::Package::name`].
    pub package: Option<String>,
    /// What it runs, as written, or as it would be typed.
    pub command: String,
    /// What runs it.
    pub runner: Runner,
    /// Where it runs.
    pub cwd: PathBuf,
    /// The file that defines it.
    pub file: PathBuf,
    /// The line of that file, from 1.
    pub line: usize,
    /// The tool it is for, as pickers show it: `npm`, `cargo`, `make`.
    pub kind: &'static str,
    /// How likely it is to be meant, among the scripts of its package; the highest is shown first.
    pub priority: u8,
    /// What it is for where that is known: `build`, `test`, `run`, or what `tasks.json` calls it.
    pub group: Option<String>,
    /// Whether it is meant to run on, as a server or a watcher.
    pub background: bool,
    /// The word it answers to beside its name, as long as it is the only one: `web` for `procfile web`.
    pub bare: Option<String>,
    /// What it says of itself, one line.
    pub description: Option<String>,
    /// Extra environment, the later wins; with it what env files say and the host's own environment keeps.
    pub env: Vec<Variable>,
    /// How it is run; `after` names labels of the same project.
    pub options: RunOptions,
    /// Whether what it comes after starts one by one, each with all it comes after itself, in this order.
    pub(super) one_by_one: bool,
    /// Whether arguments that are given to it follow a `--`, because its tool would take them for its own.
    pub(super) separator: bool,
    /// Whether lists leave it out: it is a part of another.
    pub hidden: bool,
    /// Why it cannot be run as it is, told when somebody tries.
    pub refused: Option<String>,
    /// Which env files are read for it, where the settings say so of it.
    pub(super) env_files: Option<EnvFiles>,
    /// Where its working directory is set, when it is not the root.
    pub(super) cwd_place: Option<Place>,
    /// Where it is said what it comes after, when that is not where it is defined.
    pub(super) after_place: Option<Place>,
}

/// What runs a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Runner {
    /// The package manager, by the script's name.
    Manager,
    /// The shell, as the package manager would have it run the script.
    Direct,
    /// `/bin/sh`, given the script's command.
    Shell,
    /// A program and its arguments, without a shell. A bare name is looked up along PATH, a relative path starts at the
    /// script's working directory.
    Argv(Vec<String>),
}

/// An environment variable of a script. Its value is never shown; it is empty where the host's own counts instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it is set.
    pub source: Source,
}

// === impl Script ===

impl Script {
    /// A command line for the shell with nothing special about it.
    pub(super) fn new(
        name: impl Into<String>,
        command: impl Into<String>,
        cwd: &Path,
        file: impl Into<PathBuf>,
        line: usize,
    ) -> Self {
        Self {
            name: name.into(),
            package: None,
            command: command.into(),
            runner: Runner::Shell,
            cwd: cwd.to_owned(),
            file: file.into(),
            line,
            kind: SHELL,
            priority: PACKAGE_JSON,
            group: None,
            background: false,
            bare: None,
            description: None,
            env: Vec::new(),
            options: RunOptions::default(),
            one_by_one: false,
            separator: false,
            hidden: false,
            refused: None,
            env_files: None,
            cwd_place: None,
            after_place: None,
        }
    }

    /// Has a script of `package.json` run by its manager, or without. Others are left as they are.
    pub(super) fn run_by(&mut self, runner: ScriptRunner) {
        if matches!(self.runner, Runner::Manager | Runner::Direct) {
            self.runner = match runner {
                ScriptRunner::Manager => Runner::Manager,
                ScriptRunner::Direct => Runner::Direct,
            };
        }
    }

    /// `package/name`, or the bare name: how users and buffers call it.
    pub fn label(&self) -> String {
        match &self.package {
            Some(package) => format!("{package}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The command line as it would be typed: programs are not looked up.
    pub fn argv(&self, project: &Project) -> Vec<String> {
        match &self.runner {
            Runner::Manager => {
                let manager = &project.manager;
                vec![manager.name.as_str().to_owned(), manager.verb().to_owned(), self.name.clone()]
            }
            Runner::Shell | Runner::Direct => {
                vec!["/bin/sh".to_owned(), "-c".to_owned(), self.command.clone()]
            }
            Runner::Argv(argv) => argv.clone(),
        }
    }

    pub(super) fn to_json(&self, project: &Project) -> serde_json::Value {
        let env = self.env.iter().map(
            |variable| json!({ "name": variable.name, "source": variable.source.within(&project.root) }),
        );
        let after = self.options.after.iter().map(|after| after.script.as_str());
        let mut value = json!({
            "name": self.name,
            "command": self.command,
            "cwd": self.cwd,
            "file": self.file,
            "line": self.line,
            "kind": self.kind,
            "argv": self.argv(project),
            "priority": self.priority,
            "background": self.background,
            "env": env.collect::<Vec<_>>(),
            "after": after.collect::<Vec<_>>(),
        });
        let optional = [
            ("package", &self.package),
            ("group", &self.group),
            ("bare", &self.bare),
            ("description", &self.description),
            ("refused", &self.refused),
        ];
        for (key, text) in optional {
            if let Some(text) = text {
                value[key] = text.as_str().into();
            }
        }
        value
    }
}
