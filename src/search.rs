//! Finds lines: which pass a [`Filter`], in blocks of memory and one by one.
//!
//! *Flows in:* the text of a filter; blocks of lines that somebody else keeps. *Flows out:* which of the lines pass.
//! *Bounded:* the size of a compiled regex. *Lost:* nothing.
//!
//! A block is searched as a whole, because most of its lines do not pass: what has to occur is looked for in all of its
//! text at once, and only lines where it does are looked at by themselves. No match goes over the end of a line.

mod filter;
mod grammar;
mod look;
mod moment;
mod past;
mod pattern;
mod searcher;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

pub use filter::{Block, Facts, Filter};
pub use look::{Found, Look};
pub use moment::moment;
pub use past::{Past, PastLine, PastLines};
pub use searcher::Searcher;

/// A filter that cannot be used: one line for the user.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("filter: {what}, character {at}")]
pub struct Wrong {
    /// What is wrong.
    pub what: String,
    /// Where in the filter, from 1.
    pub at: usize,
}
