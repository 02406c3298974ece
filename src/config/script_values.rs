//! The types of value that only scripts and what concerns them all have.

use std::{path::PathBuf, time::Duration};

use hyper::Uri;

use super::{
    After, CommandLine, Condition, EnvFiles, HttpUrl, Pattern, RestartLimit, StopSignal,
    raw::RawValue,
    scripts::bare,
    setting::{Rule, Setting, quote},
};

/// What a compiled expression may take, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

const SIGNALS: [(&str, StopSignal); 7] = [
    ("TERM", StopSignal::Term),
    ("INT", StopSignal::Int),
    ("HUP", StopSignal::Hup),
    ("QUIT", StopSignal::Quit),
    ("USR1", StopSignal::Usr1),
    ("USR2", StopSignal::Usr2),
    ("KILL", StopSignal::Kill),
];

/// A value that may be absent, of a type that cannot.
macro_rules! optional {
    ($($type:ty),*) => {$(
        impl Setting for Option<$type> {
            fn read(raw: &RawValue, rule: &Rule, key: &str) -> Result<Self, String> {
                <$type>::read(raw, rule, key).map(Some)
            }

            fn show(&self, key: &str) -> Option<String> {
                self.as_ref().and_then(|value| value.show(key))
            }

            fn spellings(key: &'static str) -> Vec<String> {
                <$type>::spellings(key)
            }
        }
    )*};
}

optional!(bool, u16, Duration, PathBuf, CommandLine, EnvFiles, StopSignal, RestartLimit, Pattern, HttpUrl);
optional!(Vec<String>, Vec<After>);

/// The texts of a list, none of them empty; `None` when it is anything else.
fn texts(raw: &RawValue) -> Option<Vec<String>> {
    let RawValue::List(values) = raw else { return None };
    let text = |value: &RawValue| match value {
        RawValue::Text(text) if !text.trim().is_empty() && !text.contains('\0') => Some(text.clone()),
        _ => None,
    };
    values.iter().map(text).collect()
}

pub(super) fn show_texts<T: AsRef<str>>(texts: &[T]) -> String {
    format!("[{}]", texts.iter().map(|text| quote(text.as_ref())).collect::<Vec<_>>().join(", "))
}

// === impl CommandLine ===

impl Setting for CommandLine {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        let empty = || Err("must say what to run".to_owned());
        match (raw, texts_or_empty(raw)) {
            (RawValue::Text(text), _) if text.trim().is_empty() || text.contains('\0') => empty(),
            (RawValue::Text(text), _) => Ok(Self::Shell(text.clone())),
            (_, Some(argv)) if argv.first().is_none_or(String::is_empty) => empty(),
            (_, Some(argv)) => Ok(Self::Argv(argv)),
            (RawValue::List(_), None) => Err("must be a list of texts in quotes".to_owned()),
            (_, None) => Err(format!(
                "must be text in quotes for the shell, or a list, [\"vite\", \"--port\", \"4000\"], not {raw}"
            )),
        }
    }

    fn show(&self, _key: &str) -> Option<String> {
        Some(match self {
            Self::Shell(line) => quote(line),
            Self::Argv(argv) => show_texts(argv),
        })
    }
}

/// The texts of a list; an argument may be empty.
fn texts_or_empty(raw: &RawValue) -> Option<Vec<String>> {
    let RawValue::List(values) = raw else { return None };
    let text = |value: &RawValue| match value {
        RawValue::Text(text) if !text.contains('\0') => Some(text.clone()),
        _ => None,
    };
    values.iter().map(text).collect()
}

impl CommandLine {
    /// As it is shown: what a shell would be given.
    pub fn text(&self) -> String {
        match self {
            Self::Shell(line) => line.clone(),
            Self::Argv(argv) => shell_words::join(argv),
        }
    }
}

// === impl PathBuf ===

impl Setting for PathBuf {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        match raw {
            RawValue::Text(text) if !text.is_empty() && !text.contains('\0') => Ok(text.into()),
            _ => Err(format!("must be a directory in quotes, not {raw}")),
        }
    }

    fn show(&self, _key: &str) -> Option<String> {
        Some(quote(&self.to_string_lossy()))
    }
}

// === impl EnvFiles ===

impl Setting for EnvFiles {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        match (raw, texts(raw)) {
            (RawValue::Boolean(false), _) => Ok(Self::Off),
            (RawValue::Boolean(true), _) => Ok(Self::On),
            (RawValue::Text(text), _) if text == "auto" => Ok(Self::Auto),
            (_, Some(names)) => Ok(Self::Named(names.into_iter().map(PathBuf::from).collect())),
            (_, None) => Err(format!(
                "must be true, false, \"auto\" or a list of files, [\".env.staging\"], not {raw}"
            )),
        }
    }

    /// A single name is a list of one.
    fn from_env(text: &str) -> RawValue {
        match text.trim() {
            "true" | "1" => RawValue::Boolean(true),
            "false" | "0" => RawValue::Boolean(false),
            "auto" => RawValue::Text("auto".to_owned()),
            text => {
                RawValue::List(text.split(',').map(|name| RawValue::Text(name.trim().to_owned())).collect())
            }
        }
    }

    fn show(&self, _key: &str) -> Option<String> {
        Some(match self {
            Self::Auto => quote("auto"),
            Self::Off => false.to_string(),
            Self::On => true.to_string(),
            Self::Named(files) => {
                show_texts(&files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>())
            }
        })
    }
}

// === impl StopSignal ===

impl Setting for StopSignal {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        let mut hint = String::new();
        if let RawValue::Text(text) = raw {
            let upper = text.to_uppercase();
            let name = upper.strip_prefix("SIG").unwrap_or(&upper);
            if let Some((_, signal)) = SIGNALS.iter().find(|(known, _)| *known == name) {
                return Ok(*signal);
            }
            if let Some(near) = super::nearest(name, SIGNALS.map(|(known, _)| known)) {
                hint = format!(" (did you mean `{near}`?)");
            }
        }
        Err(format!(
            "must be \"TERM\", \"INT\", \"HUP\", \"QUIT\", \"USR1\", \"USR2\" or \"KILL\", not {raw}{hint}"
        ))
    }

    fn show(&self, _key: &str) -> Option<String> {
        SIGNALS.iter().find(|(_, signal)| signal == self).map(|(name, _)| quote(name))
    }
}

// === impl RestartLimit ===

impl Setting for RestartLimit {
    fn read(raw: &RawValue, rule: &Rule, _key: &str) -> Result<Self, String> {
        let number = match raw {
            RawValue::Text(text) if text == "none" => return Ok(Self::Endless),
            RawValue::Integer(number) => rule.admit(*number, raw, |number| number.to_string()).ok(),
            _ => None,
        };
        let times = number.and_then(|number| u32::try_from(number).ok());
        times.map(Self::Times).ok_or_else(|| format!("must be 1 to 1000000 or \"none\", not {raw}"))
    }

    fn show(&self, _key: &str) -> Option<String> {
        Some(match self {
            Self::Times(times) => times.to_string(),
            Self::Endless => quote("none"),
        })
    }
}

// === impl Pattern ===

impl Setting for Pattern {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        let RawValue::Text(text) = raw else {
            return Err(format!("must be a regular expression in quotes, not {raw}"));
        };
        if text.is_empty() {
            return Err("must be a regular expression; an empty one is in every line".to_owned());
        }
        let compiled = regex::bytes::RegexBuilder::new(text).size_limit(PATTERN_SIZE).build();
        compiled.map(|_| Self(text.clone())).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "is too large an expression: make it shorter".to_owned(),
            error => {
                // The first lines of the message draw the expression; the last says what is wrong.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                format!("is no regular expression: {}", last.trim_start_matches("error: "))
            }
        })
    }

    fn show(&self, _key: &str) -> Option<String> {
        Some(quote(&self.0))
    }
}

// === impl HttpUrl ===

impl Setting for HttpUrl {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        let wrong = || format!("must be a URL, \"http://localhost:3000/\", not {raw}");
        let RawValue::Text(text) = raw else { return Err(wrong()) };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some(host)) if !host.is_empty() => Ok(Self(text.clone())),
            (Some("https"), _) => {
                Err("https is not asked: give the http:// address, or port or log".to_owned())
            }
            _ => Err(wrong()),
        }
    }

    fn show(&self, _key: &str) -> Option<String> {
        Some(quote(&self.0))
    }
}

// === impl Vec ===

impl Setting for Vec<String> {
    fn read(raw: &RawValue, _rule: &Rule, _key: &str) -> Result<Self, String> {
        texts(raw).ok_or_else(|| format!("must be a list of names in quotes, [\"sccache\"], not {raw}"))
    }

    fn show(&self, _key: &str) -> Option<String> {
        Some(show_texts(self))
    }
}

impl Setting for Vec<After> {
    fn read(raw: &RawValue, rule: &Rule, key: &str) -> Result<Self, String> {
        if let RawValue::Table(table) = raw {
            let one = |entry: &super::raw::RawEntry| {
                let condition = Condition::read(&entry.value, rule, key);
                let condition = condition.map_err(|error| format!("{} {error}", bare(&entry.key)))?;
                Ok(After { script: entry.key.clone(), condition: Some(condition) })
            };
            return table.entries.iter().map(one).collect();
        }
        let Some(names) = texts(raw) else {
            return Err(format!("must be a list, [\"db\"], or a table, {{ db = \"ready\" }}, not {raw}"));
        };
        let twice = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
        match twice {
            Some((_, name)) => Err(format!("names {} twice: remove one", quote(name))),
            None => Ok(names.into_iter().map(|script| After { script, condition: None }).collect()),
        }
    }

    fn show(&self, key: &str) -> Option<String> {
        if self.iter().all(|after| after.condition.is_none()) {
            return Some(show_texts(&self.iter().map(|after| &after.script).collect::<Vec<_>>()));
        }
        let one = |after: &After| {
            let condition = after.condition.and_then(|condition| condition.show(key)).unwrap_or_default();
            format!("{} = {condition}", bare(&after.script))
        };
        Some(format!("{{ {} }}", self.iter().map(one).collect::<Vec<_>>().join(", ")))
    }
}
