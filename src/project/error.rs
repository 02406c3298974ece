//! What can stand in the way of running something, in the words of the person who asked for it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    detect,
    manager::{AskedBy, PackageManager},
    package_json::FILE_NAME,
};
use crate::config::{PackageManagerName, Place, Problem};

/// How many characters of script names an error lists.
const LISTED: usize = 48;
/// How many characters of a name an error repeats.
const REPEATED: usize = 40;

/// Why a script cannot be run. Files are shown relative to the project root.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// The file is there and cannot be read.
    #[error("{file} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's reason.
        reason: String,
    },
    /// No `package.json` is that large.
    #[error("{file} is larger than 4 MiB: it cannot be a package.json")]
    TooLarge {
        /// The file.
        file: String,
    },
    /// The file holds bytes that are not UTF-8.
    #[error("{file}:{line}: is not UTF-8: save the file as UTF-8")]
    NotUtf8 {
        /// The file.
        file: String,
        /// The line of the first such byte.
        line: usize,
    },
    /// The file holds nothing.
    #[error("{file} is empty: write {{}} into it or remove it")]
    Empty {
        /// The file.
        file: String,
    },
    /// The file is no JSON.
    #[error("{file}:{line}: {message}: {hint}")]
    Malformed {
        /// The file.
        file: String,
        /// Where the parser stopped.
        line: usize,
        /// What it says.
        message: String,
        /// What to do.
        hint: &'static str,
    },
    /// The file is JSON of another kind.
    #[error("{file}:{line}: {what} must be an object, not {found}: {example}")]
    NotAnObject {
        /// The file.
        file: String,
        /// Where the value stands.
        line: usize,
        /// The file as a whole, or `scripts`.
        what: &'static str,
        /// What it is.
        found: &'static str,
        /// What it should look like.
        example: &'static str,
    },
    /// There is no script at all.
    #[error(
        "nothing to run in {}: {}, no command in .brum.toml, nothing of {}\n\
         To add one, write there:\n[scripts.dev]\ncommand = \"npx vite\"\ncwd = \".\"",
        root.display(),
        if *has_package_json { "no scripts in package.json" } else { "no package.json" },
        detect::LOOKED_FOR.join(", ")
    )]
    NothingToRun {
        /// The project.
        root: PathBuf,
        /// Whether there is a `package.json`.
        has_package_json: bool,
    },
    /// No script has that name.
    #[error("no script \"{}\" in {place}{}({})", cut(name), Near(near.as_deref()), List(names))]
    UnknownScript {
        /// The name asked for.
        name: String,
        /// The files that have scripts.
        place: String,
        /// The name that was probably meant.
        near: Option<String>,
        /// The names there are.
        names: Vec<String>,
    },
    /// A script comes after something that is none.
    #[error("{place}: {script} comes after \"{}\", which is no script{}", cut(name), Meant(near.as_deref()))]
    UnknownBefore {
        /// Where that is said.
        place: Place,
        /// The script that waits.
        script: String,
        /// What it would wait for.
        name: String,
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// Scripts wait for each other.
    #[error("{place}: each waits for the next, for ever: {cycle}: remove one of these from its after")]
    Cycle {
        /// Where one of them says so.
        place: Place,
        /// Their names: `a → b → a`.
        cycle: String,
    },
    /// A set has something in it that is no script.
    #[error("{place}: sets.{set}: no script \"{}\"{}", cut(name), Meant(near.as_deref()))]
    UnknownMember {
        /// Where the set is written.
        place: Place,
        /// The set.
        set: String,
        /// What is in it.
        name: String,
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// Sets hold each other.
    #[error("{place}: sets hold each other: {cycle}: remove one of them")]
    SetCycle {
        /// Where one of them is written.
        place: Place,
        /// Their names: `a → b → a`.
        cycle: String,
    },
    /// A word that begins with `-` and is part of no name.
    #[error("unknown option '{}'; those of the script come after --", cut(name))]
    UnknownOption {
        /// The word.
        name: String,
    },
    /// Several scripts answer to that word.
    #[error("\"{}\" could be {}: say which", cut(name), List(names))]
    Ambiguous {
        /// The word.
        name: String,
        /// What it could mean.
        names: Vec<String>,
    },
    /// The package manager is not on PATH.
    #[error("{}", Missing(manager, asked_by))]
    ManagerMissing {
        /// The manager.
        manager: PackageManager,
        /// What asks for it, as it is to be shown.
        asked_by: String,
    },
    /// The program is not on PATH, or not where it should be.
    #[error(
        "{program} is {} ({asked_by} asks for it)",
        if program.contains('/') { "not there, or may not be executed" } else { "not installed" }
    )]
    ProgramMissing {
        /// The program.
        program: String,
        /// The file that defines the script.
        asked_by: String,
    },
    /// It says itself why it cannot be run.
    #[error("{name} cannot be run: {reason}")]
    Refused {
        /// The script.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The working directory set for a script does not exist.
    #[error("{file}:{line}: scripts.{name}.cwd: there is no directory {cwd}: create it or change cwd")]
    CwdMissing {
        /// The file that sets it.
        file: String,
        /// Where.
        line: usize,
        /// The script.
        name: String,
        /// The directory.
        cwd: String,
    },
    /// The directory a file says a script runs in does not exist.
    #[error("{file}:{line}: {name}: there is no directory {directory}")]
    DirectoryMissing {
        /// The file.
        file: String,
        /// The line of the script.
        line: usize,
        /// The script.
        name: String,
        /// The directory.
        directory: String,
    },
    /// The project root is gone.
    #[error("{} is no directory any more", root.display())]
    RootMissing {
        /// The root.
        root: PathBuf,
    },
    /// `!` with nothing after it.
    #[error("no command after !: try !make watch")]
    EmptyCommand,
}

// === impl ProjectError ===

impl ProjectError {
    /// What it says of the `package.json` in `directory`, as a problem of that file.
    pub(super) fn of_package_json(&self, directory: &Path) -> Problem {
        let line = match self {
            Self::NotUtf8 { line, .. } | Self::Malformed { line, .. } | Self::NotAnObject { line, .. } => {
                *line
            }
            _ => 0,
        };
        let text = self.to_string();
        // `package.json:3: …`, `package.json is …`
        let rest = text.trim_start_matches(FILE_NAME);
        let rest = rest.strip_prefix(&format!(":{line}:")).unwrap_or(rest);
        Problem::new(&directory.join(FILE_NAME), line, "", rest.trim_start())
    }

    /// The line of a file that has to be changed, the file relative to the project, for an error that is one of the
    /// project and not of what was asked for.
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::UnknownBefore { place, .. }
            | Self::Cycle { place, .. }
            | Self::UnknownMember { place, .. }
            | Self::SetCycle { place, .. } => Some(place),
            _ => None,
        }
    }
}

/// ` ` or `: did you mean "dev"? `.
struct Near<'a>(Option<&'a str>);

/// Nothing, or ` (did you mean "dev"?)`.
struct Meant<'a>(Option<&'a str>);

/// As many names as fit, and how many more there are.
struct List<'a>(&'a [String]);

struct Missing<'a>(&'a PackageManager, &'a str);

fn cut(name: &str) -> String {
    let line = name.lines().next().unwrap_or_default();
    if line.chars().count() <= REPEATED && line.len() == name.len() {
        return line.to_owned();
    }
    line.chars().take(REPEATED - 1).chain(['…']).collect()
}

// === impl Near ===

impl fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(near) => write!(f, ": did you mean \"{}\"? ", cut(near)),
            None => f.write_str(" "),
        }
    }
}

// === impl Meant ===

impl fmt::Display for Meant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(near) => write!(f, " (did you mean \"{}\"?)", cut(near)),
            None => Ok(()),
        }
    }
}

// === impl List ===

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = LISTED;
        for (index, name) in self.0.iter().enumerate() {
            let name = cut(name);
            let width = name.chars().count() + 2;
            if index > 0 && width > room {
                return write!(f, ", {} more", self.0.len() - index);
            }
            room = room.saturating_sub(width);
            write!(f, "{}{name}", if index > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

// === impl Missing ===

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(PackageManager { name, asked_by, .. }, asker) = self;
        let program = name.as_str();
        // The remedy first: a narrow screen shows the beginning.
        write!(f, "{program} is not installed: ")?;
        match (name, asked_by) {
            (PackageManagerName::Npm, _) => f.write_str("install Node.js")?,
            // Corepack brings the version the field names; a global install would bring another.
            (PackageManagerName::Yarn | PackageManagerName::Pnpm, AskedBy::Field { .. }) => {
                f.write_str("corepack enable")?;
            }
            _ => write!(f, "npm install -g {program}")?,
        }
        match asked_by {
            AskedBy::Nobody => Ok(()),
            _ => write!(f, " ({asker} asks for it)"),
        }
    }
}
