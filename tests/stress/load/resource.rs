//! Permits and tasks: taken, refused, given up while waiting, given back.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
};

use brummer::{
    config::Mode,
    event::Component,
    resource::{Permit, ResourceManager},
};

use crate::{
    Scale, planted,
    rig::{self, Rig, config},
};

/// Fewer than tasks, so that most have to wait.
const PERMITS: usize = 8;

#[derive(Default)]
struct Counted {
    held: AtomicUsize,
    most: AtomicUsize,
    taken: AtomicU64,
    refused: AtomicU64,
    given_up: AtomicU64,
    tasks: AtomicU64,
}

pub fn run(scale: &Scale) -> String {
    rig::run(async {
        let mut config = config(Mode::Current);
        config.resources.max_tasks = PERMITS;
        let rig = Rig::start(&config);
        let before = rig.metrics.snapshot().resource.tasks_spawned;
        let counted = Arc::new(Counted::default());
        let peak = rig.peak();
        let operations = scale.operations;
        rig::crowd(scale.tasks, scale.limit, |task| {
            let (resources, counted) = (rig.resources.clone(), Arc::clone(&counted));
            async move {
                for operation in 0..operations {
                    operate(&resources, &counted, task + operation).await;
                }
            }
        })
        .await;
        let most = peak.take();
        if planted::is("held-permit") {
            std::mem::forget(rig.resources.acquire(Component::App).await);
        }
        if planted::is("leaked-task") {
            drop(rig.resources.spawn(Component::App, "leak", std::future::pending::<()>()));
            counted.tasks.fetch_add(1, SeqCst);
        }

        let metrics = rig.metrics.snapshot().resource;
        let tasks = counted.tasks.load(SeqCst);
        assert_eq!(metrics.permits_in_use, 0, "permits are held after the load");
        assert_eq!(metrics.permits_refused, counted.refused.load(SeqCst), "permits refused");
        assert_eq!(metrics.tasks_spawned - before, tasks, "tasks started");
        assert!(counted.most.load(SeqCst) <= PERMITS, "more permits were held than there are");
        // One task for each of the crowd's at most.
        assert!(most <= rig.resting + scale.tasks, "{most} tasks at once");
        let mut all = Vec::new();
        while let Ok(permit) = rig.resources.try_acquire(Component::App) {
            all.push(permit);
        }
        assert_eq!(all.len(), PERMITS, "all permits are free again");
        drop(all);
        let told = format!(
            "{} operations; permits {PERMITS}, taken {}, refused {}, given up {}; tasks {tasks}, at once {most}",
            scale.tasks * scale.operations,
            counted.taken.load(SeqCst),
            metrics.permits_refused + 1,
            counted.given_up.load(SeqCst),
        );
        rig.end().await;
        told
    })
}

async fn operate(resources: &ResourceManager, counted: &Arc<Counted>, operation: usize) {
    match operation % 4 {
        0 => {
            let permit = resources.acquire(Component::App).await;
            hold(counted, permit).await;
        }
        1 => match resources.try_acquire(Component::Logs) {
            Ok(permit) => hold(counted, permit).await,
            Err(refused) => {
                assert_eq!(refused.limit, PERMITS, "{refused}");
                counted.refused.fetch_add(1, SeqCst);
            }
        },
        2 => {
            // Given up when it does not come at once, also when it is on its way.
            let permit = tokio::select! {
                biased;
                permit = resources.acquire(Component::Model) => Some(permit),
                () = tokio::task::yield_now() => None,
            };
            match permit {
                Some(permit) => hold(counted, permit).await,
                None => {
                    counted.given_up.fetch_add(1, SeqCst);
                }
            }
        }
        _ => {
            counted.tasks.fetch_add(1, SeqCst);
            let answer = resources.spawn(Component::App, "short", async move { operation }).await;
            assert_eq!(answer, Some(operation));
        }
    }
}

async fn hold(counted: &Counted, permit: Permit) {
    let held = counted.held.fetch_add(1, SeqCst) + 1;
    counted.most.fetch_max(held, SeqCst);
    counted.taken.fetch_add(1, SeqCst);
    tokio::task::yield_now().await;
    counted.held.fetch_sub(1, SeqCst);
    drop(permit);
}
