//! Lines that come at any speed, read into frames and applied as an editor does.

use super::*;
use crate::{
    event::{ProcessId, RunId, Timestamp},
    process::{OutputBatch, Stream},
    rpc::{protocol, tests},
};

/// Lines the copies hold.
const MAX: usize = 1500;

/// What an editor would hold: process, line, text.
#[derive(Default)]
struct Copy(Vec<(u64, u64, String)>);

// === impl Copy ===

impl Copy {
    fn apply(&mut self, patch: &LogPatch) {
        assert!(patch.lines.len() <= KEEP_UP.max(FILL), "a frame is bounded");
        let spread = |runs: &[u64], step: u64| -> Vec<u64> {
            runs.chunks_exact(2).flat_map(|run| (0..run[1]).map(move |n| run[0] + n * step)).collect()
        };
        let (seqs, mut ids) = (spread(&patch.seqs, 1), spread(&patch.ids, 0));
        ids.resize(seqs.len(), 1);
        if patch.reset {
            self.0.clear();
        }
        let is = |(id, seq, _): &(u64, u64, String)| {
            Some(*seq) == patch.before && patch.before_id.is_none_or(|before| u64::from(before) == *id)
        };
        let at = match patch.before {
            Some(_) => self.0.iter().position(is).expect("lines go in front of one that is held"),
            None => self.0.len(),
        };
        let lines = ids.into_iter().zip(seqs).zip(patch.lines.iter().cloned());
        self.0.splice(at..at, lines.map(|((id, seq), line)| (id, seq, line)));
        let over = self.0.len().saturating_sub(MAX);
        self.0.drain(..over);
    }
}

fn watch(which: Which, from: Option<u64>) -> Watch {
    let mut watch = Watch::new(protocol::Watch {
        buf: 5,
        root: None,
        name: None,
        max: MAX,
        rows: Some(40),
        from,
        filter: None,
    });
    watch.which = Some(which);
    watch
}

fn random(state: &mut u32, below: u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state % below
}

/// However fast lines come and however they are spread over frames, the copy ends as the end of the log.
#[tokio::test]
async fn the_copy_ends_whole_however_fast_the_lines_came() {
    for seed in 1..=20 {
        let (handles, _, to_logs) = tests::handles(tests::DEADLINE);
        let (mut one, mut all) = (watch(Which::Process(ProcessId(1)), None), watch(Which::Merged, None));
        let (mut copy_of_one, mut copy_of_all) = (Copy::default(), Copy::default());
        let (mut printed, mut state, mut styles) = (vec![0_u64; 4], seed * 7919, 0);
        let mut order = Vec::new();
        for _ in 0..30 {
            for _ in 0..random(&mut state, 4) {
                let process = 1 + random(&mut state, 3);
                let most = [3, 90, 600, 4000][random(&mut state, 4) as usize];
                let mut text = Vec::new();
                for _ in 0..=random(&mut state, most) {
                    printed[process as usize] += 1;
                    let seq = printed[process as usize];
                    text.extend(format!("{process}:{seq}\n").into_bytes());
                    order.push((u64::from(process), seq, format!("{process}:{seq}")));
                }
                let (process, run, at) = (ProcessId(process), RunId(1), Timestamp(1));
                let (stream, cut, after_exit) = (Stream::Out, Vec::new(), false);
                to_logs
                    .send(OutputBatch::Lines { process, run, stream, at, text, cut, after_exit })
                    .await
                    .expect("the store runs");
            }
            while handles.logs.counts().await.expect("the store runs").lines < order.len() as u64 {}
            for (watch, copy) in [(&mut one, &mut copy_of_one), (&mut all, &mut copy_of_all)] {
                for patch in read(watch, &handles, &mut styles).await {
                    copy.apply(&patch);
                }
            }
        }
        for (watch, copy) in [(&mut one, &mut copy_of_one), (&mut all, &mut copy_of_all)] {
            for _ in 0..200 {
                for patch in read(watch, &handles, &mut styles).await {
                    copy.apply(&patch);
                }
            }
            assert!(!watch.has_more(), "seed {seed}");
        }
        let newest = |of: &dyn Fn(&(u64, u64, String)) -> bool| -> Vec<_> {
            let mut lines: Vec<_> = order.iter().rev().filter(|line| of(line)).take(MAX).cloned().collect();
            lines.reverse();
            lines
        };
        // The store keeps 10,000 lines of all, so that of one there may be fewer than the copy has room for.
        let held = newest(&|(process, ..)| *process == 1);
        assert!(copy_of_one.0.iter().eq(&held[held.len() - copy_of_one.0.len()..]), "seed {seed}");
        assert!(copy_of_one.0.len() >= held.len().min(500), "seed {seed}: {}", copy_of_one.0.len());
        assert!(copy_of_all.0 == newest(&|_| true), "seed {seed}");
    }
}

#[tokio::test]
async fn a_buffer_that_holds_the_beginning_is_sent_what_comes_after_it() {
    let (handles, _, to_logs) = tests::handles(tests::DEADLINE);
    let text = (1..=50).map(|n| format!("{n}\n")).collect::<String>().into_bytes();
    let (process, run, at) = (ProcessId(1), RunId(1), Timestamp(1));
    let (stream, cut, after_exit) = (Stream::Out, Vec::new(), false);
    let lines = OutputBatch::Lines { process, run, stream, at, text, cut, after_exit };
    to_logs.send(lines).await.expect("the store runs");
    while handles.logs.counts().await.expect("the store runs").lines < 50 {}
    let patches = read(&mut watch(Which::Process(process), Some(41)), &handles, &mut 0).await;
    assert_eq!(patches.len(), 1);
    assert!(!patches[0].reset);
    assert_eq!((patches[0].seqs.as_slice(), patches[0].next), ([41, 10].as_slice(), 51));
    // Numbers of another host: everything is sent.
    let patches = read(&mut watch(Which::Process(process), Some(4100)), &handles, &mut 0).await;
    assert!(patches[0].reset);
    assert_eq!(patches[0].seqs, [1, 50]);
}

#[tokio::test]
async fn a_flood_is_known_by_what_came_however_little_a_window_shows_of_it() {
    let (handles, _, to_logs) = tests::handles(tests::DEADLINE);
    let (process, run, at) = (ProcessId(1), RunId(1), Timestamp(1));
    let (stream, cut, after_exit) = (Stream::Out, Vec::new(), false);
    let text = b"a line\n".repeat(5000);
    let lines = OutputBatch::Lines { process, run, stream, at, text, cut, after_exit };
    to_logs.send(lines).await.expect("the store runs");
    while handles.logs.counts().await.expect("the store runs").lines < 5000 {}
    let mut watch = watch(Which::Process(process), None);
    let patches = read(&mut watch, &handles, &mut 0).await;
    assert_eq!((patches.len(), patches[0].lines.len(), patches[0].came()), (1, 40, 5000));
    // What follows of it while it is calm has come before.
    let patches = read(&mut watch, &handles, &mut 0).await;
    assert!(patches[0].before.is_some() && patches[0].skipped > 0);
    assert_eq!(patches[0].came(), patches[0].lines.len() as u64);
}

#[tokio::test]
async fn of_long_lines_as_many_of_the_newest_are_sent_as_fit_a_frame() {
    let (handles, _, to_logs) = tests::handles(tests::DEADLINE);
    let (process, run, at) = (ProcessId(1), RunId(1), Timestamp(1));
    let (stream, cut, after_exit) = (Stream::Out, Vec::new(), false);
    for _ in 0..4 {
        let text = [b"x".repeat(20_000), b"\n".to_vec()].concat().repeat(100);
        let cut = cut.clone();
        let lines = OutputBatch::Lines { process, run, stream, at, text, cut, after_exit };
        to_logs.send(lines).await.expect("the store runs");
    }
    while handles.logs.counts().await.expect("the store runs").lines < 400 {}
    let mut watch = watch(Which::Process(process), None);
    let patches = read(&mut watch, &handles, &mut 0).await;
    let most = LIMIT_BYTES / LIMIT_LINE;
    assert_eq!(patches[0].lines.len(), most);
    assert_eq!(patches[0].next, 401, "the newest");
    let mut sent: usize = patches.iter().map(|patch| patch.lines.len()).sum();
    while watch.has_more() {
        for patch in read(&mut watch, &handles, &mut 0).await {
            assert!(patch.lines.len() <= most);
            sent += patch.lines.len();
        }
    }
    assert_eq!(sent, 400);
}
