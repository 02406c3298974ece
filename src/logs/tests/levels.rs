//! What changes while the writer runs: the implementation, the settings, what is switched off while the store is unwell
//! or memory is short, and that it comes back; and what a panic costs.

use tokio::time::timeout;

use super::{
    contract::{DEADLINE, Rig, last_told, lines},
    *,
};
use crate::event::{Event, FaultKind, Pressure};

/// A line in which one error is found, each time another one.
fn error(number: u32) -> String {
    format!("src/a.ts({number},7): error TS2322: no\n")
}

fn errors(events: &[Event]) -> Vec<u32> {
    let counts = events.iter().filter_map(|event| match event {
        Event::ErrorDetected { count, .. } => Some(*count),
        _ => None,
    });
    counts.collect()
}

/// Lines are told of when they are enough, not because a slow machine took long to store them.
fn unhurried() -> LogStoreConfig {
    LogStoreConfig { flush_after: Duration::from_secs(3600), ..LogStoreConfig::default() }
}

impl Rig {
    /// Waits until the store keeps at most so many lines now.
    async fn limit(&self, lines: u64) {
        let limited = async {
            while self.read().limit_lines != lines {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, limited).await.unwrap_or_else(|_| panic!("{lines}: {:?}", self.read()));
    }

    /// Takes over settings that were changed through the handle, whatever they are.
    async fn settle(&self) {
        self.logs.switch(self.logs.mode()).await;
    }
}

#[tokio::test]
async fn the_fallback_finds_no_errors_and_says_so() {
    let mut rig = Rig::new(Mode::Fallback, &LogStoreConfig::default());
    rig.begin(P, 1).await;
    rig.print(P, 1, &error(1)).await;
    rig.end(P, 1).await;
    let refused = rig.logs.headlines().await.unwrap_err();
    assert_eq!(refused.to_string(), "the list of errors is not available in fallback mode");
    assert_eq!(rig.read().unclassified, 1);
    rig.logs.switch(Mode::Current).await;
    rig.print(P, 1, &error(2)).await;
    rig.end(P, 1).await;
    assert_eq!(rig.logs.headlines().await.unwrap().len(), 1);
    assert_eq!(rig.read().unclassified, 1);
    let events = rig.events_until(|events| !errors(events).is_empty()).await;
    assert_eq!((errors(&events), last_told(&events, P)), (vec![1], 2));
}

#[tokio::test]
async fn the_fallback_tells_of_each_batch_and_the_current_one_of_many() {
    for (mode, expected) in [(Mode::Fallback, 20), (Mode::Current, 2)] {
        let config = LogStoreConfig { batch_size: 100, buffer_size: 10_000, ..unhurried() };
        let mut rig = Rig::new(mode, &config);
        // On one thread the writer does not run before this one waits, so that all of it is in the pipe.
        for _ in 0..20 {
            rig.pipe.try_send(lines(P, 1, &"x\n".repeat(10))).unwrap();
        }
        let events = rig.events_until(|events| last_told(events, P) == 200).await;
        assert_eq!(events.len(), expected, "{mode:?}");
    }
}

#[tokio::test]
async fn an_end_is_told_of_before_what_comes_behind_it() {
    let config = LogStoreConfig { batch_size: 1000, buffer_size: 100_000, ..unhurried() };
    let mut rig = Rig::new(Mode::Current, &config);
    let (ack, answer) = oneshot::channel();
    rig.pipe.try_send(lines(P, 1, "last\n")).unwrap();
    rig.pipe.try_send(OutputBatch::End { process: P, run: RunId(1), ack }).unwrap();
    rig.pipe.try_send(lines(P, 1, "after exit\n")).unwrap();
    let events = rig.events_until(|events| last_told(events, P) == 2).await;
    assert_eq!((events.len(), answer.await), (2, Ok(Seq(1))));
}

#[tokio::test]
async fn degraded_and_short_of_memory_batches_are_larger() {
    let config = LogStoreConfig { batch_size: 10, buffer_size: 10_000, ..unhurried() };
    let mut rig = Rig::new(Mode::Current, &config);
    let mut last = 0;
    for (health, pressure, batch) in [
        (Health::Healthy, Pressure::Normal, 10),
        (Health::Degraded, Pressure::Normal, 20),
        (Health::Degraded, Pressure::Warning, 40),
        (Health::Healthy, Pressure::Critical, 20),
        (Health::Healthy, Pressure::Normal, 10),
    ] {
        rig.logs.degrade(health);
        rig.resources.set_pressure(pressure);
        rig.settle().await;
        for _ in 0..80 {
            rig.pipe.try_send(lines(P, 1, "x\n")).unwrap();
        }
        last += 80;
        let events = rig.events_until(|events| last_told(events, P) == last).await;
        assert_eq!(events.len(), 80 / batch, "{health:?}, {pressure:?}");
    }
}

#[tokio::test]
async fn a_failing_store_keeps_lines_without_looking_at_them() {
    let rig = Rig::new(Mode::Current, &LogStoreConfig::default());
    rig.begin(P, 1).await;
    let mut printed = 0;
    for (health, found, unclassified) in [
        (Health::Healthy, 1, 0),
        (Health::Failing, 1, 1),
        (Health::Failed, 1, 2),
        (Health::Degraded, 2, 2),
        (Health::Healthy, 3, 2),
    ] {
        rig.logs.degrade(health);
        rig.settle().await;
        printed += 1;
        rig.print(P, 1, &error(printed)).await;
        assert_eq!(rig.end(P, 1).await, Seq(u64::from(printed)), "{health:?}");
        assert_eq!(rig.logs.headlines().await.unwrap().len(), found, "{health:?}");
        assert_eq!(rig.read().unclassified, unclassified, "{health:?}");
    }
    assert_eq!(rig.texts(Which::Process(P)).await.len(), 5);
}

#[tokio::test]
async fn what_was_held_back_is_told_when_nobody_looks_any_more() {
    let mut rig = Rig::new(Mode::Current, &LogStoreConfig::default());
    rig.begin(P, 1).await;
    rig.print(P, 1, "Error: Cannot find module 'x'\n").await;
    let events = rig.events_until(|events| last_told(events, P) == 1).await;
    assert!(errors(&events).is_empty(), "there may be more to it on the next line");
    rig.logs.switch(Mode::Fallback).await;
    let events = rig.events_until(|events| !errors(events).is_empty()).await;
    assert_eq!(errors(&events), [1]);
    assert_eq!(rig.end(P, 1).await, Seq(1));
}

#[tokio::test]
async fn critically_short_memory_halves_what_is_kept_at_once_and_its_end_takes_that_back() {
    let rig = Rig::new(Mode::Current, &LogStoreConfig { max_entries: 4000, ..LogStoreConfig::default() });
    let fill = async || {
        rig.print(P, 1, &format!("{}\n", "x".repeat(100)).repeat(6000)).await;
        rig.end(P, 1).await;
        rig.read()
    };
    let full = fill().await;
    assert_eq!((full.kept_lines, full.limit_lines, full.limit_bytes), (4000, 4000, 16 << 20));
    rig.resources.set_pressure(Pressure::Warning);
    rig.resources.set_pressure(Pressure::Critical);
    rig.limit(2000).await;
    let half = rig.read();
    assert_eq!((half.kept_lines, half.limit_bytes), (2000, 8 << 20), "without a further line");
    assert!(half.kept_bytes <= full.kept_bytes / 2);
    assert_eq!(half.lines, half.kept_lines + half.evicted);
    assert_eq!(fill().await.kept_lines, 2000);
    rig.resources.set_pressure(Pressure::Normal);
    rig.limit(4000).await;
    assert_eq!(fill().await.kept_lines, 4000);
}

#[tokio::test]
async fn new_settings_hold_from_now_on_and_cost_nothing_else() {
    let config = unhurried();
    let mut rig = Rig::new(Mode::Current, &config);
    rig.begin(P, 1).await;
    rig.print(P, 1, &(1..=300).map(error).collect::<String>()).await;
    rig.end(P, 1).await;
    assert_eq!(rig.logs.headlines().await.unwrap().len(), 300);
    rig.logs.reconfigure(&LogStoreConfig { max_error_entries: 7, max_entries: 200, ..config.clone() });
    rig.limit(200).await;
    let kept = rig.logs.headlines().await.unwrap();
    assert_eq!(
        kept.iter().map(|headline| headline.seq.0).collect::<Vec<_>>(),
        (294..=300).collect::<Vec<_>>()
    );
    assert_eq!(rig.texts(Which::Process(P)).await.len(), 200);
    rig.logs.reconfigure(&LogStoreConfig { max_bytes: 4096, ..config.clone() });
    rig.limit(10_000).await;
    assert!(rig.read().kept_bytes <= 4096);

    rig.events_until(|events| errors(events).contains(&300)).await;
    rig.logs.reconfigure(&LogStoreConfig { batch_size: 2, ..config });
    rig.settle().await;
    for _ in 0..6 {
        rig.pipe.try_send(lines(P, 1, "x\n")).unwrap();
    }
    let events = rig.events_until(|events| last_told(events, P) == 306).await;
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn a_panic_while_errors_are_looked_for_loses_no_line() {
    let mut rig = Rig::new(Mode::Current, &LogStoreConfig::default());
    rig.begin(P, 1).await;
    rig.print(P, 1, &format!("{}{}\n{}", error(1), planted::LINE, error(2))).await;
    rig.print(P, 1, &error(3)).await;
    assert_eq!(rig.end(P, 1).await, Seq(4), "the writer goes on");
    let fault = rig.fault().await;
    assert_eq!((fault.component, fault.place, fault.kind), (Component::Logs, "writer", FaultKind::Panic));
    assert_eq!(&*fault.message, "planted: looking");
    assert_eq!(rig.texts(Which::Process(P)).await.len(), 4);
    let found: Vec<_> = rig.logs.headlines().await.unwrap().iter().map(|it| it.seq.0).collect();
    assert_eq!(found, [4], "the batch is stored without, the next one is looked at");
    assert_eq!(rig.read().unclassified, 3);
    let events = rig.events_until(|events| last_told(events, P) == 4).await;
    let events = [events, rig.events_until(|events| errors(events).contains(&1)).await].concat();
    assert_eq!(errors(&events).last(), Some(&1));
    assert_eq!(rig.logs.probe().await, Ok(()));
}

#[tokio::test]
async fn a_panic_while_escapes_are_removed_loses_no_line() {
    let mut rig = Rig::new(Mode::Current, &LogStoreConfig::default());
    let raw = str::from_utf8(planted::RAW).unwrap();
    rig.print(P, 1, &format!("before\n{raw}\nafter\n")).await;
    rig.end(P, 1).await;
    assert_eq!(rig.texts(Which::Process(P)).await, ["before", raw, "after"]);
    assert_eq!(&*rig.fault().await.message, "planted: cleaning");
}

/// The implementation changes to and fro while processes print: nothing is lost, nothing is out of order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_implementation_under_load_loses_and_reorders_nothing() {
    const BATCHES: u64 = 2000;
    let mut rig =
        Rig::new(Mode::Current, &LogStoreConfig { max_entries: 100_000, ..LogStoreConfig::default() });
    let mut printers = Vec::new();
    for process in [P, Q] {
        let pipe = rig.pipe.clone();
        printers.push(rig.resources.spawn(Component::App, "printer", async move {
            for batch in 0..BATCHES {
                pipe.send(lines(process, 1, &format!("{batch}a\n{batch}b\n"))).await.unwrap();
            }
        }));
    }
    let mut switches = 0;
    while !printers.iter().all(crate::resource::Task::is_finished) {
        for mode in [Mode::Fallback, Mode::Current] {
            rig.logs.switch(mode).await;
            assert_eq!(rig.logs.mode(), mode);
            switches += 1;
        }
    }
    assert!(switches > 2, "{switches}");
    for process in [P, Q] {
        assert_eq!(rig.end(process, 1).await, Seq(2 * BATCHES));
        let printed = (0..BATCHES).flat_map(|batch| [format!("{batch}a"), format!("{batch}b")]);
        assert!(rig.texts(Which::Process(process)).await.into_iter().eq(printed));
    }
    let all_told = |events: &[Event]| [P, Q].iter().all(|process| last_told(events, *process) == 2 * BATCHES);
    let mut next = [1; 2];
    for event in rig.events_until(all_told).await {
        let Event::LinesArrived { process, first, last } = event else { continue };
        let next = &mut next[usize::from(process == Q)];
        assert_eq!(first.0, *next, "told of without a gap and in order");
        *next = last.0 + 1;
    }
}

#[test]
fn a_chunk_that_is_left_takes_no_more_room_than_it_uses() {
    let mut state = state(1_000_000, usize::MAX);
    for number in 0..20_000 {
        state.append(P, format!("{number} {}\n", "x".repeat(number % 90)).as_bytes(), &[], facts());
        if number % 500 == 0 {
            // A reader that holds a chunk only for a moment does not keep its room.
            drop(state.read(&all(Which::Process(P)), 0));
        }
    }
    let (used, taken) = (state.bytes(), state.capacity());
    // The last chunk is still open.
    assert!(taken < used + (256 << 10), "{taken} bytes for {used}");
    state.set_limits(Limits { lines: 2000, bytes: usize::MAX, headlines: 500, line: 64 << 10 });
    assert_eq!(state.counts().kept, 2000);
    let (used, taken) = (state.bytes(), state.capacity());
    assert!(taken < used + (256 << 10), "{taken} bytes for {used} after eviction");
}
