//! What was judged so far: all ladders, breaches, faults and rates. Pure.

use std::time::Duration;

use super::{
    States,
    history::History,
    ladder::{Change, Ladder, Moment},
    report::Rates,
    thresholds::Breaches,
};
use crate::{
    event::{Component, Fault},
    metrics::{HistogramReading, Snapshot},
};

/// The task's state; the report reads a copy.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    ladders: [Ladder; Component::COUNT],
    /// Faults since the start.
    faults: [u64; Component::COUNT],
    pub(super) breaches: Breaches,
    pub(super) history: History,
    pub(super) rates: Rates,
    counted: Counted,
}

/// What the rates are the differences of.
#[derive(Clone, Debug, Default)]
struct Counted {
    at: Duration,
    events: u64,
    lines: u64,
    busy: u64,
    times: HistogramReading,
}

// === impl Judged ===

impl Judged {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            ladders: std::array::from_fn(|_| Ladder::new(now.at)),
            faults: [0; Component::COUNT],
            breaches: Breaches::default(),
            history: History::default(),
            rates: Rates::default(),
            counted: Counted { at: now.uptime, ..Counted::default() },
        }
    }

    pub(super) fn ladder(&self, component: Component) -> &Ladder {
        &self.ladders[component.index()]
    }

    pub(super) fn faults(&self, component: Component) -> u64 {
        self.faults[component.index()]
    }

    pub(super) fn states(&self) -> States {
        self.ladders.each_ref().map(Ladder::state)
    }

    pub(super) fn fault(&mut self, now: Moment, fault: &Fault) -> Option<Change> {
        self.history.push(now.at, fault);
        self.faults[fault.component.index()] += 1;
        let ladder = &mut self.ladders[fault.component.index()];
        ladder.error(now, fault.kind, &format!("{}: {}", fault.place, fault.message))
    }

    pub(super) fn look(&mut self, now: Moment, snapshot: &Snapshot) {
        for breach in self.breaches.look(now.uptime, snapshot) {
            let ladder = &mut self.ladders[breach.component.index()];
            ladder.breach(now, breach.kind, breach.times);
        }
        self.measure(now.uptime, snapshot);
    }

    /// The components to probe now.
    pub(super) fn probes_due(&mut self, now: Duration) -> Vec<Component> {
        Component::ALL
            .into_iter()
            .filter(|component| self.ladders[component.index()].probe_due(now))
            .collect()
    }

    pub(super) fn probed(&mut self, now: Moment, component: Component, answer: Result<(), String>) {
        self.ladders[component.index()].probed(now, answer);
    }

    fn measure(&mut self, now: Duration, snapshot: &Snapshot) {
        let counted = Counted {
            at: now,
            events: snapshot.bus.delivered.iter().sum(),
            lines: snapshot.logs.lines,
            busy: snapshot.bus.worker_busy,
            times: snapshot.bus.event_time.clone(),
        };
        let before = std::mem::replace(&mut self.counted, counted);
        let seconds = now.saturating_sub(before.at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let per_second = |now: u64, before: u64| (now.saturating_sub(before) as f64 / seconds).round() as u64;
        self.rates.events = per_second(self.counted.events, before.events);
        self.rates.lines = per_second(self.counted.lines, before.lines);
        let busy = per_second(self.counted.busy, before.busy) as f64 / 1e6;
        self.rates.workers_busy = (busy / snapshot.bus.workers.max(1) as f64 * 1000.0).round() / 1000.0;
        let mut times = self.counted.times.clone();
        for (bucket, before) in times.buckets.iter_mut().zip(before.times.buckets) {
            *bucket = bucket.saturating_sub(before);
        }
        // While nothing happens the last figures stand.
        if times.count() > 0 {
            self.rates.event_p50_us = times.quantile(0.5);
            self.rates.event_p99_us = times.quantile(0.99);
        }
    }
}

impl Default for Judged {
    fn default() -> Self {
        Self::new(Moment::default())
    }
}
