//! The states of one component: Healthy, Degraded, Failing, Failed. Pure: the time is an argument.
//!
//! | to | from any better state, when |
//! |---|---|
//! | Degraded | 3 errors in the last minute; or 3 breaches of one threshold in it; or a handler that does not return |
//! | Failing | 5 errors in the last minute |
//! | Failed | 10 errors in the last minute; or a probe that fails while Failing, or right after a panic |
//! | Healthy | 3 probes in a row that succeed, one every 30 s |
//!
//! A panic may have ended what does the work, which would then make no further error: so a component that was healthy
//! is asked right after one.
//!
//! The numbers of errors, the 30 s and the 3 successes are decided; 10 errors are twice what Failing takes. An
//! error is a fault. A probe succeeds when the component answers that it works, and neither an error came since the
//! probe before (or since the state was entered) nor enough breaches for Degraded. A probe that fails, or an error between two, starts the count
//! of successes again. So no state is left downwards within 60 s of an error, which is the hysteresis. While Failed the
//! circuit is half open once in 30 s, for one probe.

use std::{sync::Arc, time::Duration};

use super::{thresholds::Kind, words};
use crate::{
    event::{FaultKind, Health, Timestamp},
    resource::Ring,
};

/// Errors and breaches older than this do not count.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// So many errors in the window.
const DEGRADED: usize = 3;
const FAILING: usize = 5;
const FAILED: usize = 10;

/// So many breaches of one kind in the window degrade.
pub(super) const BREACHES: usize = 3;

/// Time between two probes of a component that is not healthy.
pub(super) const PROBE: Duration = Duration::from_secs(30);

/// So many successes in a row make it healthy.
const SUCCESSES: u32 = 3;

/// Errors of one component that are remembered; in a flood the report counts no further.
pub(super) const ERRORS: usize = 100;

/// A moment, for the ladder and for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Moment {
    /// Since the program began.
    pub(super) uptime: Duration,
    pub(super) at: Timestamp,
}

/// A state was entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) from: Health,
    pub(super) to: Health,
    pub(super) reason: Arc<str>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    state: Health,
    /// When it was entered.
    since: Timestamp,
    /// Why; `None` while nothing was ever wrong.
    reason: Option<Arc<str>>,
    errors: Ring<Duration>,
    /// The last breaches of each kind.
    breaches: [Ring<Duration>; Kind::ALL.len()],
    /// Probes that succeeded in a row.
    successes: u32,
    /// An error came since the last probe.
    error_since: bool,
    probing: bool,
    /// It panicked while it was healthy, and is to be asked, or is being asked, whether it still works.
    suspect: bool,
    /// When the next probe is due, while not healthy.
    next: Duration,
}

// === impl Ladder ===

impl Ladder {
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            state: Health::Healthy,
            since: at,
            reason: None,
            errors: Ring::new(ERRORS),
            breaches: no_breaches(),
            successes: 0,
            error_since: false,
            probing: false,
            suspect: false,
            next: Duration::ZERO,
        }
    }
    pub(super) fn state(&self) -> Health {
        self.state
    }

    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    pub(super) fn reason(&self) -> Option<&Arc<str>> {
        self.reason.as_ref()
    }

    /// Errors in the last minute, [`ERRORS`] at most.
    pub(super) fn errors(&self, now: Duration) -> usize {
        recent(&self.errors, now)
    }

    /// An error came; `said` tells what it was.
    pub(super) fn error(&mut self, now: Moment, kind: FaultKind, said: &str) -> Option<Change> {
        self.suspect |= kind == FaultKind::Panic && self.state == Health::Healthy;
        self.errors.push(now.uptime);
        self.error_since = true;
        self.successes = 0;
        let count = self.errors(now.uptime);
        let to = match count {
            FAILED.. => Health::Failed,
            FAILING.. => Health::Failing,
            DEGRADED.. => Health::Degraded,
            _ if kind == FaultKind::Stuck => Health::Degraded,
            _ => Health::Healthy,
        };
        let errors = if count == 1 { "1 error" } else { &format!("{count} errors") };
        self.worsen(now, to, || format!("{errors} in a minute: {said}"))
    }

    /// A threshold was crossed so many times.
    pub(super) fn breach(&mut self, now: Moment, kind: Kind, times: u64) -> Option<Change> {
        let breaches = &mut self.breaches[kind as usize];
        for _ in 0..times.min(BREACHES as u64) {
            breaches.push(now.uptime);
        }
        if recent(breaches, now.uptime) < BREACHES {
            return None;
        }
        self.worsen(now, Health::Degraded, || kind.said())
    }

    /// Whether to probe now. Whoever is told so probes, and says how it went: until then it is not told again.
    pub(super) fn probe_due(&mut self, now: Duration) -> bool {
        let wanted = self.suspect || self.state != Health::Healthy && now >= self.next;
        let due = wanted && !self.probing;
        if due {
            self.probing = true;
            self.next = now + PROBE;
        }
        due
    }

    /// A probe ended.
    pub(super) fn probed(&mut self, now: Moment, answer: Result<(), String>) -> Option<Change> {
        self.probing = false;
        let suspect = std::mem::take(&mut self.suspect);
        let quiet = !std::mem::take(&mut self.error_since)
            && self.breaches.iter().all(|kind| recent(kind, now.uptime) < BREACHES);
        match answer {
            // It works; the way back of an unhealthy one has probes of its own.
            Ok(()) if suspect => None,
            Ok(()) if quiet => {
                self.successes += 1;
                if self.successes < SUCCESSES || self.state == Health::Healthy {
                    return None;
                }
                self.errors = Ring::new(ERRORS);
                self.breaches = no_breaches();
                Some(self.enter(
                    now,
                    Health::Healthy,
                    &format!("{SUCCESSES} checks in a row found it working"),
                ))
            }
            Ok(()) => {
                self.successes = 0;
                None
            }
            Err(said) => {
                self.successes = 0;
                let fails = suspect || self.state == Health::Failing;
                let to = if fails { Health::Failed } else { self.state };
                self.worsen(now, to, || format!("a check failed: {said}"))
            }
        }
    }

    fn worsen(&mut self, now: Moment, to: Health, reason: impl FnOnce() -> String) -> Option<Change> {
        if to <= self.state {
            return None;
        }
        // The way back starts here; a probe under way began before.
        self.next = now.uptime + PROBE;
        self.error_since = self.probing;
        Some(self.enter(now, to, &reason()))
    }

    fn enter(&mut self, now: Moment, to: Health, reason: &str) -> Change {
        let reason: Arc<str> = Arc::from(words::brief(reason));
        self.successes = 0;
        self.since = now.at;
        self.reason = Some(Arc::clone(&reason));
        Change { from: std::mem::replace(&mut self.state, to), to, reason }
    }
}

fn no_breaches() -> [Ring<Duration>; Kind::ALL.len()] {
    std::array::from_fn(|_| Ring::new(BREACHES))
}

/// How many of these lie in the window.
fn recent(times: &Ring<Duration>, now: Duration) -> usize {
    times.iter().rev().take_while(|time| now.saturating_sub(**time) < WINDOW).count()
}
