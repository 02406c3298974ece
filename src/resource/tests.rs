//! Permits, tasks, panics and shutdown.

mod budget;
mod channel;
mod owner;
mod recover;

use std::{
    panic,
    sync::atomic::{AtomicBool, Ordering},
};

use super::*;
use crate::{event::FaultKind, metrics::Measure, sync::Mutex};

fn manager(max_tasks: usize) -> (ResourceManager, FaultReceiver, Arc<SynchronizationMetrics>) {
    let metrics = Arc::new(SynchronizationMetrics::default());
    let config = ResourcesConfig { max_tasks, ..ResourcesConfig::default() };
    let (manager, faults) = ResourceManager::new(&config, metrics.clone());
    (manager, faults, metrics)
}

#[tokio::test]
async fn a_task_returns_what_its_future_did() {
    let (manager, _faults, metrics) = manager(1);
    assert_eq!(manager.spawn(Component::App, "seven", async { 7 }).await, Some(7));
    assert_eq!(manager.blocking(Component::App, "eight", || 8).await, Some(8));
    assert_eq!(manager.drained(Duration::from_secs(5)).await, 0);
    assert_eq!(metrics.resource.tasks_spawned.read(), 2);
}

#[tokio::test]
async fn a_panic_becomes_a_fault_with_the_components_name() {
    let (manager, mut faults, metrics) = manager(1);
    let number = 3;
    assert_eq!(
        manager.spawn(Component::Logs, "writer", async move { panic!("line {number}") as u8 }).await,
        None
    );
    assert_eq!(manager.blocking(Component::Rpc, "page", || panic!("no page") as u8).await, None);
    let odd = manager.spawn(Component::App, "odd", async { panic::panic_any(5_u8) });
    assert_eq!(odd.await, None::<()>);
    let said = |component, place, message: &str| Fault {
        component,
        place,
        kind: FaultKind::Panic,
        message: Arc::from(message),
    };
    assert_eq!(faults.recv().await, Some(said(Component::Logs, "writer", "line 3")));
    assert_eq!(faults.recv().await, Some(said(Component::Rpc, "page", "no page")));
    let odd = said(Component::App, "odd", "panicked with a value that is not a text");
    assert_eq!(faults.recv().await, Some(odd));
    assert_eq!(metrics.resource.tasks_panicked.read(), 3);
    assert_eq!(manager.drained(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn a_panic_while_a_tasks_state_is_dropped_is_a_fault_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let (manager, mut faults, _metrics) = manager(1);
    let bomb = Bomb;
    let task = manager.spawn(Component::App, "bomb", poll_once(bomb));
    assert_eq!(task.await, Some(1));
    assert_eq!(faults.recv().await.map(|fault| fault.message), Some(Arc::from("in drop")));

    /// Ready at once, and keeps its state until it is dropped.
    fn poll_once(bomb: Bomb) -> impl Future<Output = u8> {
        std::future::poll_fn(move |_| {
            let _kept = &bomb;
            std::task::Poll::Ready(1)
        })
    }
}

#[tokio::test]
async fn faults_nobody_reads_are_counted_and_hold_up_nobody() {
    let (manager, mut faults, metrics) = manager(1);
    for _ in 0..FAULTS + 3 {
        manager.fault(Fault {
            component: Component::App,
            place: "test",
            kind: FaultKind::Failure,
            message: Arc::from("again"),
        });
    }
    assert_eq!(metrics.resource.faults.read(), FAULTS as u64 + 3);
    assert_eq!(metrics.resource.faults_unread.read(), 3);
    let mut read = 0;
    while faults.try_recv().is_ok() {
        read += 1;
    }
    assert_eq!(read, FAULTS);
}

#[tokio::test(start_paused = true)]
async fn drained_says_how_many_are_left() {
    let (manager, _faults, metrics) = manager(1);
    let shutdown = manager.shutdown();
    let waits = shutdown.clone();
    let polite = manager.spawn(Component::App, "polite", async move { waits.begun().await });
    let rude = manager.spawn(Component::App, "rude", std::future::pending::<()>());
    assert!(!shutdown.is_begun());
    shutdown.begin();
    shutdown.begun().await;
    assert!(shutdown.is_begun() && manager.shutdown().is_begun());
    assert_eq!(manager.drained(Duration::from_secs(5)).await, 1);
    assert_eq!(polite.await, Some(()));
    assert!(!rude.is_finished());
    rude.abort();
    assert_eq!(manager.drained(Duration::from_secs(5)).await, 0);
    assert_eq!(metrics.resource.tasks_alive.read(), 0);
    assert_eq!(rude.await, None);
}

#[tokio::test]
async fn all_permits_can_be_held_and_no_more() {
    let (manager, _faults, metrics) = manager(3);
    assert_eq!(metrics.resource.permits.read(), 3);
    let mut held: Vec<_> =
        (0..3).map(|_| manager.try_acquire(Component::Process).expect("one is free")).collect();
    let refused = manager.try_acquire(Component::Logs).err().expect("none is free");
    assert_eq!(refused.to_string(), "logs: all 3 permits are in use (process 3)");
    assert_eq!((metrics.resource.permits_in_use.read(), metrics.resource.permits_refused.read()), (3, 1));
    held.pop();
    let again = manager.try_acquire(Component::Logs).expect("one came back");
    assert_eq!(again.component(), Component::Logs);
    drop((held, again));
    assert_eq!(metrics.resource.permits_in_use.read(), 0);
}

#[tokio::test]
async fn blocking_work_waits_for_a_permit() {
    let (manager, _faults, _metrics) = manager(1);
    let permit = manager.acquire(Component::App).await;
    let ran = Arc::new(AtomicBool::new(false));
    let sets = ran.clone();
    let task = manager.blocking(Component::App, "work", move || sets.store(true, Ordering::SeqCst));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!ran.load(Ordering::SeqCst));
    drop(permit);
    assert_eq!(task.await, Some(()));
    assert!(ran.load(Ordering::SeqCst));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permit_is_never_refused_while_one_is_free() {
    // One permit per task: whatever the others do at the moment, one is always free for whoever asks.
    const TASKS: usize = 8;
    let (manager, _faults, metrics) = manager(TASKS);
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let asks = manager.clone();
            manager.spawn(Component::App, "asks", async move {
                for _ in 0..20_000 {
                    drop(asks.try_acquire(Component::App).expect("at most 7 are held"));
                }
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await, Some(()));
    }
    assert_eq!(metrics.resource.permits_refused.read(), 0);
}

#[test]
fn the_metrics_tell_of_locks_that_were_not_free() {
    let (_manager, _faults, metrics) = manager(1);
    let (lock, deadline) = (Mutex::new(()), std::time::Instant::now() + Duration::from_secs(20));
    let is_told = || metrics.lock.contended.read() > 0 && metrics.lock.wait.read() > 0;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_told() && std::time::Instant::now() < deadline {
                    let held = lock.lock();
                    std::thread::yield_now();
                    drop(held);
                }
            });
        }
    });
    assert!(is_told() && metrics.lock.longest_wait.read() > 0);
    assert!(metrics.lock.breaches.read() <= contention().breaches);
}
