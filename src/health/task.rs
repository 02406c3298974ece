//! The one owner of what is judged: faults, looks at the metrics and probes, one after the other.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::{Inner, ladder::Moment, state::Judged, thresholds::LOOK};
use crate::{
    event::{Component, Fault, Timestamp},
    metrics::Measure,
    resource::{FaultReceiver, ResourceManager, Sender, Task},
};

/// A probe that takes longer has failed.
const PROBE_TIME: Duration = Duration::from_secs(5);

/// Probes under way: one of each component at most.
#[derive(Default)]
struct Probes {
    running: [Option<Task<Result<(), String>>>; Component::COUNT],
}

/// Judges until the program ends.
pub(super) async fn run(
    inner: Arc<Inner>,
    resources: ResourceManager,
    mut faults: FaultReceiver,
    tell: Sender<Fault>,
) {
    let shutdown = resources.shutdown();
    let mut judged = Judged::new(inner.now());
    let mut probes = Probes::default();
    // Not at once: what was done in no time has no rate.
    let mut ticks = interval_at(Instant::now() + LOOK, LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.begun() => break,
            Some(fault) = faults.recv() => {
                judged.fault(inner.now(), &fault);
                if tell.try_send(fault).is_err() {
                    inner.metrics.resource.faults_unread.increment();
                }
            }
            (component, answer) = probes.next() => {
                judged.probed(inner.now(), component, answer);
            }
            _ = ticks.tick() => {
                let now = inner.now();
                // The figures are other rooms' code.
                let look = || judged.look(now, &inner.metrics.read());
                resources.recover(Component::App, "health", look);
                for component in judged.probes_due(now.uptime) {
                    probes.start(component, &inner, &resources);
                }
            }
        }
        inner.publish(&judged);
    }
    probes.abort();
    // What was registered holds handles, and whoever waits for their last one waits for this.
    inner.parts.lock().clear();
}

// === impl Probes ===

impl Probes {
    fn start(&mut self, component: Component, inner: &Inner, resources: &ResourceManager) {
        let part = inner.parts.lock().iter().find(|part| part.component == component).cloned();
        let probe = async move {
            // Who cannot be asked is believed to work while no error comes.
            let Some(part) = part else { return Ok(()) };
            timeout(PROBE_TIME, (part.probe)())
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {PROBE_TIME:?}")))
        };
        self.running[component.index()] = Some(resources.spawn(component, "probe", probe));
    }

    /// The next answer; none while no probe runs.
    async fn next(&mut self) -> (Component, Result<(), String>) {
        poll_fn(|cx| {
            for (component, slot) in Component::ALL.into_iter().zip(&mut self.running) {
                if let Some(task) = slot
                    && let Poll::Ready(answer) = Pin::new(task).poll(cx)
                {
                    *slot = None;
                    let answer = answer.unwrap_or_else(|| Err("it panicked".to_owned()));
                    return Poll::Ready((component, answer));
                }
            }
            Poll::Pending
        })
        .await
    }

    fn abort(&self) {
        self.running.iter().flatten().for_each(Task::abort);
    }
}

// === impl Inner ===

impl Inner {
    fn now(&self) -> Moment {
        Moment { uptime: self.started.elapsed(), at: Timestamp::now() }
    }

    fn publish(&self, judged: &Judged) {
        let states = judged.states();
        self.judged.store(Arc::new(judged.clone()));
        // After the reasons, so that who is woken finds them.
        self.states.send_if_modified(|now| std::mem::replace(now, states) != states);
    }
}
