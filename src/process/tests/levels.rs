//! What changes while the manager runs: the implementation, its settings, what is switched off; and what it does when
//! something inside does not answer or panics.

use super::*;

fn config() -> ProcessManagerConfig {
    ProcessManagerConfig::default()
}

/// A script that runs until it is stopped.
fn runs(name: &str) -> ProcessInfo {
    ProcessInfo::of_shell(&format!("echo up {name}; exec sleep 60"))
}

fn with_panic(script: &str, place: &str) -> ProcessInfo {
    ProcessInfo { env: vec![(planted::PLACE.to_owned(), place.to_owned())], ..ProcessInfo::of_shell(script) }
}

/// Waits until every process of the machine that this run started is gone.
async fn until_dead(pid: u32) {
    let gone = async {
        while group_is_alive(pid) {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, gone).await.expect("the group is ended");
}

impl Rig {
    async fn fault(&mut self) -> Fault {
        timeout(DEADLINE, self.faults.recv()).await.expect("a fault within the deadline").expect("reported")
    }

    /// Waits until its program runs, and gives its process id.
    async fn pid(&self, process: ProcessId) -> u32 {
        let runs = async {
            loop {
                if let Some(pid) = self.manager.status(process).and_then(|status| status.pid) {
                    return pid;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, runs).await.expect("its program runs")
    }

    /// State, exit and reason of the next run that ends.
    async fn end(&mut self) -> (RunId, State, Exit, Option<String>) {
        loop {
            if let Event::ProcessExited { run, state, exit, reason, .. } = self.event().await {
                return (run, state, exit, reason.map(|reason| reason.to_string()));
            }
        }
    }
}

#[tokio::test]
async fn a_panic_in_a_process_task_ends_its_run_and_its_group_once() {
    for mode in [Mode::Current, Mode::Fallback] {
        let mut rig = Rig::new(mode);
        let started = rig.manager.start(with_panic("sleep 60 & sleep 60", "running")).await.unwrap();
        let Started::New(process, run) = started else { panic!("it is new") };
        let pid = rig.started().await;
        let (ended, state, exit, reason) = rig.end().await;
        assert_eq!((ended, state, exit), (run, State::Failed, Exit::Signal(9)), "{mode:?}");
        assert_eq!(reason.as_deref(), Some("brummer failed inside this run: see its log file"));
        let fault = rig.fault().await;
        assert_eq!((fault.component, fault.kind), (Component::Process, FaultKind::Panic));
        assert_eq!(&*fault.message, "planted: running");
        until_dead(pid).await;
        assert_eq!(rig.manager.status(process).unwrap().state, State::Failed);
        assert_eq!(rig.resources.metrics().snapshot().process.running, 0);

        // The entry lives on.
        let well = ProcessInfo::of_shell("sleep 60 & sleep 60");
        assert_eq!(rig.manager.start(well).await.map(Started::process), Ok(process));
        let pid = rig.started().await;
        rig.manager.stop(process).await.unwrap();
        until_dead(pid).await;
        let (second, state, ..) = rig.end().await;
        assert_eq!((second > run, state), (true, State::Stopped), "no exit of the first run came again");
    }
}

#[tokio::test]
async fn a_panic_before_the_start_and_one_after_the_end_are_told_too() {
    let mut rig = Rig::new(Mode::Current);
    rig.manager.start(with_panic("true", "pending")).await.unwrap();
    let (_, state, exit, reason) = rig.end().await;
    assert_eq!((state, exit, reason.is_some()), (State::Failed, Exit::NotStarted, true));
    rig.manager.start(with_panic("echo last", "ended")).await.unwrap();
    let (_, state, _, reason) = rig.end().await;
    assert_eq!((state, reason.is_some()), (State::Failed, true));
    assert_eq!(rig.texts(), ["last"], "its last line came before the exit");
}

#[tokio::test]
async fn a_panic_while_a_panic_is_recovered_from_costs_no_more_than_the_run() {
    for places in ["running,killing", "running,telling", "running,killing,telling"] {
        let mut rig = Rig::new(Mode::Current);
        let process = rig.manager.start(with_panic("sleep 60 & sleep 60", places)).await.unwrap().process();
        let pid = rig.started().await;
        let (first, state, exit, reason) = rig.end().await;
        assert_eq!((state, exit), (State::Failed, Exit::Signal(9)), "{places}");
        assert_eq!(reason.as_deref(), Some("brummer failed inside this run: see its log file"));
        until_dead(pid).await;
        assert_eq!(rig.resources.metrics().snapshot().process.running, 0);

        let well = ProcessInfo::of_shell("sleep 60 & sleep 60");
        let started = timeout(DEADLINE, rig.manager.start(well)).await.expect("its task lives");
        assert_eq!(started.map(Started::process), Ok(process), "{places}");
        let pid = rig.started().await;
        rig.manager.stop(process).await.unwrap();
        until_dead(pid).await;
        let (second, state, ..) = rig.end().await;
        assert_eq!((second > first, state), (true, State::Stopped), "{places}: one exit for each run");
    }
}

#[tokio::test]
async fn a_start_behind_a_run_whose_task_panics_is_carried_out() {
    let mut rig = Rig::new(Mode::Current);
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let process = rig.manager.start(with_panic(script, "ended")).await.unwrap().process();
    rig.line("ready").await;
    let config = ProcessManagerConfig { stop_grace: Duration::from_millis(20), ..config() };
    rig.manager.reconfigure(&config);
    let second = rig.manager.restart(process).await.unwrap();
    assert_eq!(rig.end().await.1, State::Failed, "the stop in the restart met the planted panic");
    let pid = rig.started().await;
    assert_eq!(rig.manager.stop(process).await, Ok(()), "who waits for a stop is answered all the same");
    until_dead(pid).await;
    let (ended, state, ..) = rig.end().await;
    assert_eq!((ended, state), (second, State::Failed));
}

#[tokio::test]
async fn a_panic_in_a_command_costs_that_command() {
    let mut rig = Rig::new(Mode::Current);
    let failed = rig.manager.start(with_panic("true", "manager")).await;
    assert_eq!(failed, Err(ProcessError::Inside));
    let fault = rig.fault().await;
    assert_eq!((fault.component, fault.place, fault.kind), (Component::Process, "manager", FaultKind::Panic));
    assert_eq!(rig.manager.probe().await, Ok(()));
    rig.manager.start(ProcessInfo::of_shell("true")).await.unwrap();
    assert_eq!(rig.end().await.1, State::Success);
}

#[tokio::test]
async fn a_process_that_does_not_answer_is_said_and_holds_up_nobody() {
    let config = ProcessManagerConfig { worker_timeout: Duration::from_millis(50), ..config() };
    let (mut rig, output) = Rig::unread(Mode::Current, &config);
    // Nobody acknowledges that the run begins, so its task takes no command.
    let process = rig.manager.start(runs("stuck")).await.unwrap().process();
    let pid = rig.pid(process).await;
    let refused = rig.manager.stop(process).await.unwrap_err().to_string();
    let name = rig.manager.info(process).unwrap().label();
    let said = format!(
        "{name} does not answer: it has not taken a command for 50ms (process_manager.worker_timeout)"
    );
    assert_eq!(refused, said);
    let fault = rig.fault().await;
    let expected = Fault {
        component: Component::Process,
        place: "process",
        kind: FaultKind::Failure,
        message: said.into(),
    };
    assert_eq!(fault, expected);
    assert_eq!(rig.manager.restart(process).await.map_err(|error| error.to_string()), Err(refused));

    // Its mailbox fills, and the manager still serves others.
    let mut stops = Vec::new();
    for _ in 0..100 {
        stops.push(rig.manager.begin_stop(process).await.unwrap());
    }
    let other = rig.manager.start(ProcessInfo::of_shell("true")).await.unwrap();
    assert!(matches!(other, Started::New(..)));
    let mut full = 0;
    for stop in stops {
        match stop.done().await.unwrap_err() {
            ProcessError::NoAnswer { .. } => {}
            other => {
                assert_eq!(other.to_string(), format!("{name} does not answer: 64 commands wait for it"));
                full += 1;
            }
        }
    }
    assert_eq!(full, 100 - (64 - 3), "a stop and the two halves of a restart were there before");

    // Leaving ends what its task cannot end.
    rig.manager.shutdown(Duration::from_millis(10)).await;
    until_dead(pid).await;
    drop(output);
}

#[tokio::test]
async fn a_command_that_was_not_taken_in_time_is_carried_out_when_the_task_comes_back() {
    let config = ProcessManagerConfig { worker_timeout: Duration::from_millis(20), ..config() };
    let (mut rig, output) = Rig::unread(Mode::Current, &config);
    let process = rig.manager.start(runs("late")).await.unwrap().process();
    rig.pid(process).await;
    assert!(matches!(rig.manager.stop(process).await, Err(ProcessError::NoAnswer { .. })));
    let sink = Arc::clone(&rig.sink);
    drop(rig.resources.spawn(Component::Logs, "sink", sink.serve(output)));
    assert_eq!(rig.end().await.1, State::Stopped);
}

#[tokio::test]
async fn a_start_that_waits_for_its_turn_is_pending_and_can_be_stopped() {
    let (mut rig, output) = Rig::unread(Mode::Fallback, &config());
    let turn = Arc::clone(&rig.manager.settings).turn().await;
    let first = rig.manager.start(runs("first")).await.unwrap().process();
    let second = rig.manager.start(runs("second")).await.unwrap().process();
    for _ in 0..2 {
        rig.waiting("waiting for its turn to start").await;
    }
    let sink = Arc::clone(&rig.sink);
    drop(rig.resources.spawn(Component::Logs, "sink", sink.serve(output)));
    rig.manager.stop(second).await.unwrap();
    let (_, state, exit, _) = rig.end().await;
    assert_eq!((state, exit), (State::Stopped, Exit::NotStarted));
    assert_eq!(rig.manager.status(first).unwrap().state, State::Pending);
    drop(turn);
    rig.line("up first").await;
    rig.manager.stop(first).await.unwrap();
    assert_eq!(rig.texts(), ["up first"]);
}

#[tokio::test]
async fn as_many_starts_are_under_way_as_the_settings_say() {
    for (most, starts) in [(None, true), (Some(1), false)] {
        let mut settings = config();
        settings.max_concurrent_starts = most.unwrap_or(settings.max_concurrent_starts);
        let mut rig = Rig::with(Mode::Current, &settings);
        // A start that takes long.
        let under_way = Arc::clone(&rig.manager.settings).turn().await;
        let process = rig.manager.start(runs("next")).await.unwrap().process();
        assert_eq!(rig.event().await.kind().name(), "process.pending");
        if starts {
            rig.started().await;
        } else {
            // One thread: in so many rounds it would have come to start.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(rig.manager.status(process).unwrap().state, State::Pending);
        }
        drop(under_way);
        rig.line("up next").await;
        rig.manager.stop(process).await.unwrap();
    }
}

#[tokio::test]
async fn a_start_takes_a_permit_and_waits_while_none_is_free() {
    let mut rig = Rig::new(Mode::Current);
    let all: Vec<_> = std::iter::from_fn(|| rig.resources.try_acquire(Component::App).ok()).collect();
    let waits = rig.manager.start(runs("waits")).await.unwrap().process();
    let stopped = rig.manager.start(runs("stopped")).await.unwrap().process();
    let resources = rig.resources.clone();
    let permits = || resources.metrics().snapshot().resource;
    let in_line = async {
        while permits().permits_waiting < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, in_line).await.expect("both are in line");
    for process in [waits, stopped] {
        assert_eq!(rig.manager.status(process).unwrap().state, State::Pending);
    }
    rig.manager.stop(stopped).await.unwrap();
    assert_eq!(rig.end().await.2, Exit::NotStarted);
    drop(all);
    rig.line("up waits").await;
    assert_eq!((permits().permits_in_use, permits().permits_waiting), (0, 0), "given back");
    rig.manager.stop(waits).await.unwrap();
}

#[tokio::test]
async fn new_settings_hold_from_now_on_and_no_process_is_lost() {
    let mut rig = Rig::new(Mode::Current);
    let one = rig.manager.start(runs("one")).await.unwrap().process();
    let two = rig.manager.start(runs("two")).await.unwrap().process();
    rig.line("up one").await;
    rig.line("up two").await;
    let config = ProcessManagerConfig { max_processes: 1, stop_grace: Duration::from_millis(30), ..config() };
    rig.manager.reconfigure(&config);
    assert_eq!(rig.resources.metrics().snapshot().process.limit, 1);
    for process in [one, two] {
        assert_eq!(rig.manager.status(process).unwrap().state, State::Running);
    }
    assert_eq!(rig.manager.start(runs("three")).await, Err(ProcessError::TooMany(2)));
    rig.manager.stop(two).await.unwrap();
    rig.manager.stop(one).await.unwrap();

    let stubborn = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let process = rig.manager.start(ProcessInfo::of_shell(stubborn)).await.unwrap().process();
    rig.line("ready").await;
    rig.manager.stop(process).await.unwrap();
    loop {
        let (_, state, exit, _) = rig.end().await;
        if exit == Exit::Signal(9) {
            assert_eq!(state, State::Stopped, "the new grace is over before the old one");
            break;
        }
    }
}

/// Starts, stops and restarts while the implementation changes to and fro: one exit for each run, none without a start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_the_implementation_changes_under_load() {
    const ROUNDS: usize = 30;
    let mut rig = Rig::new(Mode::Current);
    let mut loads = Vec::new();
    for load in 0..4 {
        let manager = rig.manager.clone();
        loads.push(rig.resources.spawn(Component::App, "load", async move {
            for round in 0..ROUNDS {
                let script =
                    format!("echo {load}-{round}; exec sleep {}", if round % 3 == 0 { "60" } else { "0" });
                let process = manager.start(ProcessInfo::of_shell(&script)).await.unwrap().process();
                if round % 3 == 0 {
                    manager.restart(process).await.unwrap();
                    manager.stop(process).await.unwrap();
                }
            }
        }));
    }
    let switching = rig.manager.clone();
    let switch = rig.resources.spawn(Component::App, "switch", async move {
        for _ in 0..200 {
            switching.switch(Mode::Fallback).await;
            assert_eq!(switching.mode(), Mode::Fallback);
            tokio::task::yield_now().await;
            switching.switch(Mode::Current).await;
            tokio::task::yield_now().await;
        }
    });
    let expected = 4 * (ROUNDS + ROUNDS / 3);
    let (mut pending, mut exited) = (Vec::new(), Vec::new());
    while exited.len() < expected {
        match rig.event().await {
            Event::ProcessPending { run, .. } => pending.push(run),
            Event::ProcessExited { run, .. } => exited.push(run),
            _ => {}
        }
    }
    for load in loads {
        assert_eq!(load.await, Some(()));
    }
    assert_eq!(switch.await, Some(()));
    pending.sort();
    exited.sort();
    assert!(pending.iter().map(|run| run.0).eq(1..=expected as u64), "each run is told of once");
    assert_eq!(pending, exited, "each run ends once");
    assert_eq!(rig.resources.metrics().snapshot().process.running, 0);
    let turns = Arc::clone(&rig.manager.settings);
    for _ in 0..10 {
        // All turns came back.
        std::mem::forget(timeout(DEADLINE, Arc::clone(&turns).turn()).await.expect("a turn"));
    }
}

#[tokio::test]
async fn restarts_that_wait_are_bounded_and_a_stop_still_comes_through() {
    let config = ProcessManagerConfig { stop_grace: Duration::from_secs(3600), ..config() };
    let mut rig = Rig::with(Mode::Current, &config);
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    rig.line("ready").await;
    let mut accepted = Vec::new();
    let refused = loop {
        match rig.manager.restart(process).await {
            Ok(run) => accepted.push(run),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, ProcessError::Full { waiting: 64, .. }), "{refused:?}");
    assert_eq!(accepted.len(), 64);
    rig.manager.reconfigure(&ProcessManagerConfig { stop_grace: Duration::ZERO, ..config });
    assert_eq!(rig.manager.stop(process).await, Ok(()));
    assert_eq!(rig.end().await.1, State::Stopped);
    for run in accepted {
        let (ended, state, exit, _) = rig.end().await;
        assert_eq!((ended, state, exit), (run, State::Stopped, Exit::NotStarted), "each is told of");
    }
}
