//! Numbers that many threads may change at once.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

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

// === impl [Measure; 3] ===

impl<M: Measure> Measure for [M; 3] {
    type Reading = [M::Reading; 3];
    fn read(&self) -> Self::Reading {
        self.each_ref().map(Measure::read)
    }
}
