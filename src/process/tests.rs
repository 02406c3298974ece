//! Real processes, driven through the handle alone.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};

use super::*;
use crate::{
    bus::{Filter, Mailbox},
    config::{Backpressure, EventBusConfig, ResourcesConfig},
    event::{Component, Event, Exit, State},
    metrics::SynchronizationMetrics,
    sync::Mutex,
};

/// Generous: nothing here measures time.
const DEADLINE: Duration = Duration::from_secs(20);

/// A line that came through the output pipe.
#[derive(Clone, Debug)]
struct Printed {
    stream: Stream,
    text: String,
    after_exit: bool,
}

/// What the log store would hold.
#[derive(Default)]
struct Sink {
    lines: Mutex<Vec<Printed>>,
    arrived: Notify,
}

struct Rig {
    manager: Manager,
    events: Mailbox,
    sink: Arc<Sink>,
    resources: ResourceManager,
}

impl Rig {
    fn new() -> Self {
        Self::with(&ProcessManagerConfig::default())
    }

    fn with(config: &ProcessManagerConfig) -> Self {
        let (rig, output) = Self::unread(config);
        let sink = Arc::clone(&rig.sink);
        drop(rig.resources.spawn(Component::Logs, "sink", sink.serve(output)));
        rig
    }

    /// A rig whose output pipe nobody reads yet.
    fn unread(config: &ProcessManagerConfig) -> (Self, mpsc::Receiver<OutputBatch>) {
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, _faults) = ResourceManager::new(&ResourcesConfig::default(), Arc::clone(&metrics));
        let bus = EventBus::start(&EventBusConfig::default(), Mode::Current, &resources, metrics);
        let events = bus.subscribe(Filter::all(), Component::App, 1000, Backpressure::DropOldest);
        let (sender, output) = mpsc::channel(1);
        let parts = Parts { bus, resources: resources.clone(), output: sender };
        let manager = Manager::start_manager(config, Mode::Current, parts);
        (Self { manager, events, sink: Arc::default(), resources }, output)
    }

    async fn event(&mut self) -> Event {
        let event = timeout(DEADLINE, self.events.recv()).await.expect("an event within the deadline");
        event.expect("the bus runs")
    }

    async fn exit(&mut self) -> (RunId, State, Exit, Seq) {
        loop {
            if let Event::ProcessExited { run, state, exit, last, .. } = self.event().await {
                return (run, state, exit, last);
            }
        }
    }

    async fn started(&mut self) -> u32 {
        loop {
            if let Event::ProcessStarted { pid, .. } = self.event().await {
                return pid;
            }
        }
    }

    /// Waits until a line of this text has come.
    async fn line(&self, text: &str) -> Printed {
        let seen = async {
            loop {
                let arrived = self.sink.arrived.notified();
                let found = self.sink.lines.lock().iter().find(|line| line.text == text).cloned();
                match found {
                    Some(line) => return line,
                    None => arrived.await,
                }
            }
        };
        timeout(DEADLINE, seen).await.unwrap_or_else(|_| panic!("no line {text:?} in {:?}", self.texts()))
    }

    fn texts(&self) -> Vec<String> {
        self.sink.lines.lock().iter().map(|line| line.text.clone()).collect()
    }
}

impl Sink {
    async fn serve(self: Arc<Self>, mut output: mpsc::Receiver<OutputBatch>) {
        while let Some(batch) = output.recv().await {
            match batch {
                OutputBatch::Begin { ack, .. } | OutputBatch::End { ack, .. } => {
                    ack.send(Seq(self.lines.lock().len() as u64)).ok();
                }
                OutputBatch::Lines { stream, text, after_exit, .. } => {
                    let text = String::from_utf8_lossy(&text);
                    let lines =
                        text.lines().map(|line| Printed { stream, text: line.to_owned(), after_exit });
                    self.lines.lock().extend(lines);
                    self.arrived.notify_waiters();
                }
            }
        }
    }
}

fn group_is_alive(pid: u32) -> bool {
    group::Group::led_by(pid).expect("a process id").is_alive()
}

#[tokio::test]
async fn the_exit_tells_code_or_signal_and_comes_after_the_last_line() {
    let mut rig = Rig::new();
    rig.manager.start(ProcessInfo::of_shell("seq 1 5000; echo last >&2; exit 3")).await.unwrap();
    let (_, state, exit, last) = rig.exit().await;
    assert_eq!((state, exit, last), (State::Failed, Exit::Code(3), Seq(5001)));
    let errors = rig.sink.lines.lock().iter().filter(|line| line.stream == Stream::Err).count();
    assert_eq!((errors, rig.texts().len()), (1, 5001), "all lines are in when the exit comes");

    rig.manager.start(ProcessInfo::of_shell("kill -KILL $$")).await.unwrap();
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Failed, Exit::Signal(9)));

    rig.manager.start(ProcessInfo::of_shell("true")).await.unwrap();
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Success, Exit::Code(0)));
}

#[tokio::test]
async fn each_run_has_its_own_id_and_exactly_one_exit() {
    let mut rig = Rig::new();
    let mut runs = Vec::new();
    for _ in 0..5 {
        let Started::New(process, run) = rig.manager.start(ProcessInfo::of_shell("exit 1")).await.unwrap()
        else {
            panic!("it had ended")
        };
        let (exited, ..) = rig.exit().await;
        assert_eq!(exited, run);
        assert_eq!(rig.manager.status(process).unwrap().state, State::Failed);
        runs.push(run);
    }
    runs.dedup();
    assert_eq!(runs.len(), 5);
    rig.manager.start(ProcessInfo::of_shell("echo over")).await.unwrap();
    let (mut exits, mut run) = (0, None);
    while run.is_none() {
        if let Event::ProcessExited { run: of, state, .. } = rig.event().await {
            exits += 1;
            run = (state == State::Success).then_some(of);
        }
    }
    assert_eq!(exits, 1, "no exit of an earlier run came a second time");
}

#[tokio::test]
async fn starting_what_runs_starts_nothing() {
    let rig = Rig::new();
    let first = rig.manager.start(ProcessInfo::of_shell("echo up; sleep 60")).await.unwrap();
    rig.line("up").await;
    assert_eq!(
        rig.manager.start(ProcessInfo::of_shell("echo up; sleep 60")).await,
        Ok(Started::Running(first.process()))
    );
    rig.manager.stop(first.process()).await.unwrap();
    assert_eq!(rig.texts(), ["up"]);
}

#[tokio::test]
async fn a_stop_sends_term_to_the_whole_group_and_returns_when_it_is_gone() {
    let mut rig = Rig::new();
    // The leader leaves at once; its child takes its time and says so.
    let script = "(trap 'echo child got TERM; exit' TERM; echo ready; while :; do sleep 0.01; done) & trap 'exit 0' TERM; wait";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    let pid = rig.started().await;
    rig.line("ready").await;
    rig.manager.stop(process).await.unwrap();
    assert!(!group_is_alive(pid));
    let (_, state, ..) = rig.exit().await;
    assert_eq!(state, State::Stopped);
    // The shell may say that its `sleep` was terminated, too.
    assert!(rig.texts().iter().any(|line| line == "child got TERM"), "{:?}", rig.texts());
}

#[tokio::test]
async fn what_ignores_term_is_killed_after_the_grace() {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_millis(100), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(&config);
    let process = rig
        .manager
        .start(ProcessInfo::of_shell("trap '' TERM; echo ready; while :; do sleep 0.01; done"))
        .await
        .unwrap()
        .process();
    let pid = rig.started().await;
    rig.line("ready").await;
    rig.manager.stop(process).await.unwrap();
    assert!(!group_is_alive(pid));
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Stopped, Exit::Signal(9)));
}

#[tokio::test]
async fn leaving_brings_the_kill_of_a_patient_stop_nearer() {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_secs(3600), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(&config);
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    let pid = rig.started().await;
    rig.line("ready").await;
    let patient = rig.manager.clone();
    let stop = async move { patient.stop(process).await };
    let leave = rig.manager.clone();
    let leave = async move { leave.shutdown(Duration::from_millis(50)).await };
    let both = async { tokio::join!(stop, leave) };
    timeout(DEADLINE, both).await.expect("both are answered").0.unwrap();
    assert!(!group_is_alive(pid));
    assert_eq!(rig.manager.start(ProcessInfo::of_shell("true")).await, Err(ProcessError::Closed));
}

#[tokio::test]
async fn a_restart_ends_the_old_run_first_and_keeps_the_entry() {
    let mut rig = Rig::new();
    let process = rig.manager.start(ProcessInfo::of_shell("echo up; sleep 60")).await.unwrap().process();
    let first = rig.started().await;
    rig.line("up").await;
    let run = rig.manager.restart(process).await.unwrap();
    let (exited, state, ..) = rig.exit().await;
    assert_eq!((exited < run, state), (true, State::Stopped));
    assert!(!group_is_alive(first));
    let second = rig.started().await;
    assert!(group_is_alive(second));
    rig.manager.shutdown(Duration::from_secs(1)).await;
    assert!(!group_is_alive(second));
}

#[tokio::test]
async fn a_stop_takes_back_a_restart_whose_turn_has_not_come() {
    let mut rig = Rig::new();
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    rig.line("ready").await;
    let run = rig.manager.restart(process).await.unwrap();
    let manager = rig.manager.clone();
    let (stopped, (_, second)) = tokio::join!(manager.stop(process), async {
        // The first run is ended by the restart, the second is reported without having run.
        let first = rig.exit().await;
        let second = rig.exit().await;
        (first, second)
    });
    stopped.unwrap();
    let (second, state, exit, _) = second;
    assert_eq!((second, state, exit), (run, State::Stopped, Exit::NotStarted));
    assert_eq!(rig.texts(), ["ready"]);
}

#[tokio::test]
async fn what_a_run_left_in_its_group_ends_before_the_next_run() {
    let mut rig = Rig::new();
    let script = "sleep 60 >/dev/null 2>&1 & echo $!";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    let first = rig.started().await;
    let (_, state, ..) = rig.exit().await;
    assert_eq!(state, State::Success);
    assert!(group_is_alive(first), "the leader's end does not end the others");
    rig.manager.restart(process).await.unwrap();
    let second = rig.started().await;
    assert!(!group_is_alive(first));
    rig.manager.stop(process).await.unwrap();
    rig.manager.shutdown(Duration::from_secs(1)).await;
    assert!(!group_is_alive(second));
}

#[tokio::test]
async fn a_descendant_that_holds_the_pipe_does_not_hold_the_exit() {
    let mut rig = Rig::new();
    // The child writes only once it can see that its parent has been reaped.
    let script = "(while kill -0 $$ 2>/dev/null; do sleep 0.01; done; while [ ! -e \"$GO\" ]; do sleep 0.01; done; echo late) & echo early";
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let info = ProcessInfo {
        env: vec![("GO".to_owned(), go.display().to_string())],
        ..ProcessInfo::of_shell(script)
    };
    rig.manager.start(info).await.unwrap();
    let (_, state, _, last) = rig.exit().await;
    assert_eq!((state, last), (State::Success, Seq(1)));
    std::fs::write(&go, "").unwrap();
    assert!(rig.line("late").await.after_exit, "a line that comes after the exit says so");
    assert!(!rig.line("early").await.after_exit);
}

#[tokio::test]
async fn a_program_that_cannot_be_started_says_why() {
    let mut rig = Rig::new();
    let missing = ProcessInfo { argv: vec!["/nowhere/tool".to_owned()], ..ProcessInfo::of_shell("tool") };
    rig.manager.start(missing).await.unwrap();
    let elsewhere = ProcessInfo { cwd: PathBuf::from("/nowhere"), ..ProcessInfo::of_shell("true") };
    rig.manager.start(elsewhere).await.unwrap();
    let mut reasons = Vec::new();
    while reasons.len() < 2 {
        if let Event::ProcessExited { state, exit, reason, .. } = rig.event().await {
            assert_eq!((state, exit), (State::Failed, Exit::NotStarted));
            reasons.push(reason.unwrap().to_string());
        }
    }
    reasons.sort();
    assert_eq!(reasons, ["/nowhere is not a directory", "/nowhere/tool is not installed or not on PATH"]);
}

#[tokio::test]
async fn a_full_output_pipe_makes_the_child_wait_and_loses_nothing() {
    let (mut rig, mut output) = Rig::unread(&ProcessManagerConfig::default());
    let process = rig.manager.start(ProcessInfo::of_shell("seq 1 300000; echo end")).await.unwrap().process();
    // Nobody reads but for the first acknowledgement: the pipe fills and the child cannot end.
    let Some(OutputBatch::Begin { ack, .. }) = output.recv().await else { panic!("a run begins with Begin") };
    ack.send(Seq(0)).unwrap();
    rig.started().await;
    while output.len() < output.max_capacity() {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.manager.status(process).unwrap().state, State::Running);
    let sink = Arc::clone(&rig.sink);
    drop(rig.resources.spawn(Component::Logs, "sink", sink.serve(output)));
    let (_, state, _, last) = rig.exit().await;
    assert_eq!((state, last), (State::Success, Seq(300_001)));
    let texts = rig.texts();
    let numbers = texts[..300_000].iter().map(|line| line.parse::<u32>().unwrap());
    assert!(numbers.eq(1..=300_000), "every line, in order");
}

#[tokio::test]
async fn the_limit_of_running_processes_is_said() {
    let config = ProcessManagerConfig { max_processes: 1, ..ProcessManagerConfig::default() };
    let rig = Rig::with(&config);
    rig.manager.start(ProcessInfo::of_shell("sleep 60")).await.unwrap();
    let refused = rig.manager.start(ProcessInfo::of_shell("sleep 61")).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "1 processes are running, which is the limit (process_manager.max_processes)"
    );
    rig.manager.shutdown(Duration::from_secs(1)).await;
}

#[test]
fn a_run_keeps_its_one_terminal_state() {
    use State::{Failed, Pending, Running, Stopped, Success};
    let all = [Pending, Running, Success, Failed, Stopped];
    let legal = [
        (Pending, Running),
        (Pending, Failed),
        (Pending, Stopped),
        (Running, Success),
        (Running, Failed),
        (Running, Stopped),
    ];
    for from in all {
        for to in all {
            let cell = StatusCell::new(Status { state: from, ..Status::pending(RunId(1)) });
            let moved = cell.set(Status { state: to, ..Status::pending(RunId(1)) });
            assert_eq!(moved.is_ok(), legal.contains(&(from, to)), "{from:?} to {to:?}");
            assert_eq!(cell.get().state, if moved.is_ok() { to } else { from });
            let cell = StatusCell::new(Status { state: from, ..Status::pending(RunId(1)) });
            assert_eq!(
                cell.set(Status::pending(RunId(2))).is_ok(),
                from.is_terminal(),
                "a new run after {from:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_stop_takes_back_a_start_that_waits_for_what_the_last_run_left() {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_millis(300), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(&config);
    let script = "(trap '' TERM; echo left; while :; do sleep 0.01; done) & sleep 0.05";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    rig.line("left").await;
    rig.exit().await;
    rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap();
    rig.manager.stop(process).await.unwrap();
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Stopped, Exit::NotStarted));
}

#[tokio::test]
async fn a_slow_store_does_not_cut_a_run_short() {
    let (mut rig, mut output) = Rig::unread(&ProcessManagerConfig::default());
    // It fits into the kernel's pipe, so that the leader can end with most of it unread.
    rig.manager.start(ProcessInfo::of_shell("seq 1 12000; echo end")).await.unwrap();
    let Some(OutputBatch::Begin { ack, .. }) = output.recv().await else { panic!("a run begins with Begin") };
    ack.send(Seq(0)).unwrap();
    let pid = rig.started().await;
    let leader = PathBuf::from(format!("/proc/{pid}"));
    timeout(DEADLINE, async {
        while leader.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the leader ends although nobody reads");
    // Nothing can be waited for here: the point is that nothing happens while the store is busy for so long.
    tokio::time::sleep(2 * output::DRAIN).await;
    let sink = Arc::clone(&rig.sink);
    drop(rig.resources.spawn(Component::Logs, "sink", sink.serve(output)));
    let (_, _, _, last) = rig.exit().await;
    assert_eq!(last, Seq(12_001));
    assert!(rig.sink.lines.lock().iter().all(|line| !line.after_exit));
}
