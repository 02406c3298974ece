//! What a frame says of one watched buffer. `doc/protocol.md` says the same in words.

use serde::Serialize;

use super::frame::is_zero;

fn is_none_over(lines: &i64) -> bool {
    *lines == 0
}

/// New lines of one watched buffer. Lists of pairs and quadruples are flat, to keep them cheap to decode.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct LogPatch {
    /// The buffer.
    pub(super) buf: i64,
    /// The process, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u32>,
    /// The buffer's text is thrown away first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) reset: bool,
    /// The lines go in front of this one, which the buffer shows: they had been left out, or were asked for by `load`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<u64>,
    /// Its process, merged log only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before_id: Option<u32>,
    /// Nobody asked for them: they may wait until they are in nobody's way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) late: bool,
    /// Lines left out before the first of `lines`; with a filter those that pass.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) skipped: u64,
    /// The position in the log after the last of `lines`: what `from` of `watch` goes on from.
    pub(super) next: u64,
    /// Lines ever printed in this log; with a filter those of them that are kept or came since, and pass.
    pub(super) total: u64,
    /// Lines that did not pass the filter since the patch before, less those that pass after all.
    #[serde(skip_serializing_if = "is_none_over")]
    pub(super) passed_over: i64,
    /// Text.
    pub(super) lines: Vec<String>,
    /// Line numbers: first, count, …
    pub(super) seqs: Vec<u64>,
    /// Processes, merged log only: id, count, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<u64>,
    /// Times: milliseconds since the epoch, count, …
    pub(super) times: Vec<u64>,
    /// Colours: row, start, end, style, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) spans: Vec<u32>,
    /// Styles not sent before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) styles: Vec<StyleRow>,
    /// Error headlines: line number, severity, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) marks: Vec<u64>,
    /// Processes of the marks, merged log only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) mark_ids: Vec<u32>,
    /// Lines sent in part: row, whole length, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) clipped: Vec<u32>,
    /// Stack frames that belong together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) folds: Vec<FoldRow>,
    /// Where runs begin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) runs: Vec<RunRow>,
}

// === impl LogPatch ===

impl LogPatch {
    /// How many lines have come of which these are the newest. What lies before lines that were left out has come earlier.
    pub(super) fn came(&self) -> u64 {
        let left_out = if self.before.is_none() { self.skipped } else { 0 };
        self.lines.len() as u64 + left_out
    }
}

/// Neighbouring stack frames.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FoldRow {
    /// The first of the lines.
    pub(super) first: u64,
    /// The last.
    pub(super) last: u64,
    /// How many frames there are.
    pub(super) count: u32,
    /// The line of the first frame that is the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<u64>,
    /// Where that one points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    /// The process, merged log only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u32>,
}

/// A style's number and what it means.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct StyleRow {
    /// The number.
    pub(super) style: u16,
    /// Text colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fg: Option<ColourValue>,
    /// Background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bg: Option<ColourValue>,
    /// SGR 1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) bold: bool,
    /// SGR 2.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) dim: bool,
    /// SGR 3.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) italic: bool,
    /// SGR 4.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) underline: bool,
    /// SGR 7.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) reverse: bool,
    /// SGR 9.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) strike: bool,
}

/// 0..=255, or `#rrggbb`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ColourValue {
    /// Palette.
    Index(u8),
    /// True colour.
    Hex(String),
}

/// The start of a run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunRow {
    /// The run's first line.
    pub(super) seq: u64,
    /// 1 for the first.
    pub(super) run: u32,
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    /// The process, merged log only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u32>,
    /// How the run before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prev: Option<PrevRow>,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PrevRow {
    /// Its state.
    pub(super) state: crate::event::State,
    /// Exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i32>,
    /// Signal, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<String>,
    /// Milliseconds.
    pub(super) took: u64,
}
