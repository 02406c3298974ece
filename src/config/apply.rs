//! Lays one layer over those below it: a file, then the environment.
//!
//! A value that cannot be used leaves the one below in place, or, in a program that runs, the one in force; the problem
//! says which that is.

use std::path::Path;

use super::{
    Loaded, Place, Problem, Source,
    changes::Held,
    keys::{self, RETIRED, TableName, Visitor, dotted},
    raw::{RawEntry, RawTable, RawValue},
    scripts, sets,
    setting::{Rule, Setting},
};

/// The tables whose keys are names of the user's; each is read by a file of its own.
const NAMED: [&str; 2] = ["scripts", "sets"];

/// Lays `file` over what is there.
pub(super) fn file(loaded: &mut Loaded, file: &Path, root: &RawTable, held: &Held) {
    let mut config = std::mem::take(&mut loaded.config);
    let first = loaded.problems.len();
    let mut layer = FileLayer { loaded, file, root, held, table: "", here: Some(root), known: Vec::new() };
    keys::visit(&mut config, &mut layer);
    layer.unknown_keys();
    if let Some(entry) = root.get("scripts") {
        scripts::apply(loaded, &mut config.scripts, file, entry);
    }
    if let Some(entry) = root.get("sets") {
        sets::apply(loaded, &mut config.sets, file, entry);
    }
    loaded.problems[first..].sort_by_key(|problem| problem.line);
    loaded.config = config;
}

/// Lays the `BRUMMER_*` variables over what is there: `BRUMMER_MCP_PORT`, `BRUMMER_EVENTBUS_QUEUE_SIZES`. An
/// empty variable counts as unset.
pub(super) fn environment(loaded: &mut Loaded, env: &dyn Fn(&str) -> Option<String>, held: &Held) {
    let mut config = std::mem::take(&mut loaded.config);
    keys::visit(&mut config, &mut EnvLayer { loaded, env, held, table: "" });
    loaded.config = config;
}

/// A file being laid over the layers below.
struct FileLayer<'a> {
    loaded: &'a mut Loaded,
    file: &'a Path,
    root: &'a RawTable,
    held: &'a Held,
    table: TableName,
    /// The file's part for `table`, where it has one.
    here: Option<&'a RawTable>,
    /// Every spelling understood so far, with its table.
    known: Vec<(TableName, String)>,
}

struct EnvLayer<'a> {
    loaded: &'a mut Loaded,
    env: &'a dyn Fn(&str) -> Option<String>,
    held: &'a Held,
    table: TableName,
}

/// Reads `raw` into `slot`, or says what is wrong and what is used instead. Whether it could be used.
pub(super) fn settle<T: Setting>(
    (loaded, held): (&mut Loaded, &Held),
    raw: &RawValue,
    rule: &Rule,
    spelled: &str,
    key: (&str, &str),
    source: Source,
    slot: &mut T,
) -> bool {
    match T::read(raw, rule, spelled) {
        Ok(value) => {
            *slot = value;
            loaded.sources.insert(dotted(key.0, key.1), source);
            true
        }
        Err(error) => {
            if let Some(value) = held.get::<T>(&dotted(key.0, key.1)) {
                slot.clone_from(value);
            }
            let kept = slot.show(key.1).map(|kept| format!("; keeping {kept}")).unwrap_or_default();
            loaded.problems.push(Problem::with(&source, &dotted(key.0, spelled), error + &kept));
            false
        }
    }
}

fn spellings<T: Setting>(key: &'static str, rule: &Rule) -> Vec<String> {
    let mut spellings = T::spellings(key);
    spellings.extend(rule.alias.map(str::to_owned));
    spellings
}

// === impl FileLayer ===

impl Visitor for FileLayer<'_> {
    fn table(&mut self, table: TableName) {
        self.table = table;
        self.here = match self.root.get(table).map(|entry| (&entry.value, entry.line)) {
            _ if table.is_empty() => Some(self.root),
            Some((RawValue::Table(here), _)) => Some(here),
            Some((other, line)) => {
                self.problem(line, table, format!("must be a table, [{table}], not {other}"));
                None
            }
            None => None,
        };
    }

    fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, slot: &mut T) {
        let mut used: Option<String> = None;
        for spelled in spellings::<T>(key, &rule) {
            if let Some(entry) = self.here.and_then(|here| here.get(&spelled)) {
                if let Some(used) = &used {
                    let message = format!("says the same as {used}: remove one; keeping {used}");
                    self.problem(entry.line, &dotted(self.table, &spelled), message);
                } else {
                    let place = Place { file: self.file.to_owned(), line: entry.line };
                    let source = Source::File(place);
                    let to = (&mut *self.loaded, self.held);
                    settle(to, &entry.value, &rule, &spelled, (self.table, key), source, slot);
                    used = Some(spelled.clone());
                }
            }
            self.known.push((self.table, spelled));
        }
    }
}

impl FileLayer<'_> {
    fn problem(&mut self, line: usize, key: &str, message: impl Into<String>) {
        self.loaded.problems.push(Problem::new(self.file, line, key, message));
    }

    /// Reports what no setting asked for.
    fn unknown_keys(&mut self) {
        let known = std::mem::take(&mut self.known);
        let mut tables: Vec<&str> = known.iter().map(|(table, _)| *table).collect();
        tables.dedup();
        let mut top: Vec<&str> = tables.iter().copied().filter(|table| !table.is_empty()).collect();
        top.extend(NAMED);

        for entry in &self.root.entries {
            if top.contains(&entry.key.as_str()) {
                if let RawValue::Table(table) = &entry.value {
                    for inner in table.entries.iter().filter(|_| !NAMED.contains(&&*entry.key)) {
                        self.unknown_key(&entry.key, inner, &known, &[]);
                    }
                }
            } else if let Some((_, why)) = RETIRED.iter().find(|(key, _)| *key == entry.key) {
                self.problem(entry.line, &entry.key, *why);
            } else {
                self.unknown_key("", entry, &known, &top);
            }
        }
    }

    fn unknown_key(&mut self, table: &str, entry: &RawEntry, known: &[(TableName, String)], also: &[&str]) {
        let here = |other: &&(TableName, String)| other.0 == table;
        if known.iter().filter(here).any(|(_, key)| *key == entry.key) {
            return;
        }
        let what = if matches!(entry.value, RawValue::Table(_)) { "unknown table" } else { "unknown key" };
        let names = known.iter().filter(here).map(|(_, key)| key.as_str()).chain(also.iter().copied());
        let elsewhere = known.iter().find(|(_, key)| *key == entry.key);
        let message = match (super::nearest(&entry.key, names), elsewhere) {
            (Some(near), _) => format!("{what} (did you mean `{near}`?)"),
            (None, Some(("", _))) => format!("{what} here; it belongs above the first [table]"),
            (None, Some((other, _))) => format!("{what} here; it belongs in [{other}]"),
            (None, None) => what.to_owned(),
        };
        self.problem(entry.line, &dotted(table, &entry.key), message);
    }
}

// === impl EnvLayer ===

impl Visitor for EnvLayer<'_> {
    fn table(&mut self, table: TableName) {
        self.table = table;
    }

    fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, slot: &mut T) {
        for spelled in spellings::<T>(key, &rule) {
            let variable =
                format!("BRUMMER_{}", dotted(self.table, &spelled).replace('.', "_").to_uppercase());
            if let Some(text) = (self.env)(&variable).filter(|text| !text.is_empty()) {
                let source = Source::Env(variable);
                let to = (&mut *self.loaded, self.held);
                settle(to, &T::from_env(&text), &rule, &spelled, (self.table, key), source, slot);
                return;
            }
        }
    }
}
