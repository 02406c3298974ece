//! Numbers that many threads may change at once.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

/// Something that can be read as a plain value.
pub trait Measure {
    /// The plain value.
    type Reading;
    /// Its value now.
    fn read(&self) -> Self::Reading;
}

/// A number that only grows.
#[derive(Default, Debug)]
pub struct Counter(AtomicU64);

/// A number that goes up and down.
#[derive(Default, Debug)]
pub struct Gauge(AtomicI64);

/// A number that somebody else keeps, asked for when it is read. Reads as 0, or as nothing, until its owner
/// has come.
pub struct Probe<T>(OnceLock<Box<dyn Fn() -> T + Send + Sync>>);

// === impl Probe ===

impl<T> Probe<T> {
    /// Says whom to ask. The first owner stays.
    pub fn attach(&self, read: impl Fn() -> T + Send + Sync + 'static) {
        self.0.set(Box::new(read)).ok();
    }
}

impl<T> Default for Probe<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> fmt::Debug for Probe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe(..)")
    }
}

impl<T: Default> Measure for Probe<T> {
    type Reading = T;
    fn read(&self) -> T {
        self.0.get().map(|read| read()).unwrap_or_default()
    }
}

// === impl Counter ===

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }
}

impl Measure for Counter {
    type Reading = u64;
    fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

// === impl Gauge ===

impl Gauge {
    /// One more.
    pub fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// This many.
    pub fn set(&self, n: u64) {
        self.0.store(i64::try_from(n).unwrap_or(i64::MAX), Relaxed);
    }

    /// One less.
    pub fn decrement(&self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Measure for Gauge {
    type Reading = u64;
    fn read(&self) -> u64 {
        // A reader may see a decrement before the increment it belongs to.
        u64::try_from(self.0.load(Relaxed)).unwrap_or(0)
    }
}

// === impl [Measure; N] ===

impl<M: Measure, const N: usize> Measure for [M; N] {
    type Reading = [M::Reading; N];
    fn read(&self) -> Self::Reading {
        self.each_ref().map(Measure::read)
    }
}
