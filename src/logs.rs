//! Keeps what processes print: one writer, bounded, readable while it is written.
//!
//! *Flows in:* [`OutputBatch`]es from the output pipe; questions on the handle [`Logs`]. *Flows out:*
//! `LinesArrived`, `ErrorDetected` and `UrlDetected` on the bus; answers made of shared, immutable [`Chunk`]s. *Bounded:*
//! lines and bytes kept (`log_store.max_entries`, `max_bytes`), links of a line and their length, headlines kept per process,
//! questions waiting. *Lost:* the oldest
//! lines of the process that holds most, counted, when a bound is reached; nothing on the way in.
//!
//! Reads are answered by the writer between two batches, which hands out references to chunks and never
//! copies text. Whatever takes time (search, rendering, looking at files) happens on the reader's side, on a [`Slice`] or a
//! [`Snapshot`]. Who holds one keeps its chunks in memory.
//!
//! What has been stored goes on to the [`Recorder`]; a run's end is acknowledged behind it. While that has no room no batch is
//! taken, and questions are answered.
//!
//! Lines are stored as they come. They are told of when the pipe is empty; while more waits in it, after `batch_size`
//! lines of a process or `timeout_ms` after the first of them, and before a run's end is acknowledged. A panic while
//! errors are looked for is a fault; the lines of that batch are stored without.
//!
//! | what | healthy | degraded | failing | fallback |
//! |---|---|---|---|---|
//! | store, read, count, evict, record, search, jump, explain | yes | yes | yes | yes |
//! | lines told of per batch of | `batch_size` | twice that | twice that | what one read of the pipe gave |
//! | headlines, marks and counts of errors in new lines | yes | yes | no | no |
//! | list of errors | yes | yes | of what was found before | `not available in fallback mode` |
//!
//! While memory is short (warning) batches are twice as large; while it is critically short also half as many lines and
//! bytes are kept.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use crate::{
    bus::EventBus,
    config::{LogStoreConfig, Mode},
    event::{Component, Health, ProcessId, RunId, Seq},
    history::Recorder,
    locate::Severity,
    process::OutputBatch,
    resource::{self, ResourceManager, Sender, Waiting},
};

mod addresses;
mod ansi;
mod chunk;
mod facts;
mod intake;
mod lines;
mod merged;
#[cfg(test)]
mod planted;
mod process_log;
mod sequence;
mod settings;
mod sgr;
mod slice;
mod spare;
mod state;
mod style;
mod task;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod unpublished;

pub use ansi::Cleaner;
pub use chunk::Chunk;
use settings::Settings;
pub use slice::{Group, Kept, Line, Mark, Part, Query, RunMark, Slice, Snapshot, Stretch, Which};
pub use style::{Colour, Span, Style, StyleId, StyleTable};

/// How many questions may wait for the writer. An asker past that waits.
const QUESTIONS: usize = 64;

/// How long a probe waits for the writer.
const PROBE: Duration = Duration::from_secs(5);

/// One thing a person would count as an error (or a warning).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// Never comes twice in a host's life.
    pub id: u64,
    /// Whose.
    pub process: ProcessId,
    /// Which run printed it.
    pub run: RunId,
    /// Which start of the process that was, from 1.
    pub number: u32,
    /// Its line.
    pub seq: Seq,
    /// How bad.
    pub severity: Severity,
    /// What it says.
    pub message: Arc<str>,
    /// The rule that found it.
    pub rule: &'static str,
    /// Where it points, as printed.
    pub place: Option<crate::locate::Place>,
    /// The same for an error told again in the same run.
    pub group: u32,
}

/// Exact counts since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Lines taken in.
    pub lines: u64,
    /// Bytes of text taken in, after escapes were removed.
    pub bytes: u64,
    /// Lines that are no longer kept.
    pub evicted: u64,
    /// Lines kept.
    pub kept: u64,
    /// Lines taken in that were longer than `log_store.max_line`.
    pub long: u64,
}

/// The host is ending and the store is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the log store has stopped")]
pub struct Stopped;

/// Why there are no headlines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoHeadlines {
    /// The store is gone.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The fallback does not look for errors.
    #[error("the list of errors is not available in fallback mode")]
    Fallback,
}

/// The handle.
#[derive(Clone)]
pub struct Logs {
    questions: Sender<Question>,
    settings: Arc<watch::Sender<Settings>>,
}

/// What can be asked of the writer.
enum Question {
    Read {
        query: Query,
        marks_after: u64,
        answer: oneshot::Sender<(Slice, u64)>,
    },
    Around {
        process: ProcessId,
        seq: Seq,
        before: usize,
        after: usize,
        answer: oneshot::Sender<Slice>,
    },
    Snapshot {
        which: Which,
        answer: oneshot::Sender<Snapshot>,
    },
    Headlines {
        answer: oneshot::Sender<Vec<Headline>>,
    },
    Counts {
        answer: oneshot::Sender<Counts>,
    },
    /// Answered when the present settings hold.
    Settle {
        answer: oneshot::Sender<()>,
    },
    Probe {
        answer: oneshot::Sender<Result<(), String>>,
    },
}

// === impl Logs ===

impl Logs {
    /// Starts the writer. Returns the handle and the way in; capacity counts batches of at most 64 KiB.
    pub fn start(
        config: &LogStoreConfig,
        mode: Mode,
        bus: EventBus,
        resources: &ResourceManager,
    ) -> (Self, mpsc::Sender<OutputBatch>) {
        Self::start_recorded(config, mode, bus, resources, Recorder::off())
    }

    /// The same for a store whose lines also go to `recorder`, once they are stored.
    pub fn start_recorded(
        config: &LogStoreConfig,
        mode: Mode,
        bus: EventBus,
        resources: &ResourceManager,
        recorder: Recorder,
    ) -> (Self, mpsc::Sender<OutputBatch>) {
        let (questions, asked) =
            resource::channel(resources, Component::Logs, "log questions", QUESTIONS, Waiting::Measured);
        let (sender, batches) = mpsc::channel((config.buffer_size / config.batch_size.max(1)).max(1));
        let (settings, now) = watch::channel(Settings::new(config, mode));
        let writer = task::Writer::new(now, bus, resources.clone(), recorder);
        drop(resources.spawn(Component::Logs, "writer", writer.run(batches, asked)));
        (Self { questions, settings: Arc::new(settings) }, sender)
    }

    /// Lines from a position on. `marks_after` is the number the last answer gave for this reader, 0 at first:
    /// headlines found since then come with the slice.
    pub async fn read(&self, query: Query, marks_after: u64) -> Result<(Slice, u64), Stopped> {
        self.ask(|answer| Question::Read { query, marks_after, answer }).await
    }

    /// A line with its neighbourhood, as far as it is kept.
    pub async fn around(
        &self,
        process: ProcessId,
        seq: Seq,
        before: usize,
        after: usize,
    ) -> Result<Slice, Stopped> {
        self.ask(|answer| Question::Around { process, seq, before, after, answer }).await
    }

    /// Everything a log keeps now, to be looked at outside the writer. Costs references to its chunks, not their text.
    pub async fn snapshot(&self, which: Which) -> Result<Snapshot, Stopped> {
        self.ask(|answer| Question::Snapshot { which, answer }).await
    }

    /// All headlines kept, newest run first, each run's by line.
    ///
    /// # Errors
    /// There is no answer: see [`NoHeadlines`].
    pub async fn headlines(&self) -> Result<Vec<Headline>, NoHeadlines> {
        if self.mode() == Mode::Fallback {
            return Err(NoHeadlines::Fallback);
        }
        Ok(self.ask(|answer| Question::Headlines { answer }).await?)
    }

    /// What came in and what is kept.
    pub async fn counts(&self) -> Result<Counts, Stopped> {
        self.ask(|answer| Question::Counts { answer }).await
    }

    /// Which implementation runs.
    pub fn mode(&self) -> Mode {
        self.settings.borrow().mode()
    }

    /// Changes to the other implementation, between two batches. Returns when what comes from now on is written by
    /// that one.
    pub async fn switch(&self, mode: Mode) {
        self.settings.send_modify(|settings| settings.switch(mode));
        // Gone only while the host ends.
        self.ask(|answer| Question::Settle { answer }).await.ok();
    }

    /// Switches off what is done without in this state.
    pub fn degrade(&self, health: Health) {
        self.settings.send_modify(|settings| settings.degrade(health));
    }

    /// Uses what of the new settings can be used while it runs: `max_entries`, `max_bytes`, `max_line`,
    /// `max_error_entries`, `batch_size` and `timeout_ms`.
    pub fn reconfigure(&self, config: &LogStoreConfig) {
        self.settings.send_modify(|settings| settings.reconfigure(config));
    }

    /// Whether the current implementation works, also while the fallback runs: the writer answers, and finds an error
    /// where there is one.
    ///
    /// # Errors
    /// What does not work, worded for the user.
    pub async fn probe(&self) -> Result<(), String> {
        match timeout(PROBE, self.ask(|answer| Question::Probe { answer })).await {
            Ok(answer) => answer.map_err(|stopped| stopped.to_string())?,
            Err(_) => Err(format!("the log store has not answered for {PROBE:?}")),
        }
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Result<T, Stopped> {
        let (answer, receive) = oneshot::channel();
        self.questions.send(question(answer)).await.map_err(|_| Stopped)?;
        receive.await.map_err(|_| Stopped)
    }
}
