//! Bad disks: full ones, ones that never answer, and what they do to everything else.

use super::*;
use crate::history::{
    place::{Disk, Sink, Stored},
    task::Place,
};

/// What a disk does.
#[derive(Default)]
struct How {
    /// Bytes it still takes; then it is full.
    left: AtomicU64,
    /// It does not answer.
    hangs: AtomicBool,
}

/// A disk that can be made to fail.
struct Bad {
    inner: Directory,
    how: Arc<How>,
}

struct BadSink {
    inner: Box<dyn Sink>,
    how: Arc<How>,
}

impl Disk for Bad {
    fn create(&self, name: &FileName) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(BadSink { inner: self.inner.create(name)?, how: Arc::clone(&self.how) }))
    }

    fn files(&self) -> io::Result<Vec<Stored>> {
        self.inner.files()
    }

    fn remove(&self, name: &FileName) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn alone(&self) -> Option<fs::File> {
        self.inner.alone()
    }
}

impl Write for BadSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        while self.how.hangs.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        let left = self.how.left.load(Ordering::Relaxed);
        if left == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let some = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let written = self.inner.write(&bytes[..some])?;
        self.how.left.fetch_sub(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Sink for BadSink {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.inner.cut(bytes)
    }
}

fn start(dir: &Path, how: &Arc<How>, patience: Duration, resources: &ResourceManager) -> (History, Recorder) {
    let base = dir.join("state/brummer/history");
    let (how, below) = (Arc::clone(how), base.clone());
    let open: Opener = Arc::new(move |root| {
        Ok(Box::new(Bad { inner: Directory::make(&below, root)?, how: Arc::clone(&how) }))
    });
    // The session of this process, as it looks to who reads beside it.
    let first = FileName { started: Timestamp(1), pid: std::process::id(), number: 1 };
    History::start_on(
        &LogStoreConfig::default(),
        base,
        resources,
        Place { open, first, patience, clear: None },
    )
}

/// A host with such a disk, which is given `patience`.
fn rig(how: &Arc<How>, patience: Duration) -> Rig {
    let dir = tempfile::tempdir().expect("a directory");
    let at = dir.path().to_owned();
    Rig::starting(dir, |resources| start(&at, how, patience, resources))
}

/// A disk that takes nothing, until it is let go or dropped.
pub(crate) struct Hanging {
    how: Arc<How>,
    _dir: tempfile::TempDir,
}

// === impl Hanging ===

impl Hanging {
    /// A recorder with such a disk, which is given this patience.
    pub(crate) fn start(resources: &ResourceManager, patience: Duration) -> (History, Recorder, Self) {
        let how = Arc::new(How { left: AtomicU64::new(u64::MAX), hangs: AtomicBool::new(true) });
        let dir = tempfile::tempdir().expect("a directory");
        let (history, recorder) = start(dir.path(), &how, patience, resources);
        (history, recorder, Self { how, _dir: dir })
    }

    /// Has it take nothing, or everything.
    pub(crate) fn hang(&self, hangs: bool) {
        self.how.hangs.store(hangs, Ordering::Relaxed);
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.hang(false);
    }
}

#[tokio::test]
async fn a_full_disk_is_said_once_and_what_was_whole_stays() {
    let how = Arc::new(How { left: AtomicU64::new(5000), ..How::default() });
    let mut rig = rig(&how, PATIENCE);
    rig.begin(1, "dev");
    for line in 0..1000 {
        rig.print(1, &format!("line {line}\n"));
    }
    rig.settle().await;
    let said = rig.fault().await;
    assert_eq!((said.component, said.place), (Component::Logs, "history"));
    assert!(said.message.contains("is off until the next start: no storage space"), "{}", said.message);
    // Everything goes on, and nothing more is said.
    for line in 0..1000 {
        rig.print(1, &format!("line {line}\n"));
    }
    rig.settle().await;
    assert!(rig.faults.try_recv().is_err(), "said once");
    let HistoryReading { lines, unrecorded, failures, bytes, .. } = rig.read();
    assert_eq!((lines + unrecorded, failures), (2000, 1), "each line is written or missing");
    let expected: Vec<_> = (0..lines).map(|line| format!("{} line {line}", line + 1)).collect();
    assert!(lines > 50);
    assert_eq!(rig.lines(Query::default()), expected);
    assert_eq!(rig.files()[0].1, bytes, "the torn end was taken back");
    assert!(rig.recorder.has_room());
}

#[tokio::test]
async fn a_disk_that_hangs_holds_things_up_for_so_long_and_no_longer() {
    let how = Arc::new(How { left: AtomicU64::new(u64::MAX), ..How::default() });
    how.hangs.store(true, Ordering::Relaxed);
    let mut rig = rig(&how, Duration::from_millis(100));
    rig.begin(1, "dev");
    let line = "x".repeat(1 << 16) + "\n";
    while rig.recorder.has_room() {
        rig.print(1, &line);
    }
    timeout(DEADLINE, rig.recorder.room()).await.expect("there is room again");
    let said = rig.fault().await.message;
    assert!(said.contains("the disk has taken nothing for 100ms"), "{said}");
    rig.settle().await;
    // Answered by now or not, it is given nothing more.
    how.hangs.store(false, Ordering::Relaxed);
    rig.print(1, "after\n");
    rig.settle().await;
    assert_eq!(rig.read().failures, 1);
    assert!(!rig.lines(Query::default()).iter().any(|line| line.ends_with("after")));
}

#[tokio::test]
async fn what_waits_is_bounded_and_nothing_of_it_is_lost() {
    let how = Arc::new(How { left: AtomicU64::new(u64::MAX), ..How::default() });
    how.hangs.store(true, Ordering::Relaxed);
    let mut rig = rig(&how, DEADLINE);
    rig.begin(1, "dev");
    let line = "x".repeat(1 << 16) + "\n";
    let mut lines = 0;
    while rig.recorder.has_room() {
        rig.print(1, &line);
        lines += 1;
    }
    let most = recorder::ROOM + line.len() + 1024;
    assert!(lines * line.len() <= most, "{lines} lines wait");
    how.hangs.store(false, Ordering::Relaxed);
    for _ in 0..200 {
        timeout(DEADLINE, rig.recorder.room()).await.expect("there is room again");
        rig.print(1, &line);
    }
    rig.settle().await;
    assert_eq!(rig.lines(Query::default()).len(), lines + 200);
    assert_eq!(rig.read().unrecorded, 0);
}
