//! The way in: a queue between the writer of the log store and the task that writes files.
//!
//! Bounded by bytes, not by batches: what is taken from a pipe comes in pieces of any size. The writer looks whether there
//! is room before it takes a further batch, and goes on answering questions meanwhile.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::oneshot;

use crate::{
    event::{ProcessId, ProcessInfo, RunId, Seq, Timestamp},
    process::Stream,
    sync::{Mutex, Notify},
};

/// Bytes that may wait to be written. One batch more may come on top, when there is room for a byte of it.
pub(super) const ROOM: usize = 4 << 20;

/// What an entry takes besides its text.
const ENTRY: usize = 128;

/// A batch that takes so many times what it holds is copied to a place of its size.
const WASTE: usize = 4;

/// Where the writer of the log store leaves what it has stored. Dropping it ends the recording, once all is written.
pub struct Recorder {
    queue: Option<Arc<Queue>>,
}

/// Whole lines, as they were printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lines {
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
    /// Text in which every line ends with a newline.
    pub text: Vec<u8>,
    /// Lines that were cut: their numbers in `text`, and how many bytes they had.
    pub cut: Vec<(u32, u64)>,
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

/// What waits to be written, in the order it was stored.
pub(super) enum Entry {
    Begin(Begin),
    Lines(Lines),
    /// Answered when what came before is in the file, or never will be.
    End {
        last: Seq,
        ack: oneshot::Sender<Seq>,
    },
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Something waits, or nothing will come any more.
    pub(super) filled: Notify,
    /// There is room again.
    drained: Notify,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    /// Bytes of the entries, and of those that are being written.
    bytes: usize,
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
    pub fn begin(&self, begin: Begin) {
        self.push(Entry::Begin(begin));
    }

    /// Lines that have been stored. Whatever is over the bound is taken, too: who asks for room first stays under it.
    pub fn lines(&self, mut lines: Lines) {
        if !self.queue.as_ref().is_some_and(|queue| queue.waiting.lock().recording) {
            return;
        }
        if lines.text.capacity() / WASTE > lines.text.len() {
            lines.text.shrink_to_fit();
        }
        self.push(Entry::Lines(lines));
    }

    /// A run's output is over: `ack` is answered with `last` when its lines are in the file, or it is known that they will
    /// not be.
    pub fn end(&self, last: Seq, ack: oneshot::Sender<Seq>) {
        if self.queue.is_some() {
            self.push(Entry::End { last, ack });
        } else {
            // Whoever asked and went away does not want the answer.
            ack.send(last).ok();
        }
    }

    fn push(&self, entry: Entry) {
        let Some(queue) = &self.queue else { return };
        {
            let mut waiting = queue.waiting.lock();
            waiting.bytes += entry.cost();
            waiting.entries.push_back(entry);
        }
        queue.filled.notify_one();
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

// === impl Entry ===

impl Entry {
    /// Bytes it takes while it waits.
    pub(super) fn cost(&self) -> usize {
        match self {
            Self::Lines(lines) => ENTRY + lines.text.capacity() + lines.cut.capacity() * 16,
            Self::Begin(_) | Self::End { .. } => ENTRY,
        }
    }
}

// === impl Queue ===

impl Queue {
    /// The oldest entries, of about so many bytes and at most so many: at least one, if any waits. What they cost counts
    /// until [`Queue::written`].
    pub(super) fn take(&self, bytes: usize, most: usize) -> Vec<Entry> {
        let mut waiting = self.waiting.lock();
        let (mut taken, mut cost) = (Vec::new(), 0);
        while cost < bytes && taken.len() < most {
            let Some(entry) = waiting.entries.pop_front() else { break };
            cost += entry.cost();
            taken.push(entry);
        }
        taken
    }

    /// So many bytes of what was taken are done with.
    pub(super) fn written(&self, bytes: usize) {
        self.waiting.lock().bytes -= bytes;
        self.drained.notify_one();
    }

    /// Lines are taken from now on, or no longer.
    pub(super) fn record(&self, recording: bool) {
        self.waiting.lock().recording = recording;
    }

    /// Nothing waits and nothing will come.
    pub(super) fn is_over(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.closed && waiting.entries.is_empty()
    }

    /// Bytes that wait or are being written.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.lock().bytes
    }
}
