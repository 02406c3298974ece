//! From a pipe to whole lines: reads blocks, cuts them at their last newline, and waits for room in the
//! output pipe before it reads on.

use std::{io, sync::Arc, time::Duration};

use memchr::{memchr, memrchr};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    MAX_LINE, OutputBatch, Stream,
    console::{Console, QUIET},
    ready::Pattern,
};
use crate::{
    event::{ProcessId, RunId, Timestamp},
    resource::{Sender, Shutdown},
};

/// Bytes asked for at a time: the size of a default pipe.
const BLOCK: usize = 64 << 10;

/// Cuts blocks into whole lines. Pure; holds at most [`MAX_LINE`] bytes.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The head of the unfinished line.
    rest: Vec<u8>,
    /// Bytes of it that were not kept.
    lost: u64,
}

/// Whole lines, each ending with a newline, and which of them had to be cut (see [`OutputBatch::Lines`]).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) text: Vec<u8>,
    pub(super) cut: Vec<(u32, u64)>,
}

// === impl Splitter ===

impl Splitter {
    /// Takes the next block and returns the lines it completes.
    pub(super) fn push(&mut self, block: &[u8]) -> Lines {
        let Some(last) = memrchr(b'\n', block) else {
            self.hold(block);
            return Lines::default();
        };
        let first = memchr(b'\n', block).unwrap_or(last);
        self.hold(&block[..first]);
        let mut lines = self.end_line();
        // A block is shorter than a line may be, so only the line that began before it can be too long.
        lines.text.extend_from_slice(&block[first + 1..=last]);
        self.hold(&block[last + 1..]);
        lines
    }

    /// The unfinished last line, at the end of the pipe.
    pub(super) fn finish(&mut self) -> Lines {
        if self.rest.is_empty() { Lines::default() } else { self.end_line() }
    }

    /// The line that has no end yet, if one has begun.
    pub(super) fn unfinished(&self) -> Option<&[u8]> {
        (!self.rest.is_empty()).then_some(self.rest.as_slice())
    }

    /// More of the unfinished line.
    fn hold(&mut self, more: &[u8]) {
        let kept = more.len().min(MAX_LINE - self.rest.len());
        self.rest.extend_from_slice(&more[..kept]);
        self.lost += (more.len() - kept) as u64;
    }

    fn end_line(&mut self) -> Lines {
        let mut text = std::mem::take(&mut self.rest);
        let lost = std::mem::take(&mut self.lost);
        let cut = if lost > 0 { vec![(0, text.len() as u64 + lost)] } else { Vec::new() };
        text.push(b'\n');
        Lines { text, cut }
    }
}

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

/// What a run prints to.
pub(super) trait Source: Send {
    /// Bytes that were printed, once there are any; 0 at the end. Cancel safe.
    fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;
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

// === impl Source ===

impl<T: AsyncRead + Unpin + Send> Source for T {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        AsyncReadExt::read(self, buffer).await
    }
}

// === impl Reader ===

impl Reader {
    /// Reads the pipe to its end, or until the host shuts down while a process that escaped still holds it.
    pub(super) async fn read(mut self, mut pipe: impl Source) {
        let mut splitter = Splitter::default();
        let mut block = vec![0; BLOCK];
        let mut patience = Patience { time: DRAIN, bytes: MAX_PIPE };
        let mut asks = false;
        loop {
            let waited = Instant::now();
            let read = tokio::select! {
                biased;
                read = pipe.read(&mut block) => read,
                () = sleep(QUIET), if !asks && splitter.unfinished().is_some() => {
                    self.console.unfinished(self.origin.stream, splitter.unfinished());
                    asks = true;
                    continue;
                }
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
                Ok(n) => splitter.push(&block[..n]),
                Err(error) => {
                    tracing::warn!(%error, process = self.origin.process.0, "Reading a child's output failed.");
                    break;
                }
            };
            if std::mem::take(&mut asks) {
                self.console.unfinished(self.origin.stream, None);
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

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(blocks: &[&[u8]]) -> Vec<u8> {
        let mut splitter = Splitter::default();
        let mut text: Vec<u8> = blocks.iter().flat_map(|block| splitter.push(block).text).collect();
        text.extend(splitter.finish().text);
        text
    }

    #[test]
    fn a_line_may_arrive_in_many_blocks_and_end_without_a_newline() {
        assert_eq!(split(&[b"a", b"b\nc", b"", b"d\n\ne"]), b"ab\ncd\n\ne\n");
        assert_eq!(split(&[]), b"");
    }

    #[test]
    fn of_a_line_over_the_limit_the_head_is_kept_and_the_length_known() {
        let block = vec![b'x'; BLOCK];
        let mut splitter = Splitter::default();
        for _ in 0..(10 << 20) / BLOCK {
            assert_eq!(splitter.push(&block), Lines::default());
            assert!(splitter.rest.len() <= MAX_LINE, "the unfinished line is bounded");
        }
        let lines = splitter.push(b"end\nnext\n");
        assert_eq!(lines.cut, [(0, (10 << 20) + 3)]);
        assert_eq!((lines.text.len(), lines.text.ends_with(b"x\nnext\n")), (MAX_LINE + 6, true));
        assert_eq!(splitter.push(b"short\n").cut, [], "the next line is another line");
    }

    proptest! {
        #[test]
        fn cutting_is_joining_and_splitting_at_newlines(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let refs: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
            let mut expected = blocks.concat();
            if !expected.is_empty() && expected.last() != Some(&b'\n') {
                expected.push(b'\n');
            }
            prop_assert_eq!(split(&refs), expected);
        }
    }
}
