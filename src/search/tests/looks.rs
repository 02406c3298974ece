//! That looking through a snapshot gives what looking at each line would, whatever was evicted and however processes took
//! turns.

use std::{collections::HashMap, sync::Arc};

use proptest::prelude::*;

use super::{line, plainly, term};
use crate::{
    bus::EventBus,
    config::{Config, Mode},
    event::{ProcessId, RunId, Seq, Timestamp},
    logs::{Logs, Snapshot, Which},
    process::{OutputBatch, Stream},
    resource::ResourceManager,
    search::{Filter, Look, Searcher},
};

/// What a process prints at once.
type Printed = (u32, Vec<Vec<u8>>);

/// A line: its number in the merged log, its process, its number there, and its text.
type Plain = (u64, u32, u64, Vec<u8>);

fn printed() -> impl Strategy<Value = Vec<Printed>> {
    prop::collection::vec((1_u32..4, prop::collection::vec(line(), 1..20)), 0..30)
}

/// Prints some lines, takes snapshots, and prints more: what is evicted then is in the snapshots all the same.
async fn snapshots(before: &[Printed], after: &[Printed], keep: usize) -> ([Snapshot; 2], ResourceManager) {
    let mut config = Config::default();
    config.log_store.max_entries = keep;
    let (resources, _faults) = ResourceManager::new(&config.resources, Arc::default());
    let bus = EventBus::start(&config.eventbus, Mode::Current, &resources, Arc::clone(resources.metrics()));
    let (logs, output) = Logs::start(&config.log_store, Mode::Current, bus, &resources);
    let mut count = 0;
    let mut taken = None;
    for (round, printed) in [before, after].into_iter().enumerate() {
        for (process, lines) in printed {
            count += lines.len() as u64;
            let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
            let (process, run) = (ProcessId(*process), RunId(1));
            let (at, stream) = (Timestamp(count), Stream::Out);
            let lines =
                OutputBatch::Lines { process, run, stream, at, text, cut: Vec::new(), after_exit: false };
            output.send(lines).await.unwrap();
        }
        while logs.counts().await.unwrap().lines < count {}
        if round == 0 {
            let one = logs.snapshot(Which::Process(ProcessId(1))).await.unwrap();
            taken = Some([logs.snapshot(Which::Merged).await.unwrap(), one]);
        }
    }
    (taken.unwrap(), resources)
}

/// Each line that a snapshot of all logs keeps.
fn plain(printed: &[Printed], snapshot: &Snapshot) -> Vec<Plain> {
    let (mut position, mut seqs) = (0, HashMap::<u32, u64>::new());
    let mut lines = Vec::new();
    for (process, text) in
        printed.iter().flat_map(|(process, lines)| lines.iter().map(move |it| (process, it)))
    {
        position += 1;
        let seq = seqs.entry(*process).or_default();
        *seq += 1;
        if snapshot.of(ProcessId(*process)).is_some_and(|log| log.first.0 <= *seq) {
            lines.push((position, *process, *seq, text.clone()));
        }
    }
    lines
}

/// What a look finds before a position, in order.
async fn found(look: Look, resources: &ResourceManager, before: u64) -> Vec<Plain> {
    let look = Arc::new(look);
    let mut all = Vec::new();
    let windows = |found: Vec<_>| {
        let parts = look.parts(&found);
        let listed = found.iter().map(|found| {
            let (process, chunk, index) = look.line(found);
            (found.position.0, process.0, found.seq.0, chunk.text(index).to_vec())
        });
        let listed: Vec<Plain> = listed.collect();
        let in_parts = parts.iter().flat_map(|part| {
            part.lines.clone().enumerate().map(|(at, index)| {
                let (position, seq) = (part.position.0 + at as u64, part.first.0 + at as u64);
                (position, part.process.0, seq, part.chunk.text(index).to_vec())
            })
        });
        assert!(in_parts.eq(listed.iter().cloned()), "the parts are the same lines");
        all.splice(0..0, listed);
        true
    };
    assert!(Searcher::new(resources.clone()).newest_first(&look, Seq(before), windows).await);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_snapshot_gives_the_lines_that_pass_one_by_one(
        printed in printed(),
        after in printed(),
        keep in 1_usize..300,
        terms in prop::collection::vec(term(), 0..3),
        before in prop::option::of(1_u64..200),
        unwanted in 0_u32..5,
    ) {
        // What the store makes of a carriage return is not looked for here.
        let without = |printed: Vec<Printed>| -> Vec<Printed> {
            let clean = |line: Vec<u8>| line.into_iter().filter(|byte| *byte != b'\r').collect();
            let lines = |lines: Vec<Vec<u8>>| lines.into_iter().map(clean).collect();
            printed.into_iter().map(|(process, it)| (process, lines(it))).collect()
        };
        let (printed, after) = (without(printed), without(after));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let ([merged, one], resources) = snapshots(&printed, &after, keep).await;
            let kept = plain(&printed, &merged);
            let before = before.unwrap_or(u64::MAX);
            let wanted = |process: ProcessId| (process.0 != unwanted).then(|| Arc::from("dev"));
            let filter = Filter::parse(&terms.join(" ")).unwrap();
            let passes = |text: &[u8]| terms.iter().all(|term| plainly(term, text));
            let simple: Vec<Plain> = kept
                .iter()
                .filter(|(position, process, _, text)| *position < before && *process != unwanted && passes(text))
                .cloned()
                .collect();
            let look = Look::new(filter.clone(), merged, &[], wanted);
            assert_eq!(found(look, &resources, before).await, simple, "{terms:?} in all");
            let simple: Vec<Plain> = kept
                .iter()
                .filter(|(_, process, seq, text)| *process == 1 && unwanted != 1 && *seq < before && passes(text))
                .map(|(_, process, seq, text)| (*seq, *process, *seq, text.clone()))
                .collect();
            let look = Look::new(filter, one, &[], wanted);
            assert_eq!(found(look, &resources, before).await, simple, "{terms:?} in one");
        });
    }
}
