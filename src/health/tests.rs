//! The ladder by a driven clock, real breaches, the report, and the task with a real bus.

mod breaches;
mod ladder;
mod report;
mod task;

use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::event::{Fault, FaultKind};

/// A program of one bus and its health.
struct Rig {
    resources: ResourceManager,
    bus: EventBus,
    health: GracefulDegradation,
}

fn rig() -> Rig {
    let metrics = SynchronizationMetrics::default();
    // Locks are counted for the whole program, and other tests are part of it. The first one attached stays.
    metrics.lock.breaches.attach(|| 0);
    rig_with(metrics)
}

fn rig_with(metrics: SynchronizationMetrics) -> Rig {
    let (config, metrics) = (Config::default(), Arc::new(metrics));
    let (resources, faults) = ResourceManager::new(&config.resources, Arc::clone(&metrics));
    let bus = EventBus::start(&config.eventbus, Mode::Current, &resources, metrics);
    let health = GracefulDegradation::start(&config, &resources, bus.clone(), faults);
    Rig { resources, bus, health }
}

fn fault(component: Component, message: &str) -> Fault {
    Fault { component, place: "place", kind: FaultKind::Failure, message: Arc::from(message) }
}

// === impl Rig ===

impl Rig {
    fn metrics(&self) -> &SynchronizationMetrics {
        self.resources.metrics()
    }

    fn faults(&self, component: Component, count: usize) {
        for number in 0..count {
            self.resources.fault(fault(component, &format!("number {number}")));
        }
    }

    /// Waits for a state, by a paused clock.
    async fn until(&self, component: Component, state: Health) {
        self.within(Duration::from_secs(600), component, state).await;
    }

    /// The same by a real clock: for what does not wait for probes.
    async fn until_soon(&self, component: Component, state: Health) {
        self.within(Duration::from_secs(30), component, state).await;
    }

    async fn within(&self, limit: Duration, component: Component, state: Health) {
        let mut states = self.health.changed();
        let wait = states.wait_for(|states| states[component.index()] == state);
        timeout(limit, wait)
            .await
            .unwrap_or_else(|_| panic!("{component} is {:?}, not {state:?}", self.health.state(component)))
            .expect("health runs");
    }

    /// Waits until the report says so.
    async fn until_report(&self, what: &str, says: impl Fn(&Report) -> bool) -> Report {
        let look = async {
            loop {
                let report = self.health.report();
                if says(&report) {
                    return report;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(60), look).await.unwrap_or_else(|_| panic!("no report says {what}"))
    }

    async fn end(self) {
        let Self { resources, bus, health } = self;
        resources.shutdown().begin();
        bus.stop().await;
        drop((bus, health));
        // Less than a probe may take: those under way are ended, not waited for.
        assert_eq!(resources.drained(Duration::from_secs(4)).await, 0);
    }
}

// === impl Report ===

impl Report {
    fn of(&self, component: Component) -> &ComponentHealth {
        &self.components[component.index()]
    }

    fn threshold(&self, name: &str) -> &Threshold {
        self.thresholds.iter().find(|threshold| threshold.name == name).expect("a threshold of that name")
    }

    fn queue(&self, name: &str) -> &Queue {
        self.queues.iter().find(|queue| queue.name == name).expect("a queue of that name")
    }
}
