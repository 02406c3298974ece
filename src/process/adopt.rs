//! The guards of this host, and what comes to it when one of them is gone before its tree: those are its children then, because
//! it is a sub-reaper like the guards, and it ends them.
//!
//! It never waits for "any child", which would take exit codes from others; it lists its children and waits by number for those
//! that are no guards. In a program that has other children (tests), only what is marked or known is touched.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep},
};

use super::environment;
use crate::{
    event::{Component, Fault, FaultKind, RunId},
    guard::{self, Process},
    resource::{ResourceManager, Shutdown},
    sync::Mutex,
};

/// Between two looks at what is being killed. They go along the children of this program, not over all processes, so they
/// need no thread of their own.
const ROUND: Duration = Duration::from_millis(5);

/// How often the spared are looked at, beside each time a child ends.
const LOOK: Duration = Duration::from_secs(1);

/// What outlives KILL for so long cannot be ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// See the module. Clones are one and the same.
#[derive(Clone)]
pub(super) struct Guards {
    inner: Arc<Inner>,
}

struct Inner {
    /// Held while a guard is started, so that none is ever taken for an orphan.
    own: Mutex<Own>,
    resources: ResourceManager,
}

/// Children of this program.
#[derive(Default)]
struct Own {
    /// Process ids of guards that have not been waited for, with their runs.
    guards: HashMap<u32, RunId>,
    /// Process ids of those that may live on, which came here when their guard had nothing else to do.
    spared: HashSet<u32>,
}

/// Whether every child of this program that is no guard is an orphan.
static ALONE: OnceLock<()> = OnceLock::new();

/// Whether [`own_the_program`] was called.
pub(super) fn is_alone() -> bool {
    ALONE.get().is_some()
}

/// Says that this program is a host and nothing else: it takes over what guards leave behind, and may open as many files as
/// it is allowed to.
pub fn own_the_program() {
    ALONE.get_or_init(|| ());
    environment::raise_files();
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::warn!(%error, "Orphans of a guard that was killed will not come to the host.");
    }
}

// === impl Guards ===

impl Guards {
    pub(super) fn new(resources: ResourceManager) -> Self {
        Self { inner: Arc::new(Inner { own: Mutex::default(), resources }) }
    }

    /// Starts the guard of a run.
    pub(super) fn start(&self, command: &mut Command, run: RunId) -> io::Result<Child> {
        let mut own = self.inner.own.lock();
        let guard = command.spawn()?;
        own.guards.extend(guard.id().map(|pid| (pid, run)));
        Ok(guard)
    }

    /// Has the guard of a run end its tree, past whoever holds it.
    pub(super) fn tell_to_end(&self, run: RunId) {
        let own = self.inner.own.lock();
        for (&pid, _) in own.guards.iter().filter(|(_, of)| **of == run) {
            // Not waited for, so the number is its own.
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                kill_process(pid, Signal::TERM).ok();
            }
        }
    }

    /// One has gone before its tree: brummer's own fault or somebody's who kills by name, so it is told.
    pub(super) fn lost(&self) {
        let resources = &self.inner.resources;
        resources.metrics().process.guards_lost.increment();
        let (component, kind) = (Component::Process, FaultKind::Failure);
        let message = "a guard was gone before its tree, which was ended".into();
        resources.fault(Fault { component, place: "guard", kind, message });
    }

    /// A guard has been waited for.
    pub(super) fn forget(&self, guard: u32) {
        self.inner.own.lock().guards.remove(&guard);
    }

    /// Its guard is gone: ends what is left of a run. Cancel safe: begun again it goes on.
    pub(super) async fn end_orphans(&self, run: RunId, known: &[u32], leave: &[String]) {
        let metrics = &self.inner.resources.metrics().process;
        let mut seen: HashSet<(i32, u64)> = HashSet::new();
        let mut ended = HashSet::new();
        let patience = Instant::now() + PATIENCE;
        // Who comes to this program during a look is not seen in it.
        let mut seen_nobody = false;
        loop {
            let orphans = self.orphans(run, known, &seen);
            seen.extend(orphans.iter().map(|orphan| (orphan.pid, orphan.started)));
            let (zombies, orphans): (Vec<_>, Vec<_>) = orphans.into_iter().partition(|orphan| orphan.zombie);
            zombies.iter().for_each(|zombie| reap(zombie.pid));
            let trees = orphans.into_iter().flat_map(|orphan| {
                let below = guard::descendants(orphan.pid);
                std::iter::once(orphan).chain(below)
            });
            let (doomed, spared) = guard::part(trees.filter(|process| !process.zombie), leave, None);
            // Nobody else will wait for them, and no other run's loss may end them.
            self.spare(spared.iter().map(|process| process.pid.unsigned_abs()));
            for process in &doomed {
                seen.insert((process.pid, process.started));
                if guard::signal(process, Signal::KILL) && ended.insert((process.pid, process.started)) {
                    metrics.adopted.increment();
                }
            }
            let alive = zombies.len() + doomed.len();
            if alive == 0 && seen_nobody {
                break;
            }
            seen_nobody = alive == 0;
            if seen_nobody {
                continue;
            }
            if Instant::now() > patience {
                tracing::error!(run = run.0, alive, "Processes outlived KILL.");
                break;
            }
            sleep(ROUND).await;
        }
        tracing::warn!(
            run = run.0,
            ended = ended.len(),
            "A guard was gone before its tree, which was ended."
        );
    }

    /// Children of this program that belong to a run.
    fn orphans(&self, run: RunId, known: &[u32], seen: &HashSet<(i32, u64)>) -> Vec<Process> {
        let mark = environment::mark(run).into_bytes();
        let alone = is_alone();
        let is_known = |pid: i32| known.iter().any(|known| i64::from(*known) == i64::from(pid));
        // Every guard leads a session of its own, so who is in this one's was never in a tree: it was a child of this program
        // before that was a host.
        // It has no number here when its leader is outside of this process namespace, as under `docker exec`: 0, for them too.
        let session = guard::find(std::process::id().cast_signed()).map_or(0, |own| own.session);
        let mut strays = self.strays();
        let spared = self.inner.own.lock().spared.clone();
        let is_spared = |pid: i32| spared.contains(&pid.unsigned_abs());
        strays.retain(|child| {
            // What they start stays in their group or session, where they have one.
            if is_spared(child.pid) || is_spared(child.group) || is_spared(child.session) {
                return false;
            }
            let related = is_known(child.pid) || is_known(child.group) || is_known(child.session);
            related
                || seen.contains(&(child.pid, child.started))
                // Whoever has no mark at all has thrown it away; other runs have theirs.
                || child.variable(environment::RUN_VARIABLE).map_or(alone && child.session != session, |its| its == mark)
        });
        strays
    }

    /// These live on without their guard, as the settings allow.
    pub(super) fn spare(&self, pids: impl IntoIterator<Item = u32>) {
        self.inner.own.lock().spared.extend(pids);
    }

    /// Waits for the spared when they have ended, as long as the program runs; nobody else does.
    pub(super) async fn bury(self, shutdown: Shutdown) {
        let Ok(mut ended) = signal(SignalKind::child()) else { return };
        let mut strays = false;
        loop {
            let some = strays || !self.inner.own.lock().spared.is_empty();
            tokio::select! {
                _ = ended.recv() => {}
                // A signal tells of one end; others may have come with it.
                () = sleep(LOOK), if some => {}
                () = shutdown.begun() => return,
            }
            if some {
                let guards = self.clone();
                let look = move || guards.bury_ended();
                // After a panic, which is a fault, somebody may still be there.
                strays =
                    self.inner.resources.blocking(Component::Process, "burial", look).await.unwrap_or(true);
            }
        }
    }

    /// Whether somebody who may live on is still here: what the spared have started comes when they end, and may end later.
    fn bury_ended(&self) -> bool {
        // In a program of its own, whoever comes here belongs to them.
        let (ended, living): (Vec<_>, Vec<_>) = self.strays().into_iter().partition(|stray| stray.zombie);
        ended.iter().for_each(|stray| reap(stray.pid));
        // Some may still be with their guard, which is about to end.
        let lives = |pid: &u32| guard::find(pid.cast_signed()).is_some_and(|process| !process.zombie);
        self.inner.own.lock().spared.retain(lives);
        // Who comes during a look is not seen in it.
        !living.is_empty() || !self.strays().is_empty()
    }

    /// Children of this program that are no guards.
    fn strays(&self) -> Vec<Process> {
        let Ok(own) = i32::try_from(std::process::id()) else { return Vec::new() };
        let known = self.inner.own.lock();
        let children = guard::children(own).into_iter();
        children.filter(|child| !known.guards.contains_key(&child.pid.unsigned_abs())).collect()
    }
}

fn reap(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have been waited for already.
        waitpid(Some(pid), WaitOptions::NOHANG).ok();
    }
}
