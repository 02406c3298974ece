//! What a start waits for, and in which order things start and end.
//!
//! Each process tells how it stands through a [`watch`]; who waits for it looks there. A run that was asked for together with
//! its dependency may look before that has been taken up, so it knows the run it waits for and takes nothing older for it.

use std::{
    collections::HashSet,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use tokio::sync::watch;

use super::{Status, ready};
use crate::{
    config::{Condition, Ready},
    event::{Exit, Readiness, RunId, State},
};

/// How a process stands, as those see it who wait for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    /// Its newest run that its task has taken up.
    pub(super) run: RunId,
    pub(super) state: State,
    pub(super) exit: Option<Exit>,
    pub(super) readiness: Readiness,
    /// The run is over, and a policy starts it again.
    pub(super) again: bool,
    /// Some run of it has ended with 0.
    pub(super) succeeded: bool,
}

/// One thing that has to be up first.
pub(super) struct Dependency {
    /// Its name, as users call it.
    pub(super) label: String,
    pub(super) condition: Condition,
    /// How it is known to be ready.
    pub(super) ready: Option<Ready>,
    /// The run that counts, or any later one.
    pub(super) since: RunId,
    pub(super) standing: watch::Receiver<Standing>,
}

/// How far it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    Met,
    /// Not yet; for what, worded for the user.
    Waiting(String),
    /// It will not be. Why, worded for the user.
    Failed(Arc<str>),
}

// === impl Standing ===

impl Standing {
    /// A run that has just been accepted.
    pub(super) fn pending(run: RunId) -> Self {
        let (state, readiness) = (State::Pending, Readiness::Unknown);
        Self { run, state, exit: None, readiness, again: false, succeeded: false }
    }

    /// Takes over what the status says. Of a new run it is not known whether it is ready.
    pub(super) fn update(&mut self, status: &Status) {
        if self.run != status.run {
            self.readiness = Readiness::Unknown;
        }
        (self.run, self.state, self.exit, self.again) = (status.run, status.state, status.exit, status.again);
        self.succeeded |= status.state == State::Success;
    }
}

// === impl Dependency ===

impl Dependency {
    fn progress(&self) -> Progress {
        let standing = self.standing.borrow();
        if standing.run < self.since || standing.again {
            return self.waiting();
        }
        let met = match (self.condition, standing.state) {
            (Condition::ExitedOk, state) => state == State::Success,
            (Condition::Ready, State::Running | State::Success) if self.ready.is_some() => {
                standing.readiness == Readiness::Ready
            }
            (Condition::Started | Condition::Ready, state) => {
                matches!(state, State::Running | State::Success)
            }
        };
        match (met, &standing.readiness) {
            (true, _) => Progress::Met,
            _ if standing.state.is_terminal() => Progress::Failed(self.ended(&standing).into()),
            (_, Readiness::Failed(why)) if self.condition == Condition::Ready => {
                Progress::Failed(format!("{} is {why}", self.label).into())
            }
            _ => self.waiting(),
        }
    }

    fn waiting(&self) -> Progress {
        let what = match (self.condition, &self.ready) {
            (Condition::Ready, Some(ready)) => format!("ready: {}", ready::words_of(&ready.probe)),
            (Condition::Started | Condition::Ready, _) => "started".to_owned(),
            (Condition::ExitedOk, _) => "exited-ok".to_owned(),
        };
        Progress::Waiting(format!("{} ({what})", self.label))
    }

    /// Why it cannot come to what is waited for any more.
    fn ended(&self, standing: &Standing) -> String {
        let label = &self.label;
        let end = match (standing.state, standing.exit) {
            (State::Stopped, _) => format!("{label} was stopped"),
            (_, Some(Exit::Code(code))) => format!("{label} exited with {code}"),
            (_, Some(Exit::Signal(signal))) => format!("{label} was ended by signal {signal}"),
            _ => return format!("{label} could not be started"),
        };
        let by_ready = self.condition == Condition::Ready && self.ready.is_some();
        if by_ready { format!("{end} before it was ready") } else { end }
    }
}

/// How far all of them are together. One that failed decides.
pub(super) fn progress(all: &[Dependency]) -> Progress {
    let mut waiting = Vec::new();
    for dependency in all {
        match dependency.progress() {
            Progress::Met => {}
            Progress::Waiting(what) => waiting.push(what),
            failed @ Progress::Failed(_) => return failed,
        }
    }
    if waiting.is_empty() {
        Progress::Met
    } else {
        Progress::Waiting(format!("waiting for {}", waiting.join(", ")))
    }
}

/// Returns when one of them stands otherwise than at the last look. Cancel safe.
pub(super) async fn changed(all: &mut [Dependency]) {
    let mut changes: Vec<Pin<Box<_>>> =
        all.iter_mut().map(|dependency| Box::pin(dependency.standing.changed())).collect();
    let mut gone = HashSet::new();
    let first = poll_fn(|context| {
        for (number, change) in changes.iter_mut().enumerate() {
            if gone.contains(&number) {
                continue;
            }
            match change.as_mut().poll(context) {
                Poll::Ready(Ok(())) => return Poll::Ready(()),
                // Its task is gone, which is so only while the host ends: nothing will change any more.
                Poll::Ready(Err(_)) => drop(gone.insert(number)),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    });
    pin!(first).await;
}

/// `start` and what it comes after, transitively: each behind everything it comes after, `start` last.
///
/// # Errors
/// A cycle: `a → b → a`.
pub(super) fn start_order(start: &str, after: &dyn Fn(&str) -> Vec<String>) -> Result<Vec<String>, String> {
    let mut order = Vec::new();
    visit(start, after, &mut Vec::new(), &mut order)?;
    Ok(order)
}

fn visit(
    label: &str,
    after: &dyn Fn(&str) -> Vec<String>,
    path: &mut Vec<String>,
    order: &mut Vec<String>,
) -> Result<(), String> {
    if order.iter().any(|known| known == label) {
        return Ok(());
    }
    if let Some(at) = path.iter().position(|known| known == label) {
        return Err(format!("{} → {label}", path[at..].join(" → ")));
    }
    path.push(label.to_owned());
    for next in after(label) {
        visit(&next, after, path, order)?;
    }
    path.pop();
    order.push(label.to_owned());
    Ok(())
}

/// In which order things end: those of one tier together, and none before what comes after it. Within a tier the order
/// given is kept.
pub(super) fn stop_tiers<T: Copy + PartialEq>(all: &[T], comes_after: impl Fn(T, T) -> bool) -> Vec<Vec<T>> {
    let mut left = all.to_vec();
    let mut tiers = Vec::new();
    while !left.is_empty() {
        let is_needed = |one: &T| left.iter().any(|other| other != one && comes_after(*other, *one));
        let (needed, mut free): (Vec<T>, Vec<T>) = left.iter().partition(|one| is_needed(one));
        left = needed;
        if free.is_empty() {
            // A cycle, which no start accepts: they end together.
            free = std::mem::take(&mut left);
        }
        tiers.push(free);
    }
    tiers
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::ReadyProbe;

    fn dependency(condition: Condition, standing: Standing) -> (watch::Sender<Standing>, Dependency) {
        let (sender, standing) = watch::channel(standing);
        let ready = Some(Ready { probe: ReadyProbe::Port(5432), timeout: Duration::from_secs(60) });
        (sender, Dependency { label: "db".to_owned(), condition, ready, since: RunId(2), standing })
    }

    fn standing(state: State, exit: Option<Exit>, readiness: Readiness) -> Standing {
        Standing { state, exit, readiness, ..Standing::pending(RunId(2)) }
    }

    fn said(condition: Condition, standing: Standing) -> String {
        let (_sender, dependency) = dependency(condition, standing);
        match progress(&[dependency]) {
            Progress::Met => "met".to_owned(),
            Progress::Waiting(what) => what,
            Progress::Failed(why) => format!("failed: {why}"),
        }
    }

    #[test]
    fn each_condition_is_met_by_what_it_says_and_fails_with_the_reason() {
        use Condition::{ExitedOk, Ready, Started};
        let pending = || Standing::pending(RunId(2));
        let running = |readiness| standing(State::Running, None, readiness);
        let ended = |state, exit| standing(state, Some(exit), Readiness::Waiting);
        let late = Readiness::Failed("not ready after 60 s: port 5432".into());
        for (condition, standing, expected) in [
            (Started, pending(), "waiting for db (started)"),
            (Started, running(Readiness::Waiting), "met"),
            (Started, ended(State::Success, Exit::Code(0)), "met"),
            (Started, ended(State::Failed, Exit::Code(1)), "failed: db exited with 1"),
            (Started, ended(State::Failed, Exit::NotStarted), "failed: db could not be started"),
            (Started, running(late.clone()), "met"),
            (Ready, pending(), "waiting for db (ready: port 5432)"),
            (Ready, running(Readiness::Waiting), "waiting for db (ready: port 5432)"),
            (Ready, running(Readiness::Ready), "met"),
            (Ready, running(late.clone()), "failed: db is not ready after 60 s: port 5432"),
            (Ready, ended(State::Failed, Exit::Code(1)), "failed: db exited with 1 before it was ready"),
            (Ready, ended(State::Success, Exit::Code(0)), "failed: db exited with 0 before it was ready"),
            (
                Ready,
                ended(State::Failed, Exit::Signal(9)),
                "failed: db was ended by signal 9 before it was ready",
            ),
            (Ready, ended(State::Stopped, Exit::Signal(15)), "failed: db was stopped before it was ready"),
            (ExitedOk, running(Readiness::Ready), "waiting for db (exited-ok)"),
            (ExitedOk, running(late), "waiting for db (exited-ok)"),
            (ExitedOk, ended(State::Success, Exit::Code(0)), "met"),
            (ExitedOk, ended(State::Failed, Exit::Code(2)), "failed: db exited with 2"),
            (ExitedOk, ended(State::Stopped, Exit::Code(0)), "failed: db was stopped"),
        ] {
            assert_eq!(said(condition, standing.clone()), expected, "{condition:?} {standing:?}");
        }
    }

    #[test]
    fn ready_without_a_probe_is_started() {
        let (_sender, mut waits) = dependency(Condition::Ready, Standing::pending(RunId(2)));
        waits.ready = None;
        assert_eq!(waits.progress(), Progress::Waiting("db (started)".to_owned()));
        let (_sender, mut met) =
            dependency(Condition::Ready, standing(State::Running, None, Readiness::Unknown));
        met.ready = None;
        assert_eq!(met.progress(), Progress::Met);
    }

    #[test]
    fn an_older_run_and_one_that_is_started_again_decide_nothing() {
        let old = Standing { run: RunId(1), ..standing(State::Running, None, Readiness::Ready) };
        assert_eq!(said(Condition::Ready, old), "waiting for db (ready: port 5432)");
        let failed = standing(State::Failed, Some(Exit::Code(1)), Readiness::Unknown);
        let again = Standing { again: true, ..failed };
        assert_eq!(said(Condition::Ready, again), "waiting for db (ready: port 5432)");
        let newer = Standing { run: RunId(9), ..standing(State::Running, None, Readiness::Ready) };
        assert_eq!(said(Condition::Ready, newer), "met");
    }

    #[test]
    fn of_several_all_are_told_and_one_failure_decides() {
        let (_first, db) = dependency(Condition::Ready, Standing::pending(RunId(2)));
        let (_second, mut cache) = dependency(Condition::Started, Standing::pending(RunId(2)));
        cache.label = "cache".to_owned();
        let (third, mut mail) =
            dependency(Condition::Started, standing(State::Running, None, Readiness::Ready));
        mail.label = "mail".to_owned();
        let all = [db, cache, mail];
        assert_eq!(
            progress(&all),
            Progress::Waiting("waiting for db (ready: port 5432), cache (started)".to_owned())
        );
        third.send_replace(standing(State::Failed, Some(Exit::Code(3)), Readiness::Unknown));
        assert_eq!(progress(&all), Progress::Failed("mail exited with 3".into()));
    }

    #[tokio::test]
    async fn a_change_of_any_is_seen_and_the_end_of_one_is_none() {
        let (first, db) = dependency(Condition::Ready, Standing::pending(RunId(2)));
        let (second, cache) = dependency(Condition::Ready, Standing::pending(RunId(2)));
        let mut all = [db, cache];
        drop(first);
        second.send_replace(standing(State::Running, None, Readiness::Ready));
        changed(&mut all).await;
        let quiet = tokio::time::timeout(Duration::from_millis(20), changed(&mut all)).await;
        assert!(quiet.is_err(), "nothing changed");
    }

    #[test]
    fn things_start_behind_what_they_come_after_and_a_cycle_is_named() {
        let after = |label: &str| -> Vec<String> {
            let after: &[&str] = match label {
                "web" => &["api", "cache"],
                "api" => &["db", "migrate"],
                "migrate" => &["db"],
                "a" => &["b"],
                "b" => &["c"],
                "c" => &["b"],
                "self" => &["self"],
                _ => &[],
            };
            after.iter().map(|&label| label.to_owned()).collect()
        };
        assert_eq!(start_order("web", &after).unwrap(), ["db", "migrate", "api", "cache", "web"]);
        assert_eq!(start_order("a", &after).unwrap_err(), "b → c → b");
        assert_eq!(start_order("self", &after).unwrap_err(), "self → self");
    }

    #[test]
    fn what_comes_after_ends_first() {
        let after =
            |one: char, other: char| matches!((one, other), ('w', 'a' | 'c') | ('a' | 'm', 'd') | ('a', 'm'));
        assert_eq!(
            stop_tiers(&['x', 'w', 'c', 'a', 'm', 'd'], after),
            [vec!['x', 'w'], vec!['c', 'a'], vec!['m'], vec!['d']]
        );
        assert_eq!(stop_tiers(&['a', 'b'], |_, _| true), [vec!['a', 'b']], "a cycle ends together");
        assert_eq!(stop_tiers(&[] as &[char], |_, _| true), Vec::<Vec<char>>::new());
    }
}
