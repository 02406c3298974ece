//! The pieces together, without an editor.

use super::*;
use crate::{
    event::{ProcessInfo, Seq, State},
    logs::{Query, Which},
};

async fn until(model: &Model, done: impl Fn() -> bool) {
    let wait = async {
        while !done() {
            model.changed().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it happens within the deadline");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_child_to_store_nothing_is_lost_and_after_drain_no_task_is_alive() {
    let config = Config::default();
    let core = Core::build(&config);
    let (logs, output) = core.logs(&config);
    let manager = core.manager(&config, output);
    let process =
        manager.start(ProcessInfo::of_shell("seq 1 100000; echo last")).await.expect("it starts").process();
    let model = Arc::clone(&core.model);
    until(&model, || model.row(process).is_some_and(|row| row.state == State::Success)).await;
    assert_eq!(model.row(process).map(|row| row.last), Some(Seq(100_001)), "the exit knows the last line");
    let counts = logs.counts().await.expect("the store runs");
    assert_eq!((counts.lines, counts.kept, counts.evicted), (100_001, 10_000, 90_001));
    let query =
        Query { which: Which::Process(process), from: Seq(1), max_lines: 9, max_behind: 1, max_bytes: 100 };
    let (slice, _) = logs.read(query, 0).await.expect("the store runs");
    assert_eq!(slice.lines().map(|(_, _, text)| text.to_owned()).collect::<Vec<_>>(), [b"last"]);

    manager.start(ProcessInfo::of_shell("sleep 60")).await.expect("it starts");
    manager.shutdown(LEAVE_GRACE).await;
    drop((manager, logs));
    assert_eq!(core.drain().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_does_not_wait_for_a_daemon_that_holds_the_pipe() {
    let config = Config::default();
    let core = Core::build(&config);
    let (logs, output) = core.logs(&config);
    let manager = core.manager(&config, output);
    let script = "setsid sleep 30 & echo $!";
    let process = manager.start(ProcessInfo::of_shell(script)).await.expect("it starts").process();
    let model = Arc::clone(&core.model);
    until(&model, || model.row(process).is_some_and(|row| row.state.is_terminal())).await;
    let query =
        Query { which: Which::Process(process), from: Seq(1), max_lines: 1, max_behind: 9, max_bytes: 100 };
    let (slice, _) = logs.read(query, 0).await.expect("the store runs");
    let daemon = slice.lines().find_map(|(_, _, text)| str::from_utf8(text).ok()?.parse().ok());
    manager.shutdown(LEAVE_GRACE).await;
    drop((manager, logs));
    let left = core.drain().await;
    let daemon = rustix::process::Pid::from_raw(daemon.expect("its process id")).expect("not 0");
    rustix::process::kill_process(daemon, rustix::process::Signal::KILL).expect("ours, and alive");
    assert_eq!(left, 0, "readers end with the host");
}
