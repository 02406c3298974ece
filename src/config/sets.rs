//! `[sets]`: names for several scripts that are run together. A nearer file replaces a set as a whole.

use std::{collections::BTreeMap, path::Path};

use super::{
    Loaded, Place, Problem, Source,
    raw::{RawEntry, RawValue},
    scripts::bare,
};

/// A set of scripts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SetConfig {
    /// The scripts and further sets in it, as users call them. Never empty.
    pub scripts: Vec<String>,
    /// Where it is written.
    pub place: Place,
}

/// Lays the `sets` table of `file` over `sets`.
pub(super) fn apply(
    loaded: &mut Loaded,
    sets: &mut BTreeMap<String, SetConfig>,
    file: &Path,
    entry: &RawEntry,
) {
    let mut problem = |line: usize, key: &str, message: String| {
        loaded.problems.push(Problem::new(file, line, key, message));
    };
    let RawValue::Table(table) = &entry.value else {
        problem(entry.line, "sets", format!("must be a table, [sets], not {}", entry.value));
        return;
    };
    let mut read = Vec::new();
    for entry in &table.entries {
        let key = set_key(&entry.key);
        if entry.key.trim().is_empty() {
            problem(entry.line, &key, "a set needs a name".to_owned());
            continue;
        }
        match members(&entry.value) {
            Ok(scripts) => {
                let place = Place { file: file.to_owned(), line: entry.line };
                read.push((key, Source::File(place.clone())));
                sets.insert(entry.key.clone(), SetConfig { scripts, place });
            }
            Err(message) => problem(entry.line, &key, message),
        }
    }
    loaded.sources.extend(read);
}

/// `sets.dev`, with the name in quotes where TOML wants them.
pub(super) fn set_key(name: &str) -> String {
    format!("sets.{}", bare(name))
}

fn members(value: &RawValue) -> Result<Vec<String>, String> {
    let wrong = || format!("must be a list of scripts, [\"web\", \"api\"], not {value}");
    let RawValue::List(values) = value else { return Err(wrong()) };
    if values.is_empty() {
        return Err("is empty: name at least one script".to_owned());
    }
    let mut scripts: Vec<String> = Vec::new();
    for value in values {
        match value {
            RawValue::Text(name) if name.trim().is_empty() => {
                return Err("has an empty name: remove it".to_owned());
            }
            RawValue::Text(name) if scripts.contains(name) => {
                return Err(format!("names {name:?} twice: remove one"));
            }
            RawValue::Text(name) => scripts.push(name.clone()),
            other => return Err(format!("must be names in quotes, not {other}")),
        }
    }
    Ok(scripts)
}
