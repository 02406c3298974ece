//! A stop under way: who waits for it, and until when its guard is believed.

use std::time::Duration;

use tokio::{sync::oneshot, time::Instant};

use super::tree::Tree;
use crate::config::StopSignal;

/// How long a guard may take to say that it kills, and then to kill, longer than the host itself tries when there is none: a
/// large tree on a busy machine takes its time, and so does a guard there. A guard that is killed too soon is a tree that
/// nobody holds.
pub(super) const KILL_WAIT: Duration = Duration::from_secs(3);

/// Not begun until the first stop.
#[derive(Default)]
pub(super) struct Stopping {
    tickets: Vec<oneshot::Sender<()>>,
    phase: Phase,
}

#[derive(Clone, Copy, Default)]
enum Phase {
    #[default]
    Idle,
    /// The guard was asked; the grace is over at this time.
    Asked(Instant),
    /// The guard kills; whoever is alive at this time cannot be ended by us.
    Killing(Instant),
    GivenUp,
}

// === impl Stopping ===

impl Stopping {
    /// The first stop asks; a later one can only bring the kill nearer.
    pub(super) fn begin(
        &mut self,
        tree: &mut Tree,
        signal: StopSignal,
        grace: Duration,
        ticket: Option<oneshot::Sender<()>>,
    ) {
        self.tickets.extend(ticket);
        tree.stop(signal, grace);
        // A grace that never ends is never late.
        let kill_at = Instant::now().checked_add(grace).unwrap_or_else(|| Instant::now() + FAR);
        self.phase = match self.phase {
            Phase::Idle => Phase::Asked(kill_at),
            Phase::Asked(sooner) => Phase::Asked(sooner.min(kill_at)),
            later @ (Phase::Killing(_) | Phase::GivenUp) => later,
        };
    }

    /// Answers this one, too, when all is done.
    pub(super) fn tell(&mut self, ticket: oneshot::Sender<()>) {
        self.tickets.push(ticket);
    }

    /// The guard says that it kills.
    pub(super) fn killing(&mut self) {
        if !self.is_given_up() {
            self.phase = Phase::Killing(Instant::now() + KILL_WAIT);
        }
    }

    /// When [`Stopping::late`] is to be called.
    pub(super) fn late_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Asked(kill_at) => Some(kill_at + KILL_WAIT),
            Phase::Killing(at) => Some(at),
            Phase::Idle | Phase::GivenUp => None,
        }
    }

    /// The time has passed. A guard that did not even say that it kills does not work: without it, what is left of its tree
    /// comes here and is ended. One that kills in vain has met something that cannot be ended.
    pub(super) fn late(&mut self, tree: &mut Tree) {
        match self.phase {
            // Somebody stopped it after it was asked.
            Phase::Asked(_) if tree.wake() => self.phase = Phase::Asked(Instant::now()),
            Phase::Asked(_) => {
                tracing::error!(guard = tree.guard_pid, "A guard does not answer.");
                tree.give_up_guard();
                self.killing();
            }
            Phase::Killing(_) if tree.wake() => self.killing(),
            Phase::Killing(_) => {
                tracing::error!(guard = tree.guard_pid, "A process outlived KILL.");
                self.phase = Phase::GivenUp;
            }
            Phase::Idle | Phase::GivenUp => {}
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

/// A time that is never reached.
const FAR: Duration = Duration::from_secs(1 << 30);
