//! `[scripts.NAME]`: settings of one script.
//!
//! Layers meet key by key, within `restart` and `ready` too: a nearer `command` or `restart.delay` replaces a farther
//! one, `env` is joined by name. The three ways to be ready exclude each other, so a nearer one replaces whichever
//! a farther layer had.

use std::{collections::BTreeMap, path::Path};

use super::{
    Loaded, Place, Problem, ScriptConfig, Source,
    apply::settle,
    changes::Held,
    keys::{self, TableName, Visitor, dotted},
    raw::{RawEntry, RawTable, RawValue},
    script::ReadyConfig,
    setting::{Rule, Setting, quote},
};

/// The keys of a script that are tables of settings.
const TABLES: [&str; 2] = ["restart", "ready"];

/// The keys of `ready` of which there is to be one.
const PROBES: [&str; 3] = ["log", "port", "http"];

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

/// What is left to be said once all layers are in.
pub(super) fn check(loaded: &mut Loaded) {
    for (name, script) in &mut loaded.config.scripts {
        let mut problem = |key: &str, message: &str| {
            let place = script.places.get(key).cloned().unwrap_or_else(|| script.place.clone());
            let key = format!("{}.{key}", script_key(name));
            loaded.problems.push(Problem::new(&place.file, place.line, key, message));
        };
        if script.ready.timeout.is_some() && !script.ready.has_probe() {
            problem("ready.timeout", "waits for nothing: add log, port or http to ready");
        }
        let restart = &script.restart;
        if let (Some(delay), Some(max)) = (restart.delay, restart.max_delay)
            && delay > max
        {
            problem("restart.max_delay", "is less than delay: raise it or remove it; using delay for both");
        }
    }
}

/// One script's table being read.
struct Reader<'a> {
    loaded: &'a mut Loaded,
    file: &'a Path,
    key: String,
}

/// The keys of one script being looked for in one file.
struct ScriptLayer<'a, 'r> {
    reader: &'r mut Reader<'a>,
    root: &'r RawTable,
    table: TableName,
    /// The file's part for `table`, where it has one.
    here: Option<RawTable>,
    /// Every spelling understood so far, with its table.
    known: Vec<(TableName, String)>,
    /// What was set, with its line.
    set: Vec<(String, usize)>,
}

// === impl Reader ===

impl Reader<'_> {
    fn read(&mut self, table: &RawTable, line: usize, script: &mut ScriptConfig) {
        // A farther layer's command stays where it was written, unless this one has its own.
        if script.command.is_none() {
            script.place = self.place(line);
        }
        clear_ready(table, script);
        let mut layer = ScriptLayer {
            reader: self,
            root: table,
            table: "",
            here: None,
            known: vec![("", "env".to_owned()), ("", "restart".to_owned()), ("", "ready".to_owned())],
            set: Vec::new(),
        };
        keys::visit_script(script, &mut layer);
        let ScriptLayer { known, set, .. } = layer;
        script.bad_command |= table.get("command").is_some() && !set.iter().any(|(key, _)| key == "command");
        for (key, line) in set {
            if key == "command" {
                script.place = self.place(line);
            }
            script.places.insert(key, self.place(line));
        }
        self.one_probe(table, script);
        match table.get("env").map(|entry| (&entry.value, entry.line)) {
            None => {}
            Some((RawValue::Table(env), _)) => self.env(env, script),
            Some((other, line)) => {
                self.problem(line, "env", format!("must be a table: {{ NAME = \"value\" }}, not {other}"));
            }
        }
        self.unknown_keys("", table, &known);
    }

    /// Of two probes in one table the first counts.
    fn one_probe(&mut self, table: &RawTable, script: &mut ScriptConfig) {
        let Some(RawValue::Table(here)) = table.get("ready").map(|entry| &entry.value) else { return };
        let mut probes = here.entries.iter().filter(|entry| PROBES.contains(&&*entry.key));
        let Some(first) = probes.next() else { return };
        for other in probes {
            let message = format!("is one too many beside {0}: remove one; keeping {0}", first.key);
            self.problem(other.line, &format!("ready.{}", other.key), message);
            match other.key.as_str() {
                "log" => script.ready.log = None,
                "port" => script.ready.port = None,
                _ => script.ready.http = None,
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
                    let place = self.place(entry.line);
                    self.loaded.sources.insert(format!("{}.{key}", self.key), Source::File(place.clone()));
                    script.places.insert(format!("env.{}", entry.key), place);
                }
                value @ (RawValue::Integer(_) | RawValue::Boolean(_) | RawValue::Other(_)) => {
                    self.problem(entry.line, &key, format!("must be text in quotes: \"{value}\""));
                }
                other => self.problem(entry.line, &key, format!("must be text in quotes, not {other}")),
            }
        }
    }

    /// Reports what no key asked for, in a table and those within it.
    fn unknown_keys(&mut self, table: &str, here: &RawTable, known: &[(TableName, String)]) {
        let names = || known.iter().filter(|(of, _)| *of == table).map(|(_, key)| key.as_str());
        for entry in &here.entries {
            if !names().any(|name| name == entry.key) {
                let near = super::nearest(&entry.key, names());
                let hint = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
                self.problem(entry.line, &dotted(table, &bare(&entry.key)), format!("unknown key{hint}"));
            } else if let RawValue::Table(inner) = &entry.value
                && table.is_empty()
                && TABLES.contains(&&*entry.key)
            {
                self.unknown_keys(&entry.key, inner, known);
            }
        }
    }

    fn place(&self, line: usize) -> Place {
        Place { file: self.file.to_owned(), line }
    }

    fn problem(&mut self, line: usize, key: &str, message: String) {
        let key = if key.is_empty() { self.key.clone() } else { format!("{}.{key}", self.key) };
        self.loaded.problems.push(Problem::new(self.file, line, key, message));
    }
}

/// A probe of this file leaves none of the farther ones; `ready = false` leaves nothing of them.
fn clear_ready(table: &RawTable, script: &mut ScriptConfig) {
    match table.get("ready").map(|entry| &entry.value) {
        Some(RawValue::Boolean(false)) => script.ready = ReadyConfig::default(),
        Some(RawValue::Table(here)) if PROBES.iter().any(|probe| here.get(probe).is_some()) => {
            script.ready = ReadyConfig { timeout: script.ready.timeout, ..ReadyConfig::default() };
        }
        _ => {}
    }
}

// === impl ScriptLayer ===

impl Visitor for ScriptLayer<'_, '_> {
    fn table(&mut self, table: TableName) {
        self.table = table;
        let entry = self.root.get(table);
        self.here = match (table, entry.map(|entry| &entry.value)) {
            ("", _) => Some(self.root.clone()),
            (_, None) | ("ready", Some(RawValue::Boolean(false))) => None,
            (_, Some(RawValue::Table(here))) => Some(here.clone()),
            // The short form of the policy.
            ("restart", Some(value)) => {
                let line = entry.map_or(0, |entry| entry.line);
                Some(RawTable {
                    entries: vec![RawEntry { key: "when".to_owned(), line, value: value.clone() }],
                })
            }
            (_, Some(other)) => {
                let message = format!("must be a table, {{ port = 5432 }}, or false, not {other}");
                self.reader.problem(entry.map_or(0, |entry| entry.line), table, message);
                None
            }
        };
    }

    fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, slot: &mut T) {
        let mut used: Option<String> = None;
        for spelled in T::spellings(key) {
            if let Some(entry) = self.here.as_ref().and_then(|here| here.get(&spelled)) {
                if let Some(used) = &used {
                    let message = format!("says the same as {used}: remove one; keeping {used}");
                    self.reader.problem(entry.line, &dotted(self.table, &spelled), message);
                } else {
                    let source = Source::File(self.reader.place(entry.line));
                    let table = dotted(&self.reader.key, self.table);
                    let table = table.trim_end_matches('.');
                    let to = (&mut *self.reader.loaded, &Held::default());
                    if settle(to, &entry.value, &rule, &spelled, (table, key), source, slot) {
                        self.set.push((dotted(self.table, key), entry.line));
                    }
                    used = Some(spelled.clone());
                }
            }
            self.known.push((self.table, spelled));
        }
    }
}
