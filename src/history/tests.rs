//! What a history promises: what was acknowledged is there, in order, within its bounds, and a bad disk costs the history alone.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::{sync::oneshot, time::timeout};

use super::*;
use crate::{
    config::ResourcesConfig,
    event::{Fault, ProcessId, ProcessInfo, RunId, Seq},
    metrics::{HistoryReading, SynchronizationMetrics},
    process::Stream,
    resource::FaultReceiver,
};

mod bounds;
mod disk;
mod reading;

pub(crate) use disk::Hanging;

/// Generous: nothing here measures time.
const DEADLINE: Duration = Duration::from_secs(30);

/// A host's history of the project in `dir/app`, kept in `dir/state`.
struct Rig {
    dir: tempfile::TempDir,
    resources: ResourceManager,
    faults: FaultReceiver,
    history: History,
    recorder: Recorder,
    /// The next line of each process.
    next: std::collections::HashMap<u32, u64>,
}

impl Rig {
    fn new() -> Self {
        Self::with(&LogStoreConfig::default())
    }

    fn with(config: &LogStoreConfig) -> Self {
        Self::within(tempfile::tempdir().expect("a directory"), config)
    }

    fn within(dir: tempfile::TempDir, config: &LogStoreConfig) -> Self {
        let base = dir.path().join("state/brummer/history");
        Self::starting(dir, |resources| History::start(config, Some(base), resources))
    }

    fn starting(dir: tempfile::TempDir, start: impl FnOnce(&ResourceManager) -> (History, Recorder)) -> Self {
        fs::create_dir_all(dir.path().join("app")).expect("made");
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, faults) = ResourceManager::new(&ResourcesConfig::default(), metrics);
        let (history, recorder) = start(&resources);
        Self { dir, resources, faults, history, recorder, next: std::collections::HashMap::new() }
    }

    fn base(&self) -> PathBuf {
        self.dir.path().join("state/brummer/history")
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    fn begin(&self, process: u32, name: &str) {
        let info = ProcessInfo { root: self.root(), ..ProcessInfo::of_shell(name) };
        let (process, run) = (ProcessId(process), RunId(u64::from(process)));
        self.recorder.begin(&Begin { process, run, number: 1, at: Timestamp(1), info: Arc::new(info) });
    }

    /// Prints whole lines at a time.
    fn print_at(&mut self, process: u32, at: u64, text: &str) {
        let next = self.next.entry(process).or_insert(1);
        let count = text.lines().count();
        self.recorder.lines(&Lines {
            process: ProcessId(process),
            run: RunId(u64::from(process)),
            stream: Stream::Out,
            at: Timestamp(at),
            first: Seq(*next),
            count: u32::try_from(count).expect("few"),
            text: text.as_bytes(),
            cut: &[],
            after_exit: false,
        });
        *next += count as u64;
    }

    fn print(&mut self, process: u32, text: &str) {
        self.print_at(process, 1, text);
    }

    /// Waits until everything so far is written, or known not to be.
    async fn settle(&self) {
        let (ack, answer) = oneshot::channel();
        self.recorder.end(Seq(7), ack);
        let last = timeout(DEADLINE, answer).await.expect("answered in time").expect("answered");
        assert_eq!(last, Seq(7));
    }

    fn read(&self) -> HistoryReading {
        self.resources.metrics().snapshot().history
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.base(), &self.root()).expect("it can be read")
    }

    fn lines(&self, query: Query) -> Vec<String> {
        texts(&self.reader(), query)
    }

    /// The files of all projects, with their sizes.
    fn files(&self) -> Vec<(PathBuf, u64)> {
        let dirs = fs::read_dir(self.base()).into_iter().flatten().flatten();
        let files = dirs.flat_map(|dir| fs::read_dir(dir.path()).into_iter().flatten().flatten());
        let mut files: Vec<_> =
            files.map(|file| (file.path(), file.metadata().expect("there").len())).collect();
        files.sort();
        files
    }

    async fn fault(&mut self) -> Fault {
        timeout(DEADLINE, self.faults.recv()).await.expect("a fault in time").expect("a fault")
    }
}

fn texts(reader: &Reader, query: Query) -> Vec<String> {
    let records = reader.records(query).map(|record| record.expect("it can be read"));
    let lines = |record: Record| -> Vec<_> {
        record.lines().map(|(seq, text)| format!("{} {}", seq.0, String::from_utf8_lossy(text))).collect()
    };
    records.flat_map(lines).collect()
}

#[tokio::test]
async fn what_was_acknowledged_is_in_files_that_only_the_user_can_read() {
    let mut rig = Rig::new();
    rig.begin(1, "dev");
    assert_eq!(rig.files(), [], "nothing has been printed");
    rig.print(1, "\u{1b}[31mred\u{1b}[0m\nplain\n");
    rig.settle().await;
    assert_eq!(rig.lines(Query::default()), ["1 \u{1b}[31mred\u{1b}[0m", "2 plain"], "as printed");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    let file = rig.files()[0].0.clone();
    assert_eq!(mode(&file), 0o600);
    for dir in file.ancestors().skip(1).take(3) {
        assert_eq!(mode(dir), 0o700, "{}", dir.display());
    }
    let name = file.parent().and_then(Path::file_name).expect("a name").to_string_lossy().into_owned();
    assert!(name.ends_with("-app") && name.len() == "12345678-app".len(), "{name}");
    let HistoryReading { lines, records, files, bytes, .. } = rig.read();
    // The head of the file, the name, the lines.
    assert_eq!((lines, records, files), (2, 3, 1));
    assert_eq!((bytes, rig.read().kept_bytes), (rig.files()[0].1, bytes), "every byte is counted");
}

#[tokio::test]
async fn without_history_nothing_is_written_and_a_reload_switches_it_on_and_off() {
    let off = LogStoreConfig { history: false, ..LogStoreConfig::default() };
    let mut rig = Rig::with(&off);
    rig.begin(1, "dev");
    rig.print(1, "one\n");
    rig.settle().await;
    assert!(!rig.dir.path().join("state").exists(), "not even a directory");
    let changed = |on: bool, rig: &Rig| {
        rig.history.reconfigure(&LogStoreConfig { history: on, ..off.clone() });
    };
    changed(true, &rig);
    rig.settle().await;
    rig.print(1, "two\n");
    rig.settle().await;
    changed(false, &rig);
    rig.settle().await;
    rig.print(1, "three\n");
    rig.settle().await;
    assert_eq!(rig.lines(Query::default()), ["2 two"], "with its name, though that was told before");
    changed(true, &rig);
    rig.settle().await;
    rig.print(1, "four\n");
    rig.settle().await;
    assert_eq!(rig.lines(Query::default()), ["2 two", "4 four"]);
    assert_eq!(rig.read().unrecorded, 0, "what is not wanted is not missing");
    assert_eq!(rig.reader().sessions().len(), 1, "one host, one session");
}

#[tokio::test]
async fn logs_of_other_hosts_are_not_recorded() {
    let mut rig = Rig::new();
    rig.begin(1, "dev");
    rig.print(2, "of somebody else\n");
    rig.print(1, "own\n");
    rig.settle().await;
    assert_eq!(rig.lines(Query::default()), ["1 own"]);
}

#[tokio::test]
async fn what_waits_is_written_before_the_task_ends() {
    let mut rig = Rig::new();
    rig.begin(1, "dev");
    for _ in 0..2000 {
        rig.print(1, "line\n");
    }
    let Rig { dir, resources, recorder, .. } = rig;
    drop(recorder);
    assert_eq!(resources.drained(DEADLINE).await, 0);
    let base = dir.path().join("state/brummer/history");
    let reader = Reader::open(&base, &dir.path().join("app")).expect("it can be read");
    assert_eq!(texts(&reader, Query::default()).len(), 2000);
}
