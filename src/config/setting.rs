//! The types a setting can have: how each is read from what was written, and how it is written.

use std::{fmt, ops::RangeInclusive};

use super::raw::RawValue;

/// What limits a setting's value, beyond its type.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Numbers as they are, durations in milliseconds.
    range: RangeInclusive<i64>,
    /// What `"auto"` stands for, where it may be said.
    auto: Option<i64>,
    /// 0 may be said although it is out of the range: it switches off.
    off: bool,
    /// The reason for a range that would puzzle.
    why: Option<&'static str>,
    /// A second name for the key.
    pub(super) alias: Option<&'static str>,
    /// Whether a running host can take a new value; otherwise it takes it when it starts.
    pub(super) live: bool,
}

/// A type of value.
pub(super) trait Setting: Clone + Send + Sync + 'static {
    /// The value, or what is wrong with it. `key` is the spelling used, which says the unit of a duration.
    fn read(raw: &RawValue, rule: &Rule, key: &str) -> Result<Self, String>;

    /// What the text of an environment variable says.
    fn from_env(text: &str) -> RawValue {
        guess(text)
    }

    /// The value as TOML, if there is one.
    fn show(&self, key: &str) -> Option<String>;

    /// The names `key` may go by, the preferred first.
    fn spellings(key: &'static str) -> Vec<String> {
        vec![key.to_owned()]
    }
}

/// Any value of the type.
pub(super) fn any() -> Rule {
    range(i64::MIN..=i64::MAX)
}

/// Values within `range`; durations in milliseconds.
pub(super) fn range(range: RangeInclusive<i64>) -> Rule {
    Rule { range, auto: None, off: false, why: None, alias: None, live: false }
}

// === impl Rule ===

impl Rule {
    pub(super) fn auto(mut self, value: usize) -> Self {
        self.auto = i64::try_from(value).ok();
        self
    }

    pub(super) fn off(mut self) -> Self {
        self.off = true;
        self
    }

    pub(super) fn why(mut self, why: &'static str) -> Self {
        self.why = Some(why);
        self
    }

    pub(super) fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    pub(super) fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// `number` if it is in the range.
    pub(super) fn admit(
        &self,
        number: i64,
        raw: &dyn fmt::Display,
        show: fn(i64) -> String,
    ) -> Result<i64, String> {
        if self.range.contains(&number) || (self.off && number == 0) {
            return Ok(number);
        }
        Err(format!("must be {}, not {raw}", self.wanted(show)))
    }

    fn wanted(&self, show: fn(i64) -> String) -> String {
        let (min, max) = (*self.range.start(), *self.range.end());
        let mut wanted = if min == max { show(min) } else { format!("{} to {}", show(min), show(max)) };
        if self.auto.is_some() {
            wanted.push_str(" or \"auto\"");
        }
        if self.off {
            wanted.push_str(" or 0 (off)");
        }
        if let Some(why) = self.why {
            wanted.push_str(&format!(" ({why})"));
        }
        wanted
    }
}

// === impl Setting for numbers ===

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn read(raw: &RawValue, rule: &Rule, _key: &str) -> Result<Self, String> {
                let number = match (raw, rule.auto) {
                    (RawValue::Integer(number), _) => rule.admit(*number, raw, |n| n.to_string())?,
                    (RawValue::Text(text), Some(auto)) if text == "auto" => auto,
                    _ => return Err(format!("must be {}, not {raw}", rule.wanted(|n| n.to_string()))),
                };
                Self::try_from(number).map_err(|_| format!("must be {}, not {raw}", rule.wanted(|n| n.to_string())))
            }

            fn show(&self, _key: &str) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}

number!(usize, u16);

impl Setting for [usize; 3] {
    fn read(raw: &RawValue, rule: &Rule, key: &str) -> Result<Self, String> {
        let wrong = || format!("must be three numbers, [high, medium, low], not {raw}");
        let RawValue::List(values) = raw else { return Err(wrong()) };
        let [high, medium, low] = values.as_slice() else {
            return Err(format!("must be three numbers, [high, medium, low], not {}", values.len()));
        };
        let one = |value| usize::read(value, rule, key).map_err(|error| format!("each {error}"));
        Ok([one(high)?, one(medium)?, one(low)?])
    }

    fn show(&self, _key: &str) -> Option<String> {
        let [high, medium, low] = self;
        Some(format!("[{high}, {medium}, {low}]"))
    }
}

// === impl Setting for bool ===

impl Setting for bool {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        match raw {
            RawValue::Boolean(value) => Ok(*value),
            _ => Err(format!("must be true or false, not {raw}")),
        }
    }

    /// `1` and `0` are how variables say yes and no.
    fn from_env(text: &str) -> RawValue {
        match text {
            "1" => RawValue::Boolean(true),
            "0" => RawValue::Boolean(false),
            _ => guess(text),
        }
    }

    fn show(&self, _key: &str) -> Option<String> {
        Some(self.to_string())
    }
}

// === impl Setting for text ===

impl Setting for Option<String> {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        match raw {
            // The empty string is how a nearer layer takes back what a farther one set.
            RawValue::Text(text) => Ok((!text.is_empty()).then(|| text.clone())),
            _ => Err(format!("must be text in quotes, not {raw}")),
        }
    }

    fn from_env(text: &str) -> RawValue {
        RawValue::Text(text.to_owned())
    }

    fn show(&self, _key: &str) -> Option<String> {
        self.as_deref().map(quote)
    }
}

/// What untyped text most likely says.
fn guess(text: &str) -> RawValue {
    let text = text.trim();
    match (text, text.parse()) {
        ("true", _) => RawValue::Boolean(true),
        ("false", _) => RawValue::Boolean(false),
        (_, Ok(number)) => RawValue::Integer(number),
        _ if text.contains(',') => {
            let text = text.trim_start_matches('[').trim_end_matches(']');
            RawValue::List(text.split(',').map(guess).collect())
        }
        _ => RawValue::Text(text.to_owned()),
    }
}

/// `text` as a TOML basic string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
