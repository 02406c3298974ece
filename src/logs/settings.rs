//! What can change while the writer runs, and what follows from it.

use std::time::Duration;

use super::state::Limits;
use crate::{
    config::{LogStoreConfig, Mode},
    event::{Health, Pressure},
};

/// Set through the handle, read by the writer between two batches.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    limits: Limits,
    batch_size: usize,
    flush_after: Duration,
    mode: Mode,
    health: Health,
}

/// When lines are told of while more wait in the pipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Flush {
    /// After so many lines of a process.
    pub(super) lines: usize,
    /// So long after the first of them.
    pub(super) after: Duration,
}

// === impl Settings ===

impl Settings {
    pub(super) fn new(config: &LogStoreConfig, mode: Mode) -> Self {
        let mut settings = Self {
            limits: Limits { lines: 0, bytes: 0, headlines: 0, line: 0 },
            batch_size: 0,
            flush_after: Duration::ZERO,
            mode,
            health: Health::Healthy,
        };
        settings.reconfigure(config);
        settings
    }

    pub(super) fn reconfigure(&mut self, config: &LogStoreConfig) {
        let &LogStoreConfig { max_entries, max_bytes, max_error_entries, max_line, .. } = config;
        self.limits =
            Limits { lines: max_entries, bytes: max_bytes, headlines: max_error_entries, line: max_line };
        let &LogStoreConfig { batch_size, flush_after, .. } = config;
        (self.batch_size, self.flush_after) = (batch_size, flush_after);
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn switch(&mut self, mode: Mode) {
        self.mode = mode;
    }

    pub(super) fn degrade(&mut self, health: Health) {
        self.health = health;
    }

    /// While memory is critically short half as much is kept, of headlines as many.
    pub(super) fn limits(&self, pressure: Pressure) -> Limits {
        let Limits { lines, bytes, .. } = self.limits;
        let share = if pressure == Pressure::Critical { 2 } else { 1 };
        Limits { lines: (lines / share).max(1), bytes: (bytes / share).max(1), ..self.limits }
    }

    /// Twice as large while the store is not well, and again while memory is short. The fallback does not batch.
    pub(super) fn flush(&self, pressure: Pressure) -> Flush {
        if self.mode == Mode::Fallback {
            return Flush { lines: 1, after: Duration::ZERO };
        }
        let unwell = if self.health >= Health::Degraded { 2 } else { 1 };
        let short = if pressure >= Pressure::Warning { 2 } else { 1 };
        Flush { lines: self.batch_size.max(1).saturating_mul(unwell * short), after: self.flush_after }
    }

    /// Whether errors are looked for.
    pub(super) fn classify(&self) -> bool {
        self.mode == Mode::Current && self.health < Health::Failing
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(&LogStoreConfig::default(), Mode::Current)
    }

    #[test]
    fn each_level_has_its_batches_and_the_way_back() {
        let mut settings = settings();
        for (health, lines, classify) in [
            (Health::Healthy, 100, true),
            (Health::Degraded, 200, true),
            (Health::Failing, 200, false),
            (Health::Failed, 200, false),
            (Health::Healthy, 100, true),
        ] {
            settings.degrade(health);
            assert_eq!(settings.flush(Pressure::Normal).lines, lines, "{health:?}");
            assert_eq!(settings.classify(), classify, "{health:?}");
        }
        settings.switch(Mode::Fallback);
        assert_eq!((settings.flush(Pressure::Normal).lines, settings.classify()), (1, false));
        settings.switch(Mode::Current);
        assert_eq!((settings.flush(Pressure::Normal).lines, settings.classify()), (100, true));
    }

    #[test]
    fn each_step_of_pressure_has_its_batches_and_limits() {
        let mut settings = settings();
        for (pressure, batch, kept) in [
            (Pressure::Normal, 100, (10_000, 16 << 20, 500)),
            (Pressure::Warning, 200, (10_000, 16 << 20, 500)),
            (Pressure::Critical, 200, (5000, 8 << 20, 500)),
            (Pressure::Normal, 100, (10_000, 16 << 20, 500)),
        ] {
            let Limits { lines, bytes, headlines, .. } = settings.limits(pressure);
            assert_eq!(settings.flush(pressure).lines, batch, "{pressure:?}");
            assert_eq!((lines, bytes, headlines), kept, "{pressure:?}");
        }
        settings.degrade(Health::Degraded);
        assert_eq!(settings.flush(Pressure::Warning).lines, 400, "both");
    }
}
