//! Two hosts in one program, and a client that does as it likes.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

use super::*;
use crate::{
    bus::{Filter, Subscription},
    config::{Config, Mode},
    event::{Exit, Seq, State},
    logs::{Query, Which},
    model::Row,
    process::{Parts as ProcessParts, ProcessError},
};

/// Generous: nothing here measures time.
const DEADLINE: Duration = Duration::from_secs(20);

/// A host, as far as others see it.
struct Rig {
    peers: Peers,
    own: Identity,
    _updates: Subscription,
}

impl Rig {
    /// Identities are made up: both are this program.
    fn new(dir: &Path, number: u64) -> Self {
        let own = Identity { pid: std::process::id(), start: number };
        let config = Config::default();
        let (resources, _) = ResourceManager::new(&config.resources, Arc::default());
        let metrics = Arc::clone(resources.metrics());
        let bus = EventBus::start(&config.eventbus, Mode::Current, &resources, metrics);
        let (logs, output) = Logs::start(&config.log_store, Mode::Current, bus.clone(), &resources);
        let parts = ProcessParts { bus: bus.clone(), resources: resources.clone(), output };
        let manager = Manager::start_manager(&config.process_manager, Mode::Current, parts);
        let model = Arc::new(Model::default());
        let updated = Arc::clone(&model);
        let updates = bus.on(Filter::all(), Component::Model, "update", move |event| updated.update(event));
        let records = Records::for_test(dir, own);
        let peers = Peers::start(Parts { records, manager, logs, model, bus, resources });
        Self { peers, own, _updates: updates }
    }

    fn parts(&self) -> &Parts {
        &self.peers.0.parts
    }

    fn socket(&self) -> PathBuf {
        self.parts().records.socket(self.own)
    }

    async fn start(&self, name: &str, script: &str) -> ProcessId {
        let info = ProcessInfo { name: name.to_owned(), ..ProcessInfo::of_shell(script) };
        self.parts().manager.start(info).await.expect("it starts").process()
    }

    /// Shows `name` of another host here.
    async fn show(&self, of: &Self, name: &str) -> Result<ProcessId, String> {
        let shows = Shows { host: of.own, root: "/".to_owned(), name: name.to_owned() };
        let shared = Arc::clone(&self.peers.0);
        eventually(async || of.socket().exists().then_some(())).await;
        timeout(DEADLINE, follow::show(shared, shows)).await.expect("an answer")
    }

    async fn until(&self, process: ProcessId, done: impl Fn(&Row) -> bool) -> Row {
        eventually(async || self.parts().model.row(process).filter(|row| done(row))).await
    }

    async fn lines(&self, process: ProcessId) -> Vec<String> {
        let which = Which::Process(process);
        let query = Query { which, from: Seq(1), max_lines: 100, max_behind: 100, max_bytes: 1 << 20 };
        let (slice, _) = self.parts().logs.read(query, 0).await.expect("the store runs");
        slice.lines().map(|(_, _, text)| String::from_utf8_lossy(text).into_owned()).collect()
    }

    /// Asks as another host would; gives what is answered.
    async fn ask(&self, request: &Value) -> BufReader<UnixStream> {
        eventually(async || self.socket().exists().then_some(())).await;
        let mut stream = UnixStream::connect(self.socket()).await.expect("it listens");
        stream.write_all(format!("{request}\n").as_bytes()).await.expect("it reads");
        BufReader::new(stream)
    }

    async fn first(&self, request: &Value) -> Value {
        next(&mut self.ask(request).await).await.expect("an answer")
    }
}

async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, found).await.expect("it comes in time")
}

async fn next(from: &mut BufReader<UnixStream>) -> Option<Value> {
    let mut line = String::new();
    let read = timeout(DEADLINE, from.read_line(&mut line)).await.expect("in time").expect("it is read");
    (read > 0).then(|| serde_json::from_str(&line).expect("JSON"))
}

fn tail(name: &str, follow: bool) -> Value {
    json!({ "version": 1, "ask": "tail", "root": "/", "name": name, "lines": 10, "follow": follow })
}

/// A script that waits for a file at a place of its own.
fn gate(dir: &TempDir, name: &str) -> (PathBuf, String) {
    let file = dir.path().join(name);
    let wait = format!("while [ ! -e {} ]; do sleep 0.02; done", file.display());
    (file, wait)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_another_host_is_shown_from_its_history_on_and_to_its_end_and_through_its_next_run() {
    let dir = tempfile::tempdir().expect("a directory");
    let (there, here) = (Rig::new(dir.path(), 1), Rig::new(dir.path(), 2));
    let (file, wait) = gate(&dir, "go");
    let script = format!("printf '\\033[31mred\\033[0m\\n'; echo error: bad >&2; {wait}; echo last; exit 3");
    let theirs = there.start("dev", &script).await;
    there.until(theirs, |row| row.last == Seq(2)).await;
    let shown = here.show(&there, "dev").await.expect("it is shown");
    assert_eq!(here.show(&there, "dev").await, Ok(shown), "again finds the same");
    let row = here.until(shown, |row| row.last == Seq(2)).await;
    let pid = std::process::id();
    assert_eq!((row.info.label(), row.detail.elsewhere), (format!("dev @{pid}"), Some(pid)));
    assert_eq!((row.state, row.pid), (State::Running, there.parts().model.row(theirs).expect("a row").pid));
    assert_eq!((row.started_at, row.info.script.as_str()), (row.started_at, script.as_str()));
    let mut lines = here.lines(shown).await;
    lines.sort();
    assert_eq!(lines, ["error: bad", "red"], "colours are no text");
    let refused = Err(ProcessError::Elsewhere { name: format!("dev @{pid}") });
    assert_eq!(here.parts().manager.stop(shown).await, refused);
    assert_eq!(here.parts().manager.restart(shown).await.map(drop), refused);
    assert_eq!(here.parts().manager.send(shown, Some("rs"), false), refused);
    std::fs::write(&file, "").expect("written");
    let row = here.until(shown, |row| row.state.is_terminal()).await;
    assert_eq!((row.state, row.exit, row.last), (State::Failed, Some(Exit::Code(3)), Seq(3)));
    assert_eq!(here.lines(shown).await.last().map(String::as_str), Some("last"));
    // Its next run goes on in the same entry.
    std::fs::remove_file(&file).expect("removed");
    there.parts().manager.restart(theirs).await.expect("it starts");
    here.until(shown, |row| row.state == State::Running && row.runs == 2 && row.last == Seq(5)).await;
    there.parts().manager.stop(theirs).await.expect("it is stopped");
    here.until(shown, |row| row.state == State::Stopped).await;
    for rig in [there, here] {
        rig.parts().manager.shutdown(Duration::ZERO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_ends_with_its_host() {
    let dir = tempfile::tempdir().expect("a directory");
    let (there, here) = (Rig::new(dir.path(), 1), Rig::new(dir.path(), 2));
    let theirs = there.start("dev", "echo up; exec sleep 1001").await;
    there.until(theirs, |row| row.last == Seq(1)).await;
    let shown = here.show(&there, "dev").await.expect("it is shown");
    here.until(shown, |row| row.last == Seq(1)).await;
    there.parts().resources.shutdown().begin();
    let row = here.until(shown, |row| row.state.is_terminal()).await;
    let said = format!("the editor with pid {} has ended", std::process::id());
    assert_eq!((row.state, row.reason.as_deref()), (State::Stopped, Some(said.as_str())));
    eventually(async || (!there.socket().exists()).then_some(())).await;
    assert_eq!(here.peers.0.shown.lock().len(), 0);
    there.parts().manager.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_holds_up_nobody_and_is_told_what_it_missed() {
    const LINES: u64 = 300_000;
    let dir = tempfile::tempdir().expect("a directory");
    let there = Rig::new(dir.path(), 1);
    let (file, wait) = gate(&dir, "go");
    let theirs = there.start("flood", &format!("echo up; {wait}; seq 2 {LINES}")).await;
    there.until(theirs, |row| row.last == Seq(1)).await;
    let mut client = there.ask(&tail("flood", false)).await;
    assert_eq!(next(&mut client).await.expect("an answer")["kind"], "begin");
    std::fs::write(&file, "").expect("written");
    // It does not read, and the flood comes to its end all the same.
    let row = there.until(theirs, |row| row.state.is_terminal()).await;
    assert_eq!((row.state, row.last), (State::Success, Seq(LINES)));
    let (mut told, mut missed, mut last) = (0, 0, String::new());
    loop {
        let message = next(&mut client).await.expect("it has an end");
        match message["kind"].as_str() {
            Some("lines") => {
                let text = message["text"].as_array().expect("a list");
                told += text.len() as u64;
                last = text.last().and_then(Value::as_str).unwrap_or_default().to_owned();
            }
            Some("missed") => missed += message["lines"].as_u64().expect("a number"),
            Some("exit") => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((told + missed, last), (LINES, LINES.to_string()));
    assert!(missed > 0 && told < LINES, "{told} told");
    assert_eq!(next(&mut client).await, None, "it does not follow");
    there.parts().manager.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_what_cannot_be_is_told_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let (there, here) = (Rig::new(dir.path(), 1), Rig::new(dir.path(), 2));
    let why = |answer: Value| (answer["kind"].clone(), answer["why"].clone());
    let refused = |why: &str| (json!("refused"), json!(why));
    assert_eq!(why(there.first(&tail("dev", true)).await), refused("it does not run dev"));
    let newer = json!({ "version": 2, "ask": "list" });
    assert_eq!(why(there.first(&newer).await), refused("it runs another version of brummer (1, not 2)"));
    let pid = std::process::id();
    let error = here.show(&there, "dev").await.expect_err("nothing runs");
    assert_eq!(error, format!("the editor with pid {pid} cannot show dev: it does not run dev"));
    for nonsense in [json!("x"), json!({ "version": 1, "ask": "stop" }), json!("x".repeat(20_000))] {
        let mut answer = there.ask(&nonsense).await;
        let mut text = String::new();
        // It may hang up before it has read all.
        timeout(DEADLINE, answer.read_to_string(&mut text)).await.expect("it hangs up").ok();
        assert_eq!(text, "");
    }
    let theirs = there.start("dev", "exec sleep 1001").await;
    there.until(theirs, |row| row.state == State::Running).await;
    let list = there.first(&json!({ "version": 1, "ask": "list" })).await;
    assert_eq!((&list["runs"][0]["name"], &list["runs"][0]["state"]), (&json!("dev"), &json!("running")));
    // Those that are served hold their places.
    let mut held = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = there.ask(&tail("dev", true)).await;
        assert_eq!(next(&mut client).await.expect("an answer")["kind"], "begin");
        held.push(client);
    }
    assert_eq!(why(there.first(&tail("dev", true)).await), refused("16 others look at its logs already"));
    held.pop();
    eventually(async || (there.first(&tail("dev", true)).await["kind"] == "begin").then_some(())).await;
    let mode = there.socket().metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    there.parts().manager.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_is_told_in_part_and_with_its_length() {
    let dir = tempfile::tempdir().expect("a directory");
    let (there, here) = (Rig::new(dir.path(), 1), Rig::new(dir.path(), 2));
    let script = "head -c 40000 /dev/zero | tr '\\0' x; echo; echo short; exec sleep 1001";
    let theirs = there.start("long", script).await;
    there.until(theirs, |row| row.last == Seq(2)).await;
    let shown = here.show(&there, "long").await.expect("it is shown");
    here.until(shown, |row| row.last == Seq(2)).await;
    let query =
        Query { which: Which::Process(shown), from: Seq(1), max_lines: 9, max_behind: 9, max_bytes: 1 << 20 };
    let (slice, _) = here.parts().logs.read(query, 0).await.expect("the store runs");
    let part = &slice.parts[0];
    let facts: Vec<_> = part
        .lines
        .clone()
        .map(|at| (part.chunk.text(at).len(), part.chunk.line(at).whole.map(u32::from)))
        .collect();
    assert_eq!(facts, [(tail::LINE, Some(40_000)), (5, None)]);
    there.parts().manager.shutdown(Duration::ZERO).await;
}
