//! `package.json`: its scripts with their lines, its name, the manager it asks for.

use std::{fs, io, path::Path};

use serde::de::IgnoredAny;

use super::{
    ProjectError,
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
    /// The field `packageManager`, as a string or as it stands, and its line.
    pub(super) package_manager: Option<(String, usize)>,
    pub(super) scripts: Vec<Found>,
    /// Scripts that had to be left out.
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
    let unreadable =
        |error: &io::Error| ProjectError::Unreadable { file: shown(), reason: error.kind().to_string() };
    match fs::metadata(&file) {
        // A link that leads nowhere counts as no file, as it does for the package managers.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(&error)),
        Ok(found) if !found.is_file() => {
            return Err(ProjectError::Unreadable { file: shown(), reason: "not a regular file".to_owned() });
        }
        Ok(found) if found.len() > MAX_BYTES => return Err(ProjectError::TooLarge { file: shown() }),
        Ok(_) => {}
    }
    let bytes = fs::read(&file).map_err(|error| unreadable(&error))?;
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
    let mut package = PackageJson {
        name: json::last(&fields, "name")
            .and_then(|name| json::string(name.value))
            .filter(|name| !name.is_empty()),
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
    Ok(package)
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
    fn add(&mut self, file: &Path, script: &Member<'_>) {
        // "//" is how people write comments in JSON.
        if script.name.starts_with("//") {
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
