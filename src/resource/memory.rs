//! MemoryMonitor: how much memory the host holds, against how much it may hold.
//!
//! *In:* the resident set of this process, what the control groups and the machine allow, and the bytes that components say
//! they hold (`metrics.resource.memory_accounted`). *Out:* the pressure that components watch
//! ([`ResourceManager::pressure`]), two gauges, and a [`Sample`] for whoever is told of them. *Bounded:* one look per
//! `monitoring_interval_ms`. *Lost:* peaks between two looks.
//!
//! Where the system does not tell the resident set, this says so once and pressure stays as it is, which is normal from the
//! start.

mod limit;
mod segment;
mod steps;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

pub use self::segment::Segment;
use self::{
    limit::Places,
    steps::{Look, Steps},
};
use super::ResourceManager;
use crate::{
    config::ResourcesConfig,
    event::{Component, Pressure, Timestamp},
    metrics::Measure,
};

/// Looks at memory from time to time. Clones are one and the same; it ends with the program.
#[derive(Clone, Debug)]
pub struct MemoryMonitor {
    settings: Arc<watch::Sender<Settings>>,
}

/// What one look found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Bytes of the resident set.
    pub resident: u64,
    /// Bytes it may be.
    pub limit: u64,
    /// What that means.
    pub pressure: Pressure,
    /// When this was.
    pub at: Timestamp,
}

/// What can change while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Settings {
    /// Bytes, as set.
    limit: u64,
    interval: Duration,
}

/// Where the figures come from; tests put in their own.
struct Sources {
    /// Bytes of the resident set.
    resident: Box<dyn FnMut() -> io::Result<u64> + Send>,
    /// Bytes that somebody other than the user allows: asked at each look, because a control group can be changed.
    allowed: Box<dyn FnMut() -> Option<u64> + Send>,
}

// === impl MemoryMonitor ===

impl MemoryMonitor {
    /// Starts looking. `sampled` is told of each look while pressure is normal: telemetry is the first thing to go.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        config: &ResourcesConfig,
        resources: &ResourceManager,
        sampled: impl FnMut(Sample) + Send + 'static,
    ) -> Self {
        let places = Places::default();
        let sources =
            Sources { resident: Box::new(resident), allowed: Box::new(move || limit::allowed(&places)) };
        Self::start_with(config, resources, sources, sampled)
    }

    fn start_with(
        config: &ResourcesConfig,
        resources: &ResourceManager,
        sources: Sources,
        sampled: impl FnMut(Sample) + Send + 'static,
    ) -> Self {
        let settings = Arc::new(watch::Sender::new(Settings::of(config)));
        let look = run(sources, settings.subscribe(), resources.clone(), sampled);
        drop(resources.spawn(Component::Resource, "memory monitor", look));
        Self { settings }
    }

    /// Uses another limit and another interval from now on, and looks at once when one of them changed.
    pub fn reconfigure(&self, config: &ResourcesConfig) {
        let new = Settings::of(config);
        self.settings.send_if_modified(|now| std::mem::replace(now, new) != new);
    }
}

async fn run(
    mut sources: Sources,
    mut settings: watch::Receiver<Settings>,
    resources: ResourceManager,
    mut sampled: impl FnMut(Sample) + Send + 'static,
) {
    let shutdown = resources.shutdown();
    let mut steps = Steps::default();
    // A look failed, which is said once: the next one may succeed.
    let mut failed = false;
    // Whether the handle is gone.
    let mut fixed = false;
    loop {
        let Settings { limit, interval: every } = *settings.borrow_and_update();
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.begun() => return,
                changed = settings.changed(), if !fixed => {
                    // Without a handle nobody changes anything any more; the looks go on.
                    fixed = changed.is_err();
                    if !fixed {
                        break;
                    }
                    continue;
                }
                _ = ticks.tick() => {}
            }
            let looked = resources.recover(Component::Resource, "memory monitor", || {
                let sample = look(&mut sources, limit, &mut steps, &resources)?;
                if sample.pressure == Pressure::Normal {
                    sampled(sample);
                }
                Ok::<_, io::Error>(())
            });
            if let Some(Err(error)) = looked
                && !std::mem::replace(&mut failed, true)
            {
                tracing::warn!(%error, "Memory could not be measured.");
            }
        }
    }
}

fn look(
    sources: &mut Sources,
    set: u64,
    steps: &mut Steps,
    resources: &ResourceManager,
) -> io::Result<Sample> {
    let resident = (sources.resident)()?;
    let limit = (sources.allowed)().map_or(set, |allowed| allowed.min(set));
    let metrics = &resources.metrics().resource;
    let accounted = metrics.memory_accounted.read().iter().sum();
    let before = steps.pressure();
    let pressure = steps.judge(Look { resident, limit, accounted });
    metrics.memory_resident.set(resident);
    metrics.memory_limit.set(limit);
    if pressure != before {
        tracing::info!(
            resident,
            limit,
            from = before.name(),
            to = pressure.name(),
            "Memory pressure changed."
        );
        resources.set_pressure(pressure);
    }
    Ok(Sample { resident, limit, pressure, at: Timestamp::now() })
}

/// Linux tells it as the second number of this file, in pages.
fn resident() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: Option<u64> = text.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse().ok());
    let pages = pages.ok_or_else(|| io::Error::other("/proc/self/statm has no second number"))?;
    Ok(pages * rustix::param::page_size() as u64)
}

// === impl Settings ===

impl Settings {
    fn of(config: &ResourcesConfig) -> Self {
        Self { limit: (config.memory_limit_mb as u64) << 20, interval: config.monitoring_interval }
    }
}
