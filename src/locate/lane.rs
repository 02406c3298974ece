//! What is remembered of one process's output while its story is told. Everything expires.

use super::{
    Place, Severity, matching,
    prefix::peel,
    rule::{Act, Rule},
    scanner::{MESSAGE, clip},
    shape::Shape,
};
use crate::event::Seq;
use std::ops::Range;

/// How many prefixes are followed at a time; the one silent for longest makes room.
pub(super) const LANES: usize = 16;
/// Lines after which a waiting title, an idle trace or an idle story is over.
pub(super) const PATIENCE: u64 = 60;
/// Lines between a lead and the headline it leads to.
pub(super) const LEAD_PATIENCE: u64 = 12;
/// Lines a heading outlives its last position, for messages of several lines.
pub(super) const HEADING_PATIENCE: u64 = 4;

/// The state of one prefix.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// The prefix this is about; empty for lines without one.
    pub(super) tag: Vec<u8>,
    /// When it was last changed to, in changes.
    pub(super) used: u64,
    /// Lines read. Ages are counted in it.
    pub(super) now: u64,
    /// A headline that waits for its place.
    pub(super) title: Option<Title>,
    /// A place that waits for its headline.
    pub(super) lead: Option<Lead>,
    /// A file that waits for positions.
    pub(super) heading: Option<Heading>,
    /// A trace that waits for what was raised.
    pub(super) trace: Option<Trace>,
    /// The headline that notes and frames belong to.
    pub(super) story: Option<Story>,
    /// A headline whose message is on the next line.
    pub(super) unsaid: Option<super::Finding>,
    /// What an `E` line of pytest said.
    pub(super) said: Option<String>,
    /// The group that the next trace joins.
    pub(super) chained: Option<u32>,
    /// The line before was a stack frame.
    pub(super) in_frames: bool,
    /// Lines left of a part that repeats what was told.
    pub(super) repeating: u64,
    /// That part ends at an empty line.
    pub(super) until_blank: bool,
    /// The last line that was not empty, for frames that come without a title. Its number is 0 when it was a
    /// place or a frame and can be no title.
    pub(super) previous: (Seq, String),
    /// The headline just told, for rules that fold: rule, file, line, group, age.
    pub(super) last: Option<(&'static str, String, Option<u32>, u32, u64)>,
    /// Its shapes after the last line that was read in full, while a line without any finding changes nothing but
    /// `previous` and `heading`. Some may have expired since.
    pub(super) calm: Option<Shape>,
    /// What such lines leave behind.
    pub(super) passed: Passed,
}

/// Lines of a block that were looked at and not read: only what the state can still remember of them.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// The last one.
    before: Option<(Seq, Range<usize>)>,
    /// The last ones that may be headings, each with its age; the next one goes to `next % HEADINGS`.
    headings: [Option<(u64, Seq, Range<usize>)>; HEADINGS],
    next: usize,
}

/// As many lines back a heading is remembered, its own included.
const HEADINGS: usize = HEADING_PATIENCE as usize + 1;

#[derive(Debug)]
pub(super) struct Title {
    pub(super) seq: Seq,
    pub(super) message: String,
    pub(super) severity: Severity,
    pub(super) rule: &'static str,
    pub(super) group: Option<u32>,
    pub(super) soft: bool,
    pub(super) alone: bool,
    pub(super) again: bool,
    /// Frames have come; the title is told when they end.
    pub(super) framed: bool,
    /// Told on confirmation only.
    pub(super) held: bool,
    /// The place it gets if no better one comes.
    pub(super) fallback: Option<Place>,
    pub(super) since: u64,
}

#[derive(Debug)]
pub(super) struct Lead {
    pub(super) rule: &'static Rule,
    pub(super) place: Place,
    pub(super) group: u32,
    pub(super) since: u64,
}

#[derive(Debug)]
pub(super) struct Heading {
    pub(super) seq: Seq,
    pub(super) place: Place,
    pub(super) told: bool,
    pub(super) since: u64,
}

#[derive(Debug)]
pub(super) struct Trace {
    pub(super) group: u32,
    /// It continues an exception already told.
    pub(super) chained: bool,
    /// How far it is indented: what was raised stands at that depth.
    pub(super) indent: usize,
    pub(super) user: Option<Place>,
    pub(super) any: Option<Place>,
    pub(super) since: u64,
}

#[derive(Debug)]
pub(super) struct Story {
    pub(super) group: u32,
    pub(super) file: String,
    pub(super) severity: Severity,
    pub(super) since: u64,
}

// === impl Lane ===

impl Lane {
    /// The state as shapes, so that rules can ask for it.
    pub(super) fn shape(&self) -> Shape {
        let mut shape = Shape::NONE;
        for (there, bit) in [
            (self.heading.is_some(), Shape::IN_HEADING),
            (self.trace.is_some(), Shape::IN_TRACE),
            (self.title.is_some(), Shape::IN_TITLE),
            (self.lead.as_ref().is_some_and(|lead| lead.rule.habit.told), Shape::IN_LEAD),
            (self.story.is_some(), Shape::IN_STORY),
        ] {
            if there {
                shape = shape | bit;
            }
        }
        shape
    }

    /// Whether it is about this prefix. Where there is none nothing is compared: an empty vector points nowhere, and some
    /// processors take long to find out that nothing is to be read from there.
    #[inline]
    pub(super) fn is_of(&self, tag: &[u8]) -> bool {
        self.tag.len() == tag.len() && (tag.is_empty() || self.tag == tag)
    }

    /// A line has been read in full.
    pub(super) fn settled(&mut self) {
        let calm = self.title.is_none() && self.unsaid.is_none();
        self.calm = calm.then(|| self.shape());
    }

    /// The shapes of a calm lane, with those that lines passed over may have left.
    pub(super) fn calm_shape(&self) -> Option<Shape> {
        let pending = self.passed.next > 0;
        self.calm.map(|shape| if pending { shape | Shape::IN_HEADING } else { shape })
    }

    /// Passes over a line without any finding: `line` is where it stands in its block, without its end.
    #[inline]
    pub(super) fn pass(&mut self, seq: Seq, line: Range<usize>, may_be_heading: bool) {
        self.now += 1;
        self.repeating = self.repeating.saturating_sub(1);
        self.passed(seq, line, may_be_heading);
    }

    /// Passes over a line of blanks.
    pub(super) fn pass_blank(&mut self, empty: bool) {
        self.now += 1;
        self.repeating = if empty && self.until_blank { 0 } else { self.repeating.saturating_sub(1) };
        self.in_frames = false;
    }

    /// As [`Lane::pass`], for a line whose turn has been counted.
    #[inline]
    pub(super) fn passed(&mut self, seq: Seq, line: Range<usize>, may_be_heading: bool) {
        self.in_frames = false;
        if may_be_heading {
            self.passed.headings[self.passed.next % HEADINGS] = Some((self.now, seq, line.clone()));
            self.passed.next += 1;
        }
        self.passed.before = Some((seq, line));
    }

    /// Reads what is still remembered of the lines passed over, which stand in `block`.
    pub(super) fn settle(&mut self, block: &[u8]) {
        if self.passed.before.is_none() {
            return;
        }
        let Passed { before, mut headings, next } = std::mem::take(&mut self.passed);
        headings.rotate_left(next % HEADINGS);
        for (age, seq, line) in headings.into_iter().flatten() {
            if self.now.saturating_sub(age) > HEADING_PATIENCE {
                continue;
            }
            let text = String::from_utf8_lossy(&block[line]);
            let start = peel(text.as_bytes()).start;
            let trimmed = text[start..].trim_start();
            let matched = matching::recognise(&text, start, trimmed, Shape::of(&text[start..]));
            if let Some(matched) = matched.filter(|matched| matched.rule.act == Act::Heading)
                && let Some(place) = matched.place
            {
                self.heading = Some(Heading { seq, place, told: false, since: age });
            }
        }
        if let Some((seq, line)) = before {
            let text = String::from_utf8_lossy(&block[line]);
            let start = peel(text.as_bytes()).start;
            self.remember(seq, &text[start..]);
        }
        self.settled();
    }

    /// A line that may be the title of frames below it.
    pub(super) fn remember(&mut self, seq: Seq, body: &str) {
        let (last, said) = &mut self.previous;
        *last = seq;
        said.clear();
        said.push_str(clip(body.trim(), MESSAGE));
    }

    /// Forgets what has waited too long. The title is left to the caller, who may have to tell it.
    pub(super) fn age(&mut self) {
        let now = self.now;
        let over = |since: u64| now.saturating_sub(since) > PATIENCE;
        self.lead.take_if(|lead| over(lead.since));
        self.trace.take_if(|trace| over(trace.since));
        self.story.take_if(|story| over(story.since));
        self.heading.take_if(|heading| now.saturating_sub(heading.since) > HEADING_PATIENCE);
        self.repeating = self.repeating.saturating_sub(1);
    }
}
