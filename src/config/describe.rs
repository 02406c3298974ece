//! The settings in force: each value with its source, and together as text that is itself a valid `.brum.toml`.

use super::{
    Loaded, Source,
    keys::{self, TableName, Visitor, dotted},
    scripts::{bare, script_key},
    setting::{Rule, Setting, quote},
};

/// One setting as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The key with its table.
    pub key: String,
    /// Its value as TOML; none when it is not set.
    pub value: Option<String>,
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
    for (name, script) in &config.scripts {
        let key = script_key(name);
        if let Some(command) = &script.command {
            printer.add(format!("{key}.command"), Some(quote(command)), true);
        }
        if let Some(cwd) = &script.cwd {
            printer.add(format!("{key}.cwd"), Some(quote(&cwd.to_string_lossy())), true);
        }
        for (variable, value) in &script.env {
            printer.add(format!("{key}.env.{}", bare(variable)), Some(quote(value)), true);
        }
    }
    printer.shown
}

struct Printer<'a> {
    loaded: &'a Loaded,
    table: TableName,
    shown: Vec<Shown>,
}

// === impl Printer ===

impl Printer<'_> {
    fn add(&mut self, key: String, value: Option<String>, live: bool) {
        let source = self.loaded.source(&key);
        self.shown.push(Shown { key, value, source, live });
    }
}

impl Visitor for Printer<'_> {
    fn table(&mut self, table: TableName) {
        self.table = table;
    }

    fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, slot: &mut T) {
        let key = dotted(self.table, key);
        let value = slot.show(&key);
        self.add(key, value, rule.live);
    }
}

// === impl Shown ===

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, value, source, .. } = self;
        match (value, source) {
            (Some(value), _) => write!(f, "{key} = {value}  # {source}"),
            (None, Source::Default) => write!(f, "# {key} is not set"),
            (None, source) => write!(f, "# {key} is not set  # {source}"),
        }
    }
}
