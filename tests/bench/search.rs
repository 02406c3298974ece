//! Searches over 2,000,000 lines that are kept, from the question to the last line and to the first, and what a search
//! costs whoever writes meanwhile.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use brummer::{
    config::Mode,
    event::{Health, ProcessId, RunId, Seq, Timestamp},
    logs::{Logs, Which},
    process::{OutputBatch, Stream},
    search::{Filter, Look, Searcher},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    table::{Table, median, ms},
    work::{self, Stand},
};

const LINES: usize = 2_000_000;
const BATCH: usize = 500;
const ROUNDS: usize = 9;
const PROCESS: ProcessId = ProcessId(1);

/// What is looked for, and how many lines in a thousand pass.
const QUERIES: &[(&str, &str, usize)] = &[
    ("a regex that hits nothing", r"/refused: .*port \d+$/", 0),
    ("a regex that 1 % of the lines pass", r"/timeout after \d+ ms/", 10),
    ("an alternation in both cases, 1 %", "/(?i)timeout|refused|denied/", 10),
    ("a regex without text to look for, 1 %", r"/\d+ ms, code \d{3}$/", 10),
    ("a word in both cases, 1 %", "timeout", 10),
    ("what a word does not occur in, 99 %", "-timeout", 990),
    ("level:error and a word, 1 %", "level:error timeout", 10),
];

/// Lines as a server logs them, all different.
fn lines(first: usize) -> Vec<u8> {
    let mut text = String::with_capacity(BATCH * 100);
    for number in first..first + BATCH {
        let (second, user, took) = (number / 1000 % 60, number * 7919 % 99_991, number * 31 % 977);
        let failed = number.is_multiple_of(100);
        let level = if failed { "ERROR" } else { "INFO" };
        let head = format!("12:00:{second:02} {level} api request {number} of user {user} ");
        let tail = if failed {
            format!("Timeout after {took} ms, code 504")
        } else {
            format!("took {took} ms and is fine")
        };
        let room = 99 - head.len();
        writeln!(text, "{head}{tail:.>room$}").unwrap();
    }
    text.into_bytes()
}

pub fn rows(table: &mut Table) {
    work::block_on(async {
        let mut stand = Stand::start(Mode::Current);
        (stand.config.log_store.max_entries, stand.config.log_store.max_bytes) = (LINES + BATCH, 1 << 30);
        let (logs, output) = stand.logs(Mode::Current);
        // Lines are kept here, and nothing else.
        logs.degrade(Health::Failing);
        fill(&logs, &output, LINES).await;
        let searcher = Searcher::new(stand.resources.clone());
        table.head("2,000,000 lines of 100 bytes that are kept, in ms", ["median", "least", "most"]);
        for (name, query, expected) in QUERIES {
            let (mut whole, mut first) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let (found, till_first, till_last) = search(&logs, &searcher, query).await;
                let wanted = LINES / 1000 * expected;
                assert!(found == wanted, "{query}: {found} lines instead of {wanted}");
                whole.push(ms(till_last));
                first.push(ms(till_first));
            }
            table.row(&format!("search: {name}"), &mut whole);
            table.row("  till the first lines", &mut first);
        }
        let (mut alone, mut beside, mut searches) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            alone.push(ingest(&logs, &output).await);
            let looking = tokio::spawn({
                let (logs, searcher) = (logs.clone(), searcher.clone());
                async move {
                    for count in 0_usize.. {
                        let (found, ..) = search(&logs, &searcher, "timeout").await;
                        assert!(found > 0, "search {count}");
                        // A person searches less often.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            });
            beside.push(ingest(&logs, &output).await);
            looking.abort();
            searches += 1;
        }
        table.row("ingest of 500,000 lines", &mut alone);
        table.row("  beside searches 100 ms apart", &mut beside);
        table.figure("  times alone", median(&mut beside) / median(&mut alone), "");
        assert_eq!(searches, ROUNDS);
        drop((logs, output, searcher));
        stand.end().await;
    });
}

/// Lines that pass, and the time till the first and the last of them.
async fn search(logs: &Logs, searcher: &Searcher, query: &str) -> (usize, Duration, Duration) {
    let start = Instant::now();
    let filter = Filter::parse(query).unwrap();
    let snapshot = logs.snapshot(Which::Process(PROCESS)).await.unwrap();
    let look = Arc::new(Look::new(filter, snapshot, &[], |_| Some("dev".into())));
    let (mut found, mut first) = (0, None);
    let all = searcher.newest_first(&look, Seq(u64::MAX), |lines| {
        found += lines.len();
        if !lines.is_empty() {
            first.get_or_insert_with(|| start.elapsed());
        }
        true
    });
    assert!(all.await, "all is looked through");
    (found, first.unwrap_or_default(), start.elapsed())
}

async fn fill(logs: &Logs, output: &mpsc::Sender<OutputBatch>, count: usize) {
    let (ack, begun) = oneshot::channel();
    let (process, run, at) = (PROCESS, RunId(1), Timestamp(1));
    let begin = OutputBatch::Begin { process, run, number: 1, at, info: None, ack };
    output.send(begin).await.unwrap();
    begun.await.unwrap();
    for first in (0..count).step_by(BATCH) {
        output.send(batch(lines(first))).await.unwrap();
    }
    while logs.counts().await.unwrap().lines < count as u64 {}
}

fn batch(text: Vec<u8>) -> OutputBatch {
    let (process, run, stream, at) = (PROCESS, RunId(1), Stream::Out, Timestamp(1));
    OutputBatch::Lines { process, run, stream, at, text, cut: Vec::new(), after_exit: false }
}

/// Milliseconds that a writer takes for 500,000 lines; making them is not counted.
async fn ingest(logs: &Logs, output: &mpsc::Sender<OutputBatch>) -> f64 {
    let texts: Vec<_> = (0..500_000).step_by(BATCH).map(lines).collect();
    let before = logs.counts().await.unwrap().lines;
    let start = Instant::now();
    for text in texts {
        output.send(batch(text)).await.unwrap();
    }
    while logs.counts().await.unwrap().lines < before + 500_000 {
        tokio::task::yield_now().await;
    }
    ms(start.elapsed())
}
