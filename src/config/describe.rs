//! The settings in force: each value with its source, and together as text that is itself a valid `.brum.toml`.

use super::{
    Loaded, Source,
    keys::{self, TableName, Visitor, dotted},
    script_values::show_texts,
    scripts::{bare, script_key},
    sets::set_key,
    setting::{Rule, Setting},
};

/// One setting as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The key with its table.
    pub key: String,
    /// Its value as TOML; none when it is not set or `hidden`.
    pub value: Option<String>,
    /// It has a value that is not shown: what is in an environment may be a secret.
    pub hidden: bool,
    /// Where the value comes from.
    pub source: Source,
    /// Whether a running host can take another one.
    pub live: bool,
}

/// See [`Loaded::values`].
pub(super) fn values(loaded: &Loaded) -> Vec<Shown> {
    let mut config = loaded.config.clone();
    let mut printer = Printer { loaded, table: "", shown: Vec::new() };
    keys::visit(&mut config, &mut printer);
    for (name, script) in &mut config.scripts {
        let key = script_key(name);
        keys::visit_script(script, &mut ScriptPrinter { printer: &mut printer, key: &key, table: "" });
        for variable in script.env.keys() {
            printer.add(format!("{key}.env.{}", bare(variable)), Told::Hidden, true);
        }
    }
    for (name, set) in &config.sets {
        printer.add(set_key(name), Told::Value(show_texts(&set.scripts)), true);
    }
    printer.shown
}

struct Printer<'a> {
    loaded: &'a Loaded,
    table: TableName,
    shown: Vec<Shown>,
}

/// What somebody set of one script; the rest is left out, since there is no end of it.
struct ScriptPrinter<'a, 'p> {
    printer: &'p mut Printer<'a>,
    key: &'p str,
    table: TableName,
}

/// What is told of a value.
enum Told {
    NotSet,
    Hidden,
    Value(String),
}

// === impl Printer ===

impl Printer<'_> {
    fn add(&mut self, key: String, told: Told, live: bool) {
        let source = self.loaded.source(&key);
        let (value, hidden) = match told {
            Told::NotSet => (None, false),
            Told::Hidden => (None, true),
            Told::Value(value) => (Some(value), false),
        };
        self.shown.push(Shown { key, value, hidden, source, live });
    }
}

impl Visitor for Printer<'_> {
    fn table(&mut self, table: TableName) {
        self.table = table;
    }

    fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, slot: &mut T) {
        let key = dotted(self.table, key);
        let told = slot.show(&key).map_or(Told::NotSet, Told::Value);
        self.add(key, told, rule.live);
    }
}

// === impl ScriptPrinter ===

impl Visitor for ScriptPrinter<'_, '_> {
    fn table(&mut self, table: TableName) {
        self.table = table;
    }

    fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, slot: &mut T) {
        let key = dotted(self.table, key);
        if let Some(value) = slot.show(&key) {
            self.printer.add(dotted(self.key, &key), Told::Value(value), rule.live);
        }
    }
}

// === impl Shown ===

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, value, source, hidden, .. } = self;
        match (value, source) {
            (None, source) if *hidden => write!(f, "# {key} is set  # {source}"),
            (Some(value), _) => write!(f, "{key} = {value}  # {source}"),
            (None, Source::Default) => write!(f, "# {key} is not set"),
            (None, source) => write!(f, "# {key} is not set  # {source}"),
        }
    }
}
