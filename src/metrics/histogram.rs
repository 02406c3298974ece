//! A distribution of times, in 24 buckets that double: exact enough to tell 50 µs from 100 µs.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::measure::Measure;

/// Bucket `i` holds times below `2^i` µs; the last one everything longer than 4 s.
const BUCKETS: usize = 24;

/// Counts times by order of magnitude.
#[derive(Default, Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
    max: AtomicU64,
}

/// What a [`Histogram`] read at one time.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct HistogramReading {
    /// How many times were recorded below `2^i` µs and not below half of it.
    pub buckets: [u64; BUCKETS],
    /// All of them together, in microseconds.
    pub sum: u64,
    /// The longest, in microseconds.
    pub max: u64,
}

// === impl Histogram ===

impl Histogram {
    /// Records one time.
    pub fn record(&self, time: Duration) {
        let (bucket, micros) = place(time);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(micros, Relaxed);
        self.max.fetch_max(micros, Relaxed);
    }

    /// Records what somebody has gathered alone.
    pub fn add(&self, gathered: &HistogramReading) {
        for (bucket, n) in self.buckets.iter().zip(gathered.buckets) {
            if n > 0 {
                bucket.fetch_add(n, Relaxed);
            }
        }
        self.sum.fetch_add(gathered.sum, Relaxed);
        self.max.fetch_max(gathered.max, Relaxed);
    }
}

impl Measure for Histogram {
    type Reading = HistogramReading;
    fn read(&self) -> HistogramReading {
        HistogramReading {
            buckets: self.buckets.each_ref().map(|bucket| bucket.load(Relaxed)),
            sum: self.sum.load(Relaxed),
            max: self.max.load(Relaxed),
        }
    }
}

// === impl HistogramReading ===

impl HistogramReading {
    /// Records one time.
    pub fn record(&mut self, time: Duration) {
        let (bucket, micros) = place(time);
        self.buckets[bucket] += 1;
        self.sum = self.sum.saturating_add(micros);
        self.max = self.max.max(micros);
    }

    /// How many times were recorded.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// A time that at least `share` (0 to 1) of the recorded ones do not exceed, in microseconds; `None`
    /// when none were recorded.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let count = self.count();
        let wanted = ((count as f64) * share.clamp(0.0, 1.0)).ceil().max(1.0) as u64;
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|n| {
            seen += n;
            seen >= wanted
        })?;
        Some(if bucket == BUCKETS - 1 { self.max } else { (1 << bucket).min(self.max) })
    }
}

/// The bucket of a time, and the time in microseconds.
fn place(time: Duration) -> (usize, u64) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let bucket = (u64::BITS - micros.leading_zeros()) as usize;
    (bucket.min(BUCKETS - 1), micros)
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_an_upper_bound_within_a_factor_of_two() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().quantile(0.5), None);
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        let reading = histogram.read();
        assert_eq!(reading.count(), 1000);
        assert_eq!(reading.sum, 500_500);
        let median = reading.quantile(0.5).expect("a thousand recorded");
        assert!((500..=1000).contains(&median), "{median}");
        assert_eq!(reading.quantile(1.0), Some(1000));
    }

    #[test]
    fn what_was_gathered_alone_adds_up_to_the_same() {
        let (one_by_one, together) = (Histogram::default(), Histogram::default());
        let mut gathered = HistogramReading::default();
        for micros in [0, 3, 700, 1_000_000] {
            one_by_one.record(Duration::from_micros(micros));
            gathered.record(Duration::from_micros(micros));
        }
        together.add(&gathered);
        assert_eq!(together.read(), one_by_one.read());
    }

    #[test]
    fn extremes_have_a_bucket() {
        let histogram = Histogram::default();
        histogram.record(Duration::ZERO);
        histogram.record(Duration::MAX);
        let reading = histogram.read();
        assert_eq!((reading.buckets[0], reading.buckets[BUCKETS - 1]), (1, 1));
        assert_eq!(reading.quantile(1.0), Some(u64::MAX));
    }
}
