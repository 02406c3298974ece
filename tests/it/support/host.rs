//! The host without Neovim: the test is the editor at the other end of its sockets, and may be slow to answer.

use std::{
    collections::HashMap,
    io::BufReader,
    net::Shutdown,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rmpv::Value;
use rustix::process::Signal;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{
    proc::{self, DEADLINE, Marker},
    wire::{self, Message},
};

/// The protocol number the tests speak.
pub const PROTOCOL: u64 = 1;

/// A running host. Dropping it kills it and everything it started.
#[derive(Debug)]
pub struct Host {
    child: Child,
    shared: Arc<Shared>,
    next: AtomicU64,
    home: TempDir,
    pub marker: Marker,
}

#[derive(Debug)]
struct Shared {
    /// To the host's stdin.
    write: Mutex<UnixStream>,
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// Everything the host has said.
#[derive(Debug, Default)]
pub struct Seen {
    /// What `on_hello` was called with.
    pub hello: Option<Json>,
    /// Revisions of the frames, in order of arrival.
    pub revs: Vec<u64>,
    /// What arrived in which order, one entry per part of a frame.
    pub timeline: Vec<Part>,
    /// The copies an editor would hold, by buffer number.
    pub buffers: HashMap<u64, Buffer>,
    /// What an editor's terminals would have been sent, by buffer number.
    pub terms: HashMap<u64, Terminal>,
    /// Newest row of each process, by id.
    pub procs: HashMap<u64, Json>,
    /// Answers to calls.
    pub replies: HashMap<u64, Result<Json, String>>,
    /// The largest number of frames that waited for an answer at one time.
    pub most_unanswered: usize,
    /// Requests that are neither frames nor the handshake.
    pub other: Vec<String>,
    /// Whether the host has closed its side.
    pub closed: bool,
    unanswered: Vec<u64>,
    hold: bool,
    /// The next frame fails as a whole, as when Lua throws.
    refuse: bool,
    /// Buffers to name in the next acknowledgement.
    resets: Vec<u64>,
}

/// One part of a frame.
#[derive(Clone, Debug)]
pub enum Part {
    /// `late`: lines that had been left out before.
    Log {
        buf: u64,
        count: usize,
        late: bool,
    },
    Event(Json),
}

/// What a watched buffer would hold.
#[derive(Debug, Default)]
pub struct Buffer {
    pub lines: Vec<String>,
    pub seqs: Vec<u64>,
    pub total: u64,
    /// Lines left out, as the patches said.
    pub skipped: u64,
    pub resets: usize,
    pub spans: usize,
    pub clipped: Vec<(u64, u64)>,
    pub runs: Vec<Json>,
    pub marks: Vec<(u64, u64)>,
    /// Marks on lines that had not been sent.
    pub early_marks: usize,
    /// Processes of the lines, in the merged log.
    pub ids: Vec<u64>,
    pub mark_ids: Vec<u64>,
    pub styles: usize,
}

/// What was sent to a terminal.
#[derive(Debug, Default)]
pub struct Terminal {
    pub text: String,
    /// Bytes that are gone, as the patches said.
    pub lost: u64,
    pub resets: usize,
}

// === impl Host ===

impl Host {
    /// The host under test, shaken hands with.
    pub fn start(cwd: &Path) -> Self {
        let host = Self::unshaken(cwd);
        host.hello(PROTOCOL);
        host.wait("the host's hello", |seen| seen.hello.clone());
        host
    }

    /// The same beside others: what hosts know of each other is in `runtime`.
    pub fn beside(cwd: &Path, runtime: &Path) -> Self {
        let mut command = Command::new(super::brummer());
        command.args(["host", "--stdio", "--log"]);
        let host = Self::spawn(command, cwd, |command, home| {
            command.arg(home.join("host.log")).env("XDG_RUNTIME_DIR", runtime);
        });
        host.hello(PROTOCOL);
        host.wait("the host's hello", |seen| seen.hello.clone());
        host
    }

    /// The same with what it keeps from session to session in `state`.
    pub fn keeping(cwd: &Path, state: &Path) -> Self {
        let mut command = Command::new(super::brummer());
        command.args(["host", "--stdio", "--log"]);
        Self::shaken(command, cwd, state)
    }

    /// A program that becomes such a host; its last argument but one says that a log file follows.
    pub fn shaken(command: Command, cwd: &Path, state: &Path) -> Self {
        let host = Self::spawn(command, cwd, |command, home| {
            command.arg(home.join("host.log")).env("XDG_STATE_HOME", state);
        });
        host.hello(PROTOCOL);
        host.wait("the host's hello", |seen| seen.hello.clone());
        host
    }

    /// The host under test before the handshake.
    pub fn unshaken(cwd: &Path) -> Self {
        let mut command = Command::new(super::brummer());
        command.args(["host", "--stdio", "--log"]);
        Self::spawn(command, cwd, |command, home| {
            command.arg(home.join("host.log"));
        })
    }

    /// Any program in the place of the host.
    pub fn program(command: Command, cwd: &Path) -> Self {
        Self::spawn(command, cwd, |_, _| {})
    }

    fn spawn(mut command: Command, cwd: &Path, finish: impl FnOnce(&mut Command, &Path)) -> Self {
        let marker = Marker::new();
        let home = tempfile::Builder::new().prefix("brummer-host-").tempdir().unwrap();
        super::clean_env(&mut command);
        // What another test leaves is no business of this one.
        let runtime = home.path().join("runtime");
        std::fs::create_dir(&runtime).unwrap();
        command.env("XDG_RUNTIME_DIR", runtime);
        let (name, value) = marker.env();
        command.env(name, value).env("HOME", home.path()).current_dir(cwd);
        for part in ["CONFIG", "DATA", "STATE", "CACHE"] {
            command.env(format!("XDG_{part}_HOME"), home.path().join(part.to_lowercase()));
        }
        finish(&mut command, home.path());
        // Neovim gives its jobs a socket pair per stream.
        let (write, stdin) = UnixStream::pair().unwrap();
        let (read, stdout) = UnixStream::pair().unwrap();
        command.stdin(OwnedFd::from(stdin)).stdout(OwnedFd::from(stdout)).stderr(Stdio::inherit());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().unwrap();
        drop(command); // It holds the host's ends of the sockets; EOF would never come.

        let shared = Arc::new(Shared {
            write: Mutex::new(write),
            seen: Mutex::new(Seen::default()),
            changed: Condvar::new(),
        });
        let reader = Arc::clone(&shared);
        std::thread::spawn(move || reader.read(&mut BufReader::new(read)));
        Self { child, shared, next: AtomicU64::new(1), home, marker }
    }

    // --- saying ---

    pub fn hello(&self, protocol: u64) {
        self.notify("hello", vec![wire::value(&json!({ "protocol": protocol, "version": "0.1.0" }))]);
    }

    /// Calls a method; the answer is fetched with [`Host::reply`].
    pub fn call(&self, method: &str, params: &Json) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.notify("call", vec![id.into(), method.into(), wire::value(params)]);
        id
    }

    /// Waits for the answer to a call.
    pub fn reply(&self, id: u64) -> Result<Json, String> {
        self.wait("a reply", |seen| seen.replies.get(&id).cloned())
    }

    /// Calls a method and waits for its answer.
    pub fn ask(&self, method: &str, params: &Json) -> Result<Json, String> {
        let id = self.call(method, params);
        self.reply(id)
    }

    /// Runs scripts of `root` and gives the ids of their processes.
    pub fn run(&self, root: &Path, names: &[&str]) -> Vec<u64> {
        let answer = self.ask("run", &json!({ "root": root, "names": names, "args": [] }));
        let answer = answer.unwrap_or_else(|error| panic!("run {names:?}: {error}"));
        let started = answer["started"].as_array().cloned().unwrap_or_default();
        started.iter().map(|row| row["id"].as_u64().unwrap()).collect()
    }

    /// Watches a log in a buffer.
    pub fn watch(&self, buf: u64, root: &Path, name: &str, max: u64) {
        self.ask("watch", &json!({ "buf": buf, "root": root, "name": name, "max": max })).unwrap();
    }

    pub fn notify(&self, method: &str, params: Vec<Value>) {
        // A host that has ended does not listen; what it said before is what the test looks at.
        Message::Notification { method: method.to_owned(), params }
            .write(&mut *self.shared.write.lock())
            .ok();
    }

    /// Stops answering frames.
    pub fn hold(&self) {
        self.shared.seen.lock().hold = true;
    }

    /// Answers what waits and goes on answering.
    pub fn release(&self) {
        let unanswered = {
            let mut seen = self.shared.seen.lock();
            seen.hold = false;
            std::mem::take(&mut seen.unanswered)
        };
        for id in unanswered {
            self.shared.acknowledge(id);
        }
    }

    /// Has the next frame fail: nothing of it arrives.
    pub fn refuse_next(&self) {
        self.shared.seen.lock().refuse = true;
    }

    /// Has the next acknowledgement ask for this buffer whole.
    pub fn ask_reset(&self, buf: u64) {
        self.shared.seen.lock().resets.push(buf);
    }

    /// Closes the editor's side, as an ending Neovim does.
    pub fn hang_up(&self) {
        self.shared.write.lock().shutdown(Shutdown::Both).ok();
    }

    // --- looking ---

    /// Everything said so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock()
    }

    /// Waits until `look` finds something in what was said.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut(&Seen) -> Option<T>) -> T {
        let end = Instant::now() + DEADLINE;
        let mut seen = self.shared.seen.lock();
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let late = self.shared.changed.wait_until(&mut seen, end).timed_out();
            if late || seen.closed {
                if let Some(found) = look(&seen) {
                    return found;
                }
                let log = std::fs::read_to_string(self.home.path().join("host.log")).unwrap_or_default();
                let end = if seen.closed { " (the host has ended)" } else { "" };
                panic!(
                    "waited in vain for {what}{end}\nprocs: {:#?}\nlast parts: {:#?}\nhost log:\n{log}",
                    seen.procs,
                    seen.timeline.iter().rev().take(10).collect::<Vec<_>>(),
                );
            }
        }
    }

    /// Waits until the process's row says so; gives the row.
    pub fn wait_state(&self, id: u64, states: &[&str]) -> Json {
        self.wait(&format!("process {id} to be {}", states.join(" or ")), |seen| {
            let row = seen.procs.get(&id)?;
            states.iter().any(|state| row["state"] == **state).then(|| row.clone())
        })
    }

    /// Waits until a process has ended so many times; gives the last of these exit events.
    pub fn wait_exit_event(&self, id: u64, times: usize) -> Json {
        self.wait(&format!("exit {times} of process {id}"), |seen| {
            seen.events("exited").into_iter().filter(|event| event["id"] == id).nth(times - 1)
        })
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        proc::signal(self.pid(), signal);
    }

    /// Waits until the host has ended.
    pub fn wait_end(&mut self) -> ExitStatus {
        let mut status = None;
        let ended = proc::poll(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "the host did not end");
        status.unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

// === impl Seen ===

impl Seen {
    /// The events of one kind, in order.
    pub fn events(&self, kind: &str) -> Vec<Json> {
        let events = self.timeline.iter().filter_map(|part| match part {
            Part::Event(event) if event["kind"] == kind => Some(event.clone()),
            _ => None,
        });
        events.collect()
    }

    /// The text a buffer would show.
    pub fn lines(&self, buf: u64) -> &[String] {
        self.buffers.get(&buf).map_or(&[], |buffer| &buffer.lines)
    }

    fn frame(&mut self, frame: &Json) {
        self.revs.push(frame["rev"].as_u64().unwrap_or_default());
        let list = |name: &str| frame[name].as_array().cloned().unwrap_or_default();
        for patch in list("logs") {
            let buf = patch["buf"].as_u64().unwrap_or_default();
            let buffer = self.buffers.entry(buf).or_default();
            buffer.apply(&patch);
            let count = patch["lines"].as_array().map_or(0, Vec::len);
            self.timeline.push(Part::Log { buf, count, late: patch["late"] == true });
        }
        for patch in list("terms") {
            let terminal = self.terms.entry(patch["buf"].as_u64().unwrap_or_default()).or_default();
            if patch["reset"] == true {
                terminal.text.clear();
                terminal.resets += 1;
            }
            terminal.text += patch["bytes"].as_str().unwrap_or_default();
            terminal.lost += patch["lost"].as_u64().unwrap_or_default();
        }
        for row in list("procs") {
            self.procs.insert(row["id"].as_u64().unwrap_or_default(), row);
        }
        self.timeline.extend(list("events").into_iter().map(Part::Event));
        for reply in list("replies") {
            // The wire allows both shapes of the id: a field, and the first element of a list.
            let id = reply["id"].as_u64().or_else(|| reply["1"].as_u64()).or_else(|| reply[0].as_u64());
            let id = id.unwrap_or_default();
            let answer = match reply["err"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(reply["ok"].clone()),
            };
            let before = self.replies.insert(id, answer);
            assert!(before.is_none(), "two replies to call {id}");
        }
    }
}

// === impl Buffer ===

impl Buffer {
    fn apply(&mut self, patch: &Json) {
        if patch["reset"] == true {
            *self = Self { resets: self.resets + 1, ..Self::default() };
        }
        let numbers = |name: &str| -> Vec<u64> {
            patch[name].as_array().into_iter().flatten().filter_map(Json::as_u64).collect()
        };
        self.total = patch["total"].as_u64().unwrap_or(self.total);
        let lines = patch["lines"].as_array().cloned().unwrap_or_default();
        // Where they go: at the end, or what had been left out in front of the line it names.
        let at = match patch["before"].as_u64() {
            Some(before) => {
                self.skipped = self.skipped.saturating_sub(lines.len() as u64);
                let process = patch["before_id"].as_u64();
                let is =
                    |at: &usize| self.seqs[*at] == before && process.is_none_or(|id| self.ids[*at] == id);
                (0..self.seqs.len()).find(is).expect("lines go in front of one that was sent")
            }
            None => {
                self.skipped += patch["skipped"].as_u64().unwrap_or_default();
                self.lines.len()
            }
        };
        self.lines.splice(at..at, lines.iter().map(|line| line.as_str().unwrap_or_default().to_owned()));
        let seqs: Vec<u64> =
            numbers("seqs").chunks_exact(2).flat_map(|run| run[0]..run[0] + run[1]).collect();
        self.seqs.splice(at..at, seqs);
        self.spans += patch["spans"].as_array().map_or(0, |spans| spans.len() / 4);
        self.clipped.extend(numbers("clipped").chunks_exact(2).map(|pair| (pair[0], pair[1])));
        let marks: Vec<_> = numbers("marks").chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        self.early_marks += marks.iter().filter(|(seq, _)| !self.seqs.contains(seq)).count();
        self.marks.extend(marks);
        let ids = numbers("ids");
        let ids = ids.chunks_exact(2);
        let ids: Vec<u64> = ids
            .flat_map(|run| std::iter::repeat_n(run[0], usize::try_from(run[1]).unwrap_or_default()))
            .collect();
        if !ids.is_empty() {
            self.ids.splice(at..at, ids);
        }
        self.mark_ids.extend(numbers("mark_ids"));
        self.styles += patch["styles"].as_array().map_or(0, Vec::len);
        self.runs.extend(patch["runs"].as_array().cloned().unwrap_or_default());
    }
}

// === impl Shared ===

impl Shared {
    fn read(&self, from: &mut impl std::io::Read) {
        while let Ok(message) = Message::read(from) {
            if let Message::Request { id, method, params } = message {
                self.request(id, &method, &params);
            }
            self.changed.notify_all();
        }
        self.seen.lock().closed = true;
        self.changed.notify_all();
    }

    fn request(&self, id: u64, method: &str, params: &[Value]) {
        let code = params.first().and_then(Value::as_str).unwrap_or_default();
        let args = params.get(1).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if method == "nvim_exec_lua" && code.contains("brummer.rpc") {
            let bytes = match args.first() {
                Some(Value::Binary(bytes)) => bytes.as_slice(),
                Some(Value::String(text)) => text.as_bytes(),
                _ => &[],
            };
            let frame = rmpv::decode::read_value(&mut &*bytes).expect("a frame is msgpack");
            if std::mem::take(&mut self.seen.lock().refuse) {
                let error = Value::Array(vec![0.into(), "Lua threw".into()]);
                Message::Response { id, error, result: Value::Nil }.write(&mut *self.write.lock()).ok();
                return;
            }
            let hold = {
                let mut seen = self.seen.lock();
                seen.frame(&wire::json(&frame));
                seen.unanswered.push(id);
                seen.most_unanswered = seen.most_unanswered.max(seen.unanswered.len());
                if !seen.hold {
                    seen.unanswered.retain(|waiting| *waiting != id);
                }
                seen.hold
            };
            if !hold {
                self.acknowledge(id);
            }
            return;
        }
        if method == "nvim_exec_lua" && code.contains("brummer.host") {
            let text = args.first().and_then(Value::as_str).unwrap_or_default();
            self.seen.lock().hello = serde_json::from_str(text).ok();
        } else {
            self.seen.lock().other.push(method.to_owned());
        }
        self.respond(id, Value::Nil);
    }

    fn acknowledge(&self, id: u64) {
        let resets = std::mem::take(&mut self.seen.lock().resets);
        let answer = if resets.is_empty() {
            Value::Boolean(true)
        } else {
            Value::Array(resets.into_iter().map(Value::from).collect())
        };
        self.respond(id, answer);
    }

    fn respond(&self, id: u64, result: Value) {
        // The host may have ended meanwhile.
        Message::Response { id, error: Value::Nil, result }.write(&mut *self.write.lock()).ok();
    }
}
