//! The health report for buffers that show it: computed while one watches, at most once a second, sent when it changed.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Report;
use crate::{
    event::{Component, Fault, FaultKind},
    resource::{ResourceManager, catch_panic},
};

/// Reports are at least this far apart.
const INTERVAL: Duration = Duration::from_secs(1);

/// What always changes and says nothing new: whoever shows it counts on.
const CLOCK: &str = "uptime";

/// The buffers that watch, and what they have been sent.
pub(super) struct HealthWatch {
    report: Report,
    resources: ResourceManager,
    buffers: Vec<i64>,
    /// The last report, without its clock.
    sent: Option<Value>,
    /// When to look again.
    due: Instant,
}

// === impl HealthWatch ===

impl HealthWatch {
    pub(super) fn new(report: Report, resources: ResourceManager) -> Self {
        Self { report, resources, buffers: Vec::new(), sent: None, due: Instant::now() }
    }

    /// A buffer watches from now on and gets the report at once.
    pub(super) fn watch(&mut self, buf: i64) {
        self.unwatch(buf);
        self.buffers.push(buf);
        self.again();
    }

    pub(super) fn unwatch(&mut self, buf: i64) {
        self.buffers.retain(|known| *known != buf);
    }

    /// What was sent is not known to have arrived.
    pub(super) fn again(&mut self) {
        self.sent = None;
        self.due = Instant::now();
    }

    /// When there is something to look at, if ever.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.buffers.is_empty()).then_some(self.due)
    }

    /// The report, if its time has come and it says something new.
    pub(super) fn take(&mut self) -> Option<Value> {
        let now = Instant::now();
        if self.due().is_none_or(|due| due > now) {
            return None;
        }
        self.due = now + INTERVAL;
        let report = match catch_panic(|| (self.report)()) {
            Ok(report) => report,
            Err(message) => {
                let (component, place) = (Component::Rpc, "health report");
                self.resources.fault(Fault { component, place, kind: FaultKind::Panic, message });
                return None;
            }
        };
        let mut lasting = report.clone();
        if let Some(fields) = lasting.as_object_mut() {
            fields.shift_remove(CLOCK);
        }
        (self.sent.as_ref() != Some(&lasting)).then(|| {
            self.sent = Some(lasting);
            report
        })
    }
}
