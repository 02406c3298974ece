//! What a start waits for: an old run of the same script that another host began and that has not come to its end. Two of
//! them would meet on one port.

use std::time::Duration;

use tokio::time::sleep;

use super::{Records, leftover::Old};
use crate::{
    bus::EventBus,
    event::{Component, Detail, Event, ProcessId, ProcessInfo, RunId, Timestamp},
    resource::ResourceManager,
};

/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

/// See the module.
pub(super) struct Wait {
    pub(super) process: ProcessId,
    pub(super) run: RunId,
    pub(super) records: Records,
    pub(super) resources: ResourceManager,
    pub(super) bus: EventBus,
}

// === impl Wait ===

impl Wait {
    /// Returns when nothing of an old run is in the way: what somebody ends is waited for, what nobody ends is ended. The row
    /// says so meanwhile. What cannot be ended is not waited for.
    pub(super) async fn over(self, info: &ProcessInfo) {
        let (root, name) = (info.root.to_string_lossy().into_owned(), info.label());
        let (mut said, mut seen) = (None, None);
        loop {
            let (records, asked) = (self.records.clone(), (root.clone(), name.clone()));
            let look = move || records.old(&asked.0, &asked.1);
            // A panic is told of, and is no reason not to start.
            let old = self.resources.blocking(Component::Process, "old run", look).await.unwrap_or(Old::Gone);
            match old {
                Old::Gone => break,
                Old::Ending { grace, killed_at } => {
                    let first = *seen.get_or_insert_with(Timestamp::now);
                    let grace = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
                    let until = killed_at.unwrap_or(Timestamp(first.0.saturating_add(grace)));
                    self.say(&mut said, Some(waiting(&name, until, Timestamp::now()))).await;
                    sleep(LOOK).await;
                }
                Old::Left(runs) => {
                    self.say(&mut said, Some(format!("ending what is left of the old {name}"))).await;
                    if let Err(error) = self.records.end(runs, &self.resources).await {
                        tracing::warn!(error, name, "What is left of an old run is in the way.");
                        break;
                    }
                }
            }
        }
        self.say(&mut said, None).await;
    }

    async fn say(&self, said: &mut Option<String>, now: Option<String>) {
        if *said == now {
            return;
        }
        said.clone_from(&now);
        let detail = Detail { waiting: now.map(Into::into), ..Detail::default() };
        let (process, run, at) = (self.process, self.run, Timestamp::now());
        let event = Event::ProcessDetail { process, run, detail: detail.into(), at };
        if let Err(error) = self.bus.publish(event).await {
            tracing::debug!(%error, "An event came after the bus had stopped.");
        }
    }
}

/// What the row says; whole seconds, of which the last is not over.
fn waiting(name: &str, until: Timestamp, now: Timestamp) -> String {
    match until.0.saturating_sub(now.0).div_ceil(1000) {
        0 => format!("waiting for the old {name} to end"),
        seconds => format!("waiting for the old {name} to end ({seconds} s)"),
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_is_said_in_seconds() {
        let said = |until, now| waiting("dev", Timestamp(until), Timestamp(now));
        assert_eq!(said(5000, 2000), "waiting for the old dev to end (3 s)");
        assert_eq!(said(5000, 4999), "waiting for the old dev to end (1 s)");
        assert_eq!(said(5000, 5000), "waiting for the old dev to end");
        assert_eq!(said(5000, 9000), "waiting for the old dev to end");
    }
}
