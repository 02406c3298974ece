//! Reads lines in order and tells what each one is: the state machine over the rules.

use super::{
    Finding, Frames, Place,
    frames::Folding,
    lane::{LANES, Lane},
    prefix,
    reader::Reader,
    shape::Shape,
};
use crate::event::Seq;
use std::collections::VecDeque;

/// The longest message kept, in bytes.
pub(super) const MESSAGE: usize = 500;
/// How much of a line is looked at, in bytes.
pub(super) const LOOKED_AT: usize = 4096;
/// How many headlines are remembered to know one that another tool tells again.
const REMEMBERED: usize = 64;
/// How many lines a part that repeats errors may have.
pub(super) const REPEAT: u64 = 2000;

/// Finds errors and places in the lines of one process.
#[derive(Debug, Default)]
pub struct Scanner {
    lanes: Vec<Lane>,
    /// The lane of the line before.
    current: usize,
    /// How often the lane has changed.
    changes: u64,
    /// Group numbers given so far.
    groups: u32,
    /// Headlines of build tools, by the end of their path and their line.
    told: VecDeque<Told>,
    /// The stack frames read last.
    pub(super) folding: Folding,
}

#[derive(Debug)]
struct Told {
    file: String,
    line: Option<u32>,
    rule: &'static str,
    message: String,
    group: u32,
}

// === impl Scanner ===

impl Scanner {
    /// A scanner that has read nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets every story half told: a new run begins. Groups go on counting.
    pub fn reset(&mut self) {
        self.lanes.clear();
        self.told.clear();
        self.folding = Folding::default();
    }

    /// Reads the next line, which must hold no escapes. Findings may concern earlier lines.
    pub fn line(&mut self, seq: Seq, text: &str, found: &mut Vec<Finding>) {
        self.read(seq, text, &[], found);
    }

    /// The same with the block it stands in, whose lines before it may have been passed over.
    pub(super) fn read(&mut self, seq: Seq, text: &str, block: &[u8], found: &mut Vec<Finding>) {
        let text = clip(text, LOOKED_AT).trim_end_matches(['\r', '\n']);
        let peeled = prefix::peel(text.as_bytes());
        let index = self.lane(peeled.tag);
        self.lanes[index].settle(block);
        self.with(index, seq, found, |mut reader| reader.read(text, peeled.start));
    }

    /// Has a line read. The lane is taken out meanwhile so that the scanner stays free to count groups.
    pub(super) fn with(
        &mut self,
        index: usize,
        seq: Seq,
        found: &mut Vec<Finding>,
        read: impl FnOnce(Reader<'_>),
    ) {
        let mut lane = std::mem::take(&mut self.lanes[index]);
        read(Reader { scanner: self, lane: &mut lane, seq, found });
        lane.settled();
        self.lanes[index] = lane;
    }

    /// The groups of stack frames that have ended since the last call.
    pub fn take_frames(&mut self) -> Vec<Frames> {
        self.folding.take()
    }

    /// The output is over: tells what was still waiting.
    pub fn finish(&mut self, found: &mut Vec<Finding>) {
        let mut lanes = std::mem::take(&mut self.lanes);
        lanes.sort_by_key(|lane| lane.used);
        for mut lane in lanes {
            let mut reader = Reader { scanner: self, lane: &mut lane, seq: Seq(0), found };
            reader.say(None);
            reader.flush();
        }
        self.folding.end();
    }

    /// The lane of a prefix: mostly that of the line before.
    #[inline]
    pub(super) fn lane(&mut self, tag: &[u8]) -> usize {
        if self.lanes.get(self.current).is_none_or(|lane| !lane.is_of(tag)) {
            self.change_lane(tag);
        }
        self.current
    }

    #[inline(never)]
    fn change_lane(&mut self, tag: &[u8]) {
        self.changes += 1;
        let known = self.lanes.iter().position(|lane| lane.is_of(tag));
        self.current = known.unwrap_or_else(|| {
            let lane = Lane { tag: tag.to_owned(), ..Lane::default() };
            if self.lanes.len() < LANES {
                self.lanes.push(lane);
                return self.lanes.len() - 1;
            }
            let silent = (0..LANES).min_by_key(|index| self.lanes[*index].used).unwrap_or(0);
            self.lanes[silent] = lane;
            silent
        });
        self.lanes[self.current].used = self.changes;
    }

    pub(super) fn lanes_mut(&mut self) -> &mut [Lane] {
        &mut self.lanes
    }

    pub(super) fn group(&mut self) -> u32 {
        self.groups = self.groups.wrapping_add(1).max(1);
        self.groups
    }

    /// The group of a headline that may have been told before, by this tool or by another of the chain.
    pub(super) fn group_again(&mut self, rule: &'static str, place: &Place, message: &str) -> u32 {
        let file = tail(&place.file);
        let known = self.told.iter().find(|told| {
            told.file == file && told.line == place.line && (told.rule != rule || told.message == message)
        });
        if let Some(known) = known {
            return known.group;
        }
        let group = self.group();
        if self.told.len() >= REMEMBERED {
            self.told.pop_front();
        }
        let message = message.to_owned();
        self.told.push_back(Told { file: file.to_owned(), line: place.line, rule, message, group });
        group
    }

    /// What the state of a prefix adds to the shape of its next line.
    pub(super) fn shape(&self, tag: &[u8]) -> Shape {
        self.lanes.iter().find(|lane| lane.tag == tag).map_or(Shape::NONE, Lane::shape)
    }

    #[cfg(test)]
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// About how many bytes of text are held.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        format!("{self:?}").len()
    }
}

/// The last two parts of a path: enough to know it again in another spelling.
fn tail(path: &str) -> &str {
    path.rmatch_indices('/').nth(1).map_or(path, |(at, _)| &path[at + 1..])
}

/// The front of a text, cut on a character.
pub(super) fn clip(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
