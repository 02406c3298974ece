//! Settings whose value is one of a few words.

use super::{
    Backpressure, Condition, PackageManagerName, ProxyMode, RestartWhen, ScriptRunner, StatusReadStrategy,
    raw::RawValue,
    setting::{Rule, Setting, quote},
};

/// A type whose values are a few words.
pub(super) trait Choice: Copy + PartialEq + Send + Sync + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

// === impl Setting for choices ===

impl Choice for Backpressure {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("drop_oldest", Self::DropOldest),
        ("drop_newest", Self::DropNewest),
        ("drop_low_priority", Self::DropLowPriority),
        ("block", Self::Block),
    ];
}

impl Choice for StatusReadStrategy {
    const WORDS: &'static [(&'static str, Self)] = &[("atomic", Self::Atomic), ("locked", Self::Locked)];
}

impl Choice for ProxyMode {
    const WORDS: &'static [(&'static str, Self)] = &[("reverse", Self::Reverse), ("full", Self::Full)];
}

impl Choice for PackageManagerName {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("npm", Self::Npm),
        ("yarn", Self::Yarn),
        ("pnpm", Self::Pnpm),
        ("bun", Self::Bun),
        ("deno", Self::Deno),
    ];
}

impl Choice for ScriptRunner {
    const WORDS: &'static [(&'static str, Self)] = &[("manager", Self::Manager), ("direct", Self::Direct)];
}

impl Choice for RestartWhen {
    const WORDS: &'static [(&'static str, Self)] =
        &[("never", Self::Never), ("on-failure", Self::OnFailure), ("always", Self::Always)];
}

impl Choice for Condition {
    const WORDS: &'static [(&'static str, Self)] =
        &[("started", Self::Started), ("ready", Self::Ready), ("exited-ok", Self::ExitedOk)];
}

impl<T: Choice> Setting for T {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        let words = || T::WORDS.iter().map(|(word, _)| *word);
        let mut hint = String::new();
        if let RawValue::Text(text) = raw {
            if let Some((_, value)) = T::WORDS.iter().find(|(word, _)| word == text) {
                return Ok(*value);
            }
            if let Some(near) = super::nearest(text, words()) {
                hint = format!(" (did you mean `{near}`?)");
            }
        }
        let mut list = words().map(quote).collect::<Vec<_>>().join(", ");
        if let Some(comma) = list.rfind(", ") {
            list.replace_range(comma..comma + 2, " or ");
        }
        Err(format!("must be {list}, not {raw}{hint}"))
    }

    fn from_env(text: &str) -> RawValue {
        RawValue::Text(text.to_owned())
    }

    fn show(&self, _key: &str) -> Option<String> {
        T::WORDS.iter().find(|(_, value)| value == self).map(|(word, _)| quote(word))
    }
}

impl<T: Choice> Setting for Option<T> {
    fn read(raw: &RawValue, rule: &Rule, key: &str) -> Result<Self, String> {
        match raw {
            RawValue::Text(text) if text.is_empty() => Ok(None),
            _ => T::read(raw, rule, key).map(Some),
        }
    }

    fn from_env(text: &str) -> RawValue {
        T::from_env(text)
    }

    fn show(&self, key: &str) -> Option<String> {
        self.as_ref().and_then(|value| value.show(key))
    }
}
