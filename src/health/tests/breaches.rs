//! Each threshold: a real breach is counted where it happens, judged here, and told in the report.

use std::{thread, time::Instant};

use super::*;
use crate::{
    bus::Filter,
    event::{Event, Pressure, ProcessId, Seq, Timestamp},
    metrics::Measure,
    resource::{MemoryMonitor, Waiting, channel},
    sync::Mutex,
};

fn lines(process: u32) -> Event {
    Event::LinesArrived { process: ProcessId(process), first: Seq(1), last: Seq(1) }
}

/// Holds up the thread it runs on: the slow work that is to be noticed.
fn work(time: Duration) {
    let since = Instant::now();
    while since.elapsed() <= time {
        thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slow_handlers_degrade_the_component_they_belong_to() {
    let rig = rig();
    let slow = rig.bus.on(Filter::all(), Component::Model, "update", |event| {
        if matches!(event, Event::LinesArrived { .. }) {
            work(Duration::from_millis(101));
        }
    });
    for process in 0..3 {
        rig.bus.publish(lines(process)).await.expect("the bus runs");
    }
    rig.until_soon(Component::Model, Health::Degraded).await;
    let report = rig.health.report();
    let threshold = report.threshold("event handling");
    assert_eq!((threshold.limit.as_str(), threshold.breaches, threshold.recent), ("100 ms", 3, 3));
    assert!(threshold.worst.is_some());
    assert_eq!(rig.health.state(Component::Bus), Health::Healthy);
    drop(slow);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waits_for_a_lock_degrade_what_owns_no_room() {
    let rig = rig_with(SynchronizationMetrics::default());
    let lock = Arc::new(Mutex::new(()));
    for _ in 0..3 {
        let (held, other) = (Arc::clone(&lock), Arc::clone(&lock));
        let (tell, told) = tokio::sync::oneshot::channel();
        let holder = rig.resources.blocking(Component::App, "holder", move || {
            let guard = held.lock();
            tell.send(()).expect("the test waits");
            work(Duration::from_millis(100));
            drop(guard);
        });
        told.await.expect("the holder runs");
        let waiter = rig.resources.blocking(Component::App, "waiter", move || drop(other.lock()));
        assert_eq!((holder.await, waiter.await), (Some(()), Some(())));
    }
    rig.until_soon(Component::Resource, Health::Degraded).await;
    let report = rig.health.report();
    let threshold = report.threshold("lock wait");
    // Locks are counted for the whole program, and other tests are part of it.
    assert!(threshold.limit == "10 ms" && threshold.breaches >= 3, "{threshold:?}");
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn blocked_sends_degrade_the_owner_of_the_channel() {
    let rig = rig();
    let (sender, mut receiver) = channel(&rig.resources, Component::Logs, "lines", 1, Waiting::Measured);
    sender.send(0).await.expect("there is room");
    for time in [49, 51, 52, 53] {
        let (sent, received) = tokio::join!(sender.send(time), async {
            tokio::time::sleep(Duration::from_millis(time)).await;
            receiver.recv().await
        });
        assert!(sent.is_ok() && received.is_some());
    }
    rig.until(Component::Logs, Health::Degraded).await;
    let report = rig.health.report();
    let threshold = report.threshold("blocked send");
    assert_eq!((threshold.limit.as_str(), threshold.breaches, threshold.recent), ("50 ms", 3, 3));
    assert!(threshold.worst.as_ref().is_some_and(|worst| worst.starts_with("53")), "{threshold:?}");
    let queue = report.queue("lines");
    assert_eq!((queue.used, queue.capacity, queue.blocked), (1, 1, 4));
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn waiting_where_it_is_the_normal_way_is_no_breach_and_not_the_worst_of_them() {
    let rig = rig();
    let (sender, mut receiver) = channel(&rig.resources, Component::Process, "output", 1, Waiting::Expected);
    sender.send(0).await.expect("there is room");
    let (sent, received) = tokio::join!(sender.send(1), async {
        tokio::time::sleep(Duration::from_millis(129)).await;
        receiver.recv().await
    });
    assert!(sent.is_ok() && received.is_some());
    let report = rig.health.report();
    let threshold = report.threshold("blocked send");
    assert_eq!((threshold.breaches, threshold.worst.as_deref()), (0, None));
    assert_eq!(report.queue("output").blocked, 1);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_publishers_degrade_the_bus() {
    let rig = rig();
    for _ in 0..3 {
        rig.metrics().bus.publisher_wait_breaches.increment();
    }
    rig.until_soon(Component::Bus, Health::Degraded).await;
    assert_eq!(rig.health.report().threshold("blocked send").breaches, 3);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_nobody_answers_for_degrades_resource_for_as_long_as_it_lives() {
    let rig = rig();
    let session = rig.resources.owner(Component::Rpc, "session");
    let stays = session.resources().spawn(Component::Rpc, "stays", std::future::pending::<()>());
    drop(session);
    rig.until(Component::Resource, Health::Degraded).await;
    let told = rig.health.report().threshold("leaked tasks").clone();
    assert!(told.limit == "0" && told.breaches >= 3 && told.worst.as_deref() == Some("1"), "{told:?}");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(rig.health.state(Component::Resource), Health::Degraded, "it still lives");
    stays.abort();
    rig.until(Component::Resource, Health::Healthy).await;
    let report = rig.health.report();
    assert_eq!(report.threshold("leaked tasks").recent, 0);
    assert!(report.budgets.iter().any(|budget| budget.name == "tasks" && budget.leaked == Some(0)));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_memory_than_the_limit_degrades_resource() {
    let rig = rig();
    let mut config = Config::default().resources;
    // Less than any process needs.
    config.memory_limit_mb = 1;
    let monitor = MemoryMonitor::start(&config, &rig.resources, |_| {});
    rig.until_soon(Component::Resource, Health::Degraded).await;
    let report = rig.until_report("critical", |report| report.memory.pressure == Pressure::Critical).await;
    assert!(
        report.memory.resident > report.memory.limit && report.memory.limit == 1 << 20,
        "{:?}",
        report.memory
    );
    assert!(report.memory.off.len() > 4);
    let threshold = report.threshold("memory");
    assert!(threshold.limit == "1 MB" && threshold.breaches >= 3, "{threshold:?}");
    // The way back: a limit it keeps.
    config.memory_limit_mb = 1 << 19;
    monitor.reconfigure(&config);
    let report = rig.until_report("no breach", |report| report.memory.resident < report.memory.limit).await;
    assert_eq!(report.memory.resident, rig.metrics().resource.memory_resident.read());
    rig.end().await;
}

#[test]
fn the_thresholds_are_those_of_the_design() {
    let PerformanceThresholds { event_handling, lock_wait, blocked_send, leaked_tasks } = Default::default();
    let times = [event_handling, lock_wait, blocked_send].map(|time| time.as_millis());
    assert_eq!((times, leaked_tasks), ([100, 10, 50], 0));
}

#[tokio::test(start_paused = true)]
async fn a_breach_is_counted_and_writes_nothing() {
    let rig = rig();
    let channel = rig.metrics().channels.register(Component::Rpc, "calls", 1, || Some(0));
    for _ in 0..10_000 {
        channel.waited(Duration::from_millis(60), Some(Duration::from_millis(50)));
    }
    rig.until(Component::Rpc, Health::Degraded).await;
    let report = rig.health.report();
    assert_eq!(report.threshold("blocked send").recent, 10_000);
    assert_eq!((report.faults.len(), report.of(Component::Rpc).faults), (0, 0), "a breach is no fault");
    assert!(report.of(Component::Rpc).since > Timestamp(0));
    rig.end().await;
}
