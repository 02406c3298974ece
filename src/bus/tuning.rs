//! What the bus does without when it, or the machine, is not well.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use crate::event::{Health, Pressure};

/// Read for every event, changed now and then.
#[derive(Default, Debug)]
pub(super) struct Tuning {
    monitoring: AtomicBool,
    health: AtomicU8,
    pressure: AtomicU8,
    timing: AtomicBool,
    shed: AtomicBool,
}

// === impl Tuning ===

impl Tuning {
    /// Whether times are kept: not while the bus is degraded or memory is short.
    pub(super) fn timing(&self) -> bool {
        self.timing.load(Relaxed)
    }

    /// Whether Low events are shed: while the bus is failing or memory has nearly run out.
    pub(super) fn sheds_low(&self) -> bool {
        self.shed.load(Relaxed)
    }

    pub(super) fn set_monitoring(&self, on: bool) {
        self.monitoring.store(on, Relaxed);
        self.judge();
    }

    pub(super) fn set_health(&self, health: Health) {
        self.health.store(health as u8, Relaxed);
        self.judge();
    }

    pub(super) fn set_pressure(&self, pressure: Pressure) {
        self.pressure.store(pressure as u8, Relaxed);
        self.judge();
    }

    fn judge(&self) {
        let (health, pressure) = (self.health.load(Relaxed), self.pressure.load(Relaxed));
        let well = health < Health::Degraded as u8 && pressure < Pressure::Warning as u8;
        self.timing.store(self.monitoring.load(Relaxed) && well, Relaxed);
        self.shed.store(health >= Health::Failing as u8 || pressure >= Pressure::Critical as u8, Relaxed);
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn each_state_switches_off_what_the_table_says_and_every_step_is_taken_back() {
        let tuning = Tuning::default();
        let now = || (tuning.timing(), tuning.sheds_low());
        assert_eq!(now(), (false, false));
        tuning.set_monitoring(true);
        assert_eq!(now(), (true, false));
        for (health, expected) in [
            (Health::Degraded, (false, false)),
            (Health::Failing, (false, true)),
            (Health::Failed, (false, true)),
            (Health::Healthy, (true, false)),
        ] {
            tuning.set_health(health);
            assert_eq!(now(), expected, "{health:?}");
        }
        for (pressure, expected) in [
            (Pressure::Warning, (false, false)),
            (Pressure::Critical, (false, true)),
            (Pressure::Normal, (true, false)),
        ] {
            tuning.set_pressure(pressure);
            assert_eq!(now(), expected, "{pressure:?}");
        }
    }
}
