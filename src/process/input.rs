//! What is sent to a process: a bounded queue, and the writer that hands it on as fast as the process reads.
//!
//! *Flows in:* lines and keys. *Bounded:* [`WAITING`] bytes wait, beside what the kernel holds. *Lost:* nothing in part:
//! what does not fit is refused as a whole, and the sender told; what waits when the run ends goes with it.

use std::{collections::VecDeque, io, sync::Arc};

use tokio::{io::AsyncWriteExt, net::unix::pipe};

use super::pty::Master;
use crate::{
    event::RunId,
    metrics::SynchronizationMetrics,
    sync::{Mutex, Notify},
};

/// Bytes that wait for one process.
pub(super) const WAITING: usize = 64 << 10;

/// Bytes handed on at a time.
const PIECE: usize = 4 << 10;

/// Why something was not sent. Worded for the user, who knows which process it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InputError {
    /// No run, or it is over.
    #[error("is not running")]
    NotRunning,
    /// The settings give it none.
    #[error("has no input (stdin = false)")]
    Off,
    /// It has been closed, by the user or by the process.
    #[error("takes no more input: it was closed")]
    Closed,
    /// The process does not read it.
    #[error("does not read its input: {0} bytes wait for it already")]
    Full(usize),
    /// It was started without a terminal.
    #[error("has no terminal: set pty = true in its table of .brum.toml and restart it")]
    NoTerminal,
}

/// The queue of one entry, for one run after the other.
pub(super) struct Input {
    state: Mutex<State>,
    /// The writer of the present run has something to do.
    changed: Notify,
    metrics: Arc<SynchronizationMetrics>,
}

struct State {
    /// The run that the rest is about; what is sent to an earlier one comes too late.
    run: RunId,
    phase: Phase,
    /// Unsent bytes, at most [`WAITING`].
    queue: VecDeque<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Takes bytes, also before the program runs.
    Open,
    /// Takes no more; what waits is still written.
    Closing,
    Closed,
    /// The run is over.
    Over,
}

/// Where the bytes go.
pub(super) enum Sink {
    /// The writing end of the standard input.
    Pipe(pipe::Sender),
    /// The host's end of the terminal.
    Terminal(Arc<Master>),
}

/// What the writer is to do next.
enum Next {
    Write(Vec<u8>),
    Wait,
    Stop,
}

// === impl Input ===

impl Input {
    pub(super) fn new(metrics: Arc<SynchronizationMetrics>) -> Self {
        let state = State { run: RunId(0), phase: Phase::Open, queue: VecDeque::new() };
        Self { state: Mutex::new(state), changed: Notify::new(), metrics }
    }

    /// Queues `bytes` for a run, all or none of them, and with `last` nothing after them.
    pub(super) fn offer(&self, run: RunId, bytes: &[u8], last: bool) -> Result<(), InputError> {
        let mut state = self.state.lock();
        if state.run > run {
            return Err(InputError::NotRunning);
        }
        state.about(run);
        match state.phase {
            Phase::Open => {}
            Phase::Closing | Phase::Closed => return Err(InputError::Closed),
            Phase::Over => return Err(InputError::NotRunning),
        }
        let waiting = state.queue.len();
        if waiting + bytes.len() > WAITING {
            drop(state);
            self.metrics.process.input_refused.add(bytes.len() as u64);
            return Err(InputError::Full(waiting));
        }
        state.queue.extend(bytes);
        if last {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The run is over: what waits for it is thrown away, and its writer ends.
    pub(super) fn end(&self, run: RunId) {
        let mut state = self.state.lock();
        if state.run <= run {
            *state = State { run, phase: Phase::Over, queue: VecDeque::new() };
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Writes what is queued for a run until it is over, its input is closed, or the process has closed it. Dropping the
    /// sink is the end of file.
    pub(super) async fn write(&self, run: RunId, mut sink: Sink) {
        loop {
            let changed = self.changed.notified();
            match self.next(run) {
                Next::Stop => return,
                Next::Wait => changed.await,
                Next::Write(piece) => {
                    let written = tokio::select! {
                        written = sink.write(&piece) => written,
                        () = self.over(run) => return,
                    };
                    if !self.wrote(run, written) {
                        return;
                    }
                }
            }
        }
    }

    fn next(&self, run: RunId) -> Next {
        let mut state = self.state.lock();
        if state.run != run {
            // Nothing was sent to it yet, or there is a later one.
            return if state.run < run { Next::Wait } else { Next::Stop };
        }
        match state.phase {
            Phase::Open | Phase::Closing if !state.queue.is_empty() => {
                Next::Write(state.queue.iter().take(PIECE).copied().collect())
            }
            Phase::Open => Next::Wait,
            Phase::Closing => {
                state.phase = Phase::Closed;
                Next::Stop
            }
            Phase::Closed | Phase::Over => Next::Stop,
        }
    }

    /// False when nothing more can be written.
    fn wrote(&self, run: RunId, written: io::Result<usize>) -> bool {
        let mut state = self.state.lock();
        if state.run != run {
            return false;
        }
        match written {
            Ok(n) => {
                let n = n.min(state.queue.len());
                state.queue.drain(..n);
                true
            }
            Err(error) => {
                // The process has closed it, which it may.
                if state.phase != Phase::Over {
                    *state = State { run, phase: Phase::Closed, queue: VecDeque::new() };
                }
                drop(state);
                tracing::debug!(run = run.0, %error, "An input was closed by its process.");
                false
            }
        }
    }

    /// Returns when a run is over.
    async fn over(&self, run: RunId) {
        loop {
            let changed = self.changed.notified();
            let over = {
                let state = self.state.lock();
                state.run > run || state.run == run && state.phase == Phase::Over
            };
            if over {
                return;
            }
            changed.await;
        }
    }
}

// === impl State ===

impl State {
    /// A later run begins with nothing.
    fn about(&mut self, run: RunId) {
        if self.run < run {
            *self = Self { run, phase: Phase::Open, queue: VecDeque::new() };
        }
    }
}

// === impl Sink ===

impl Sink {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.write(bytes).await,
            Self::Terminal(master) => master.write(bytes).await,
        }
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    const RUN: RunId = RunId(7);

    fn input() -> Arc<Input> {
        Arc::new(Input::new(Arc::default()))
    }

    fn waiting(input: &Input) -> usize {
        input.state.lock().queue.len()
    }

    #[tokio::test]
    async fn what_was_sent_before_the_start_comes_first_and_the_end_of_file_last() {
        let input = input();
        input.offer(RUN, b"early\n", false).expect("open");
        let (sender, mut receiver) = pipe::pipe().expect("a pipe");
        let write = input.write(RUN, Sink::Pipe(sender));
        let feed = async {
            let mut line = [0; 6];
            receiver.read_exact(&mut line).await.expect("the early line");
            input.offer(RUN, b"late\n", true).expect("open");
            assert_eq!(input.offer(RUN, b"x", false), Err(InputError::Closed));
            let mut rest = Vec::new();
            receiver.read_to_end(&mut rest).await.expect("the end");
            [line.to_vec(), rest].concat()
        };
        let ((), all) = tokio::join!(write, feed);
        assert_eq!(all, b"early\nlate\n");
        assert_eq!(input.offer(RUN, b"x", false), Err(InputError::Closed));
    }

    #[tokio::test]
    async fn a_process_that_does_not_read_is_said_and_nothing_is_sent_in_part() {
        let input = input();
        let (sender, mut receiver) = pipe::pipe().expect("a pipe");
        let line = vec![b'x'; 1000];
        let write = input.write(RUN, Sink::Pipe(sender));
        let feed = async {
            let mut sent = 0;
            // The kernel's buffer fills, too: only then does anything wait.
            let full = loop {
                match input.offer(RUN, &line, false) {
                    Ok(()) => sent += line.len(),
                    Err(error) => break error,
                }
                tokio::task::yield_now().await;
            };
            assert_eq!(full, InputError::Full(waiting(&input)));
            assert!(waiting(&input) > WAITING - line.len() && waiting(&input) <= WAITING);
            assert_eq!(input.metrics.snapshot().process.input_refused, line.len() as u64);
            let mut read = vec![0; sent];
            receiver.read_exact(&mut read).await.expect("all that was taken");
            assert!(waiting(&input) == 0, "it reads again");
            input.offer(RUN, b"more", false).expect("room");
            input.end(RUN);
        };
        tokio::join!(write, feed);
        assert_eq!(input.offer(RUN, b"x", false), Err(InputError::NotRunning));
    }

    #[tokio::test]
    async fn the_end_of_a_run_ends_a_writer_that_cannot_write_and_the_next_run_gets_nothing_of_it() {
        let input = input();
        let (sender, receiver) = pipe::pipe().expect("a pipe");
        let write = input.write(RUN, Sink::Pipe(sender));
        let feed = async {
            while input.offer(RUN, &[b'x'; 4096], false).is_ok() {
                tokio::task::yield_now().await;
            }
            input.end(RUN);
        };
        tokio::join!(write, feed);
        drop(receiver);
        assert_eq!(waiting(&input), 0);
        input.offer(RunId(8), b"new", false).expect("a new run");
        assert_eq!(input.offer(RUN, b"x", false), Err(InputError::NotRunning));
        input.end(RUN);
        assert_eq!(waiting(&input), 3, "a late end of an earlier run changes nothing");
    }

    #[tokio::test]
    async fn an_input_that_the_process_has_closed_takes_nothing() {
        let input = input();
        let (sender, receiver) = pipe::pipe().expect("a pipe");
        drop(receiver);
        input.offer(RUN, b"x", false).expect("nobody knows yet");
        input.write(RUN, Sink::Pipe(sender)).await;
        assert_eq!(input.offer(RUN, b"x", false), Err(InputError::Closed));
    }
}
