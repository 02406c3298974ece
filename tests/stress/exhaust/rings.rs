//! The log store is full: the oldest goes, the newest is there, and every line is accounted for.

use brummer::{
    config::{LogStoreConfig, Mode},
    event::{RunId, Seq, Timestamp},
    logs::{Counts, Headline, Logs, Query, Slice, Which},
    process::{OutputBatch, Stream},
};
use tokio::sync::{mpsc, oneshot};

use crate::rig::{self, Rig, config};

/// What is left of a log after it was filled.
struct Left {
    counts: Counts,
    slice: Slice,
    headlines: Vec<Headline>,
}

pub fn begin(process: usize, ack: oneshot::Sender<Seq>) -> OutputBatch {
    OutputBatch::Begin {
        process: rig::id(process),
        run: RunId(process as u64),
        number: 1,
        at: Timestamp(1),
        info: None,
        ack,
    }
}

pub fn batch(process: usize, text: Vec<u8>) -> OutputBatch {
    OutputBatch::Lines {
        process: rig::id(process),
        run: RunId(process as u64),
        stream: Stream::Out,
        at: Timestamp(1),
        text,
        cut: Vec::new(),
        after_exit: false,
    }
}

pub fn end(process: usize, ack: oneshot::Sender<Seq>) -> OutputBatch {
    OutputBatch::End { process: rig::id(process), run: RunId(process as u64), ack }
}

/// Writes lines in batches of ten as one run of a process, and waits until they are in.
pub async fn fill(
    output: &mpsc::Sender<OutputBatch>,
    process: usize,
    lines: usize,
    text: impl Fn(usize) -> String,
) -> Seq {
    let (ack, answer) = oneshot::channel();
    output.send(begin(process, ack)).await.unwrap();
    answer.await.unwrap();
    for first in (1..=lines).step_by(10) {
        let text: String = (first..=lines.min(first + 9)).map(|number| text(number) + "\n").collect();
        output.send(batch(process, text.into_bytes())).await.unwrap();
    }
    let (ack, answer) = oneshot::channel();
    output.send(end(process, ack)).await.unwrap();
    answer.await.unwrap()
}

pub async fn all(logs: &Logs, process: usize) -> Slice {
    let which = Which::Process(rig::id(process));
    let query =
        Query { which, from: Seq(1), max_lines: usize::MAX, max_behind: usize::MAX, max_bytes: usize::MAX };
    logs.read(query, 0).await.unwrap().0
}

fn filled(
    mode: Mode,
    limits: impl Fn(&mut LogStoreConfig),
    lines: usize,
    text: impl Fn(usize) -> String,
) -> Left {
    rig::run(async {
        let mut config = config(mode);
        limits(&mut config.log_store);
        let rig = Rig::start(&config);
        let (logs, output) = Logs::start(&config.log_store, mode, rig.bus.clone(), &rig.resources);
        let last = fill(&output, 1, lines, text).await;
        assert_eq!(last, Seq(lines as u64));
        let counts = logs.counts().await.unwrap();
        assert_eq!((counts.lines, counts.evicted + counts.kept), (lines as u64, lines as u64), "{counts:?}");
        // The fallback does not look for errors.
        let (slice, headlines) = (all(&logs, 1).await, logs.headlines().await.unwrap_or_default());
        drop((logs, output));
        rig.end().await;
        Left { counts, slice, headlines }
    })
}

/// What is kept has no gap and ends with the newest line.
fn assert_newest(left: &Left, lines: usize, text: impl Fn(usize) -> String) {
    let kept: Vec<_> = left.slice.lines().collect();
    assert_eq!(kept.len() as u64, left.counts.kept, "{:?}", left.counts);
    for ((seq, _, line), number) in kept.iter().rev().zip((1..=lines).rev()) {
        assert_eq!(*seq, Seq(number as u64));
        assert_eq!(String::from_utf8_lossy(line), text(number));
    }
}

pub fn lines(mode: Mode) -> String {
    const MOST: usize = 100;
    const LINES: usize = 5000;
    let text = |number: usize| format!("line {number}");
    let left = filled(mode, |limits| limits.max_entries = MOST, LINES, text);
    assert!((1..=MOST as u64).contains(&left.counts.kept), "{:?}", left.counts);
    assert_newest(&left, LINES, text);
    format!("{LINES} lines, {} kept, {MOST} may be", left.counts.kept)
}

pub fn bytes(mode: Mode) -> String {
    const MOST: usize = 256 << 10;
    const LINES: usize = 5000;
    let text = |number: usize| format!("{number:01000}");
    let left = filled(mode, |limits| limits.max_bytes = MOST, LINES, text);
    assert!(left.counts.kept > 0 && left.counts.kept as usize * 1000 <= MOST, "{:?}", left.counts);
    assert_newest(&left, LINES, text);
    format!("{LINES} lines of 1,000 bytes, {} kept, {MOST} bytes may be", left.counts.kept)
}

pub fn headlines(mode: Mode) -> String {
    const MOST: usize = 20;
    const LINES: usize = 2000;
    let text = |number: usize| format!("error: number {number} went wrong");
    let left = filled(mode, |limits| limits.max_error_entries = MOST, LINES, text);
    let told = left.headlines.len();
    assert!((1..=MOST).contains(&told), "{told} headlines");
    let newest = left.headlines.iter().map(|headline| headline.seq).max();
    assert_eq!(newest, Some(Seq(LINES as u64)), "the newest error is kept");
    assert_eq!(left.counts.evicted, 0, "lines are not lost with headlines");
    format!("{LINES} errors, {told} headlines kept, {MOST} may be")
}
