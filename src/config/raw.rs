//! What was written: a file as a tree of keys and values with their lines, before anybody asks what they mean.

use std::{fmt, fs, io::ErrorKind, path::Path};

use toml::{Spanned, de::DeTable, de::DeValue};

use super::Problem;

/// A settings file larger than this is some other file.
const MAX_BYTES: u64 = 1024 * 1024;

/// A table as written, in the order of the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct RawTable {
    pub(super) entries: Vec<RawEntry>,
}

/// A key as written.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct RawEntry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: RawValue,
}

/// A value as written.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum RawValue {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<RawValue>),
    Table(RawTable),
    /// A value no setting takes (a float, a date, a number too large), as it is to be shown.
    Other(String),
}

/// Reads `file`. `Ok(None)` when there is none.
pub(super) fn read(file: &Path) -> Result<Option<RawTable>, Problem> {
    let unusable = |message: String| Problem::new(file, 0, "", format!("{message}; the file is not used"));
    let cannot = |error: &std::io::Error| unusable(format!("cannot be read: {}", error.kind()));
    match fs::metadata(file) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(cannot(&error)),
        // A directory, socket or pipe of that name: reading a pipe would wait for ever.
        Ok(found) if !found.is_file() => return Err(unusable("is not a regular file".to_owned())),
        Ok(found) if found.len() > MAX_BYTES => return Err(unusable("is larger than 1 MiB".to_owned())),
        Ok(_) => {}
    }
    let bytes = fs::read(file).map_err(|error| cannot(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Problem::new(file, line_at(good, good.len()), "", "is not UTF-8; the file is not used")
    })?;
    parse(file, &text).map(Some)
}

/// Parses the text of `file`.
pub(super) fn parse(file: &Path, text: &str) -> Result<RawTable, Problem> {
    match DeTable::parse(text) {
        Ok(table) => Ok(convert(text, table.into_inner())),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            // Some messages have a second line with what was expected; one line must do.
            let message = error.message().lines().next().unwrap_or("syntax error");
            let message = format!("{message}; the file is not used");
            Err(Problem::new(file, line_at(text.as_bytes(), at), "", message))
        }
    }
}

fn convert(text: &str, table: DeTable<'_>) -> RawTable {
    let mut entries: Vec<_> = table
        .into_iter()
        .map(|(key, value)| (key.span().start, key, value))
        .map(|(at, key, value)| {
            let line = line_at(text.as_bytes(), at);
            (at, RawEntry { key: key.into_inner().into_owned(), line, value: convert_value(text, value) })
        })
        .collect();
    entries.sort_by_key(|(at, _)| *at);
    RawTable { entries: entries.into_iter().map(|(_, entry)| entry).collect() }
}

fn convert_value(text: &str, value: Spanned<DeValue<'_>>) -> RawValue {
    let span = value.span();
    match value.into_inner() {
        DeValue::String(text) => RawValue::Text(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => RawValue::Integer(number),
            Err(_) => RawValue::Other(number.as_str().to_owned()),
        },
        DeValue::Boolean(value) => RawValue::Boolean(value),
        DeValue::Array(values) => {
            RawValue::List(values.into_iter().map(|value| convert_value(text, value)).collect())
        }
        DeValue::Table(table) => RawValue::Table(convert(text, table)),
        DeValue::Float(_) | DeValue::Datetime(_) => {
            RawValue::Other(text.get(span).unwrap_or("this").to_owned())
        }
    }
}

/// The line, from 1, of the byte at `at`.
fn line_at(text: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', &text[..at.min(text.len())]).count() + 1
}

// === impl RawTable ===

impl RawTable {
    pub(super) fn get(&self, key: &str) -> Option<&RawEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

// === impl RawValue ===

/// The value as a message shows it: short, on one line.
impl fmt::Display for RawValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.chars().count() > 24 => {
                write!(f, "{:?}", format!("{}…", text.chars().take(23).collect::<String>()))
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::List(_) => f.write_str("a list"),
            Self::Table(_) => f.write_str("a table"),
            Self::Other(text) => f.write_str(text),
        }
    }
}
