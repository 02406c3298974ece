//! What a start waits for: an old run of the same script that another host began and that has not come to its end. Two of
//! them would meet on one port.

use std::time::Duration;

use tokio::time::sleep;

use super::{Records, leftover::Before};
use crate::{
    event::{Component, ProcessInfo, Timestamp},
    resource::ResourceManager,
};

/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

/// See the module.
pub(super) struct Old {
    records: Records,
    resources: ResourceManager,
    root: String,
    name: String,
    /// When somebody was first seen to end it.
    seen: Option<Timestamp>,
    /// What nobody ends.
    left: Vec<String>,
    /// It could not be ended.
    given_up: bool,
}

// === impl Old ===

impl Old {
    pub(super) fn new(records: Records, resources: ResourceManager, info: &ProcessInfo) -> Self {
        let (root, name) = (info.root.to_string_lossy().into_owned(), info.label());
        Self { records, resources, root, name, seen: None, left: Vec::new(), given_up: false }
    }

    /// What is waited for, worded for the user; `None` when nothing is in the way.
    pub(super) async fn in_the_way(&mut self) -> Option<String> {
        if self.given_up {
            return None;
        }
        let (records, root, name) = (self.records.clone(), self.root.clone(), self.name.clone());
        let look = move || records.before(&root, &name);
        // A panic is told of, and is no reason not to start.
        let before = self.resources.blocking(Component::Process, "old run", look).await.unwrap_or_default();
        match before {
            Before::Gone => None,
            Before::Ending { grace, killed_at } => {
                self.left.clear();
                let first = *self.seen.get_or_insert_with(Timestamp::now);
                let grace = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
                let until = killed_at.unwrap_or(Timestamp(first.0.saturating_add(grace)));
                Some(waiting(&self.name, until, Timestamp::now()))
            }
            Before::Left(runs) => {
                self.left = runs;
                Some(format!("ending what is left of the old {}", self.name))
            }
        }
    }

    /// Ends what nobody ends, or gives the others time.
    pub(super) async fn less(&mut self) {
        if self.left.is_empty() {
            return sleep(LOOK).await;
        }
        if let Err(error) = self.records.end(self.left.clone(), &self.resources).await {
            tracing::warn!(error, name = self.name, "What is left of an old run is in the way.");
            self.given_up = true;
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
