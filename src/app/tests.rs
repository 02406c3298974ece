//! The pieces together, without an editor.

mod memory;
#[cfg(feature = "editor")]
mod reload;

use super::*;
use crate::{
    config::Backpressure,
    event::{EventKind, Pressure, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp},
    logs::{Query, Which},
    metrics::Measure,
    model::{HAPPENINGS, Revision},
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
async fn leaving_ends_a_daemon_that_holds_the_pipe() {
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
    let daemon = rustix::process::Pid::from_raw(daemon.expect("its process id")).expect("not 0");
    rustix::process::test_kill_process(daemon).expect("it outlives its leader");
    manager.shutdown(LEAVE_GRACE).await;
    rustix::process::test_kill_process(daemon).expect_err("it does not outlive the host");
    drop((manager, logs));
    let left = core.drain().await;
    assert_eq!(left, 0, "readers end with the host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_any_kind_is_told_once_and_one_about_a_fault_is_not_told_again() {
    let core = Core::build(&Config::default());
    let (resources, metrics, bus) = (core.resources.clone(), Arc::clone(core.resources.metrics()), &core.bus);
    let (faults, lines) = (Filter::of(&[EventKind::Fault]), Filter::of(&[EventKind::LinesArrived]));
    let mut told = bus.subscribe(faults, Component::App, 16, Backpressure::DropNewest);
    let _of_faults = bus.on(faults, Component::Model, "of faults", |_| panic!("again"));
    // Each in another component, because a component's faults are put together when they come at once.
    let _handler = bus.on(lines, Component::Locate, "handler", |_| panic!("1"));
    let mut mailbox = bus.subscribe(lines, Component::Logs, 1, Backpressure::DropNewest);
    let reader = resources.spawn(Component::Logs, "reader", async move {
        mailbox.recv().await;
        panic!("2")
    });
    let line = Event::LinesArrived { process: ProcessId(1), first: Seq(1), last: Seq(1) };
    bus.publish(line).await.expect("the bus runs");
    assert_eq!(reader.await, None::<()>);
    assert_eq!(resources.spawn(Component::Rpc, "task", async { panic!("3") }).await, None::<()>);
    assert_eq!(resources.blocking(Component::Process, "work", || panic!("4")).await, None::<()>);
    let mut said = Vec::new();
    for _ in 0..4 {
        match tokio::time::timeout(Duration::from_secs(20), told.recv()).await.expect("it is told") {
            Some(Event::Fault(fault)) => said.push((fault.place, fault.message.to_string())),
            other => panic!("{other:?}"),
        }
    }
    said.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(
        said,
        ["handler", "reader", "task", "work"]
            .into_iter()
            .zip((1..=4).map(|n| n.to_string()))
            .collect::<Vec<_>>()
    );
    core.drain().await;
    assert_eq!(told.recv().await.map(|event| event.kind()), None);
    let (all, untold) = (metrics.resource.faults.read(), metrics.resource.faults_unread.read());
    assert_eq!((all - untold, metrics.bus.handler_panics.read()), (4, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_hears_of_short_memory_and_of_its_end() {
    let core = Core::build(&Config::default());
    let model = Arc::clone(&core.model);
    let start = |run: u64| {
        let process = ProcessId(u32::try_from(run).expect("few"));
        let (run, at) = (RunId(run), Timestamp(0));
        let info = Arc::new(ProcessInfo::of_shell("true"));
        model.update(&Event::ProcessPending { process, run, info, at });
        model.update(&Event::ProcessStarted { process, run, pid: 1, after: Seq(0), at });
    };
    for (pressure, kept) in [(Pressure::Critical, HAPPENINGS / 2), (Pressure::Normal, HAPPENINGS)] {
        core.resources.set_pressure(pressure);
        let told = async {
            let mut runs = 0;
            while model.view(Revision::default(), 0).happenings.len() != kept {
                runs += 1;
                start(runs);
                tokio::task::yield_now().await;
            }
            // More of them change nothing, so it is the bound.
            start(runs + 1);
            assert_eq!(model.view(Revision::default(), 0).happenings.len(), kept);
        };
        tokio::time::timeout(Duration::from_secs(20), told).await.expect("it is told");
    }
    drop(model);
    assert_eq!(core.drain().await, 0);
}
