//! From a pipe to whole lines: reads blocks, cuts them at their last newline, and waits for room in the
//! output pipe before it reads on. What is read is handed over where it lies.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

mod pipe;
mod rest;
mod splitter;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
#[cfg(target_os = "linux")]
mod tests;

pub(super) use self::pipe::{LARGER, Pipe};
use self::splitter::{Lines, Splitter};
use super::{
    OutputBatch, Stream,
    console::{Console, QUIET},
    ready::Pattern,
};
use crate::{
    event::{ProcessId, RunId, Timestamp},
    resource::{Sender, Shutdown},
};

/// What a reader stamps on its batches.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) process: ProcessId,
    pub(super) run: RunId,
    pub(super) stream: Stream,
}

/// How long a pipe may be held by a descendant after the leader's end before the run's output counts as over.
pub(super) const DRAIN: Duration = Duration::from_millis(500);

/// No pipe holds more than this without a privilege (pipe(7), `/proc/sys/fs/pipe-max-size`): what comes after so much was
/// not written by the leader.
const MAX_PIPE: usize = 1 << 20;

/// What a reader still takes for the run's own output once the leader is gone: time spent waiting for the pipe alone, so
/// that a busy log store does not cut a run short, and bytes, so that a descendant which never stops does not prolong it.
struct Patience {
    time: Duration,
    bytes: usize,
}

/// How far a run is, as its readers need to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Its leader lives.
    Running,
    /// Its leader has ended; the exit waits for its last lines.
    LeaderGone,
    /// The exit has been told; what comes now comes after it.
    Told,
}

/// The last line while it has no end.
#[derive(Default)]
struct Partial {
    /// When it is told, or told again because it has changed.
    due: Option<Instant>,
    told: bool,
}

/// What a run prints to.
pub(super) trait Source: Send {
    /// Appends what was printed, once there is something, as far as there is room without growing; returns how many bytes
    /// that is, 0 at the end. Cancel safe.
    fn read(&mut self, buffer: &mut Vec<u8>) -> impl Future<Output = io::Result<usize>> + Send;
}

/// Reads one pipe of one run.
pub(super) struct Reader {
    pub(super) origin: Origin,
    /// Full: the reader waits, then the child.
    pub(super) output: Sender<OutputBatch>,
    /// Told of a line that does not end.
    pub(super) console: Arc<Console>,
    pub(super) phase: watch::Receiver<Phase>,
    /// What says that the run is ready, until it has been found.
    pub(super) pattern: Option<Arc<Pattern>>,
    /// Dropped once everything that belongs to the run has been handed over.
    pub(super) over: Option<mpsc::Sender<()>>,
    pub(super) shutdown: Shutdown,
}

// === impl Reader ===

impl Reader {
    /// Reads the pipe to its end, or until the host shuts down while a process that escaped still holds it.
    pub(super) async fn read(mut self, mut pipe: impl Source) {
        let mut splitter = Splitter::default();
        let mut patience = Patience { time: DRAIN, bytes: MAX_PIPE };
        let mut partial = Partial::default();
        loop {
            let waited = Instant::now();
            if partial.due.is_some_and(|due| due <= waited) {
                partial = Partial { due: None, told: true };
                self.console.unfinished(self.origin.stream, splitter.unfinished());
            }
            let read = tokio::select! {
                biased;
                read = pipe.read(splitter.room()) => read,
                () = sleep_until(partial.due.unwrap_or(waited)), if partial.due.is_some() => continue,
                () = gone_for(&mut self.phase, patience.time), if self.over.is_some() => {
                    self.over = None;
                    continue;
                }
                () = self.shutdown.begun() => break,
            };
            if *self.phase.borrow() == Phase::LeaderGone {
                patience.time = patience.time.saturating_sub(waited.elapsed());
                patience.bytes = patience.bytes.saturating_sub(read.as_ref().copied().unwrap_or(0));
            }
            let lines = match read {
                Ok(0) => break,
                Ok(_) => splitter.take(),
                Err(error) => {
                    tracing::warn!(%error, process = self.origin.process.0, "Reading a child's output failed.");
                    break;
                }
            };
            if lines.text.is_empty() {
                // It goes on: what writes one line over and over is never quiet, and is shown all the same.
                partial.due.get_or_insert_with(|| Instant::now() + QUIET);
            } else {
                if partial.told {
                    self.console.unfinished(self.origin.stream, None);
                }
                let due = splitter.unfinished().map(|_| Instant::now() + QUIET);
                partial = Partial { due, told: false };
            }
            if !self.send(lines).await {
                return;
            }
            if patience.bytes == 0 {
                self.over = None;
            }
        }
        self.send(splitter.finish()).await;
    }

    /// False when the log store is gone, which is only so while the host ends.
    async fn send(&mut self, lines: Lines) -> bool {
        if lines.text.is_empty() {
            return true;
        }
        let Origin { process, run, stream } = self.origin;
        let Lines { text, cut } = lines;
        let (at, after_exit) = (Timestamp::now(), *self.phase.borrow() == Phase::Told);
        let found = self.pattern.take_if(|pattern| pattern.is_in(&text));
        let batch = OutputBatch::Lines { process, run, stream, at, text, cut, after_exit };
        let sent = self.output.send(batch).await.is_ok();
        if let Some(pattern) = found {
            pattern.found();
        }
        sent
    }
}

/// Returns when the leader is gone and `time` has passed since this was asked.
async fn gone_for(phase: &mut watch::Receiver<Phase>, time: Duration) {
    // The sender lives as long as the run.
    if phase.wait_for(|phase| *phase != Phase::Running).await.is_ok() {
        sleep(time).await;
    }
}
