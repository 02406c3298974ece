//! Restart policies and readiness: real programs, in both implementations. The waits themselves are tested without
//! programs in `backoff.rs`.

use super::*;
use crate::config::{Ready, ReadyProbe, RestartPolicy, RestartWhen, RunOptions};

both_modes! {
    what_fails_is_started_again_and_given_up_with_the_reason
    what_ends_well_is_started_again_only_always
    a_stop_is_not_undone_by_a_policy
    a_stop_takes_back_a_restart_that_waits
    a_start_ends_the_wait_of_a_restart
    a_restart_by_hand_ends_the_wait_and_begins_anew
    a_restart_without_room_says_so
    a_run_is_ready_when_a_line_of_either_pipe_matches
    a_run_is_ready_when_its_port_or_url_answers
    a_run_that_ends_right_after_its_line_was_ready
    a_run_that_is_stopped_may_still_become_ready
    what_is_late_is_said_and_may_become_ready_after_all
    a_port_that_an_old_server_holds_is_not_ready
}

const LONG: Duration = Duration::from_secs(3600);

fn again(text: &str, when: RestartWhen, delay: Duration) -> ProcessInfo {
    let info = ProcessInfo::of_shell(text);
    let restart = RestartPolicy { when, delay, max_delay: LONG, limit: Some(2), ..RestartPolicy::default() };
    ProcessInfo { options: RunOptions { restart, ..RunOptions::default() }, ..info }
}

fn ready(text: &str, probe: ReadyProbe) -> ProcessInfo {
    let info = ProcessInfo::of_shell(text);
    let ready = Some(Ready { probe, timeout: DEADLINE });
    ProcessInfo { options: RunOptions { ready, ..RunOptions::default() }, ..info }
}

impl Rig {
    async fn reason(&mut self) -> (RunId, Option<String>) {
        loop {
            if let Event::ProcessExited { run, reason, .. } = self.event().await {
                return (run, reason.map(|reason| reason.to_string()));
            }
        }
    }
}

async fn what_fails_is_started_again_and_given_up_with_the_reason(mode: Mode) {
    let mut rig = Rig::new(mode);
    let info = again("echo run; exit 7", RestartWhen::OnFailure, Duration::from_millis(1));
    let process = rig.manager.start(info.clone()).await.unwrap().process();
    for round in 0..2 {
        let first = 3 * round + 1;
        let mut reasons = Vec::new();
        for _ in 0..3 {
            reasons.push(rig.reason().await);
        }
        assert_eq!(
            reasons,
            [
                (RunId(first), None),
                (RunId(first + 1), None),
                (RunId(first + 2), Some("gave up after 2 restarts: exit 7".to_owned()))
            ]
        );
        let status = rig.manager.status(process).unwrap();
        assert_eq!((status.state, status.again), (State::Failed, false));
        if round == 0 {
            // Started by hand, it has its restarts again.
            assert!(matches!(rig.manager.start(info.clone()).await, Ok(Started::New(..))));
        }
    }
    assert_eq!(rig.texts(), ["run"; 6]);
    let metrics = rig.resources.metrics().snapshot().process;
    assert_eq!((metrics.restarts, metrics.given_up, metrics.running, metrics.starts), (4, 2, 0, 6));
}

async fn what_ends_well_is_started_again_only_always(mode: Mode) {
    for (when, runs) in [(RestartWhen::OnFailure, 1), (RestartWhen::Always, 3)] {
        let mut rig = Rig::new(mode);
        rig.manager.start(again("echo run", when, Duration::ZERO)).await.unwrap();
        for _ in 0..runs {
            assert_eq!(rig.exit().await.1, State::Success);
        }
        assert_eq!(rig.texts().len(), runs);
        assert_eq!(rig.resources.metrics().snapshot().process.restarts, runs as u64 - 1);
    }
}

async fn a_stop_is_not_undone_by_a_policy(mode: Mode) {
    let mut rig = Rig::new(mode);
    let info = again("echo up; exec sleep 60", RestartWhen::Always, Duration::ZERO);
    let process = rig.manager.start(info).await.unwrap().process();
    rig.line("up").await;
    rig.manager.stop(process).await.unwrap();
    assert_eq!(rig.exit().await.1, State::Stopped);
    let status = rig.manager.status(process).unwrap();
    assert_eq!((status.state, status.again), (State::Stopped, false));
    assert_eq!(rig.resources.metrics().snapshot().process.restarts, 0);
}

async fn a_stop_takes_back_a_restart_that_waits(mode: Mode) {
    let mut rig = Rig::new(mode);
    let process = rig.manager.start(again("exit 1", RestartWhen::Always, LONG)).await.unwrap().process();
    rig.waiting("restarts in 3600 s (1 of 2)").await;
    let status = rig.manager.status(process).unwrap();
    assert_eq!(status.state, State::Pending);
    rig.manager.stop(process).await.unwrap();
    let (run, state, exit, _) = rig.exit().await;
    assert_eq!((run, state, exit), (status.run, State::Stopped, Exit::NotStarted));
}

async fn a_start_ends_the_wait_of_a_restart(mode: Mode) {
    let mut rig = Rig::new(mode);
    let info = again("echo run; exit 1", RestartWhen::OnFailure, LONG);
    let process = rig.manager.start(info.clone()).await.unwrap().process();
    // Started by hand, it has all its restarts again.
    for runs in 2..5 {
        rig.waiting("restarts in 3600 s (1 of 2)").await;
        assert_eq!(rig.manager.start(info.clone()).await, Ok(Started::Running(process)));
        rig.exit().await;
        assert_eq!(rig.texts().len(), runs);
    }
    assert_eq!(rig.resources.metrics().snapshot().process.given_up, 0);
    rig.manager.stop(process).await.unwrap();
}

async fn a_restart_by_hand_ends_the_wait_and_begins_anew(mode: Mode) {
    let mut rig = Rig::new(mode);
    let info = again("echo run; exit 1", RestartWhen::OnFailure, LONG);
    let process = rig.manager.start(info).await.unwrap().process();
    rig.waiting("restarts in 3600 s (1 of 2)").await;
    let run = rig.manager.restart(process).await.unwrap();
    while rig.exit().await.0 != run {}
    rig.waiting("restarts in 3600 s (1 of 2)").await;
    assert_eq!(rig.texts(), ["run"; 2]);
    rig.manager.stop(process).await.unwrap();
}

async fn a_restart_without_room_says_so(mode: Mode) {
    let mut rig = Rig::new(mode);
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let text = format!("while [ ! -e '{}' ]; do sleep 0.01; done; exit 1", go.display());
    rig.manager.start(again(&text, RestartWhen::OnFailure, Duration::ZERO)).await.unwrap();
    rig.started().await;
    rig.manager.reconfigure(&ProcessManagerConfig { max_processes: 0, ..ProcessManagerConfig::default() });
    std::fs::write(&go, "").unwrap();
    assert_eq!(rig.reason().await.1, None);
    let said = "0 processes are running, which is the limit (process_manager.max_processes)";
    assert_eq!(rig.reason().await.1.as_deref(), Some(said));
}

async fn a_run_is_ready_when_a_line_of_either_pipe_matches(mode: Mode) {
    let mut rig = Rig::new(mode);
    for (number, pipe) in [">&1", ">&2"].into_iter().enumerate() {
        // Coloured, as servers like to say it.
        let text =
            format!("echo not yet; printf '\\033[32mlistening\\033[0m on {number}\\n' {pipe}; exec sleep 60");
        let probe = ReadyProbe::Log("^listening on \\d$".to_owned());
        let process = rig.manager.start(ready(&text, probe)).await.unwrap().process();
        for _ in 0..2 {
            rig.detail(|detail| detail.readiness == Readiness::Waiting).await;
            rig.detail(|detail| detail.readiness == Readiness::Ready).await;
            // The next run is not ready because the last one was.
            rig.manager.restart(process).await.unwrap();
        }
        rig.detail(|detail| detail.readiness == Readiness::Ready).await;
        rig.manager.stop(process).await.unwrap();
    }
}

async fn what_is_late_is_said_and_may_become_ready_after_all(mode: Mode) {
    let mut rig = Rig::new(mode);
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let text = format!("while [ ! -e '{}' ]; do sleep 0.01; done; echo up; exec sleep 60", go.display());
    let mut info = ready(&text, ReadyProbe::Log("^up$".to_owned()));
    info.options.ready.as_mut().unwrap().timeout = Duration::from_millis(30);
    let process = rig.manager.start(info).await.unwrap().process();
    rig.detail(|detail| matches!(detail.readiness, Readiness::Failed(_))).await;
    std::fs::write(&go, "").unwrap();
    rig.detail(|detail| detail.readiness == Readiness::Ready).await;
    assert_eq!(rig.resources.metrics().snapshot().process.not_ready, 1);
    rig.manager.stop(process).await.unwrap();
}

/// The other server belongs to this user and is not below the run.
async fn a_port_that_an_old_server_holds_is_not_ready(mode: Mode) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let mut rig = Rig::new(mode);
    let old = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut info = ready("exec sleep 60", ReadyProbe::Port(old.local_addr().unwrap().port()));
    info.options.ready.as_mut().unwrap().timeout = Duration::from_millis(500);
    let process = rig.manager.start(info).await.unwrap().process();
    rig.detail(|detail| {
        assert_ne!(detail.readiness, Readiness::Ready);
        matches!(detail.readiness, Readiness::Failed(_))
    })
    .await;
    rig.manager.stop(process).await.unwrap();
}

async fn a_run_is_ready_when_its_port_or_url_answers(mode: Mode) {
    let mut rig = Rig::new(mode);
    // A port of its own: the program has to be the one that listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "exec python3 -c 'import socket, time; s = socket.create_server((\"127.0.0.1\", {free})); time.sleep(60)'"
    );
    let process = rig.manager.start(ready(&text, ReadyProbe::Port(free))).await.unwrap().process();
    rig.detail(|detail| detail.readiness == Readiness::Ready).await;
    rig.manager.stop(process).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let said = b"HTTP/1.1 204 No Content\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, said).await.ok();
        }
    };
    let ready = async {
        {
            let probe = ReadyProbe::Http(format!("http://127.0.0.1:{port}/"));
            let process = rig.manager.start(ready("exec sleep 60", probe)).await.unwrap().process();
            rig.detail(|detail| detail.readiness == Readiness::Ready).await;
            rig.manager.stop(process).await.unwrap();
        }
    };
    tokio::select! {
        () = ready => {}
        () = answer => {}
    }
}

async fn a_run_that_ends_right_after_its_line_was_ready(mode: Mode) {
    let mut rig = Rig::new(mode);
    for _ in 0..20 {
        let probe = ReadyProbe::Log("done".to_owned());
        rig.manager.start(ready("echo done", probe)).await.unwrap();
        let mut was_ready = false;
        loop {
            match rig.event().await {
                Event::ProcessDetail { detail, .. } => was_ready |= detail.readiness == Readiness::Ready,
                Event::ProcessExited { .. } => break,
                _ => {}
            }
        }
        assert!(was_ready, "its last line counts as well");
    }
}

/// Its time limit is over, and its line comes, while it takes its time to end.
async fn a_run_that_is_stopped_may_still_become_ready(mode: Mode) {
    for (line, limit) in [("ready", DEADLINE), ("never", Duration::from_millis(30))] {
        let mut rig = Rig::new(mode);
        let text = "(trap 'sleep 0.1; echo ready; sleep 0.1; echo late; exit' TERM; echo up; while :; do sleep 0.01; done) & trap 'exit 0' TERM; wait";
        let mut info = ready(text, ReadyProbe::Log(line.to_owned()));
        info.options.ready = Some(Ready { probe: ReadyProbe::Log(line.to_owned()), timeout: limit });
        let process = rig.manager.start(info).await.unwrap().process();
        rig.line("up").await;
        rig.manager.stop(process).await.unwrap();
        assert_eq!(rig.exit().await.1, State::Stopped);
        assert!(rig.texts().iter().any(|text| text == "late"));
        assert!(rig.faults.try_recv().is_err(), "nothing went wrong inside");
    }
}
