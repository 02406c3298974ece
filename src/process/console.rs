//! What a process is connected to besides the log: its standard input, and its terminal if it has one. One for each
//! entry, for all its runs; what is set here before a start (the size, bytes for the input) holds for it.

use std::{io, os::fd::OwnedFd, sync::Arc, time::Duration};

use tokio::{net::unix::pipe, sync::watch, time::sleep};

use super::{
    InputError, Stream,
    input::{Input, Sink},
    output::Source,
    pty::{CTRL_D, Master, Size},
    replay::{Piece, Position, Replay},
};
use crate::{
    config::RunOptions,
    event::RunId,
    metrics::SynchronizationMetrics,
    sync::{Mutex, Notify},
};

/// After so long without output a program counts as waiting: for the next line, or for a key.
pub(super) const QUIET: Duration = Duration::from_millis(150);

/// How much of an unfinished line is told, in bytes.
const PROMPT: usize = 200;

/// See the module.
pub(super) struct Console {
    input: Input,
    state: Mutex<State>,
    /// Told when something is printed that a reader waits for: one for all processes.
    printed: Arc<watch::Sender<()>>,
    noticed: watch::Sender<Noticed>,
    /// The terminal has printed something, or is gone.
    spoke: Notify,
}

#[derive(Default)]
struct State {
    size: Size,
    /// While a run has a terminal.
    master: Option<(RunId, Arc<Master>)>,
    replay: Replay,
    /// How many read the replay.
    readers: usize,
    /// The guard of the tree that runs.
    tree: Option<u32>,
}

/// What is seen of a run by looking at what it prints and at its terminal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Noticed {
    /// It has a terminal.
    pub(super) terminal: bool,
    /// It has used the alternate screen or read single keys.
    pub(super) full_screen: bool,
    /// The unfinished last line of each pipe, while nothing follows.
    prompts: [Option<Arc<str>>; 2],
}

/// Reads a terminal; what it prints is kept as it is, besides.
pub(super) struct TerminalOutput {
    master: Arc<Master>,
    console: Arc<Console>,
}

/// Somebody who shows a terminal. Falls behind rather than slow the program down; dropping it ends nothing else.
pub struct Attachment {
    console: Arc<Console>,
    position: Position,
}

// === impl Console ===

impl Console {
    pub(super) fn new(printed: Arc<watch::Sender<()>>, metrics: Arc<SynchronizationMetrics>) -> Self {
        let noticed = watch::Sender::new(Noticed::default());
        Self { input: Input::new(metrics), state: Mutex::default(), printed, noticed, spoke: Notify::new() }
    }

    /// A terminal for the next run, if the settings give it one: the host's end, and the child's.
    ///
    /// # Errors
    /// The system's, which has no more files or terminals.
    pub(super) fn terminal(&self, options: &RunOptions) -> io::Result<Option<(Arc<Master>, OwnedFd)>> {
        if !options.pty {
            return Ok(None);
        }
        let size = self.state.lock().size;
        let (master, child) = Master::open(size)?;
        Ok(Some((Arc::new(master), child)))
    }

    /// A run has been started with this terminal, or with this standard input. Returns its terminal's output, and the work
    /// that feeds its input, which lasts as long as the run.
    pub(super) fn begin(
        self: &Arc<Self>,
        run: RunId,
        terminal: Option<Arc<Master>>,
        stdin: Option<OwnedFd>,
    ) -> (Option<TerminalOutput>, impl Future<Output = ()> + Send + use<>) {
        let mut state = self.state.lock();
        state.replay.begin();
        state.master = terminal.clone().map(|master| (run, master));
        let (size, read) = (state.size, state.readers > 0);
        drop(state);
        self.noticed.send_replace(Noticed { terminal: terminal.is_some(), ..Noticed::default() });
        if read {
            self.printed.send_replace(());
        }
        let output = terminal.clone().map(|master| {
            // It may have changed since the terminal was made.
            master.resize(size).ok();
            TerminalOutput { master, console: Arc::clone(self) }
        });
        let console = Arc::clone(self);
        let feed = async move {
            let sink = match (&terminal, stdin) {
                (Some(master), _) => Some(Sink::Terminal(Arc::clone(master))),
                (None, Some(stdin)) => pipe::Sender::from_owned_fd(stdin).ok().map(Sink::Pipe),
                (None, None) => None,
            };
            let write = async {
                if let Some(sink) = sink {
                    console.input.write(run, sink).await;
                }
            };
            let watch = async {
                if let Some(master) = terminal {
                    console.watch(run, &master).await;
                }
            };
            tokio::join!(write, watch);
        };
        (output, feed)
    }

    /// The run is over: nothing can be sent to it any more.
    pub(super) fn end(&self, run: RunId) {
        self.input.end(run);
        let mut state = self.state.lock();
        state.master.take_if(|(of, _)| *of <= run);
        drop(state);
        self.spoke.notify_one();
        self.noticed.send_if_modified(|noticed| std::mem::take(&mut noticed.prompts) != [None, None]);
    }

    /// Names the process that everything of the present run descends from.
    pub(super) fn set_tree(&self, root: Option<u32>) {
        self.state.lock().tree = root;
    }

    pub(super) fn tree(&self) -> Option<u32> {
        self.state.lock().tree
    }

    /// What is seen of the present run, now and from now on.
    pub(super) fn noticed(&self) -> watch::Receiver<Noticed> {
        self.noticed.subscribe()
    }

    /// Queues a line, and with `last` the end of the input after it.
    pub(super) fn send(
        &self,
        run: RunId,
        options: &RunOptions,
        line: Option<&str>,
        last: bool,
    ) -> Result<(), InputError> {
        if options.pty {
            // Enter is a carriage return; the terminal makes of it what its program wants.
            let mut bytes =
                line.map(|line| format!("{line}\n").replace('\n', "\r").into_bytes()).unwrap_or_default();
            if last {
                // Of a terminal the end is a key, after which it goes on.
                bytes.push(self.master().map_or(CTRL_D, |master| master.end_of_file()));
            }
            return self.input.offer(run, &bytes, false);
        }
        if !options.stdin {
            return Err(InputError::Off);
        }
        let bytes = line.map(|line| format!("{line}\n").into_bytes()).unwrap_or_default();
        self.input.offer(run, &bytes, last)
    }

    /// Queues what a terminal sends.
    pub(super) fn keys(&self, run: RunId, options: &RunOptions, bytes: &[u8]) -> Result<(), InputError> {
        if !options.pty {
            return Err(InputError::NoTerminal);
        }
        self.input.offer(run, bytes, false)
    }

    /// The size of this and all later terminals of this process.
    pub(super) fn resize(&self, size: Size) {
        let mut state = self.state.lock();
        let changed = std::mem::replace(&mut state.size, size) != size;
        let master = state.master.as_ref().map(|(_, master)| Arc::clone(master));
        drop(state);
        if let (true, Some(master)) = (changed, master)
            && let Err(error) = master.resize(size)
        {
            tracing::debug!(%error, "A terminal could not be resized.");
        }
    }

    /// Somebody who reads what the terminal prints, from the oldest that is kept.
    pub(super) fn attach(self: &Arc<Self>) -> Attachment {
        self.state.lock().readers += 1;
        Attachment { console: Arc::clone(self), position: Position::default() }
    }

    /// A pipe ends in the middle of a line and nothing follows, or what did not follow has come.
    pub(super) fn unfinished(&self, stream: Stream, line: Option<&[u8]>) {
        let shown = line.map(|line| {
            // What a carriage return leaves is what can be seen.
            let line = line.rsplit(|&byte| byte == b'\r').find(|part| !part.is_empty()).unwrap_or_default();
            Arc::<str>::from(String::from_utf8_lossy(&line[..line.len().min(PROMPT)]))
        });
        self.noticed.send_if_modified(|noticed| {
            let prompt = &mut noticed.prompts[usize::from(stream == Stream::Err)];
            let changed = *prompt != shown;
            *prompt = shown;
            changed
        });
    }

    fn master(&self) -> Option<Arc<Master>> {
        self.state.lock().master.as_ref().map(|(_, master)| Arc::clone(master))
    }

    fn print(&self, bytes: &[u8]) {
        let mut state = self.state.lock();
        state.replay.push(bytes);
        let (read, alternate) = (state.readers > 0, state.replay.is_alternate());
        drop(state);
        self.spoke.notify_one();
        if read {
            self.printed.send_replace(());
        }
        if alternate {
            self.notice_full_screen();
        }
    }

    fn notice_full_screen(&self) {
        self.noticed.send_if_modified(|noticed| !std::mem::replace(&mut noticed.full_screen, true));
    }

    /// Looks at the terminal's modes whenever the program has printed something and pauses, until it once reads single
    /// keys or the run is over: nothing tells of a change of modes.
    async fn watch(&self, run: RunId, master: &Master) {
        loop {
            sleep(QUIET).await;
            let over = self.state.lock().master.as_ref().is_none_or(|(of, _)| *of != run);
            if over || self.noticed.borrow().full_screen {
                return;
            }
            if master.is_raw() {
                return self.notice_full_screen();
            }
            self.spoke.notified().await;
        }
    }
}

// === impl Noticed ===

impl Noticed {
    /// The unfinished line that stands last.
    pub(super) fn prompt(&self) -> Option<&Arc<str>> {
        self.prompts.iter().flatten().next_back()
    }
}

// === impl TerminalOutput ===

impl Source for TerminalOutput {
    async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let before = buffer.len();
        let read = self.master.read(buffer).await?;
        self.console.print(&buffer[before..]);
        Ok(read)
    }
}

// === impl Attachment ===

impl Attachment {
    /// What has been printed since, up to `limit` bytes; nothing when there is nothing new.
    pub fn take(&mut self, limit: usize) -> Option<Piece> {
        self.console.state.lock().replay.read(&mut self.position, limit)
    }

    /// Has everything that is kept told again.
    pub fn rewind(&mut self) {
        self.position.rewind();
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.console.state.lock().readers -= 1;
    }
}
