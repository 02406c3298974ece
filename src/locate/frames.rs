//! Which neighbouring lines are the stack frames of one error, so that a reader may fold them.

use super::{
    Frames, Place,
    family::{self, Kind},
    rule::Act,
};
use crate::event::Seq;

/// Fewer frames are not worth a fold.
const FOLDED: u32 = 3;
/// How many other lines may stand between two frames: source, the name of the function.
const BETWEEN: u32 = 3;
/// How many groups are kept until somebody fetches them. What ends past that is not told.
const KEPT: usize = 1024;

/// Follows the frames of one scanner. Lines of two processes between each other are no neighbours, so there is at most
/// one open group.
#[derive(Debug, Default)]
pub(super) struct Folding {
    open: Option<Open>,
    ended: Vec<Frames>,
}

#[derive(Debug)]
struct Open {
    frames: Frames,
    /// The lane it is in, by the number of the change that led there.
    lane: u64,
    /// The newest frame comes last, as in Python: then source may stand below the last one.
    newest_last: bool,
    /// The last line that may belong to it, and how many others stand behind the last frame.
    end: Seq,
    between: u32,
}

// === impl Folding ===

impl Folding {
    /// Whether the next line has a say.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn take(&mut self) -> Vec<Frames> {
        std::mem::take(&mut self.ended)
    }

    /// A line that is a frame, `act` says of which kind; `place` is where it points, if anywhere.
    pub(super) fn frame(&mut self, seq: Seq, lane: u64, act: Act, place: Option<&Place>) {
        let newest_last = act == Act::FrameLast;
        if self.open.as_ref().is_some_and(|open| !open.goes_on(seq, lane) || open.newest_last != newest_last)
        {
            self.end();
        }
        let open = self.open.get_or_insert(Open {
            frames: Frames { first: seq, last: seq, count: 0, user: None },
            lane,
            newest_last,
            end: seq,
            between: 0,
        });
        open.frames.last = seq;
        open.frames.count += 1;
        open.end = seq;
        open.between = 0;
        if let Some(place) = place.filter(|place| family::kind(&place.file) == Kind::User)
            && (newest_last || open.frames.user.is_none())
        {
            open.frames.user = Some((seq, place.clone()));
        }
    }

    /// Any other line; `inside` where it may stand between two frames.
    pub(super) fn other(&mut self, seq: Seq, lane: u64, inside: bool) {
        let Some(open) = &mut self.open else { return };
        if inside && open.goes_on(seq, lane) && open.between < BETWEEN {
            open.end = seq;
            open.between += 1;
        } else {
            self.end();
        }
    }

    /// No more frames of the open group come.
    pub(super) fn end(&mut self) {
        let Some(Open { mut frames, newest_last, end, .. }) = self.open.take() else { return };
        if newest_last {
            frames.last = end;
        }
        if frames.count >= FOLDED && self.ended.len() < KEPT {
            self.ended.push(frames);
        }
    }
}

// === impl Open ===

impl Open {
    /// Whether a line stands directly below it, in the same lane.
    fn goes_on(&self, seq: Seq, lane: u64) -> bool {
        self.end.0 + 1 == seq.0 && self.lane == lane
    }
}
