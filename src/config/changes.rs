//! What differs between two configurations, key by key, and the values a running program holds on to.

use std::{any::Any, collections::BTreeMap, fmt};

use super::{
    Config, Loaded,
    keys::{self, TableName, Visitor, dotted},
    setting::{Rule, Setting},
};

/// A key whose value is another one now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The key with its table.
    pub key: String,
    /// What it was, as TOML.
    pub old: String,
    /// What it is.
    pub new: String,
    /// Whether a running host can take it.
    pub live: bool,
}

/// The keys whose values differ, in the order of the reference. Scripts are not among them: they are read anew at
/// each run.
pub fn changes(old: &Loaded, new: &Loaded) -> Vec<Change> {
    let shown = |config: &Config| {
        let mut values = Values::default();
        keys::visit(&mut config.clone(), &mut values);
        values.shown
    };
    let (old, new) = (shown(&old.config), shown(&new.config));
    let pairs = old.into_iter().zip(new).filter(|(old, new)| old.value != new.value);
    pairs.map(|(old, new)| Change { key: old.key, old: old.value, new: new.value, live: old.live }).collect()
}

/// The values of a running program by key: what a refused value leaves in force.
#[derive(Default)]
pub(super) struct Held(BTreeMap<String, Box<dyn Any>>);

#[derive(Default)]
struct Values {
    table: TableName,
    shown: Vec<Value>,
    held: Held,
}

struct Value {
    key: String,
    value: String,
    live: bool,
}

// === impl Held ===

impl Held {
    pub(super) fn of(config: &Config) -> Self {
        let mut values = Values::default();
        keys::visit(&mut config.clone(), &mut values);
        values.held
    }

    pub(super) fn get<T: Setting>(&self, key: &str) -> Option<&T> {
        self.0.get(key)?.downcast_ref()
    }
}

// === impl Values ===

impl Visitor for Values {
    fn table(&mut self, table: TableName) {
        self.table = table;
    }

    fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, slot: &mut T) {
        let value = slot.show(key).unwrap_or_else(|| "not set".to_owned());
        let key = dotted(self.table, key);
        self.held.0.insert(key.clone(), Box::new(slot.clone()));
        self.shown.push(Value { key, value, live: rule.live });
    }
}

// === impl Change ===

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.live {
            write!(f, "{}: {} → {}", self.key, self.old, self.new)
        } else {
            write!(f, "{} takes effect when the host restarts", self.key)
        }
    }
}
