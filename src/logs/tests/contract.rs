//! What the store promises, whichever implementation runs: a writer with a bus, driven through the pipe and the handle.

use std::collections::HashMap;

use tokio::{sync::mpsc, time::timeout};

use super::*;
use crate::{
    bus::{Filter, Mailbox},
    config::{Backpressure, EventBusConfig, ResourcesConfig},
    event::{Event, Fault},
    metrics::{LogsReading, SynchronizationMetrics},
    resource::FaultReceiver,
};

/// Generous: nothing here measures time.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// Events that may wait.
const ROOM: usize = 100_000;

/// Lines asked for at once.
const PIECE: usize = 700;

/// A store, and who hears its events.
pub(super) struct Rig {
    pub(super) logs: Logs,
    pub(super) pipe: mpsc::Sender<OutputBatch>,
    pub(super) events: Mailbox,
    pub(super) resources: ResourceManager,
    pub(super) faults: FaultReceiver,
}

impl Rig {
    pub(super) fn new(mode: Mode, config: &LogStoreConfig) -> Self {
        Self::recorded(mode, config, |_| Recorder::off())
    }

    pub(super) fn recorded(
        mode: Mode,
        config: &LogStoreConfig,
        recorder: impl FnOnce(&ResourceManager) -> Recorder,
    ) -> Self {
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, faults) = ResourceManager::new(&ResourcesConfig::default(), Arc::clone(&metrics));
        // Room for all events, so that the tests see what the writer said and not what the bus made of it.
        let roomy =
            EventBusConfig { queue_sizes: [ROOM; 3], max_events: 3 * ROOM, ..EventBusConfig::default() };
        let bus = EventBus::start(&roomy, Mode::Current, &resources, metrics);
        let events = bus.subscribe(Filter::all(), Component::App, ROOM, Backpressure::DropOldest);
        let recorder = recorder(&resources);
        let (logs, pipe) = Logs::start_recorded(config, mode, bus, &resources, recorder);
        Self { logs, pipe, events, resources, faults }
    }

    pub(super) async fn begin(&self, process: ProcessId, run: u64) -> Seq {
        let (ack, answer) = oneshot::channel();
        let number = u32::try_from(run).unwrap();
        let begin =
            OutputBatch::Begin { process, run: RunId(run), number, at: Timestamp(run), info: None, ack };
        self.pipe.send(begin).await.unwrap();
        timeout(DEADLINE, answer).await.expect("answered").expect("the writer lives")
    }

    pub(super) async fn print(&self, process: ProcessId, run: u64, text: &str) {
        self.pipe.send(lines(process, run, text)).await.unwrap();
    }

    pub(super) async fn end(&self, process: ProcessId, run: u64) -> Seq {
        let (ack, answer) = oneshot::channel();
        self.pipe.send(OutputBatch::End { process, run: RunId(run), ack }).await.unwrap();
        timeout(DEADLINE, answer).await.expect("answered").expect("the writer lives")
    }

    pub(super) async fn texts(&self, which: Which) -> Vec<String> {
        texts(&self.logs.read(all(which), 0).await.unwrap().0)
    }

    pub(super) fn read(&self) -> LogsReading {
        self.resources.metrics().snapshot().logs
    }

    pub(super) async fn fault(&mut self) -> Fault {
        timeout(DEADLINE, self.faults.recv()).await.expect("a fault within the deadline").expect("reported")
    }

    /// The next events, until there are enough.
    pub(super) async fn events_until(&mut self, enough: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        while !enough(&events) {
            let event = timeout(DEADLINE, self.events.recv()).await;
            events.push(event.unwrap_or_else(|_| panic!("not enough: {events:?}")).expect("the bus runs"));
        }
        events
    }
}

pub(super) fn lines(process: ProcessId, run: u64, text: &str) -> OutputBatch {
    OutputBatch::Lines {
        process,
        run: RunId(run),
        stream: Stream::Out,
        at: Timestamp(run),
        text: text.as_bytes().to_vec(),
        cut: Vec::new(),
        after_exit: false,
    }
}

/// The last line told of, for each process.
pub(super) fn last_told(events: &[Event], process: ProcessId) -> u64 {
    let lines = events.iter().filter_map(|event| match event {
        Event::LinesArrived { process: of, last, .. } if *of == process => Some(last.0),
        _ => None,
    });
    lines.max().unwrap_or_default()
}

/// Runs each test against both implementations.
macro_rules! both_modes {
    ($($name:ident)*) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn current() {
                super::$name(super::Mode::Current).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn fallback() {
                super::$name(super::Mode::Fallback).await;
            }
        }
    )* };
}

both_modes! {
    every_line_is_there_once_and_in_order
    an_end_is_acknowledged_when_its_lines_can_be_read_and_are_told_of
    what_is_told_of_has_no_gaps
    a_lone_line_is_told_of_at_once
    lines_and_bytes_are_bounded_and_what_goes_is_counted
    runs_are_numbered_and_begin_where_they_print
    the_neighbourhood_of_a_line_can_be_read
    the_last_batch_before_the_end_of_the_pipe_is_stored
    a_store_that_has_stopped_says_so
    the_probe_succeeds
}

async fn every_line_is_there_once_and_in_order(mode: Mode) {
    let rig = Rig::new(mode, &LogStoreConfig { max_entries: 100_000, ..LogStoreConfig::default() });
    let mut printers = Vec::new();
    for process in 1..=4 {
        let pipe = rig.pipe.clone();
        printers.push(rig.resources.spawn(Component::App, "printer", async move {
            let mut printed = 0;
            for size in (1..40).cycle().take(400) {
                let text: String = (printed..printed + size).map(|n| format!("{process}:{n}\n")).collect();
                printed += size;
                pipe.send(lines(ProcessId(process), 1, &text)).await.unwrap();
            }
            printed
        }));
    }
    let mut printed = HashMap::new();
    for (process, printer) in (1..).zip(printers) {
        printed.insert(process, printer.await.unwrap());
    }
    for (process, count) in &printed {
        assert_eq!(rig.end(ProcessId(*process), 1).await, Seq(*count));
        // In pieces, as a reader would.
        let (mut next, mut read) = (Seq(1), Vec::new());
        while read.len() < *count as usize {
            let query = Query { from: next, max_lines: PIECE, ..all(Which::Process(ProcessId(*process))) };
            let (slice, _) = rig.logs.read(query, 0).await.unwrap();
            next = slice.next;
            read.extend(texts(&slice));
        }
        assert!(read.into_iter().eq((0..*count).map(|n| format!("{process}:{n}"))));
    }
    let merged = rig.texts(Which::Merged).await;
    assert_eq!(merged.len() as u64, printed.values().sum::<u64>());
    for (process, count) in printed {
        let own = merged.iter().filter(|line| line.starts_with(&format!("{process}:")));
        assert!(own.cloned().eq((0..count).map(|n| format!("{process}:{n}"))), "also among the others'");
    }
}

async fn an_end_is_acknowledged_when_its_lines_can_be_read_and_are_told_of(mode: Mode) {
    let mut rig = Rig::new(
        mode,
        &LogStoreConfig { batch_size: 1_000_000, buffer_size: 1, ..LogStoreConfig::default() },
    );
    for run in 1..=50 {
        let before = (run - 1) * 7;
        assert_eq!(rig.begin(P, run).await, Seq(before));
        rig.print(P, run, "1\n2\n3\n").await;
        rig.print(P, run, "4\n5\n6\n7\n").await;
        assert_eq!(rig.end(P, run).await, Seq(before + 7));
        let (slice, _) =
            rig.logs.read(Query { from: Seq(before + 1), ..all(Which::Process(P)) }, 0).await.unwrap();
        assert_eq!(texts(&slice), ["1", "2", "3", "4", "5", "6", "7"]);
    }
    let events = rig.events_until(|events| last_told(events, P) == 350).await;
    assert!(events.iter().all(|event| matches!(event, Event::LinesArrived { .. })));
}

async fn what_is_told_of_has_no_gaps(mode: Mode) {
    let mut rig = Rig::new(mode, &LogStoreConfig::default());
    for size in (1..200).chain(1..50) {
        rig.print(P, 1, &"x\n".repeat(size)).await;
    }
    let last = rig.end(P, 1).await.0;
    let events = rig.events_until(|events| last_told(events, P) == last).await;
    let mut next = 1;
    for event in events {
        let Event::LinesArrived { first, last, .. } = event else { continue };
        assert_eq!(first.0, next);
        next = last.0 + 1;
    }
}

async fn a_lone_line_is_told_of_at_once(mode: Mode) {
    let config = LogStoreConfig {
        batch_size: 1000,
        flush_after: Duration::from_secs(3600),
        ..LogStoreConfig::default()
    };
    let mut rig = Rig::new(mode, &config);
    for line in 1..=20 {
        rig.print(P, 1, "alone\n").await;
        // It would come after an hour, or with the thousandth.
        rig.events_until(|events| last_told(events, P) == line).await;
    }
}

async fn lines_and_bytes_are_bounded_and_what_goes_is_counted(mode: Mode) {
    let config = LogStoreConfig { max_entries: 500, max_bytes: 64 << 10, ..LogStoreConfig::default() };
    let rig = Rig::new(mode, &config);
    for _ in 0..30 {
        rig.print(P, 1, &"short\n".repeat(40)).await;
        rig.print(Q, 1, &"longer than the others are\n".repeat(20)).await;
    }
    rig.end(P, 1).await;
    let counts = rig.logs.counts().await.unwrap();
    assert_eq!((counts.lines, counts.kept, counts.evicted), (1800, 500, 1300));
    rig.print(P, 1, &format!("{}\n", "x".repeat(1000)).repeat(300)).await;
    rig.end(P, 1).await;
    let (counts, read) = (rig.logs.counts().await.unwrap(), rig.read());
    assert_eq!(counts.lines, counts.kept + counts.evicted);
    assert!(read.kept_bytes <= 64 << 10, "{read:?}");
    assert_eq!((read.lines, read.evicted, read.kept_lines), (counts.lines, counts.evicted, counts.kept));
    assert_eq!((read.bytes, read.limit_lines, read.limit_bytes), (counts.bytes, 500, 64 << 10));
    let accounted = rig.resources.metrics().snapshot().resource.memory_accounted[Component::Logs.index()];
    assert_eq!(accounted, read.kept_bytes);
}

async fn runs_are_numbered_and_begin_where_they_print(mode: Mode) {
    let rig = Rig::new(mode, &LogStoreConfig::default());
    for run in 1..=3 {
        rig.begin(P, run).await;
        rig.print(P, run, "a\nb\n").await;
        rig.end(P, run).await;
    }
    let (slice, _) = rig.logs.read(all(Which::Process(P)), 0).await.unwrap();
    let runs: Vec<_> = slice.runs.iter().map(|run| (run.seq.0, run.run.0, run.number)).collect();
    assert_eq!(runs, [(1, 1, 1), (3, 2, 2), (5, 3, 3)]);
}

async fn the_neighbourhood_of_a_line_can_be_read(mode: Mode) {
    let rig = Rig::new(mode, &LogStoreConfig::default());
    rig.print(P, 1, &(1..=100).map(|n| format!("{n}\n")).collect::<String>()).await;
    rig.end(P, 1).await;
    let slice = rig.logs.around(P, Seq(50), 2, 1).await.unwrap();
    assert_eq!(texts(&slice), ["48", "49", "50", "51"]);
}

async fn the_last_batch_before_the_end_of_the_pipe_is_stored(mode: Mode) {
    let Rig { logs, pipe, .. } = Rig::new(mode, &LogStoreConfig::default());
    for n in 0..10 {
        pipe.send(lines(P, 1, &format!("{n}\n"))).await.unwrap();
    }
    drop(pipe);
    let all_in = async {
        while logs.counts().await.unwrap().lines < 10 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, all_in).await.expect("the writer takes what is in the pipe");
}

async fn a_store_that_has_stopped_says_so(mode: Mode) {
    let rig = Rig::new(mode, &LogStoreConfig::default());
    let (questions, asked) = mpsc::channel(1);
    drop(asked);
    let questions = Sender::over(&rig.resources, Component::Logs, "gone", questions, Waiting::Measured);
    let logs = Logs { questions, ..rig.logs.clone() };
    assert_eq!(logs.counts().await, Err(Stopped));
    assert_eq!(logs.probe().await, Err("the log store has stopped".to_owned()));
    logs.switch(Mode::Fallback).await;
}

async fn the_probe_succeeds(mode: Mode) {
    let rig = Rig::new(mode, &LogStoreConfig::default());
    assert_eq!((rig.logs.mode(), rig.logs.probe().await), (mode, Ok(())));
}
