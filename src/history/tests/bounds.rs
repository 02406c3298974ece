//! How much is kept: the size of a file and of all files, what goes first, and what never goes.

use super::*;
use crate::history::format::Piece;
use crate::history::{
    place::{Disk, directory_name},
    series::{Done, Limits, Series},
};

/// A series in a directory, with small limits.
struct Small {
    dir: tempfile::TempDir,
    first: u64,
}

impl Small {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory"), first: 1 }
    }

    fn disk(&self) -> Directory {
        let base = self.dir.path().join("state/brummer/history");
        Directory::make(&base, Path::new("/app")).expect("made")
    }

    fn series(&self, started: u64, limits: Limits) -> Series {
        let first = FileName { started: Timestamp(started), pid: 1, number: 1 };
        Series::new(Box::new(self.disk()), "/app".to_owned(), first, limits)
    }

    /// Appends lines of 100 bytes, one a record.
    fn fill(&mut self, series: &mut Series, lines: u64) -> Done {
        let mut bytes = Vec::new();
        let pieces: Vec<_> = (0..lines).map(|_| self.line(&mut bytes)).collect();
        let (done, appended) = series.append(&bytes, &pieces);
        appended.expect("appended");
        done
    }

    fn line(&mut self, to: &mut Vec<u8>) -> Piece {
        let text = format!("{:0>99}\n", self.first).into_bytes();
        self.first += 1;
        let lines = Lines {
            process: ProcessId(1),
            run: RunId(1),
            stream: Stream::Out,
            at: Timestamp(1),
            first: Seq(self.first - 1),
            count: 1,
            text: &text,
            cut: &[],
            after_exit: false,
        };
        Piece::lines(&lines, to)
    }

    fn files(&self) -> Vec<(String, u64)> {
        self.disk().files().expect("listed").iter().map(|it| (it.name.to_string(), it.bytes)).collect()
    }

    fn total(&self) -> u64 {
        self.files().iter().map(|(_, bytes)| bytes).sum()
    }
}

/// What each line takes.
const LINE: u64 = 148;

#[test]
fn no_file_and_no_history_is_larger_than_is_said_and_what_goes_is_the_oldest() {
    let mut small = Small::new();
    let limits = Limits { file: 2000, total: 8000 };
    let mut series = small.series(10, limits);
    let mut done = Done::default();
    for _ in 0..30 {
        let more = small.fill(&mut series, 7);
        done.removed += more.removed;
        done.files += more.files;
        done.bytes += more.bytes;
        let files = small.files();
        assert!(files.iter().all(|(_, bytes)| *bytes <= limits.file), "{files:?}");
        assert!(small.total() <= limits.total, "{files:?}");
        assert_eq!(small.total(), series.kept(), "known exactly");
    }
    let files = small.files();
    assert_eq!(done.files, done.removed + files.len() as u64, "each file is there or was removed");
    let numbers: Vec<_> = files.iter().map(|(name, _)| FileName::parse(name).expect("ours").number).collect();
    let newest = u32::try_from(done.files).expect("few");
    assert_eq!(numbers, (newest - 3..=newest).collect::<Vec<_>>(), "the newest ones, in order");
    // Whole files but the last are as full as whole records make them.
    assert!(files[..3].iter().all(|(_, bytes)| bytes + LINE > limits.file), "{files:?}");
}

#[test]
fn a_lower_bound_holds_at_once() {
    let mut small = Small::new();
    let mut series = small.series(10, Limits { file: 2000, total: 8000 });
    small.fill(&mut series, 40);
    let before = small.files().len();
    let (done, held) = series.set_limits(Limits { file: 2000, total: 4000 });
    held.expect("held");
    assert!(small.total() <= 4000, "{:?}", small.files());
    assert_eq!(done.removed, (before - small.files().len()) as u64);
    assert_eq!(small.total(), series.kept());
}

#[test]
fn what_a_living_host_writes_stays_and_earlier_sessions_go_first() {
    let mut small = Small::new();
    let limits = Limits { file: 2000, total: 8000 };
    let mut early = small.series(10, limits);
    small.fill(&mut early, 20);
    let mut other = small.series(20, limits);
    small.fill(&mut other, 5);
    drop(early);
    let others = small.files().last().expect("there").0.clone();
    let mut own = small.series(30, limits);
    for _ in 0..20 {
        small.fill(&mut own, 7);
        assert!(small.total() <= limits.total, "{:?}", small.files());
    }
    let files = small.files();
    assert!(files.iter().any(|(name, _)| *name == others), "it is older than all, and written: {files:?}");
    assert!(!files.iter().any(|(name, _)| name.starts_with("10-")), "{files:?}");
    drop(other);
    small.fill(&mut own, 28);
    assert!(!small.files().iter().any(|(name, _)| *name == others), "its host has ended");
}

#[test]
fn what_is_no_file_of_a_history_is_left_alone() {
    let mut small = Small::new();
    let limits = Limits { file: 2000, total: 8000 };
    let dir = small.dir.path().join("state/brummer/history").join(directory_name(Path::new("/app")));
    let target = small.dir.path().join("target");
    fs::write(&target, vec![b'x'; 9000]).expect("written");
    drop(small.disk());
    fs::write(dir.join("notes.txt"), vec![b'x'; 9000]).expect("written");
    symlink(&target, dir.join("1-1.1.log")).expect("linked");
    let mut series = small.series(10, limits);
    small.fill(&mut series, 100);
    assert!(dir.join("notes.txt").exists() && fs::symlink_metadata(dir.join("1-1.1.log")).is_ok());
    assert_eq!(fs::metadata(&target).expect("there").len(), 9000);
    assert!(small.total() <= limits.total);
}

#[tokio::test]
async fn projects_that_nobody_used_for_so_long_go_when_a_host_starts() {
    let dir = tempfile::tempdir().expect("a directory");
    let base = dir.path().join("state/brummer/history");
    let made = |name: &str, days: u64| {
        let path = base.join(name).join("1-1.1.log");
        fs::create_dir_all(base.join(name)).expect("made");
        let file = fs::File::create(&path).expect("made");
        let at = std::time::SystemTime::now() - Duration::from_millis(days * DAY);
        file.set_modified(at).expect("made older");
        (path, file)
    };
    let (old, _) = made("0123abcd-old", 3);
    let (new, _) = made("0123abce-new", 1);
    let (live, writes) = made("0123abcf-live", 3);
    let (other, _) = made("of somebody else", 3);
    rustix::fs::flock(&writes, rustix::fs::FlockOperation::LockExclusive).expect("locked");
    let config = LogStoreConfig { history_days: 2, ..LogStoreConfig::default() };
    let mut rig = Rig::within(dir, &config);
    rig.begin(1, "dev");
    rig.print(1, "one\n");
    rig.settle().await;
    assert!(!old.exists(), "nobody has used it for three days");
    assert!(old.parent().is_some_and(Path::exists), "somebody may have opened it just now");
    assert!(new.exists() && live.exists() && other.exists());
    assert_eq!((rig.lines(Query::default()), rig.read().removed), (vec!["1 one".to_owned()], 1));
}
