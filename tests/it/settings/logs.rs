//! `[log_store]`, on a store that real processes fill.

use brummer::{
    bus::Filter,
    config::Backpressure,
    event::{Component, Event, ProcessId, RunId, Seq, Timestamp},
    logs::Logs,
    process::{OutputBatch, Stream},
};
use tokio::sync::oneshot;

use super::{
    rig::{Bus, Rig, until},
    with,
};

fn end() -> OutputBatch {
    OutputBatch::End { process: ProcessId(1), run: RunId(1), ack: oneshot::channel::<Seq>().0 }
}

#[tokio::test]
async fn the_pipe_holds_as_many_blocks_as_the_buffer_has_batches() {
    // Nothing but this runs meanwhile: the writer takes no block.
    let room = |text: &str| {
        let config = with(text);
        let bus = Bus::start(&config);
        let mode = config.log_store.rollout.mode().start();
        let (_logs, output) = Logs::start(&config.log_store, mode, bus.bus.clone(), &bus.resources);
        std::iter::from_fn(|| output.try_send(end()).ok()).count()
    };
    assert_eq!(room(""), 10);
    assert_eq!(room("[log_store]\nbuffer_size = 300\n"), 3);
    assert_eq!(room("[log_store]\nbatch_size = 500\n"), 2);
}

/// How often lines are told of when ten blocks of this text wait in the pipe.
async fn told(settings: &str, text: &str) -> usize {
    let config = with(settings);
    let bus = Bus::start(&config);
    let mut news = bus.bus.subscribe(Filter::all(), Component::App, 1000, Backpressure::DropOldest);
    let mode = config.log_store.rollout.mode().start();
    let (_logs, output) = Logs::start(&config.log_store, mode, bus.bus.clone(), &bus.resources);
    let (process, run) = (ProcessId(1), RunId(1));
    for _ in 0..9 {
        let (stream, text) = (Stream::Out, text.as_bytes().to_vec());
        let lines = OutputBatch::Lines {
            process,
            run,
            stream,
            at: Timestamp(1),
            text,
            cut: Vec::new(),
            after_exit: false,
        };
        output.try_send(lines).unwrap();
    }
    let (ack, stored) = oneshot::channel();
    output.try_send(OutputBatch::End { process, run, ack }).unwrap();
    stored.await.unwrap();
    until("the news to be there", || bus.idle()).await;
    std::iter::from_fn(|| news.try_recv()).filter(|event| matches!(event, Event::LinesArrived { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_is_told_of() {
    assert_eq!(told("", "line\n").await, 1);
    assert_eq!(told("[log_store]\nbatch_size = 3\n", "line\n").await, 3);
}

#[tokio::test]
async fn a_batch_that_is_not_full_is_told_of_in_time() {
    // Every block keeps the writer busy for longer than a millisecond.
    let long = format!("{}\n", "x\x1b[31m".repeat(100_000)).repeat(8);
    assert_eq!(told("[log_store]\ntimeout_ms = 60000\n", &long).await, 1);
    let often = told("[log_store]\ntimeout_ms = 1\n", &long).await;
    assert!(often > 1, "{often}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_lines_are_kept() {
    for (text, kept) in [("", 1000), ("[log_store]\nmax_entries = 10\n", 10)] {
        let mut rig = Rig::start(&with(text));
        let counts = rig.counts_after("seq 1 1000").await;
        assert_eq!((counts.lines, counts.kept), (1000, kept));
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_bytes_are_kept() {
    let mut kept = Vec::new();
    for text in ["", "[log_store]\nmax_bytes = 20000\n"] {
        let mut rig = Rig::start(&with(text));
        kept.push(rig.counts_after("seq 1000000 1009999").await.kept);
        rig.end().await;
    }
    assert_eq!(kept[0], 10_000);
    assert!(kept[1] * 8 <= 20_000, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_over_the_limit_is_kept_whole_and_marked_as_long() {
    for (text, long) in [("", 0), ("[log_store]\nmax_line = 100\n", 2)] {
        let mut rig = Rig::start(&with(text));
        let counts = rig.counts_after("printf 'short\\n%0101d\\n%0100d\\n%0200d\\n' 1 2 3").await;
        assert_eq!((counts.lines, counts.bytes, counts.long), (4, 406, long));
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_headlines_are_kept() {
    for (text, kept) in [("", 30), ("[log_store]\nmax_error_entries = 5\n", 5)] {
        let mut rig = Rig::start(&with(text));
        rig.counts_after("for n in $(seq 1 30); do echo \"src/f$n.ts(1,1): error TS1: no $n\"; done").await;
        assert_eq!(rig.logs.headlines().await.unwrap().len(), kept);
        rig.end().await;
    }
}
