//! What can change while the manager runs, and the turns of starts, of which as many are given as that allows.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::{Records, output::LARGER};
use crate::{
    config::{Mode, ProcessManagerConfig},
    event::Health,
    sync::Mutex,
};

/// Shared by the handle, which changes it, the manager and the processes' tasks.
pub(super) struct Settings {
    now: Mutex<Now>,
    /// One permit for each start that may be under way, given in the order asked.
    turns: Arc<Semaphore>,
    /// One permit for each thread that a start may keep: all of the machine's but one.
    threads: Semaphore,
    /// One permit for each pipe that may be larger than usual.
    larger_pipes: Arc<Semaphore>,
    /// Where runs are recorded; set once, before the first of them.
    records: OnceLock<Records>,
    /// Set when scripts read this program's standard input.
    own_input: OnceLock<()>,
}

struct Now {
    values: Values,
    mode: Mode,
    health: Health,
    /// As many turns as there are to be.
    turns: usize,
    /// Turns to take away as soon as they are given back.
    owed: usize,
}

/// The live keys of `[process_manager]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values {
    pub(super) max_processes: usize,
    pub(super) max_concurrent_starts: usize,
    pub(super) worker_timeout: Duration,
    pub(super) stop_grace: Duration,
    pub(super) usage_interval: Duration,
}

/// The right to start something, until dropped.
pub(super) struct Turn {
    permit: Option<OwnedSemaphorePermit>,
    settings: Arc<Settings>,
}

// === impl Settings ===

impl Settings {
    pub(super) fn new(config: &ProcessManagerConfig, mode: Mode) -> Self {
        let now = Now { values: config.into(), mode, health: Health::Healthy, turns: 0, owed: 0 };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = Semaphore::new(cores.saturating_sub(1).max(1));
        let (now, turns) = (Mutex::new(now), Arc::new(Semaphore::new(0)));
        let larger_pipes = Arc::new(Semaphore::new(LARGER));
        let (records, own_input) = (OnceLock::new(), OnceLock::new());
        let settings = Self { now, turns, threads, larger_pipes, records, own_input };
        settings.change(|_| {});
        settings
    }

    /// Starting a program keeps its thread until the kernel has made the process. Were all kept so, nobody would serve
    /// what has been started already.
    pub(super) async fn thread(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed.
        self.threads.acquire().await.ok()
    }

    /// What is left of the permits for larger pipes.
    pub(super) fn larger_pipes(&self) -> Arc<Semaphore> {
        Arc::clone(&self.larger_pipes)
    }

    /// Records what is started from now on.
    pub(super) fn keep_records(&self, records: Records) {
        // Once is enough, and a run must be removed from where it was written.
        self.records.set(records).ok();
    }

    pub(super) fn records(&self) -> Option<&Records> {
        self.records.get()
    }

    pub(super) fn lend_input(&self) {
        self.own_input.get_or_init(|| ());
    }

    pub(super) fn is_input_lent(&self) -> bool {
        self.own_input.get().is_some()
    }

    pub(super) fn values(&self) -> Values {
        self.now.lock().values
    }

    pub(super) fn mode(&self) -> Mode {
        self.now.lock().mode
    }

    pub(super) fn switch(&self, mode: Mode) {
        self.change(|now| now.mode = mode);
    }

    pub(super) fn degrade(&self, health: Health) {
        self.change(|now| now.health = health);
    }

    pub(super) fn reconfigure(&self, config: &ProcessManagerConfig) {
        self.change(|now| now.values = config.into());
    }

    /// Starts that are under way are never taken back: of fewer turns the surplus is kept when it comes back, so the
    /// next start waits until no more than the new number are under way.
    fn change(&self, change: impl FnOnce(&mut Now)) {
        let mut now = self.now.lock();
        change(&mut now);
        let (before, after) = (now.turns, now.starts_at_once());
        now.turns = after;
        if after > before {
            let settled = now.owed.min(after - before);
            now.owed -= settled;
            self.turns.add_permits(after - before - settled);
        } else {
            now.owed += before - after - self.turns.forget_permits(before - after);
        }
    }

    /// Waits for a turn. The place among those who wait is kept as long as the future is.
    pub(super) async fn turn(self: Arc<Self>) -> Turn {
        // Never closed, so this never fails; if it did, starting beats not starting.
        let permit = Arc::clone(&self.turns).acquire_owned().await.ok();
        Turn { permit, settings: self }
    }
}

// === impl Now ===

impl Now {
    fn starts_at_once(&self) -> usize {
        let most = self.values.max_concurrent_starts.max(1);
        match (self.mode, self.health) {
            (Mode::Fallback, _) | (_, Health::Failing | Health::Failed) => 1,
            (Mode::Current, Health::Degraded) => (most / 2).max(1),
            (Mode::Current, Health::Healthy) => most,
        }
    }
}

// === impl Values ===

impl From<&ProcessManagerConfig> for Values {
    fn from(config: &ProcessManagerConfig) -> Self {
        let &ProcessManagerConfig {
            max_processes,
            max_concurrent_starts,
            worker_timeout,
            stop_grace,
            usage_interval,
            ..
        } = config;
        Self { max_processes, max_concurrent_starts, worker_timeout, stop_grace, usage_interval }
    }
}

// === impl Turn ===

impl Drop for Turn {
    fn drop(&mut self) {
        let mut now = self.settings.now.lock();
        if now.owed > 0
            && let Some(permit) = self.permit.take()
        {
            now.owed -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    fn settings(starts: usize, mode: Mode) -> Arc<Settings> {
        let config =
            ProcessManagerConfig { max_concurrent_starts: starts, ..ProcessManagerConfig::default() };
        Arc::new(Settings::new(&config, mode))
    }

    /// Takes every turn there is.
    async fn all(settings: &Arc<Settings>) -> Vec<Turn> {
        let mut turns = Vec::new();
        while settings.turns.available_permits() > 0 {
            turns.push(Arc::clone(settings).turn().await);
        }
        turns
    }

    #[tokio::test]
    async fn each_level_has_its_number_of_starts_at_once_and_the_way_back() {
        let settings = settings(5, Mode::Current);
        for (health, starts) in [
            (Health::Healthy, 5),
            (Health::Degraded, 2),
            (Health::Failing, 1),
            (Health::Failed, 1),
            (Health::Healthy, 5),
        ] {
            settings.degrade(health);
            assert_eq!(all(&settings).await.len(), starts, "{health:?}");
        }
        settings.switch(Mode::Fallback);
        assert_eq!((settings.mode(), all(&settings).await.len()), (Mode::Fallback, 1));
        settings.switch(Mode::Current);
        assert_eq!((settings.mode(), all(&settings).await.len()), (Mode::Current, 5));
        settings.reconfigure(&ProcessManagerConfig {
            max_concurrent_starts: 7,
            ..ProcessManagerConfig::default()
        });
        assert_eq!(all(&settings).await.len(), 7);
    }

    #[tokio::test]
    async fn fewer_turns_hold_as_soon_as_starts_under_way_are_done() {
        let settings = settings(4, Mode::Current);
        let mut under_way = all(&settings).await;
        settings.switch(Mode::Fallback);
        for _ in 0..3 {
            under_way.pop();
            assert_eq!(settings.turns.available_permits(), 0, "one is still under way");
        }
        under_way.pop();
        assert_eq!(settings.turns.available_permits(), 1);
        under_way = all(&settings).await;
        settings.switch(Mode::Current);
        assert_eq!(settings.turns.available_permits(), 3);
        // To and fro while they are under way comes to the same.
        under_way.extend(all(&settings).await);
        settings.switch(Mode::Fallback);
        settings.switch(Mode::Current);
        drop(under_way);
        assert_eq!(all(&settings).await.len(), 4);
    }

    #[test]
    fn half_of_one_start_at_once_is_one() {
        let settings = settings(1, Mode::Current);
        settings.degrade(Health::Degraded);
        assert_eq!(settings.turns.available_permits(), 1);
    }

    #[tokio::test]
    async fn starts_leave_one_thread_to_what_has_been_started() {
        let settings = Settings::new(&ProcessManagerConfig::default(), Mode::Current);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut kept = Vec::new();
        for _ in 0..cores.saturating_sub(1).max(1) {
            kept.push(settings.thread().await.expect("never closed"));
        }
        assert!(settings.threads.try_acquire().is_err(), "the last one is not given");
        kept.pop();
        assert!(settings.thread().await.is_some(), "one came back");
    }
}
