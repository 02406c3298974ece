//! What the manager promises, whichever implementation runs: real processes, driven through the handle alone. In
//! fallback mode statuses are read under a lock, too.

use super::*;

both_modes! {
    each_run_has_its_own_id_and_exactly_one_exit
    starting_what_runs_starts_nothing
    a_stop_sends_term_to_the_whole_group_and_returns_when_it_is_gone
    what_ignores_term_is_killed_after_the_grace
    leaving_waits_as_long_as_it_says_and_leaves_the_rest_to_the_guard
    a_restart_ends_the_old_run_first_and_keeps_the_entry
    a_stop_takes_back_a_restart_whose_turn_has_not_come
    what_a_run_left_in_its_group_ends_before_the_next_run
    a_program_that_cannot_be_started_says_why
    the_limit_of_running_processes_is_said
    a_stop_takes_back_a_start_that_waits_for_what_the_last_run_left
    ids_of_entries_are_theirs_and_runs_ascend
    events_of_a_run_come_in_order
    an_unknown_process_and_a_closed_manager_are_said
    the_manager_answers_its_probe_until_it_ends
    runs_are_counted_while_they_are
}

async fn each_run_has_its_own_id_and_exactly_one_exit(mode: Mode) {
    let mut rig = Rig::new(mode);
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

async fn starting_what_runs_starts_nothing(mode: Mode) {
    let rig = Rig::new(mode);
    let first = rig.manager.start(ProcessInfo::of_shell("echo up; sleep 60")).await.unwrap();
    rig.line("up").await;
    assert_eq!(
        rig.manager.start(ProcessInfo::of_shell("echo up; sleep 60")).await,
        Ok(Started::Running(first.process()))
    );
    rig.manager.stop(first.process()).await.unwrap();
    assert_eq!(rig.texts(), ["up"]);
}

async fn a_stop_sends_term_to_the_whole_group_and_returns_when_it_is_gone(mode: Mode) {
    let mut rig = Rig::new(mode);
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

async fn what_ignores_term_is_killed_after_the_grace(mode: Mode) {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_millis(100), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(mode, &config);
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

async fn leaving_waits_as_long_as_it_says_and_leaves_the_rest_to_the_guard(mode: Mode) {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_secs(3600), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(mode, &config);
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let patient = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    let pid = rig.started().await;
    rig.line("ready").await;
    let quick = rig.manager.start(ProcessInfo::of_shell("sleep 60")).await.unwrap().process();
    let quick_pid = rig.started().await;
    rig.manager.stop(quick).await.unwrap();
    timeout(DEADLINE, rig.manager.shutdown(Duration::from_millis(50))).await.expect("it waits no longer");
    assert!(group_is_alive(pid) && !group_is_alive(quick_pid), "its grace is its own");
    assert_eq!(rig.manager.start(ProcessInfo::of_shell("true")).await, Err(ProcessError::Closed));
    assert_eq!(rig.manager.stop(patient).await, Err(ProcessError::Closed));
    // Its script asks for an hour; nobody has to wait for that.
    for member in crate::guard::group(i32::try_from(pid).unwrap()) {
        crate::guard::signal(&member, rustix::process::Signal::KILL);
    }
    timeout(DEADLINE, async {
        while group_is_alive(pid) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it ends");
}

async fn a_restart_ends_the_old_run_first_and_keeps_the_entry(mode: Mode) {
    let mut rig = Rig::new(mode);
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

async fn a_stop_takes_back_a_restart_whose_turn_has_not_come(mode: Mode) {
    let mut rig = Rig::new(mode);
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

async fn what_a_run_left_in_its_group_ends_before_the_next_run(mode: Mode) {
    let mut rig = Rig::new(mode);
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

async fn a_program_that_cannot_be_started_says_why(mode: Mode) {
    let mut rig = Rig::new(mode);
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

async fn the_limit_of_running_processes_is_said(mode: Mode) {
    let config = ProcessManagerConfig { max_processes: 1, ..ProcessManagerConfig::default() };
    let rig = Rig::with(mode, &config);
    rig.manager.start(ProcessInfo::of_shell("sleep 60")).await.unwrap();
    let refused = rig.manager.start(ProcessInfo::of_shell("sleep 61")).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "1 processes are running, which is the limit (process_manager.max_processes)"
    );
    rig.manager.shutdown(Duration::from_secs(1)).await;
}

async fn a_stop_takes_back_a_start_that_waits_for_what_the_last_run_left(mode: Mode) {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_millis(300), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(mode, &config);
    let script = "(trap '' TERM; echo left; while :; do sleep 0.01; done) & sleep 0.05";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    rig.line("left").await;
    rig.exit().await;
    rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap();
    rig.manager.stop(process).await.unwrap();
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Stopped, Exit::NotStarted));
}

async fn ids_of_entries_are_theirs_and_runs_ascend(mode: Mode) {
    let mut rig = Rig::new(mode);
    let (mut processes, mut runs) = (Vec::new(), Vec::new());
    for script in ["true", "echo", "true", "exit 0", "echo"] {
        let Started::New(process, run) = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap()
        else {
            panic!("it had ended")
        };
        assert_eq!(rig.manager.info(process).unwrap().name, script);
        rig.exit().await;
        processes.push(process.0);
        runs.push(run.0);
    }
    assert_eq!((processes, runs), (vec![1, 2, 1, 3, 2], vec![1, 2, 3, 4, 5]));
}

async fn events_of_a_run_come_in_order(mode: Mode) {
    let mut rig = Rig::new(mode);
    for number in 0..30 {
        rig.manager.start(ProcessInfo::of_shell(&format!("exit {}", number % 2))).await.unwrap();
        rig.manager.start(ProcessInfo::of_shell(&format!("true {number}"))).await.unwrap();
        let mut seen: std::collections::HashMap<RunId, Vec<&str>> = std::collections::HashMap::new();
        while seen.values().filter(|kinds| kinds.contains(&"process.exited")).count() < 2 {
            let event = rig.event().await;
            let (Event::ProcessPending { run, .. }
            | Event::ProcessStarted { run, .. }
            | Event::ProcessExited { run, .. }) = &event
            else {
                continue;
            };
            seen.entry(*run).or_default().push(event.kind().name());
        }
        for kinds in seen.values() {
            assert_eq!(kinds, &["process.pending", "process.started", "process.exited"]);
        }
    }
}

async fn an_unknown_process_and_a_closed_manager_are_said(mode: Mode) {
    let rig = Rig::new(mode);
    let nobody = ProcessId(7);
    assert_eq!(rig.manager.stop(nobody).await, Err(ProcessError::Unknown(nobody)));
    assert_eq!(rig.manager.restart(nobody).await, Err(ProcessError::Unknown(nobody)));
    assert_eq!((rig.manager.status(nobody), rig.manager.info(nobody)), (None, None));
    rig.manager.shutdown(Duration::from_secs(1)).await;
    assert_eq!(rig.manager.start(ProcessInfo::of_shell("true")).await, Err(ProcessError::Closed));
    assert_eq!(rig.manager.stop(nobody).await, Err(ProcessError::Closed));
    assert_eq!(rig.manager.restart(nobody).await, Err(ProcessError::Closed));
}

async fn the_manager_answers_its_probe_until_it_ends(mode: Mode) {
    let rig = Rig::new(mode);
    assert_eq!((rig.manager.mode(), rig.manager.probe().await), (mode, Ok(())));
    rig.manager.shutdown(Duration::from_secs(1)).await;
    assert_eq!(rig.manager.probe().await, Err("brummer is shutting down".to_owned()));
}

async fn runs_are_counted_while_they_are(mode: Mode) {
    let mut rig = Rig::new(mode);
    let metrics = Arc::clone(rig.resources.metrics());
    let counted = || {
        let read = metrics.snapshot().process;
        (read.running, read.starts)
    };
    let process = rig.manager.start(ProcessInfo::of_shell("sleep 60")).await.unwrap().process();
    rig.started().await;
    rig.manager.start(ProcessInfo::of_shell("true")).await.unwrap();
    rig.exit().await;
    assert_eq!(counted(), (1, 2));
    rig.manager.stop(process).await.unwrap();
    assert_eq!(counted(), (0, 2));
    let before = metrics.snapshot().process.locked_reads;
    rig.manager.status(process).unwrap();
    let locked = metrics.snapshot().process.locked_reads - before;
    assert_eq!(locked, u64::from(mode == Mode::Fallback), "a lock is taken in fallback mode only");
}
