//! What hosts that are gone left behind, and its end.

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

    /// Which of these scripts another live host runs. Waits for the disk.
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

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::{
        process::{Child, Command, Stdio},
        sync::atomic::{AtomicU32, Ordering},
    };

    use tempfile::TempDir;

    use super::*;
    use crate::{config::Config, metrics::SynchronizationMetrics, process::environment::RUN_VARIABLE};

    const DEADLINE: Duration = Duration::from_secs(20);

    /// A process of the test, which ends with it.
    struct Started(Child);

    struct Rig {
        dir: TempDir,
        /// A host that is gone: another one for each test, because they look at the same processes.
        dead: Identity,
        records: Records,
        resources: ResourceManager,
    }

    impl Drop for Started {
        fn drop(&mut self) {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }

    impl Started {
        fn shell(script: &str, mark: Option<&str>) -> Self {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]).env_remove(RUN_VARIABLE).envs(mark.map(|mark| (RUN_VARIABLE, mark)));
            Self(command.stdout(Stdio::piped()).spawn().expect("it starts"))
        }

        /// One that says when it is as it is to be.
        fn up(script: &str, mark: Option<&str>) -> Self {
            let mut started = Self::shell(script, mark);
            let out = started.0.stdout.as_mut().expect("piped");
            std::io::Read::read_exact(out, &mut [0; 3]).expect("it says up");
            started
        }

        fn who(&self) -> Identity {
            Identity::of(self.0.id()).expect("it lives")
        }

        fn lives(&self) -> bool {
            Identity::of(self.0.id()).is_some()
        }
    }

    impl Rig {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a directory");
            let records = Records::for_test(dir.path(), Identity::own());
            let metrics = Arc::new(SynchronizationMetrics::default());
            let (resources, _) = ResourceManager::new(&Config::default().resources, metrics);
            static HOSTS: AtomicU32 = AtomicU32::new(4_200_000);
            let dead =
                Identity { pid: HOSTS.fetch_add(1, Ordering::Relaxed), start: u64::from(std::process::id()) };
            Self { dir, dead, records, resources }
        }

        fn mark(&self, run: u64) -> String {
            format!("{}-{}-{run}", self.dead.pid, self.dead.start)
        }

        /// The record of a run of a dead host.
        fn record(&self, run: u64, change: impl FnOnce(&mut Record)) -> String {
            let writer = Records::for_test(self.dir.path(), self.dead);
            let mut record = writer.blank(self.mark(run));
            (record.root, record.name, record.grace) = ("/p".to_owned(), "dev".to_owned(), 60_000);
            change(&mut record);
            writer.write(&record).expect("it is written");
            record.mark
        }

        async fn end(&self, runs: &[&String]) -> Result<(), String> {
            let runs = runs.iter().map(|run| (*run).clone()).collect();
            tokio::time::timeout(DEADLINE, self.records.end(runs, &self.resources)).await.expect("it ends")
        }

        fn left(&self) -> Vec<(String, Vec<u32>, bool)> {
            let (left, unreadable) = self.records.leftovers();
            assert_eq!(unreadable, Vec::<String>::new());
            left.into_iter().map(|left| (left.run, left.pids, left.detached)).collect()
        }

        fn has(&self, mark: &str) -> bool {
            self.records.path(mark).exists()
        }
    }

    #[tokio::test]
    async fn what_a_crash_left_is_found_by_its_mark_and_ended_with_its_children_and_nothing_else() {
        let rig = Rig::new();
        let (one, two) = (rig.record(1, |_| ()), rig.record(2, |record| record.name = "api".to_owned()));
        // Its child has cleaned its environment.
        let ours = Started::up("env -i sleep 1001 & echo up; wait", Some(&one));
        let other_run = Started::up("echo up; exec sleep 1001", Some(&two));
        let bystander = Started::up("echo up; exec sleep 1001", None);
        let of_nobody = Started::up("echo up; exec sleep 1001", Some(&rig.mark(99)));
        let left = rig.left();
        assert_eq!(left.len(), 2, "{left:?}");
        let (_, pids, detached) = &left[usize::from(left[0].0 != one)];
        assert_eq!((pids.len(), pids.contains(&ours.0.id()), detached), (2, true, &false));
        let child = *pids.iter().find(|pid| **pid != ours.0.id()).expect("its child");
        assert_eq!(rig.end(&[&one]).await, Ok(()));
        assert!(!ours.lives() && Identity::of(child).is_none());
        assert!(other_run.lives() && bystander.lives() && of_nobody.lives());
        assert_eq!((rig.has(&one), rig.left()), (false, vec![(two.clone(), vec![other_run.0.id()], false)]));
        assert_eq!(rig.end(&[&one, &two, &rig.mark(99)]).await, Ok(()), "one is gone, one unknown");
        assert!(!other_run.lives() && bystander.lives() && of_nobody.lives());
    }

    #[tokio::test]
    async fn who_does_not_hear_is_killed_when_its_time_is_over() {
        let rig = Rig::new();
        let run = rig.record(1, |record| record.grace = 200);
        let deaf = Started::up("trap '' TERM; echo up; while :; do sleep 0.05; done", Some(&run));
        assert_eq!(rig.end(&[&run]).await, Ok(()));
        assert!(!deaf.lives());
        assert_eq!(rig.left(), []);
    }

    #[test]
    fn a_recorded_leader_is_known_without_its_mark_and_a_later_process_of_its_number_is_not() {
        let rig = Rig::new();
        let (leader, later) =
            (Started::up("echo up; exec sleep 1001", None), Started::up("echo up; exec sleep 1001", None));
        let who = later.who();
        let run = rig.record(1, |record| record.leader = leader.who());
        let stale = rig.record(2, |record| record.leader = Identity { start: who.start + 1, ..who });
        assert_eq!(rig.left(), [(run.clone(), vec![leader.0.id()], false)]);
        assert_eq!((rig.has(&run), rig.has(&stale)), (true, false), "a record of nothing is removed");
    }

    #[test]
    fn what_is_to_stay_is_told_apart() {
        let rig = Rig::new();
        let detached = rig.record(1, |record| record.detach = true);
        let daemon = rig.record(2, |record| record.leave = vec!["sleep".to_owned()]);
        let (stays, _exempt) = (
            Started::up("echo up; exec sleep 1001", Some(&detached)),
            Started::up("echo up; exec sleep 1001", Some(&daemon)),
        );
        assert_eq!(rig.left(), [(detached.clone(), vec![stays.0.id()], true)]);
        assert!(rig.has(&detached) && !rig.has(&daemon));
        assert_eq!(
            rig.records.before("/p", "dev"),
            Before::Gone,
            "the next start does not end what is to stay"
        );
    }

    #[test]
    fn a_start_waits_for_what_somebody_ends_and_ends_what_nobody_does() {
        let rig = Rig::new();
        assert_eq!(rig.records.before("/p", "dev"), Before::Gone);
        let run = rig.record(1, |_| ());
        let ours = Started::up("echo up; exec sleep 1001", Some(&run));
        assert_eq!(rig.records.before("/p", "dev"), Before::Left(vec![run.clone()]));
        assert_eq!(
            (rig.records.before("/p", "api"), rig.records.before("/q", "dev")),
            (Before::Gone, Before::Gone)
        );
        // Its guard lives and finishes.
        let guard = Started::up("echo up; exec sleep 1001", None);
        rig.record(2, |record| record.guard = guard.who());
        assert_eq!(
            rig.records.before("/p", "dev"),
            Before::Ending { grace: Duration::from_secs(60), killed_at: None }
        );
        drop((guard, ours));
        assert_eq!(rig.records.before("/p", "dev"), Before::Gone);
    }

    #[test]
    fn what_another_live_host_runs_is_elsewhere() {
        let rig = Rig::new();
        let (host, leader) =
            (Started::up("echo up; exec sleep 1001", None), Started::up("echo up; exec sleep 1001", None));
        let names = ["dev".to_owned(), "api".to_owned()];
        let run = rig.record(1, |record| (record.host, record.leader) = (host.who(), leader.who()));
        let there = rig.records.elsewhere("/p", &names);
        assert_eq!(
            there.iter().map(|run| (run.name.as_str(), run.host)).collect::<Vec<_>>(),
            [("dev", host.who())]
        );
        assert_eq!((rig.records.elsewhere("/q", &names), rig.left()), (Vec::new(), Vec::new()));
        assert_eq!(rig.records.before("/p", "dev"), Before::Gone, "what another editor runs is not ended");
        drop(leader);
        assert_eq!((rig.records.elsewhere("/p", &names), rig.has(&run)), (Vec::new(), true));
    }
}
