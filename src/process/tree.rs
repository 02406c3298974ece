//! The host's side of a guard: starts one, gives it orders and hears its news. The only place that starts a program.

use std::{
    fs::File,
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{ffi::OsStrExt, net::UnixStream as StdStream},
    },
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::{
    cmsg_space,
    io::Errno,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::Signal,
};
use tokio::{
    io::Interest,
    net::{UnixStream, unix::pipe},
    process::Command,
};

use super::{adopt::Guards, environment};
use crate::{
    config::StopSignal,
    event::{Exit, ProcessInfo, RunId, Survivor},
    guard::{self, Order, Step},
};

/// Bytes taken from the socket at a time: news are short.
const BLOCK: usize = 4096;

/// A process tree with its guard. Dropped, the tree is ended by its guard with its own signal and grace, unless it is detached.
pub(super) struct Tree {
    guard: tokio::process::Child,
    /// The guard's process id.
    pub(super) guard_pid: u32,
    socket: UnixStream,
    reader: guard::Reader,
    /// What the socket had no room for. Bounded by the start, which is the only long order.
    unsent: Vec<u8>,
    /// What is told last, once the guard is gone.
    last: Option<News>,
    /// It has been told.
    over: bool,
    guards: Guards,
    run: RunId,
    /// Who of the tree was ever told of: the leader and what outlived it.
    known: Vec<u32>,
    /// Who of them may live on.
    spared: Vec<u32>,
    leave: Vec<String>,
    program: String,
    /// The file the guard removes when nothing is left. It may have come too early, or be lost, so it is removed here too.
    record: Option<PathBuf>,
}

/// The host's ends of what a tree reads and writes.
pub(super) struct Pipes {
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
    /// The writing end of its standard input, where that is a pipe.
    pub(super) stdin: Option<OwnedFd>,
}

/// What a tree is started with.
pub(super) struct Spec<'a> {
    pub(super) info: &'a ProcessInfo,
    pub(super) run: RunId,
    /// The grace it gets when the host is gone.
    pub(super) grace: Duration,
    /// The terminal to give it instead of pipes: the slave, and the master, which the guard reads when the host is gone.
    pub(super) terminal: Option<(OwnedFd, BorrowedFd<'a>)>,
    /// It reads this program's own standard input.
    pub(super) own_input: bool,
    /// The file the guard removes when nothing is left.
    pub(super) record: Option<&'a Path>,
}

/// What is told of a tree.
#[derive(Debug)]
pub(super) enum News {
    /// Its leader runs.
    Started(u32),
    /// It could not be started; why, worded for the user.
    NotStarted(String),
    /// Its leader ended.
    Exited(Exit),
    /// What outlived the leader changed.
    Left(Vec<Survivor>),
    /// The grace of a stop is over.
    Killing,
    /// Nothing is left but what may live on.
    Empty,
    /// Its guard ended before it; what was left of it has been ended from here.
    Lost,
}

// === impl Tree ===

impl Tree {
    /// Starts a guard and gives it its first order. Its first news say what became of it.
    ///
    /// # Errors
    /// Why no guard could be started, worded for the user.
    pub(super) fn start(spec: Spec<'_>, guards: &Guards) -> Result<(Self, Pipes), String> {
        let Spec { info, run, grace, terminal, own_input, record } = spec;
        let program = info.argv.first().ok_or("an empty command")?.clone();
        if !info.cwd.is_dir() {
            return Err(format!("{} is not a directory", info.cwd.display()));
        }
        let failed = |error: io::Error| format!("brummer could not start it: {error}");
        let (out, stdout) = output().map_err(failed)?;
        let (err, stderr) = output().map_err(failed)?;
        let (own, socket) = StdStream::pair().map_err(failed)?;
        let is_terminal = terminal.is_some();
        let (input, stdin, master) = match terminal {
            Some((slave, master)) => (slave, None, Some(master)),
            None if info.options.stdin && own_input => {
                (io::stdin().as_fd().try_clone_to_owned().map_err(failed)?, None, None)
            }
            None if info.options.stdin => {
                let (read, write) = io::pipe().map_err(failed)?;
                (read.into(), Some(write.into()), None)
            }
            None => (File::open("/dev/null").map_err(failed)?.into(), None, None),
        };
        let order = Order::Start(Box::new(guard::Start {
            argv: info.argv.iter().map(|text| text.clone().into_bytes()).collect(),
            env: environment::additions(run, is_terminal, &info.env, &|name| std::env::var_os(name))
                .into_iter()
                .map(|(name, value)| (name.into_bytes(), value.into_bytes()))
                .collect(),
            cwd: info.cwd.as_os_str().as_bytes().to_vec(),
            signal: number(info.options.stop_signal),
            grace: info.options.stop_grace.unwrap_or(grace),
            terminal: is_terminal,
            detach: info.options.detach,
            leave: info.options.leave.iter().map(|name| name.clone().into_bytes()).collect(),
            record: record.map(|path| path.as_os_str().as_bytes().to_vec()).unwrap_or_default(),
            nofile: environment::original_files(),
        }));
        own.set_nonblocking(true).map_err(failed)?;
        let own = UnixStream::from_std(own).map_err(failed)?;
        let out = pipe::Receiver::from_owned_fd(out).map_err(failed)?;
        let err = pipe::Receiver::from_owned_fd(err).map_err(failed)?;
        let taps = master.map_or_else(|| vec![out.as_fd(), err.as_fd()], |master| vec![master]);
        let descriptors: Vec<BorrowedFd<'_>> = [input.as_fd()].into_iter().chain(taps).collect();

        // Nothing fails from here on: a guard that was started is waited for by its tree.
        let mut command = Command::new(guard::program());
        // No `uid`, `gid` or `pre_exec`, and an absolute path, so that std keeps to posix_spawn.
        command.arg0(guard::NAME).arg(guard::ARGUMENT).stdin(OwnedFd::from(socket));
        command.stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
        let mut guard = guards.start(&mut command, run).map_err(failed)?;
        drop(command);
        let guard_pid = guard.id().ok_or("its guard ended before it could be watched")?;
        let unsent = send_first(own.as_fd(), &order.encode(), &descriptors).unwrap_or_else(|error| {
            tracing::error!(%error, guard_pid, "A guard could not be told what to start.");
            // Its loss is told like any other.
            guard.start_kill().ok();
            Vec::new()
        });
        let tree = Self {
            guard,
            guard_pid,
            socket: own,
            reader: guard::Reader::default(),
            unsent,
            last: None,
            over: false,
            guards: guards.clone(),
            run,
            known: Vec::new(),
            spared: Vec::new(),
            leave: info.options.leave.clone(),
            program,
            record: record.map(Path::to_owned),
        };
        Ok((tree, Pipes { stdout: out, stderr: err, stdin }))
    }

    /// Asks everything in the tree to end, and kills what is left after the grace. Told by [`News::Empty`]. Again: the kill
    /// can only come nearer.
    pub(super) fn stop(&mut self, signal: StopSignal, grace: Duration) {
        self.wake();
        self.say(&Order::Stop { signal: number(signal), grace });
    }

    /// Kills everything in the tree.
    pub(super) fn kill(&mut self) {
        self.wake();
        self.say(&Order::Kill);
    }

    /// Has a guard go on that somebody stopped, as a debugger or a job control by name does. True when it was stopped.
    pub(super) fn wake(&self) -> bool {
        let guard = self.guard.id().and_then(|pid| guard::find(pid.cast_signed()));
        // Not waited for, so the number is its own.
        guard.is_some_and(|guard| guard.still && guard::signal(&guard, Signal::CONT))
    }

    /// Kills the guard, which does not do its work; what is left of the tree is ended from here then.
    pub(super) fn give_up_guard(&mut self) {
        if let Err(error) = self.guard.start_kill() {
            tracing::debug!(%error, "A guard was gone already.");
        }
    }

    /// What is told next; pending for ever after the last. Cancel safe.
    pub(super) async fn news(&mut self) -> News {
        loop {
            if self.over {
                return std::future::pending().await;
            }
            if self.last.is_some() {
                return self.end().await;
            }
            match self.reader.news() {
                Ok(Some(news)) => match self.translate(news) {
                    last if last.is_last() => self.last = Some(last),
                    news => return news,
                },
                Ok(None) => self.hear().await,
                Err(_) => self.lose(),
            }
        }
    }

    /// Reads from the socket, and writes what waits for room.
    async fn hear(&mut self) {
        let both = Interest::READABLE.add(Interest::WRITABLE);
        let interest = if self.unsent.is_empty() { Interest::READABLE } else { both };
        match self.socket.ready(interest).await {
            Ok(ready) if ready.is_writable() => self.send_rest(),
            Ok(_) => {}
            Err(_) => return self.lose(),
        }
        let mut block = [0; BLOCK];
        match self.socket.try_read(&mut block) {
            Ok(0) => self.lose(),
            Ok(count) => self.reader.push(&block[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.lose(),
        }
    }

    /// It says no more though its tree may live.
    fn lose(&mut self) {
        self.give_up_guard();
        self.guards.lost();
        self.last = Some(News::Lost);
    }

    /// The last news, told when the guard is gone. What it leaves behind comes to the host before it can be waited for.
    async fn end(&mut self) -> News {
        // Before they come here, so that nobody takes them for somebody else's.
        self.guards.spare(self.spared.drain(..));
        if let Err(error) = self.guard.wait().await {
            tracing::error!(%error, "Could not wait for a guard.");
        }
        if matches!(self.last, Some(News::Lost)) {
            self.guards.end_orphans(self.run, &self.known, &self.leave).await;
        }
        self.guards.forget(self.guard_pid);
        if let Some(record) = &self.record {
            // Mostly it is gone.
            std::fs::remove_file(record).ok();
        }
        self.over = true;
        self.last.take().unwrap_or(News::Lost)
    }

    fn translate(&mut self, news: guard::News) -> News {
        match news {
            guard::News::Started { pid } => {
                self.known.push(pid);
                News::Started(pid)
            }
            guard::News::NotStarted { errno, at } => {
                News::NotStarted(explain(Errno::from_raw_os_error(errno), at, &self.program))
            }
            guard::News::Exited(exit) => News::Exited(exit),
            guard::News::Left(left) => {
                self.spared = left.iter().filter(|one| one.exempt).map(|one| one.pid).collect();
                self.known.extend(left.iter().map(|survivor| survivor.pid));
                self.known.sort_unstable();
                self.known.dedup();
                News::Left(left)
            }
            guard::News::Killing => News::Killing,
            guard::News::Empty => News::Empty,
        }
    }

    fn say(&mut self, order: &Order) {
        if !self.over {
            self.unsent.extend_from_slice(&order.encode());
            self.send_rest();
        }
    }

    /// What finds no room is sent while news are waited for. A guard that is gone is noticed there too.
    fn send_rest(&mut self) {
        while !self.unsent.is_empty() {
            match self.socket.try_write(&self.unsent) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.unsent.clear(),
            }
        }
    }
}

/// A pipe for output: the host's end, which does not wait, and the script's.
fn output() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = io::pipe()?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read.into(), write.into()))
}

/// Sends the head of the first order with the descriptors. Returns the rest.
fn send_first(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<Vec<u8>> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("too many descriptors"));
    }
    let sent = sendmsg(socket, &[io::IoSlice::new(bytes)], &mut control, SendFlags::empty())?;
    Ok(bytes[sent..].to_vec())
}

/// The signal's number here.
pub(super) fn number(signal: StopSignal) -> i32 {
    match signal {
        StopSignal::Term => Signal::TERM,
        StopSignal::Int => Signal::INT,
        StopSignal::Hup => Signal::HUP,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Usr1 => Signal::USR1,
        StopSignal::Usr2 => Signal::USR2,
        StopSignal::Kill => Signal::KILL,
    }
    .as_raw()
}

/// An error of the operating system in the user's words.
fn explain(errno: Errno, at: Step, program: &str) -> String {
    let name = Path::new(program).display();
    let error = io::Error::from(errno);
    match (at, errno) {
        (Step::Program, Errno::NOENT | Errno::NOTDIR) => format!("{name} is not installed or not on PATH"),
        (Step::Program, Errno::ACCESS) => format!("{name} is not executable"),
        (Step::Program, Errno::TOOBIG) => "its arguments are too long".to_owned(),
        (Step::Program, _) => format!("{name}: {error}"),
        (Step::Directory, _) => format!("its directory cannot be entered: {error}"),
        (Step::Terminal, _) => format!("its terminal cannot be taken: {error}"),
        (Step::Fork, _) => format!("no process can be made: {error}"),
    }
}

// === impl News ===

impl News {
    /// The guard has nothing to do any more.
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::NotStarted(_) | Self::Empty | Self::Lost)
    }
}
