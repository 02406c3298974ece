//! A stop under way: who waits for it, and when TERM turns into KILL.

use std::time::Duration;

use rustix::process::Signal;
use tokio::{sync::oneshot, time::Instant};

use super::group::Group;

/// How long the kernel may take to end a killed group before it is given up as unkillable.
pub(super) const KILL_WAIT: Duration = Duration::from_millis(500);

/// Not begun until the first stop.
#[derive(Default)]
pub(super) struct Escalation {
    tickets: Vec<oneshot::Sender<()>>,
    phase: Phase,
}

#[derive(Clone, Copy, Default)]
enum Phase {
    #[default]
    Idle,
    /// TERM was sent; KILL comes at this time.
    Terminated(Instant),
    /// KILL was sent; whoever is alive at this time cannot be ended by us.
    Killed(Instant),
    GivenUp,
}

// === impl Escalation ===

impl Escalation {
    /// The first stop sends TERM; a later one can only bring KILL nearer.
    pub(super) fn begin(&mut self, group: Group, grace: Duration, ticket: Option<oneshot::Sender<()>>) {
        self.tickets.extend(ticket);
        let kill_at = Instant::now() + grace;
        self.phase = match self.phase {
            Phase::Idle => {
                group.terminate();
                Phase::Terminated(kill_at)
            }
            Phase::Terminated(sooner) => Phase::Terminated(sooner.min(kill_at)),
            later @ (Phase::Killed(_) | Phase::GivenUp) => later,
        };
    }

    /// Answers this one, too, when all is done.
    pub(super) fn tell(&mut self, ticket: oneshot::Sender<()>) {
        self.tickets.push(ticket);
    }

    /// The deadline given by [`Escalation::kill_at`] has passed.
    pub(super) fn kill(&mut self, group: Group) {
        self.phase = match self.phase {
            Phase::Terminated(_) => {
                group.signal(Signal::KILL);
                Phase::Killed(Instant::now() + KILL_WAIT)
            }
            Phase::Killed(_) => {
                tracing::error!(?group, "A process group outlived KILL.");
                Phase::GivenUp
            }
            other @ (Phase::Idle | Phase::GivenUp) => other,
        };
    }

    /// When [`Escalation::kill`] is to be called.
    pub(super) fn kill_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Terminated(at) | Phase::Killed(at) => Some(at),
            Phase::Idle | Phase::GivenUp => None,
        }
    }

    pub(super) fn is_begun(&self) -> bool {
        !matches!(self.phase, Phase::Idle)
    }

    pub(super) fn is_given_up(&self) -> bool {
        matches!(self.phase, Phase::GivenUp)
    }

    /// Answers everybody who waits.
    pub(super) fn done(self) {
        for ticket in self.tickets {
            // Who went away does not want the answer.
            ticket.send(()).ok();
        }
    }
}
