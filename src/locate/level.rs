//! How loud a line is, by the word its logger put on it.

use super::Severity;
use std::sync::LazyLock;

/// How far from its start a line is looked at, in bytes. A logger names the level before the message.
const NEAR: usize = 64;
/// The same for a line of JSON, whose fields come in any order.
const NEAR_JSON: usize = 1024;

/// What a logger calls how much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed.
    Error,
    /// Something may fail.
    Warn,
    /// What goes on.
    Info,
    /// For who looks into it.
    Debug,
    /// For who looks into it closely.
    Trace,
}

// === impl Level ===

impl Level {
    /// All, the gravest first.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The name users write.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// Reads a level as a logger or a user writes it, in any case: `ERROR`, `warning`, `dbg`, `E`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let mut lower = [0; 9];
        let lower = lower.get_mut(..word.len())?;
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"error" | b"err" | b"fatal" | b"panic" | b"critical" | b"crit" | b"emerg" | b"emergency"
            | b"alert" | b"severe" | b"e" | b"f" => Self::Error,
            b"warning" | b"warn" | b"wrn" | b"w" => Self::Warn,
            b"information" | b"info" | b"inf" | b"notice" | b"log" | b"i" | b"n" => Self::Info,
            b"debug" | b"dbg" | b"fine" | b"d" => Self::Debug,
            b"trace" | b"trc" | b"verbose" | b"silly" | b"finest" | b"t" => Self::Trace,
            _ => return None,
        })
    }

    /// The level of a number as pino and bunyan write it.
    fn of_number(number: u32) -> Option<Self> {
        Some(match number {
            50.. => Self::Error,
            40..=49 => Self::Warn,
            30..=39 => Self::Info,
            20..=29 => Self::Debug,
            10..=19 => Self::Trace,
            _ => return None,
        })
    }
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Error,
            Severity::Warning => Self::Warn,
            Severity::Info => Self::Info,
        }
    }
}

/// The level a line says it has: `"level":"warn"` and `"level":40` in a line of JSON, `level=warn`, and in its first
/// 64 bytes a level in brackets, before a colon, or in capitals. `None` where it says nothing; a headline found in it
/// says more, so ask for that first.
#[must_use]
pub fn level(line: &[u8]) -> Option<Level> {
    let trimmed = line.trim_ascii_start();
    if trimmed.first() == Some(&b'{') {
        return json(&trimmed[..trimmed.len().min(NEAR_JSON)]);
    }
    words(&line[..line.len().min(NEAR)])
}

/// The level field of a line of JSON.
fn json(line: &[u8]) -> Option<Level> {
    static FIELD: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
        let pattern = r#"(?-u)"(?:level|severity|lvl|log\.level|loglevel|levelname)"\s*:\s*(?:"([A-Za-z]{1,12})"|([0-9]{1,3}))"#;
        regex::bytes::Regex::new(pattern).expect("a test compiles it")
    });
    let found = FIELD.captures(line)?;
    if let Some(word) = found.get(1) {
        return Level::parse(std::str::from_utf8(word.as_bytes()).ok()?);
    }
    let number = std::str::from_utf8(found.get(2)?.as_bytes()).ok()?;
    Level::of_number(number.parse().ok()?)
}

/// The first word that stands where a level stands. A level in the middle of prose (`no error so far`) says nothing.
fn words(line: &[u8]) -> Option<Level> {
    let mut at = 0;
    while at < line.len() {
        if !line[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let length = line[at..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, next) = (&line[at..at + length], line.get(at + length).copied());
        let before = at.checked_sub(1).map(|index| line[index]);
        if let Some(level) = std::str::from_utf8(word).ok().and_then(Level::parse)
            && stands_as_level(word, before, next, &line[..at])
        {
            return Some(level);
        }
        at += length;
    }
    None
}

/// Whether a word that names a level stands where a logger puts one.
fn stands_as_level(word: &[u8], before: Option<u8>, next: Option<u8>, head: &[u8]) -> bool {
    if before.is_some_and(|byte| byte.is_ascii_digit() || b"_./-$@".contains(&byte)) {
        return false;
    }
    if next.is_some_and(|byte| byte.is_ascii_digit() || b"_./-(".contains(&byte)) {
        return false;
    }
    let (bracketed, keyed) =
        (matches!((before, next), (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>'))), key(head));
    if word.len() == 1 {
        return bracketed;
    }
    bracketed
        || keyed
        || next == Some(b':')
        || next == Some(b'[')
        || word.iter().all(u8::is_ascii_uppercase)
        // `error  Unexpected any`: the line begins with it, and columns are set apart by blanks.
        || head.trim_ascii().is_empty() && (next.is_none() || next == Some(b' '))
}

/// Whether the text before a word is the key of a level, as in `level=warn`.
fn key(head: &[u8]) -> bool {
    let head = head.strip_suffix(b"\"").unwrap_or(head);
    [&b"level="[..], b"lvl=", b"severity="].iter().any(|key| head.ends_with(key))
}
