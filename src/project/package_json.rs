//! `package.json`: its scripts with their lines, its name, the manager it asks for, the workspace it makes.

use std::path::Path;

use serde::de::IgnoredAny;

use super::{
    ProjectError,
    bounded::{self, Refused},
    json::{self, Member},
};
use crate::config::Problem;

pub(super) const FILE_NAME: &str = "package.json";

/// A file larger than this is something else.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// What the file says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct PackageJson {
    pub(super) name: Option<String>,
    /// The line of the name; 1 without one.
    pub(super) name_line: usize,
    /// The field `packageManager`, as a string or as it stands, and its line.
    pub(super) package_manager: Option<(String, usize)>,
    /// The names in `devEngines.packageManager`, with their lines.
    pub(super) dev_engines: Vec<(String, usize)>,
    /// The programs that `engines` asks for, with their lines.
    pub(super) engines: Vec<(String, usize)>,
    /// The patterns of `workspaces`, with their lines.
    pub(super) workspaces: Option<Vec<(String, usize)>>,
    /// The line of the dependency that makes it an Electron app.
    pub(super) electron: Option<usize>,
    /// What `module`, else `main` names, and its line: where the program begins.
    pub(super) entry: Option<(String, usize)>,
    /// The targets it tells Nx of, with their lines.
    pub(super) nx_targets: Vec<(String, usize)>,
    pub(super) scripts: Vec<Found>,
    /// Scripts and patterns that had to be left out.
    pub(super) problems: Vec<Problem>,
}

/// A script of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) command: String,
    pub(super) line: usize,
}

/// Reads the file in `directory`; `None` when there is none.
pub(super) fn read(directory: &Path) -> Result<Option<PackageJson>, ProjectError> {
    let file = directory.join(FILE_NAME);
    let shown = || FILE_NAME.to_owned();
    let unreadable = |reason| ProjectError::Unreadable { file: shown(), reason };
    let bytes = match bounded::read(&file, MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        // A link that leads nowhere counts as no file, as it does for the package managers.
        Ok(None) => return Ok(None),
        Err(Refused::NotAFile) => return Err(unreadable("not a regular file".to_owned())),
        Err(Refused::TooLarge) => return Err(ProjectError::TooLarge { file: shown() }),
        Err(Refused::Failed(error)) => return Err(unreadable(error.kind().to_string())),
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        ProjectError::NotUtf8 { file: shown(), line: memchr::memchr_iter(b'\n', good).count() + 1 }
    })?;
    parse(&file, &text).map(Some)
}

fn parse(file: &Path, text: &str) -> Result<PackageJson, ProjectError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(ProjectError::Empty { file: FILE_NAME.to_owned() });
    }
    if serde_json::from_str::<IgnoredAny>(text).is_err()
        // Building the value finds better words for what is wrong.
        && let Err(error) = serde_json::from_str::<serde_json::Value>(text)
    {
        return Err(malformed(text, &error));
    }
    let fields = json::members(text, 1).ok_or_else(|| ProjectError::NotAnObject {
        file: FILE_NAME.to_owned(),
        line: 1,
        what: "the file",
        found: json::kind(text.trim_start()),
        example: "{ \"scripts\": { … } }",
    })?;
    let name = json::last(&fields, "name");
    let mut package = PackageJson {
        name: name.and_then(|name| json::string(name.value)).filter(|name| !name.is_empty()),
        name_line: name.map_or(1, |name| name.line),
        electron: electron(&fields),
        entry: ["module", "main"].into_iter().find_map(|field| {
            let field = json::last(&fields, field)?;
            Some((json::string(field.value)?, field.line))
        }),
        engines: engines(&fields),
        dev_engines: dev_engines(&fields).unwrap_or_default(),
        nx_targets: nx_targets(&fields).unwrap_or_default(),
        package_manager: json::last(&fields, "packageManager")
            .map(|field| (json::string(field.value).unwrap_or_else(|| field.value.to_owned()), field.line)),
        ..PackageJson::default()
    };
    if let Some(field) = json::last(&fields, "scripts") {
        let scripts =
            json::members(field.value, field.value_line).ok_or_else(|| ProjectError::NotAnObject {
                file: FILE_NAME.to_owned(),
                line: field.line,
                what: "scripts",
                found: json::kind(field.value),
                example: "{ \"dev\": \"vite\" }",
            })?;
        for script in &scripts {
            package.add(file, script);
        }
    }
    if let Some(field) = json::last(&fields, "workspaces") {
        package.read_workspaces(file, field);
    }
    Ok(package)
}

/// The dependencies whose presence means that the package is an Electron app.
const ELECTRON: [&str; 4] = ["electron", "electron-builder", "electron-packager", "@electron/packager"];

fn electron(fields: &[Member<'_>]) -> Option<usize> {
    ["dependencies", "devDependencies"].into_iter().find_map(|field| {
        let field = json::last(fields, field)?;
        let dependencies = json::members(field.value, field.value_line)?;
        ELECTRON.iter().find_map(|name| json::last(&dependencies, name)).map(|dependency| dependency.line)
    })
}

/// What `engines` asks for: `"npm": "please-use-yarn"` asks for nothing.
fn engines(fields: &[Member<'_>]) -> Vec<(String, usize)> {
    let members =
        json::last(fields, "engines").and_then(|field| json::members(field.value, field.value_line));
    let is_range = |value: &str| {
        let range = json::string(value).unwrap_or_else(|| "no range".to_owned());
        range.trim().chars().next().is_none_or(|first| first.is_ascii_digit() || "^~<>=v*xX|".contains(first))
    };
    let members = members.unwrap_or_default().into_iter().filter(|member| is_range(member.value));
    members.map(|member| (member.name, member.line)).collect()
}

/// `devEngines.packageManager`: one `{ name, version, onFail }`, or a list of them.
fn dev_engines(fields: &[Member<'_>]) -> Option<Vec<(String, usize)>> {
    let field = json::last(fields, "devEngines")?;
    let members = json::members(field.value, field.value_line)?;
    let field = json::last(&members, "packageManager")?;
    let entries = json::elements(field.value, field.value_line)
        .unwrap_or_else(|| vec![(field.value, field.value_line)]);
    let name = |(value, line): (&str, usize)| {
        let members = json::members(value, line)?;
        let name = json::last(&members, "name")?;
        Some((json::string(name.value)?, name.line))
    };
    Some(entries.into_iter().filter_map(name).collect())
}

fn nx_targets(fields: &[Member<'_>]) -> Option<Vec<(String, usize)>> {
    let field = json::last(fields, "nx")?;
    let members = json::members(field.value, field.value_line)?;
    let field = json::last(&members, "targets")?;
    let targets = json::members(field.value, field.value_line)?;
    Some(targets.into_iter().map(|target| (target.name, target.line)).collect())
}

fn malformed(text: &str, error: &serde_json::Error) -> ProjectError {
    let full = error.to_string();
    let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message).to_owned();
    let line = error.line().max(1);
    let there = text.lines().nth(line - 1).unwrap_or_default();
    let rest = there.get(error.column().saturating_sub(1)..).unwrap_or_default();
    if error.is_eof() {
        let (message, hint) = ("the file ends too early".to_owned(), "close what is open");
        return ProjectError::Malformed { file: FILE_NAME.to_owned(), line, message, hint };
    }
    let hint = match () {
        () if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| there.starts_with(mark)) => {
            "resolve the merge conflict there"
        }
        () if rest.starts_with("//") || rest.starts_with("/*") => "comments are not allowed, remove it",
        () => "correct the JSON there",
    };
    ProjectError::Malformed { file: FILE_NAME.to_owned(), line, message, hint }
}

// === impl PackageJson ===

impl PackageJson {
    /// A list of patterns, or an object that has one as `packages`.
    fn read_workspaces(&mut self, file: &Path, field: &Member<'_>) {
        let members = json::members(field.value, field.value_line);
        let (value, line) = match members.as_deref().map(|members| json::last(members, "packages")) {
            Some(Some(packages)) => (packages.value, packages.value_line),
            // Yarn's `nohoist` alone makes no workspace.
            Some(None) => return,
            None => (field.value, field.value_line),
        };
        let Some(elements) = json::elements(value, line) else {
            let message = format!("must be a list of directories, not {}; it is ignored", json::kind(value));
            self.problems.push(Problem::new(file, line, "workspaces", message));
            return;
        };
        let mut patterns = Vec::new();
        for (value, line) in elements {
            match json::string(value) {
                Some(pattern) => patterns.push((pattern, line)),
                None => {
                    let message = format!("must hold strings, not {}; it is left out", json::kind(value));
                    self.problems.push(Problem::new(file, line, "workspaces", message));
                }
            }
        }
        self.workspaces = Some(patterns);
    }

    fn add(&mut self, file: &Path, script: &Member<'_>) {
        // "//" is how people write comments in JSON.
        if script.name.starts_with("//") {
            return;
        }
        if script.name.is_empty() || script.name.contains(char::is_control) {
            let message = format!("{:?} cannot be typed as a name; it is left out", script.name);
            self.problems.push(Problem::new(file, script.line, "scripts", message));
            return;
        }
        // Of two with one name the last counts, as it does for the package managers.
        let twin = self.scripts.iter().position(|found| found.name == script.name);
        let Some(command) = json::string(script.value) else {
            let message = format!("must be a string, not {}; it is left out", json::kind(script.value));
            let key = format!("scripts.{}", script.name);
            self.problems.push(Problem::new(file, script.line, key, message));
            if let Some(twin) = twin {
                self.scripts.remove(twin);
            }
            return;
        };
        let found = Found { name: script.name.clone(), command, line: script.line };
        match twin {
            Some(twin) => self.scripts[twin] = found,
            None => self.scripts.push(found),
        }
    }
}
