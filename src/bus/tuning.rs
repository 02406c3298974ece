//! What the bus does without when it, or the machine, is not well.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::{
    event::{Health, Pressure},
    sync::Mutex,
};

/// Read for every event, changed now and then.
#[derive(Default, Debug)]
pub(super) struct Tuning {
    /// Held while what follows from it is written down, so that of two changes at once neither is lost.
    given: Mutex<Given>,
    timing: AtomicBool,
    shed: AtomicBool,
}

/// What is said from outside.
#[derive(Default, Debug)]
struct Given {
    monitoring: bool,
    health: Health,
    pressure: Pressure,
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
        self.change(|given| given.monitoring = on);
    }

    pub(super) fn set_health(&self, health: Health) {
        self.change(|given| given.health = health);
    }

    pub(super) fn set_pressure(&self, pressure: Pressure) {
        self.change(|given| given.pressure = pressure);
    }

    fn change(&self, change: impl FnOnce(&mut Given)) {
        let mut given = self.given.lock();
        change(&mut given);
        let Given { monitoring, health, pressure } = *given;
        let well = health < Health::Degraded && pressure < Pressure::Warning;
        self.timing.store(monitoring && well, Relaxed);
        self.shed.store(health >= Health::Failing || pressure >= Pressure::Critical, Relaxed);
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
