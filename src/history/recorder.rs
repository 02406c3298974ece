//! The way in: a queue between the writer of the log store and the task that writes files.
//!
//! Bounded by bytes, not by batches: what is taken from a pipe comes in pieces of any size. The writer looks whether there
//! is room before it takes a further batch, and goes on answering questions meanwhile.
//!
//! What has been stored is copied, as the record it becomes, behind what waits already: it is in the processor's cache then,
//! its own memory can be used again at once, and all that waits is written with one call. The places it is copied to are
//! used again, too: fresh memory costs a fault a page, which is more than the copying.

use std::{collections::VecDeque, path::Path, sync::Arc, time::Duration};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::format::Piece;
use crate::{
    event::{ProcessId, ProcessInfo, RunId, Seq, Timestamp},
    process::Stream,
    sync::{Mutex, Notify},
};

/// Bytes that may wait to be written. One batch more may come on top, when there is room for a byte of it.
pub(super) const ROOM: usize = 4 << 20;

/// Bytes that are written at a time, except a batch of more.
const GROUP: usize = 1 << 20;

/// How long less than that waits for more: a file is written in few large pieces then, which costs the kernel half. A kill of
/// the host costs what came in this time, and in a flood what waited.
const MOMENT: Duration = Duration::from_millis(2);

/// Places for groups that are kept while none of them is needed: one is filled while another one is written.
const SPARE: usize = 2;

/// Where the writer of the log store leaves what it has stored. Dropping it ends the recording, once all is written.
pub struct Recorder {
    queue: Option<Arc<Queue>>,
}

/// Whole lines, as they were printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lines<'a> {
    /// The entry.
    pub process: ProcessId,
    /// The run that printed them.
    pub run: RunId,
    /// The pipe they came through.
    pub stream: Stream,
    /// When they were read.
    pub at: Timestamp,
    /// The number of the first of them in the log of its process.
    pub first: Seq,
    /// How many they are.
    pub count: u32,
    /// Text in which every line ends with a newline.
    pub text: &'a [u8],
    /// Lines that were cut: their numbers in `text`, and how many bytes they had.
    pub cut: &'a [(u32, u64)],
    /// The leader had already been reported as ended.
    pub after_exit: bool,
}

/// A run that begins.
#[derive(Clone, Debug)]
pub struct Begin {
    /// The entry.
    pub process: ProcessId,
    /// The start.
    pub run: RunId,
    /// Which start of the entry this is, from 1.
    pub number: u32,
    /// When it started.
    pub at: Timestamp,
    /// What runs.
    pub info: Arc<ProcessInfo>,
}

/// What is written at a time, in the order it was stored.
#[derive(Default)]
pub(super) struct Group {
    /// The records, one after the other.
    pub(super) bytes: Vec<u8>,
    pub(super) entries: Vec<Entry>,
}

/// What a piece of a group is.
pub(super) enum Entry {
    /// What names a process of the project at `root`.
    Begin { process: ProcessId, root: Arc<Path>, piece: Piece },
    /// Lines of a process.
    Lines { process: ProcessId, piece: Piece },
    /// Answered when what came before is in the file, or never will be.
    End { last: Seq, ack: oneshot::Sender<Seq> },
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Something waits, or nothing will come any more.
    filled: Notify,
    /// There is room again.
    drained: Notify,
}

#[derive(Default)]
struct Waiting {
    groups: VecDeque<Group>,
    /// Bytes of the groups, and of the one that is being written.
    bytes: usize,
    /// Empty places of groups.
    spare: Vec<Vec<u8>>,
    /// Those who want an answer, in the groups.
    ends: usize,
    /// Lines are taken.
    recording: bool,
    closed: bool,
}

// === impl Recorder ===

impl Recorder {
    /// One that records nothing.
    pub fn off() -> Self {
        Self { queue: None }
    }

    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue: Some(queue) }
    }

    /// Whether a batch may be taken. Where it may not, [`Recorder::room`] waits until it may.
    pub fn has_room(&self) -> bool {
        self.queue.as_ref().is_none_or(|queue| queue.waiting.lock().bytes < ROOM)
    }

    /// Waits until [`Recorder::has_room`]: at most for the time a disk may hang. May be dropped and asked again.
    pub async fn room(&self) {
        let Some(queue) = &self.queue else { return };
        while queue.waiting.lock().bytes >= ROOM {
            queue.drained.notified().await;
        }
    }

    /// A run begins: what it is, before its first line.
    pub fn begin(&self, begin: &Begin) {
        let (process, root) = (begin.process, begin.info.root.as_path().into());
        self.push(|waiting| {
            let group = waiting.group(0);
            let piece = Piece::process(begin, &mut group.bytes);
            group.entries.push(Entry::Begin { process, root, piece });
        });
    }

    /// Lines that have been stored. Whatever is over the bound is taken, too: who asks for room first stays under it.
    pub fn lines(&self, lines: &Lines<'_>) {
        self.push(|waiting| {
            if waiting.recording {
                let group = waiting.group(lines.size());
                let piece = Piece::lines(lines, &mut group.bytes);
                group.entries.push(Entry::Lines { process: lines.process, piece });
            }
        });
    }

    /// A run's output is over: `ack` is answered with `last` when its lines are in the file, or it is known that they will
    /// not be.
    pub fn end(&self, last: Seq, ack: oneshot::Sender<Seq>) {
        if let Some(queue) = &self.queue {
            queue.end(last, ack);
        } else {
            // Whoever asked and went away does not want the answer.
            ack.send(last).ok();
        }
    }

    fn push(&self, push: impl FnOnce(&mut Waiting)) {
        if let Some(queue) = &self.queue {
            queue.push(push);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            queue.waiting.lock().closed = true;
            queue.filled.notify_one();
        }
    }
}

// === impl Group ===

impl Group {
    /// Bytes it takes.
    pub(super) fn cost(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }
}

// === impl Waiting ===

impl Waiting {
    /// Something waits, or nothing will come.
    fn is_some(&self) -> bool {
        self.closed || !self.groups.is_empty()
    }

    /// What waits is to be written now: it is as much as is written at a time, or somebody wants an answer.
    fn is_due(&self) -> bool {
        self.closed || self.ends > 0 || self.groups.len() > 1
    }

    /// The group that comes last, with room for so many bytes more.
    fn group(&mut self, more: usize) -> &mut Group {
        let full = |group: &Group| !group.bytes.is_empty() && group.bytes.len() + more > GROUP;
        if self.groups.back().is_none_or(full) {
            let bytes = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(GROUP));
            self.groups.push_back(Group { bytes, entries: Vec::new() });
        }
        self.groups.back_mut().expect("it was there, or has been pushed")
    }
}

// === impl Queue ===

impl Queue {
    fn push(&self, push: impl FnOnce(&mut Waiting)) {
        {
            let mut waiting = self.waiting.lock();
            if waiting.closed {
                return;
            }
            let cost = |waiting: &Waiting| waiting.groups.iter().map(Group::cost).sum::<usize>();
            let before = cost(&waiting);
            push(&mut waiting);
            let more = cost(&waiting) - before;
            waiting.bytes += more;
            if more == 0 || (before > 0 && !waiting.is_due()) {
                return;
            }
        }
        self.filled.notify_one();
    }

    /// Asks for an answer behind what waits. Nobody answers any more once the recorder is gone.
    pub(super) fn end(&self, last: Seq, ack: oneshot::Sender<Seq>) {
        self.push(|waiting| {
            waiting.group(0).entries.push(Entry::End { last, ack });
            waiting.ends += 1;
        });
    }

    /// The oldest group. What it costs counts until [`Queue::written`].
    pub(super) fn take(&self) -> Option<Group> {
        let mut waiting = self.waiting.lock();
        let group = waiting.groups.pop_front()?;
        waiting.ends -= group.entries.iter().filter(|entry| matches!(entry, Entry::End { .. })).count();
        Some(group)
    }

    /// Waits until something waits, and then, unless that is [due](Waiting::is_due), a moment for more of it. Returns at
    /// once when nothing will come. Cancel safe.
    pub(super) async fn ready(&self) {
        while !self.waiting.lock().is_some() {
            self.filled.notified().await;
        }
        let end = Instant::now() + MOMENT;
        while !self.waiting.lock().is_due() && timeout_at(end, self.filled.notified()).await.is_ok() {}
    }

    /// So many bytes of what was taken are done with, and so is their place.
    pub(super) fn written(&self, cost: usize, place: Option<Vec<u8>>) {
        {
            let mut waiting = self.waiting.lock();
            waiting.bytes -= cost;
            // Not one that was made for a batch of more.
            if let Some(mut place) = place.filter(|place| place.capacity() <= GROUP + GROUP / 4)
                && waiting.spare.len() < SPARE
            {
                place.clear();
                waiting.spare.push(place);
            }
        }
        self.drained.notify_one();
    }

    /// Lines are taken from now on, or no longer.
    pub(super) fn record(&self, recording: bool) {
        self.waiting.lock().recording = recording;
    }

    /// Bytes that wait or are being written.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.lock().bytes
    }
}
