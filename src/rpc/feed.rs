//! What of a log goes into the next frame. New lines go at once; when more came than a person can follow, only as many of
//! the newest as a window shows. What was left out follows while it is calm, the newest of it first, so that the copy ends
//! up whole however fast it came.
//!
//! *Bounded:* lines and bytes of a frame, and the stretches that are remembered as left out. *Lost:* nothing that the copy
//! has room for; what a buffer's `max` has no room for stays left out.

use std::ops::Range;

use super::{
    Handles,
    frame::LogPatch,
    patch::{self, LIMIT_BYTES, LIMIT_LINE},
    watch::{Gap, Watch},
};
use crate::{
    event::{Component, Seq},
    logs::{Query, Slice, Which},
};

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

/// New lines of one buffer in a frame. Of more only as many as a window shows are sent.
pub(super) const KEEP_UP: usize = 500;

/// Lines of one buffer in a frame that had been left out.
const FILL: usize = 500;

/// What has come into one log since the last frame, and some of what was left out before. `styles_sent` counts the styles
/// the editor knows.
pub(super) async fn read(watch: &mut Watch, handles: &Handles, styles_sent: &mut usize) -> Vec<LogPatch> {
    let mut patches = Vec::new();
    let Some(which) = watch.resolve(&handles.model) else { return patches };
    let limit = KEEP_UP.min(watch.max);
    let query = Query {
        which,
        from: watch.next,
        max_lines: limit,
        max_behind: limit,
        // The lines are bounded, and it is references that come: what is sent of them is counted below.
        max_bytes: usize::MAX,
    };
    // The store is gone only while the host ends.
    let Ok((mut slice, marks)) = handles.logs.read(query, watch.marks).await else { return patches };
    if watch.continues && watch.next.0 > slice.head.0 + 1 {
        // Lines of another host: they say nothing of this log.
        watch.reset();
        return Box::pin(read(watch, handles, styles_sent)).await;
    }
    let (from, came) = (watch.next, position(&slice));
    let flood = came.is_some_and(|first| first > from);
    keep_newest(&mut slice, if flood { watch.rows.min(limit) } else { limit });
    let Slice { parts, runs, marks: found, groups, .. } = &mut slice;
    let kept = |process, seq| parts.iter().any(|part| part.process == process && part.holds(seq));
    runs.retain(|run| kept(run.process, run.seq));
    // Others were found late, on lines that were sent before.
    found.retain(|mark| which == Which::Merged || mark.seq < from || kept(mark.process, mark.seq));
    groups.retain(|it| which == Which::Merged || it.frames.last < from || kept(it.process, it.frames.last));
    let news = !slice.parts.is_empty() || !slice.marks.is_empty() || !slice.groups.is_empty();
    if (news || watch.fresh)
        && let Some(patch) = show(watch, &slice, from, handles, styles_sent)
    {
        watch.fresh = false;
        patches.push(patch);
    }
    watch.left_out(from, &slice);
    watch.passed(&slice, marks);
    // A log that goes on faster than it is sent has no time for what is past.
    if !flood
        && !watch.behind
        && let Some(gap) = watch.gap(slice.head)
    {
        patches.extend(fill(watch, gap, which, handles, styles_sent).await);
    }
    patches
}

/// Some of the lines of a gap, from its end.
async fn fill(
    watch: &mut Watch,
    mut gap: Gap,
    which: Which,
    handles: &Handles,
    styles_sent: &mut usize,
) -> Option<LogPatch> {
    let from = gap.wanted.start.0.max(gap.wanted.end.0.saturating_sub(FILL as u64));
    let count = usize::try_from(gap.wanted.end.0 - from).unwrap_or(FILL);
    let query =
        Query { which, from: Seq(from), max_lines: count, max_behind: usize::MAX, max_bytes: usize::MAX };
    let (mut slice, _) = handles.logs.read(query, u64::MAX).await.ok()?;
    cut_after(&mut slice, gap.wanted.end);
    let whole = position(&slice);
    keep_newest(&mut slice, FILL);
    let sent = position(&slice);
    // What is not there any more is passed over; what had no room in this frame comes with the next.
    gap.wanted.end = if sent == whole { Seq(from) } else { sent.unwrap_or(Seq(from)) };
    let (before, before_process) = gap.before;
    let mut patch = None;
    if let Some(first) = slice.parts.first() {
        patch = show(watch, &slice, gap.start, handles, styles_sent);
        if let Some(patch) = &mut patch {
            (patch.before, patch.late) = (Some(before.0), true);
            patch.before_id = (which == Which::Merged).then_some(before_process.0);
        }
        gap.before = (first.first, first.process);
    }
    watch.put_back(gap);
    patch
}

/// The slice as a patch. Lines that cannot be shown are passed over: the next ones can.
fn show(
    watch: &Watch,
    slice: &Slice,
    from: Seq,
    handles: &Handles,
    styles_sent: &mut usize,
) -> Option<LogPatch> {
    let ended = |process, number| handles.model.ended(process, number);
    let make = || patch::log_patch(watch, slice, from, ended);
    let mut patch = handles.resources.recover(Component::Rpc, "lines", make)?;
    patch.styles = slice.styles.since(*styles_sent).map(patch::style_row).collect();
    *styles_sent = (*styles_sent).max(slice.styles.len());
    Some(patch)
}

/// Where the first line stands in the log that was asked for.
fn position(slice: &Slice) -> Option<Seq> {
    slice.parts.first().map(|part| part.position)
}

/// Leaves of a slice at most so many of its last lines, and of those what fits into a frame.
fn keep_newest(slice: &mut Slice, most: usize) {
    let (mut lines, mut bytes) = (most, LIMIT_BYTES);
    let mut parts = slice.parts.len();
    'all: while parts > 0 {
        parts -= 1;
        let part = &mut slice.parts[parts];
        let Range { start, end } = part.lines.clone();
        for index in (start..end).rev() {
            let size = part.chunk.text(index).len().min(LIMIT_LINE);
            if lines == 0 || bytes < size {
                let cut = index + 1 - start;
                part.lines.start += cut;
                part.first.0 += cut as u64;
                part.position.0 += cut as u64;
                parts += usize::from(part.lines.is_empty());
                break 'all;
            }
            lines -= 1;
            bytes -= size;
        }
    }
    slice.parts.drain(..parts);
}

/// Leaves of a slice what stands before a position.
fn cut_after(slice: &mut Slice, end: Seq) {
    slice.parts.retain_mut(|part| {
        let room = usize::try_from(end.0.saturating_sub(part.position.0)).unwrap_or(usize::MAX);
        part.lines.end = part.lines.end.min(part.lines.start.saturating_add(room));
        !part.lines.is_empty()
    });
}
