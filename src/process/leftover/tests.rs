//! Left-overs of made-up hosts, looked for and ended; bystanders live on.

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
    let daemon = rig.record(2, |record| record.leave = vec!["sh".to_owned(), "dash".to_owned()]);
    let (stays, _exempt) = (
        Started::up("echo up; exec sleep 1001", Some(&detached)),
        // What it started stays with it, and ends by itself after it.
        Started::up("tail -f --pid=$$ /dev/null & echo up; wait", Some(&daemon)),
    );
    assert_eq!(rig.left(), [(detached.clone(), vec![stays.0.id()], true)]);
    assert!(rig.has(&detached) && !rig.has(&daemon));
    assert_eq!(rig.records.before("/p", "dev"), Before::Gone, "the next start does not end what is to stay");
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
