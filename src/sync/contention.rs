//! How often a lock was not free, and how long that took: one account for all locks of the program.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Waits for a lock longer than this count as breaches.
pub const LOCK_WAIT: Duration = Duration::from_millis(10);

// The program's, not a room's: a lock does not know whose it is. std's atomics in every build, because these
// figures decide nothing a model could check.
static CONTENDED: AtomicU64 = AtomicU64::new(0);
static WAIT: AtomicU64 = AtomicU64::new(0);
static LONGEST: AtomicU64 = AtomicU64::new(0);
static BREACHES: AtomicU64 = AtomicU64::new(0);

/// Locks that were not free when they were asked for, since the program began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Contention {
    /// How many.
    pub contended: u64,
    /// Time spent waiting for them, in microseconds, all threads together.
    pub wait: u64,
    /// The longest wait, in microseconds.
    pub longest_wait: u64,
    /// Waits longer than 10 ms.
    pub breaches: u64,
}

/// The figures as they read now.
pub fn contention() -> Contention {
    Contention {
        contended: CONTENDED.load(Relaxed),
        wait: WAIT.load(Relaxed),
        longest_wait: LONGEST.load(Relaxed),
        breaches: BREACHES.load(Relaxed),
    }
}

/// Waits for a lock that was not free. Out of line: the way of a free lock stays as short as it was.
#[cold]
#[inline(never)]
pub(super) fn wait<G>(lock: impl FnOnce() -> G) -> G {
    let since = Instant::now();
    let guard = lock();
    count(since.elapsed());
    guard
}

/// The longest wait is kept by `fetch_max`, and nothing here takes a lock.
pub(super) fn count(wait: Duration) {
    let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
    CONTENDED.fetch_add(1, Relaxed);
    WAIT.fetch_add(micros, Relaxed);
    LONGEST.fetch_max(micros, Relaxed);
    if wait > LOCK_WAIT {
        BREACHES.fetch_add(1, Relaxed);
    }
}
