//! The beginning of the bus.

use std::sync::Arc;

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
};

use super::{Limits, Shared, ceiling::Plan, fallback::Serial, lane::Lane, tuning::Tuning};
use crate::{
    config::{EventBusConfig, Mode},
    metrics::SynchronizationMetrics,
    resource::{ResourceManager, Shutdown},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize},
    },
};

// === impl Shared ===

impl Shared {
    /// A bus without its tasks.
    pub(super) fn new(
        config: &EventBusConfig,
        mode: Mode,
        resources: &ResourceManager,
        metrics: Arc<SynchronizationMetrics>,
        limits: Limits,
    ) -> Arc<Self> {
        let lanes = Plan::lanes(config);
        let (plan, policy) = (Plan::new(config, lanes), config.backpressure);
        let runtime = Handle::try_current().ok();
        let many = runtime.filter(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
        let shared = Arc::new(Self {
            lanes: (0..lanes).map(|_| Lane::new(&plan, policy, mode == Mode::Current)).collect(),
            serial: Serial::new(lanes, &plan, policy, mode == Mode::Fallback),
            fallback: AtomicBool::new(mode == Mode::Fallback),
            switching: Semaphore::new(1),
            registry: Arc::default(),
            ceiling: Arc::default(),
            config: Mutex::new(config.clone()),
            tuning: Tuning::default(),
            moved: Mutex::default(),
            resources: resources.clone(),
            metrics,
            limits,
            threads: many.map(|runtime| runtime.metrics().num_workers()),
            occupied: AtomicUsize::new(0),
            closing: Shutdown::default(),
            ended: Shutdown::default(),
        });
        shared.ceiling.set(plan.mailboxes);
        shared.tuning.set_monitoring(config.monitoring);
        shared.tuning.set_pressure(*resources.pressure().borrow());
        shared.attach_metrics();
        shared
    }
}
