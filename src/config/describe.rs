//! The settings in force, as text that is itself a valid `.brum.toml`.

use super::{
    Loaded, Source,
    keys::{self, TableName, Visitor, dotted},
    scripts::{bare, script_key},
    setting::{Rule, Setting, quote},
};

/// See [`Loaded::describe`].
pub(super) fn describe(loaded: &Loaded) -> Vec<String> {
    let mut config = loaded.config.clone();
    let mut printer = Printer { loaded, table: "", lines: Vec::new() };
    keys::visit(&mut config, &mut printer);
    for (name, script) in &config.scripts {
        let key = script_key(name);
        if let Some(command) = &script.command {
            printer.line(&format!("{key}.command"), &quote(command));
        }
        if let Some(cwd) = &script.cwd {
            printer.line(&format!("{key}.cwd"), &quote(&cwd.to_string_lossy()));
        }
        for (variable, value) in &script.env {
            printer.line(&format!("{key}.env.{}", bare(variable)), &quote(value));
        }
    }
    printer.lines
}

struct Printer<'a> {
    loaded: &'a Loaded,
    table: TableName,
    lines: Vec<String>,
}

// === impl Printer ===

impl Printer<'_> {
    fn line(&mut self, key: &str, value: &str) {
        let source = self.loaded.source(key);
        self.lines.push(format!("{key} = {value}  # {source}"));
    }
}

impl Visitor for Printer<'_> {
    fn table(&mut self, table: TableName) {
        self.table = table;
    }

    fn setting<T: Setting>(&mut self, key: &'static str, _rule: Rule, slot: &mut T) {
        let key = dotted(self.table, key);
        match (slot.show(&key), self.loaded.source(&key)) {
            (Some(value), _) => self.line(&key, &value),
            (None, Source::Default) => self.lines.push(format!("# {key} is not set")),
            (None, source) => self.lines.push(format!("# {key} is not set  # {source}")),
        }
    }
}
