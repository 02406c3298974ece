//! What the trees of the running processes use: processor time, memory, processes, TCP ports they listen on.
//!
//! *Flows in:* the registry, and the system. *Flows out:* `UsageSampled`, which is telemetry: a bus that is full drops it.
//! *Bounded:* one look each `process_manager.usage_interval` while something runs, on a thread where it may block; it reads
//! what is in the trees and nothing of other processes. *Lost:* what comes and goes between two looks, but for processor time,
//! which stays with the parent that waited.
//!
//! Linux only. Elsewhere this says so once, and there are no figures.

#[cfg(target_os = "linux")]
mod ports;
#[cfg(target_os = "linux")]
mod tree;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{registry::Registry, settings::Settings};
use crate::{
    bus::EventBus,
    event::{Component, Event, ProcessId, RunId, Timestamp, Usage},
    resource::ResourceManager,
};

/// While it is switched off, the settings are looked at this often.
const OFF: Duration = Duration::from_secs(1);

/// A tree to look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Root {
    pub(super) process: ProcessId,
    pub(super) run: RunId,
    /// The process everything of the run descends from, which is not counted itself but for its processor time.
    pub(super) pid: u32,
}

/// Looks for as long as the manager lives: the future never ends.
pub(super) async fn run(
    registry: Arc<Registry>,
    settings: Arc<Settings>,
    bus: EventBus,
    resources: ResourceManager,
) {
    let mut sampler = Some(Sampler::default());
    loop {
        let interval = settings.values().usage_interval;
        sleep(if interval.is_zero() { OFF } else { interval }).await;
        let roots = registry.running();
        if interval.is_zero() || roots.is_empty() {
            continue;
        }
        let mut present = sampler.take().unwrap_or_default();
        let look = move || {
            let usage = present.sample(&roots, Instant::now());
            (present, usage)
        };
        // None after a panic, which is a fault.
        let Some((back, usage)) = resources.blocking(Component::Process, "usage", look).await else {
            continue;
        };
        sampler = Some(back);
        resources.metrics().process.usage_samples.increment();
        let sampled = Event::UsageSampled { usage: usage.into(), at: Timestamp::now() };
        if let Err(error) = bus.try_publish(sampled) {
            tracing::debug!(%error, "Figures of use were not taken.");
        }
    }
}

pub(super) use self::system::{Sampler, listens};

#[cfg(target_os = "linux")]
mod system {
    use std::collections::HashMap;

    use super::{Instant, ProcessId, Root, RunId, Usage, ports::Ports, tree};

    /// What one look keeps for the next.
    #[derive(Default)]
    pub(in crate::process) struct Sampler {
        /// Processor time of each run so far, in clock ticks, and when it was read.
        ticks: HashMap<ProcessId, (RunId, u64, Instant)>,
        ports: Ports,
    }

    impl Sampler {
        /// Looks at these trees.
        pub(in crate::process) fn sample(&mut self, roots: &[Root], now: Instant) -> Vec<(ProcessId, Usage)> {
            // Listeners first: whoever has one of these is there when the trees are read.
            let listeners = super::ports::listeners();
            let trees: Vec<_> = roots.iter().map(|root| (root, tree::read(root.pid))).collect();
            let pids: Vec<_> =
                trees.iter().map(|(root, tree)| (root.process, tree.members.as_slice())).collect();
            let mut ports = self.ports.look(&listeners, &pids);
            let per_second = rustix::param::clock_ticks_per_second();
            self.ticks.retain(|process, _| roots.iter().any(|root| root.process == *process));
            let mut usage = Vec::with_capacity(trees.len());
            for (root, tree) in &trees {
                let before = self.ticks.insert(root.process, (root.run, tree.ticks, now));
                let cpu = match before {
                    Some((run, ticks, at)) if run == root.run => {
                        tenths(tree.ticks.saturating_sub(ticks), per_second, now - at)
                    }
                    // From the first look nothing can be said.
                    _ => 0,
                };
                let ports = ports.remove(&root.process).unwrap_or_default();
                let (memory, processes) = (tree.memory, tree.processes);
                usage.push((root.process, Usage { cpu, memory, processes, ports }));
            }
            usage
        }
    }

    /// Whether something below `root` listens on a port, or somebody may who cannot be looked at: another user, or anybody
    /// where the kernel does not tell who listens.
    pub(in crate::process) fn listens(root: u32, port: u16) -> bool {
        let own = rustix::process::geteuid().as_raw();
        let listeners = super::ports::listeners();
        let on_port: Vec<_> = listeners.iter().filter(|listener| listener.port == port).collect();
        if listeners.is_empty() || on_port.iter().any(|listener| listener.user != own) {
            return true;
        }
        let members = tree::read(root).members;
        let has = |socket| on_port.iter().any(|listener| listener.socket == socket);
        members.into_iter().flat_map(super::ports::sockets).any(has)
    }

    /// Tenths of a percent of one core.
    fn tenths(ticks: u64, per_second: u64, time: std::time::Duration) -> u32 {
        let time = time.as_micros().max(1);
        let used = u128::from(ticks) * 1_000_000 / u128::from(per_second.max(1));
        u32::try_from(used * 1000 / time).unwrap_or(u32::MAX)
    }

    #[cfg(test)]
    #[cfg(not(any(feature = "loom", feature = "shuttle")))]
    mod tests {
        use std::time::Duration;

        #[test]
        fn two_cores_for_a_second_are_2000_tenths() {
            assert_eq!(super::tenths(200, 100, Duration::from_secs(1)), 2000);
            assert_eq!(super::tenths(1, 100, Duration::from_secs(2)), 5);
            assert_eq!(super::tenths(0, 100, Duration::ZERO), 0);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::sync::Once;

    use super::{Instant, ProcessId, Root, Usage};

    /// Nobody tells whose a port is.
    pub(in crate::process) fn listens(_: u32, _: u16) -> bool {
        true
    }

    /// There is nothing to look at.
    #[derive(Default)]
    pub(in crate::process) struct Sampler;

    impl Sampler {
        /// Says once that there are no figures.
        pub(in crate::process) fn sample(&mut self, _: &[Root], _: Instant) -> Vec<(ProcessId, Usage)> {
            static SAID: Once = Once::new();
            SAID.call_once(|| tracing::info!("What processes use is not measured on this system."));
            Vec::new()
        }
    }
}
