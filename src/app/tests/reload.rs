//! Settings read again: what a running host can take reaches every component.

use super::*;
use crate::{
    app::settings::connect,
    config::Settings,
    event::{Exit, Priority},
};

async fn becomes(what: &str, so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Publishes so many events one after the other; tells how many were timed so far.
async fn timed(core: &Core) -> u64 {
    for seq in 1..=2000 {
        let (process, seq) = (ProcessId(1), Seq(seq));
        core.bus.publish(Event::LinesArrived { process, first: seq, last: seq }).await.expect("the bus runs");
    }
    let medium = Priority::Medium.index();
    let rests = || core.bus.account()[medium].queued + core.bus.account()[medium].in_flight == 0;
    becomes("all is delivered", rests).await;
    core.resources.metrics().bus.event_time.read().count()
}

/// Lets so many runs end; tells how many of the first three are remembered.
fn remembered(model: &Model) -> usize {
    let (process, at) = (ProcessId(9), Timestamp(1));
    for run in (1..=3).map(RunId) {
        let info = Arc::new(ProcessInfo::of_shell("true"));
        model.update(&Event::ProcessPending { process, run, info, at });
        model.update(&Event::ProcessStarted { process, run, pid: 1, after: Seq(0), at });
        let (state, exit, last, reason) = (State::Success, Exit::Code(0), Seq(1), None);
        model.update(&Event::ProcessExited { process, run, state, exit, last, reason, at });
    }
    (1..=3).filter(|run| model.ended(process, *run).is_some()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_settings_reach_every_component() {
    let root = tempfile::tempdir().expect("a directory");
    let settings = Settings::read(root.path().to_owned(), None);
    let config = settings.started().config.clone();
    let core = Core::build(&config);
    let (logs, output) = core.logs(&config);
    let manager = core.manager(&config, output);
    let history = crate::history::History::start(&config.log_store, None, &core.resources).0;
    let settings = connect(settings, &core, &manager, &logs, history);
    assert!(timed(&core).await > 0);

    // Enough memory for all tests of this process: a shortage would change more than what is read here.
    let text = "[eventbus]\nqueue_sizes = [7, 500, 1000]\nenable_monitoring = false\n\
                [process_manager]\nmax_processes = 5\nmax_process_history = 1\n\
                [log_store]\nmax_entries = 50\n\
                [resources]\nmax_tasks = 3\nmemory_limit_mb = 500\n";
    std::fs::write(root.path().join(crate::config::FILE_NAME), text).expect("it is written");
    let reloaded = settings.reload();
    assert_eq!((reloaded.applied.len(), reloaded.loaded.problems.len()), (7, 0), "{reloaded:?}");

    let metrics = Arc::clone(core.resources.metrics());
    assert_eq!((metrics.resource.permits.read(), metrics.process.limit.read()), (3, 5));
    assert_eq!(core.health.report().queues[0].capacity, 7, "the report");
    assert_eq!(remembered(&core.model), 1, "the model");
    becomes("the limit of memory", || metrics.resource.memory_limit.read() == 500 << 20).await;
    becomes("the limit of lines", || metrics.logs.limit_lines.read() == 50).await;
    let before = metrics.bus.event_time.read().count();
    // A look at memory may have been on its way.
    assert!(timed(&core).await <= before + 2, "the bus keeps no times any more");

    manager.shutdown(LEAVE_GRACE).await;
    drop((settings, manager, logs));
    assert_eq!(core.drain().await, 0);
}
