//! What hosts that are gone left behind, and its end.

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tokio::time::sleep;

use super::{
    identity::Identity,
    record::{Found, Record, Records},
    standing::Standing,
    trace::{self, Living},
};
use crate::{
    event::{Component, Timestamp},
    resource::ResourceManager,
};

/// How often is looked whether a tree is gone.
const LOOK: Duration = Duration::from_millis(50);

/// How long killing may take: what lives on runs as another user, or hangs in the kernel.
const KILL_WAIT: Duration = Duration::from_secs(5);

/// Processes of a run that nobody ends any more: its host and its guard are gone, or it was meant to stay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leftover {
    /// The run: what `end_leftovers` takes.
    pub run: String,
    /// How users call the script.
    pub name: String,
    /// The project.
    pub root: String,
    /// What lives, by process id.
    pub pids: Vec<u32>,
    /// When it was started.
    pub at: Timestamp,
    /// It was meant to stay (`detach = true`), so it is listed and not offered for clean-up.
    pub detached: bool,
}

/// A script that another host runs now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elsewhere {
    /// How users call it.
    pub name: String,
    /// The project.
    pub root: String,
    /// That host.
    pub host: Identity,
    /// Since when.
    pub since: Timestamp,
}

/// An old run of a script, as far as a new one has to wait for it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Before {
    /// There is none.
    #[default]
    Gone,
    /// Somebody ends it; by when it is killed, where that is known.
    Ending { grace: Duration, killed_at: Option<Timestamp> },
    /// Nobody ends it.
    Left(Vec<String>),
}

/// The end of some left-overs, under way.
struct Ending {
    since: Instant,
    /// Who has been asked to end.
    asked: HashSet<Identity>,
}

// === impl Elsewhere ===

impl Elsewhere {
    /// The same script, run by the same host.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.root, self.host) == (&other.name, &other.root, other.host)
    }
}

// === impl Records ===

impl Records {
    fn standing(&self, found: &Found) -> Standing {
        Standing::of(found, self.machine(), Identity::lives)
    }

    /// What other hosts left, oldest first, and what could not be read why. Records of what is gone are removed. Waits for
    /// the disk.
    pub fn leftovers(&self) -> (Vec<Leftover>, Vec<String>) {
        self.sweep_sockets();
        let (found, unreadable) = self.of_others();
        let left = self.abandoned(found, |_| true);
        let mut left: Vec<_> = left
            .into_iter()
            .map(|(record, living, detached)| Leftover {
                pids: living.iter().map(|living| living.who.pid).collect(),
                run: record.mark,
                name: record.name,
                root: record.root,
                at: record.at,
                detached,
            })
            .collect();
        left.sort_by_key(|left| left.at);
        (left, unreadable)
    }

    /// Which of these scripts another live host runs, or starts now. Waits for the disk.
    pub fn elsewhere(&self, root: &str, names: &[String]) -> Vec<Elsewhere> {
        let (found, _) = self.of_others();
        let mut elsewhere: Vec<_> = found
            .into_iter()
            .filter(|found| found.record.root == root && names.contains(&found.record.name))
            .filter(|found| self.standing(found) == Standing::Runs)
            .map(|Found { record: Record { name, root, host, at, .. }, .. }| Elsewhere {
                name,
                root,
                host,
                since: at,
            })
            .collect();
        for run in names.iter().filter_map(|name| self.starting(root, name)) {
            if !elsewhere.iter().any(|known| known.is_same(&run)) {
                elsewhere.push(run);
            }
        }
        elsewhere.sort_by_key(|run| run.since);
        elsewhere
    }

    /// What a start of this script has to wait for.
    pub(super) fn before(&self, root: &str, name: &str) -> Before {
        let (found, _) = self.of_others();
        let is_its = |found: &Found| found.record.root == root && found.record.name == name;
        let mut same: Vec<_> = found.into_iter().filter(is_its).collect();
        let ending = same.iter().filter_map(|found| match self.standing(found) {
            Standing::Ending(killed_at) => Some((Duration::from_millis(found.record.grace), killed_at)),
            _ => None,
        });
        if let Some((grace, killed_at)) = ending.max_by_key(|(_, killed_at)| *killed_at) {
            return Before::Ending { grace, killed_at };
        }
        // What was meant to stay is no business of the next start.
        same.retain(|found| self.standing(found) != Standing::Detached);
        let left = self.abandoned(same, |_| true);
        if left.is_empty() {
            Before::Gone
        } else {
            Before::Left(left.into_iter().map(|(record, ..)| record.mark).collect())
        }
    }

    /// Runs that nobody answers for, with what lives of them and may not, and whether they were meant to stay. The record
    /// of a run of which nothing lives is removed.
    fn abandoned(
        &self,
        found: Vec<Found>,
        wanted: impl Fn(&Record) -> bool,
    ) -> Vec<(Record, Vec<Living>, bool)> {
        let mut candidates = Vec::new();
        for found in found.into_iter().filter(|found| wanted(&found.record)) {
            match self.standing(&found) {
                Standing::Past => self.remove(&found.record.mark),
                Standing::Abandoned => candidates.push((found.record, false)),
                Standing::Detached => candidates.push((found.record, true)),
                Standing::Runs | Standing::Lingers | Standing::Ending(_) | Standing::Foreign => {}
            }
        }
        let mut kin = trace::kin(&candidates.iter().map(|(record, _)| record).collect::<Vec<_>>());
        let mut abandoned = Vec::new();
        for (record, detached) in candidates {
            let mut living = kin.remove(&record.mark).unwrap_or_default();
            living.retain(|living| !living.exempt);
            if !living.is_empty() {
                abandoned.push((record, living, detached));
            } else if !record.guard.lives() {
                self.remove(&record.mark);
            }
        }
        abandoned
    }

    /// Ends what is left of these runs: the signal of the script, what it gets to end by itself, KILL. A run that is no
    /// left-over is not touched. Gives up when the program is to end.
    ///
    /// # Errors
    /// Something could not be ended; what, worded for the user.
    pub async fn end(&self, runs: Vec<String>, resources: &ResourceManager) -> Result<(), String> {
        let (runs, shutdown) = (Arc::<[String]>::from(runs), resources.shutdown());
        let mut ending = Ending { since: Instant::now(), asked: HashSet::new() };
        loop {
            let (records, runs) = (self.clone(), Arc::clone(&runs));
            let look = move || {
                let (found, _) = records.of_others();
                let left = records.abandoned(found, |record| runs.contains(&record.mark));
                let done = ending.go_on(&left);
                (ending, done)
            };
            let looked = resources.blocking(Component::Process, "left-overs", look).await;
            let (after, done) = looked.ok_or("brummer failed inside this call: see its log file")?;
            if let Some(done) = done {
                return done;
            }
            ending = after;
            tokio::select! {
                () = sleep(LOOK) => {}
                () = shutdown.begun() => return Ok(()),
            }
        }
    }
}

// === impl Ending ===

impl Ending {
    /// Asks whoever has not been asked, kills whoever had time, and says when it is over.
    fn go_on(&mut self, left: &[(Record, Vec<Living>, bool)]) -> Option<Result<(), String>> {
        let passed = self.since.elapsed();
        let mut given_up = Vec::new();
        for (record, living, _) in left {
            let grace = Duration::from_millis(record.grace);
            for Living { who, name, .. } in living {
                let signalled = if passed >= grace {
                    who.signal(Signal::KILL)
                } else if self.asked.insert(*who) {
                    let asks = Signal::from_named_raw(record.signal).unwrap_or(Signal::TERM);
                    // One that is stopped hears nothing else.
                    who.signal(asks).and_then(|()| who.signal(Signal::CONT))
                } else {
                    Ok(())
                };
                if let Err(error) = &signalled {
                    tracing::warn!(%error, pid = who.pid, name, "What is left of a run was not signalled.");
                }
                if signalled.is_err() || passed >= grace + KILL_WAIT {
                    given_up.push(format!("{name} ({})", who.pid));
                }
            }
        }
        if !given_up.is_empty()
            && left.iter().all(|(record, ..)| passed >= Duration::from_millis(record.grace))
        {
            return Some(Err(format!("could not be ended: {}", given_up.join(", "))));
        }
        left.is_empty().then_some(Ok(()))
    }
}
