//! What a script's own settings do to its end, and what becomes of its tree when nobody holds it any more.

use rustix::process::Signal;

use super::*;
use crate::{
    config::{RunOptions, StopSignal},
    event::Survivor,
};

fn with(script: &str, options: RunOptions) -> ProcessInfo {
    ProcessInfo { options, ..ProcessInfo::of_shell(script) }
}

/// Ends what a test let live on.
async fn kill_group(pid: u32) {
    for member in crate::guard::group(i32::try_from(pid).expect("a process id")) {
        crate::guard::signal(&member, Signal::KILL);
    }
    let gone = async {
        while group_is_alive(pid) {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, gone).await.expect("it ends");
}

impl Rig {
    /// What is left, the next time that is told.
    async fn left(&mut self) -> Vec<Survivor> {
        loop {
            if let Event::ProcessDetail { detail, .. } = self.event().await {
                return detail.left.clone();
            }
        }
    }
}

#[tokio::test]
async fn a_script_is_asked_by_its_own_signal_and_given_its_own_grace() {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_secs(3600), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(Mode::Current, &config);
    let script =
        "trap 'echo got INT' INT; trap 'echo got TERM' TERM; echo ready; while :; do sleep 0.01; done";
    let stop_grace = Some(Duration::from_millis(300));
    let options = RunOptions { stop_signal: StopSignal::Int, stop_grace, ..RunOptions::default() };
    let process = rig.manager.start(with(script, options)).await.unwrap().process();
    rig.line("ready").await;
    rig.manager.stop(process).await.unwrap();
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Stopped, Exit::Signal(9)));
    let texts = rig.texts();
    assert!(texts.iter().any(|line| line == "got INT"), "{texts:?}");
    assert!(!texts.iter().any(|line| line == "got TERM"), "{texts:?}");
    assert_eq!(rig.resources.metrics().snapshot().process.killed, 1);
}

#[tokio::test]
async fn what_may_live_on_is_spared_and_told() {
    let mut rig = Rig::new(Mode::Current);
    let options = RunOptions { leave: vec!["sleep".to_owned()], ..RunOptions::default() };
    // It says so once the name is its own: until then it is called as the shell is.
    let script = "sleep 60 >/dev/null 2>&1 & until ps -o comm= -p $! | grep -q sleep; do :; done; \
                  echo $!; while :; do sleep 0.01; done";
    let process = rig.manager.start(with(script, options)).await.unwrap().process();
    let pid = rig.started().await;
    timeout(DEADLINE, async {
        while rig.texts().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it says who lives on");
    let spared: u32 = rig.texts()[0].parse().unwrap();
    rig.manager.stop(process).await.unwrap();
    assert!(group_is_alive(pid), "it lives on");
    let mut left = rig.left().await;
    while left.iter().any(|survivor| !survivor.exempt) {
        left = rig.left().await;
    }
    assert!(left.iter().any(|one| one.pid == spared && one.name == "sleep"), "{left:?}");
    kill_group(pid).await;
}

#[tokio::test]
async fn a_detached_tree_outlives_the_manager_and_a_stop_ends_it() {
    let options = RunOptions { detach: true, ..RunOptions::default() };
    let mut rig = Rig::new(Mode::Current);
    // It prints on and on, which must not end it when nobody reads.
    let script = "while :; do echo still here; sleep 0.01; done";
    let process = rig.manager.start(with(script, options.clone())).await.unwrap().process();
    let pid = rig.started().await;
    rig.manager.stop(process).await.unwrap();
    assert!(!group_is_alive(pid));

    rig.manager.start(with(script, options)).await.unwrap();
    let pid = rig.started().await;
    rig.manager.shutdown(Duration::from_secs(1)).await;
    rig.resources.shutdown().begin();
    let guard = crate::guard::find(i32::try_from(pid).unwrap()).expect("it lives").parent;
    // More than a pipe holds, if nobody emptied it: its counter of written bytes grows.
    let written = || -> u64 {
        let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
        let line = io.lines().find_map(|line| line.strip_prefix("wchar: ").map(str::to_owned));
        line.and_then(|count| count.parse().ok()).unwrap_or_default()
    };
    let before = written();
    timeout(DEADLINE, async {
        while written() < before + 500 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it goes on");
    assert!(crate::guard::find(guard).is_some_and(|guard| !guard.zombie), "its guard stays with it");
    kill_group(pid).await;
    timeout(DEADLINE, async {
        while crate::guard::find(guard).is_some_and(|guard| !guard.zombie) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("and ends after it");
}

#[tokio::test]
async fn what_outlives_its_leader_is_told_until_it_is_gone() {
    let mut rig = Rig::new(Mode::Current);
    let script = "setsid sleep 60 >/dev/null 2>&1 & echo up";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    assert_eq!(rig.exit().await.1, State::Success);
    let mut left = rig.left().await;
    while !left.iter().any(|one| one.name == "sleep") {
        left = rig.left().await;
    }
    assert_eq!((left.len(), left[0].exempt), (1, false));
    assert_eq!(rig.resources.metrics().snapshot().process.left, 1);
    rig.manager.stop(process).await.unwrap();
    assert!(rig.left().await.is_empty());
    let counted = rig.resources.metrics().snapshot().process;
    assert_eq!((counted.left, counted.running, counted.guards_lost), (0, 0, 0));
}

#[tokio::test]
async fn a_guard_that_is_lost_is_counted_and_its_run_has_failed() {
    let mut rig = Rig::new(Mode::Current);
    let script = "sleep 60 & echo up; wait";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    rig.line("up").await;
    let pid = rig.started().await;
    let leader = crate::guard::find(i32::try_from(pid).unwrap()).expect("it lives");
    let guard = crate::guard::find(leader.parent).expect("it has a guard");
    assert!(crate::guard::signal(&guard, Signal::KILL));
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Failed, Exit::Signal(9)));
    assert_eq!(rig.resources.metrics().snapshot().process.guards_lost, 1);
    // Its leader ended with it. The rest comes to whoever takes orphans, which this program does not: `tests/it/orphans.rs`.
    kill_group(pid).await;
    assert!(rig.manager.start(ProcessInfo::of_shell(script)).await.is_ok(), "the next run is as good as any");
    rig.manager.stop(process).await.unwrap();
}

#[tokio::test]
async fn what_prints_while_it_ends_after_the_host_is_not_hurt_by_that() {
    let root = tempfile::tempdir().unwrap();
    let note = root.path().join("done");
    let script = format!(
        "trap 'for i in 1 2 3; do echo closing $i; done; echo well >{}; exit 0' TERM; echo ready; while :; do sleep 0.01; done",
        note.display()
    );
    let mut rig = Rig::new(Mode::Current);
    let process = rig.manager.start(ProcessInfo::of_shell(&script)).await.unwrap().process();
    rig.line("ready").await;
    let pid = rig.started().await;
    // As when the host is killed: nobody asks, nobody reads, its end of the socket closes.
    rig.resources.shutdown().begin();
    rig.manager.shutdown(Duration::ZERO).await;
    assert!(rig.manager.status(process).is_some());
    timeout(DEADLINE, async {
        while group_is_alive(pid) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it ends");
    assert_eq!(std::fs::read_to_string(note).unwrap(), "well\n");
}

/// A manager with a grace that no working stop comes near.
fn patient() -> Rig {
    let stop_grace = Duration::from_secs(15);
    Rig::with(Mode::Current, &ProcessManagerConfig { stop_grace, ..ProcessManagerConfig::default() })
}

#[tokio::test]
async fn everybody_is_asked_who_is_just_being_started() {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(40);
    // Asked while they fork, change sessions and lose their parents. Nobody of them ends because another does.
    for script in [
        "setsid sh -c 'sleep 60 & sleep 60 & wait' & echo up; wait",
        "(setsid sh -c '(setsid sleep 60 &) ; exec sleep 60' &); echo up; sleep 60",
    ] {
        let mut rig = patient();
        let info = ProcessInfo::of_shell(script);
        for round in 0..rounds {
            let process = rig.manager.start(info.clone()).await.unwrap().process();
            rig.line("up").await;
            rig.sink.lines.lock().clear();
            rig.manager.stop(process).await.unwrap();
            assert_eq!(rig.exit().await.1, State::Stopped);
            let killed = rig.resources.metrics().snapshot().process.killed;
            assert_eq!(killed, 0, "round {round} of {script}: somebody was not asked");
        }
    }
}

#[tokio::test]
async fn what_a_script_starts_to_clean_up_is_not_asked_to_end() {
    let mut rig = patient();
    // Started at once, in the same hundredth of a second as the asking.
    let script =
        "trap 'sh -c \"sleep 0.05; echo cleaned\"; exit 0' TERM; echo up; while :; do sleep 0.01; done";
    for round in 0..20 {
        let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
        rig.line("up").await;
        rig.manager.stop(process).await.unwrap();
        let (_, state, exit, _) = rig.exit().await;
        assert_eq!((state, exit), (State::Stopped, Exit::Code(0)));
        assert!(rig.texts().iter().any(|line| line == "cleaned"), "round {round}: {:?}", rig.texts());
        rig.sink.lines.lock().clear();
    }
}

#[tokio::test]
async fn a_guard_that_was_stopped_goes_on_when_it_has_to_end_its_tree() {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_millis(20), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(Mode::Current, &config);
    let script = "trap '' TERM; echo up; while :; do sleep 0.01; done";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    rig.line("up").await;
    let pid = rig.started().await;
    let leader = crate::guard::find(i32::try_from(pid).unwrap()).expect("it lives");
    let guard = crate::guard::find(leader.parent).expect("it has a guard");
    assert!(crate::guard::signal(&guard, Signal::STOP));
    let stopped = async {
        while !crate::guard::find(guard.pid).is_some_and(|guard| guard.still) {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, stopped).await.expect("it stops");
    rig.manager.stop(process).await.unwrap();
    assert_eq!(rig.exit().await.1, State::Stopped);
    assert!(!group_is_alive(pid));
    let counted = rig.resources.metrics().snapshot().process;
    assert_eq!((counted.killed, counted.guards_lost), (1, 0), "it did its work itself");
}

#[tokio::test]
async fn a_guard_that_is_stopped_while_it_ends_its_tree_is_not_given_up() {
    let config =
        ProcessManagerConfig { stop_grace: Duration::from_millis(500), ..ProcessManagerConfig::default() };
    let mut rig = Rig::with(Mode::Current, &config);
    let script = "trap 'echo asked' TERM; echo up; while :; do sleep 0.01; done";
    let process = rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap().process();
    rig.line("up").await;
    let pid = rig.started().await;
    let leader = crate::guard::find(i32::try_from(pid).unwrap()).expect("it lives");
    let guard = crate::guard::find(leader.parent).expect("it has a guard");
    let stop = rig.manager.begin_stop(process).await.unwrap();
    rig.line("asked").await;
    // Where it has killed already, it is none that is late.
    crate::guard::signal(&guard, Signal::STOP);
    stop.done().await.unwrap();
    assert_eq!(rig.exit().await.1, State::Stopped);
    assert!(!group_is_alive(pid));
    assert_eq!(rig.resources.metrics().snapshot().process.guards_lost, 0);
}
