//! A line of tool output: what it is, and where it points.
//!
//! In: the lines of one process, one after another, free of escapes. Out: [`Finding`]s. A [`Scanner`] holds
//! the little state that formats spread over several lines need (a title whose place comes later, a file
//! heading above its positions, an open stack trace); a [`Resolver`] turns the path a tool printed into a
//! file that exists and its column into a byte column.
//!
//! [`Scanner::block`] reads many lines at once: those that say nothing, which are nearly all, are known by a few bytes
//! and passed over. [`level`] and [`urls`] look at text alone, and [`Scanner::take_frames`] tells which neighbouring lines
//! are the stack frames of one error.
//!
//! Recognisers are data: one table per tool family under `family/`, a `Rule` per format. Reading a
//! line costs a scan for a few shapes (`shape.rs`); only rules whose shapes are there run their pattern.
//!
//! Bounded: a scanner keeps at most 16 prefixes (`[web] `, `app-1  | `), each with one waiting
//! title, heading and trace, which expire after a number of lines; messages are cut at
//! 500 bytes, and of a long line only the first 4 KiB are read.
//! Lost: a place named further right than that, and a title whose place comes after it has expired.

mod block;
mod column;
mod explain;
mod family;
mod frames;
mod hints;
mod lane;
mod level;
mod matching;
mod nearby;
mod prefix;
mod reader;
mod report;
mod resolve;
mod rule;
mod scanner;
mod shape;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod urls;

use crate::event::Seq;

pub use self::{
    explain::explain,
    level::{Level, level},
    report::{LocateRecord, quickfix_line, report},
    resolve::{Location, Resolver, Unresolved},
    scanner::Scanner,
    urls::{MAX_URL, urls},
};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something failed.
    Error,
    /// Something may fail.
    Warning,
    /// A place, a note, a frame.
    Info,
}

/// What a line is to the reader.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What a person would count as one error or warning; `]e` stops here.
    Headline,
    /// Names a place. It belongs to a headline (same group) or to none.
    Place,
}

/// What one line turned out to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The line. It may be an earlier one than the line just read.
    pub seq: Seq,
    /// What the line is.
    pub role: Role,
    /// How bad it is.
    pub severity: Severity,
    /// Where it points. A headline may point nowhere.
    pub place: Option<Place>,
    /// What it says, without the place; at most 500 bytes. Empty for most places.
    pub message: String,
    /// The rule that recognised it.
    pub rule: &'static str,
    /// Joins a headline with its places: unique in a scanner, and the same for an error told again.
    /// 0 for a place that belongs to none.
    pub group: u32,
}

/// Neighbouring lines that are the stack frames of one error; told once no more of them come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frames {
    /// The first of the lines.
    pub first: Seq,
    /// The last. What stands between two frames, as a line of source, is among them.
    pub last: Seq,
    /// How many of them are frames.
    pub count: u32,
    /// The frame of the project's own that is nearest to where it happened.
    pub user: Option<(Seq, Place)>,
}

/// Where a line points, as the tool wrote it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// The path as printed; of a file URL, its decoded path.
    pub file: String,
    /// The line in it, counted from 1.
    pub line: Option<u32>,
    /// The column as the tool counts.
    pub col: Option<Column>,
    /// The bytes of the log line that name the place. `(0, 0)` when another line names it: that of a title
    /// whose place came later.
    pub span: (usize, usize),
}

/// A column as a tool counts it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Column {
    /// The number printed.
    pub value: u32,
    /// The number of the first column: 0 or 1.
    pub base: u8,
    /// What is counted.
    pub unit: Unit,
}

/// What a tool counts columns in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unit {
    /// Bytes of UTF-8.
    Bytes,
    /// UTF-16 code units.
    Utf16,
    /// Characters.
    Chars,
    /// Cells of a screen, which tabs make unusable.
    Display,
}
