//! `[scripts.NAME]`: settings of one script.
//!
//! Layers meet key by key: a nearer `command` or `cwd` replaces a farther one, `env` is joined by name.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Loaded, Place, Problem, ScriptConfig, Source,
    raw::{RawEntry, RawTable, RawValue},
    setting::quote,
};

const KEYS: [&str; 3] = ["command", "cwd", "env"];

/// Lays the `scripts` table of `file` over `scripts`.
pub(super) fn apply(
    loaded: &mut Loaded,
    scripts: &mut BTreeMap<String, ScriptConfig>,
    file: &Path,
    entry: &RawEntry,
) {
    let RawValue::Table(table) = &entry.value else {
        let message = format!("must be tables, [scripts.NAME], not {}", entry.value);
        loaded.problems.push(Problem::new(file, entry.line, "scripts", message));
        return;
    };
    for entry in &table.entries {
        let mut reader = Reader { loaded, file, key: script_key(&entry.key) };
        match &entry.value {
            RawValue::Table(_) if entry.key.trim().is_empty() => {
                reader.problem(entry.line, "", "a script needs a name".to_owned());
            }
            RawValue::Table(table) => {
                reader.read(table, entry.line, scripts.entry(entry.key.clone()).or_default());
            }
            // The likeliest slip: what would be right in package.json.
            RawValue::Text(_) => {
                reader.problem(
                    entry.line,
                    "",
                    format!("must be a table: {} = {{ command = … }}", reader.key),
                );
            }
            other => reader.problem(entry.line, "", format!("must be a table, not {other}")),
        }
    }
}

/// `scripts.dev`, with the name in quotes where TOML wants them.
pub(super) fn script_key(name: &str) -> String {
    format!("scripts.{}", bare(name))
}

/// `name` as a TOML key.
pub(super) fn bare(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { quote(name) }
}

/// One script's table being read.
struct Reader<'a> {
    loaded: &'a mut Loaded,
    file: &'a Path,
    key: String,
}

// === impl Reader ===

impl Reader<'_> {
    fn read(&mut self, table: &RawTable, line: usize, script: &mut ScriptConfig) {
        // A farther layer's command stays where it was written, unless this one has its own.
        if script.command.is_none() {
            script.place = self.place(line);
        }
        for entry in &table.entries {
            match (entry.key.as_str(), &entry.value) {
                ("command", RawValue::Text(text)) if text.trim().is_empty() || text.contains('\0') => {
                    self.problem(entry.line, "command", "must say what to run".to_owned());
                    script.bad_command = true;
                }
                ("command", RawValue::Text(text)) => {
                    script.command = Some(text.clone());
                    script.place = self.place(entry.line);
                    self.source("command", entry.line);
                }
                ("cwd", RawValue::Text(text)) if !text.is_empty() && !text.contains('\0') => {
                    script.cwd = Some(PathBuf::from(text));
                    script.cwd_place = Some(self.place(entry.line));
                    self.source("cwd", entry.line);
                }
                ("env", RawValue::Table(env)) => self.env(env, script),
                ("command", other) => {
                    self.wrong(entry.line, "command", "text in quotes", other);
                    script.bad_command = true;
                }
                ("cwd", other) => self.wrong(entry.line, "cwd", "a directory in quotes", other),
                ("env", other) => self.wrong(entry.line, "env", "a table: { NAME = \"value\" }", other),
                (unknown, _) => {
                    let near = super::nearest(unknown, KEYS);
                    let hint = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
                    self.problem(entry.line, unknown, format!("unknown key{hint}"));
                }
            }
        }
    }

    fn env(&mut self, env: &RawTable, script: &mut ScriptConfig) {
        for entry in &env.entries {
            let key = format!("env.{}", bare(&entry.key));
            match &entry.value {
                _ if entry.key.is_empty() || entry.key.contains(['=', '\0']) => {
                    self.problem(entry.line, &key, "is not a name a variable can have".to_owned());
                }
                RawValue::Text(value) if value.contains('\0') => {
                    self.problem(entry.line, &key, "must not hold a NUL character".to_owned());
                }
                RawValue::Text(value) => {
                    script.env.insert(entry.key.clone(), value.clone());
                    self.source(&key, entry.line);
                }
                value @ (RawValue::Integer(_) | RawValue::Boolean(_) | RawValue::Other(_)) => {
                    self.problem(entry.line, &key, format!("must be text in quotes: \"{value}\""));
                }
                other => self.wrong(entry.line, &key, "text in quotes", other),
            }
        }
    }

    fn place(&self, line: usize) -> Place {
        Place { file: self.file.to_owned(), line }
    }

    fn source(&mut self, key: &str, line: usize) {
        let source = Source::File(self.place(line));
        self.loaded.sources.insert(format!("{}.{key}", self.key), source);
    }

    fn wrong(&mut self, line: usize, key: &str, wanted: &str, found: &RawValue) {
        self.problem(line, key, format!("must be {wanted}, not {found}"));
    }

    fn problem(&mut self, line: usize, key: &str, message: String) {
        let key = if key.is_empty() { self.key.clone() } else { format!("{}.{key}", self.key) };
        self.loaded.problems.push(Problem::new(self.file, line, key, message));
    }
}
