//! How many Medium and Low events there may be at once: `max_event_queue`, shared out.
//!
//! The lanes' part is fixed: their shares, and what a worker may have in its hands. It is at most three
//! quarters, and where the queue sizes ask for more, the ceiling wins. All mailboxes share the rest.

use crate::{
    config::EventBusConfig,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// How many events a worker takes at a time, at most. More would make High wait longer behind what was taken.
pub(super) const BATCH: usize = 64;

/// Who gets how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    /// Room in each lane, by priority.
    pub(super) shares: [usize; 3],
    /// Events a worker may hold.
    pub(super) hand: usize,
    /// Medium and Low events in all mailboxes.
    pub(super) mailboxes: usize,
}

/// What all mailboxes share.
#[derive(Default, Debug)]
pub(super) struct Ceiling {
    limit: AtomicUsize,
    used: AtomicUsize,
}

// === impl Plan ===

impl Plan {
    /// Fewer lanes than workers were asked for when the ceiling is very low: each lane holds three at least.
    pub(super) fn lanes(config: &EventBusConfig) -> usize {
        config.workers.min(config.max_events / 4).max(1)
    }

    /// Within the ceiling for any ceiling that gives each lane three.
    pub(super) fn new(config: &EventBusConfig, lanes: usize) -> Self {
        let [high, medium, low] = config.queue_sizes.map(|size| size.div_ceil(lanes).max(1));
        let part = (config.max_events / 4 * 3 / lanes).max(3);
        let hand = (part / 4).clamp(1, BATCH);
        let room = part - hand;
        let (medium, low) = if medium + low <= room {
            (medium, low)
        } else {
            let less = (medium * room / (medium + low)).clamp(1, room - 1);
            (less, room - less)
        };
        let mailboxes = config.max_events.saturating_sub(lanes * (medium + low + hand));
        Self { shares: [high, medium, low], hand, mailboxes }
    }
}

// === impl Ceiling ===

impl Ceiling {
    /// What is over a lower limit stays until it is read.
    pub(super) fn set(&self, limit: usize) {
        self.limit.store(limit, Relaxed);
    }

    /// Takes a place, if one is free.
    pub(super) fn take(&self) -> bool {
        let limit = self.limit.load(Relaxed);
        self.used.fetch_update(Relaxed, Relaxed, |used| (used < limit).then_some(used + 1)).is_ok()
    }

    /// Gives `n` places back.
    pub(super) fn give(&self, n: usize) {
        self.used.fetch_sub(n, Relaxed);
    }

    /// Places taken.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_defaults_get_what_they_ask_for() {
        let config = EventBusConfig { workers: 5, ..EventBusConfig::default() };
        let plan = Plan::new(&config, Plan::lanes(&config));
        assert_eq!(plan, Plan { shares: [20, 100, 200], hand: 64, mailboxes: 3180 });
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lanes_and_mailboxes_stay_under_the_ceiling(
            workers in 1_usize..40,
            queue_sizes in prop::array::uniform3(1_usize..100_000),
            max_events in 3_usize..20_000,
        ) {
            let config = EventBusConfig { workers, queue_sizes, max_events, ..EventBusConfig::default() };
            let lanes = Plan::lanes(&config);
            let plan = Plan::new(&config, lanes);
            let [_, medium, low] = plan.shares;
            prop_assert!(lanes * (medium + low + plan.hand) + plan.mailboxes <= max_events, "{:?}", plan);
            prop_assert!(medium >= 1 && low >= 1 && plan.hand >= 1);
        }
    }

    #[test]
    fn a_place_is_given_while_one_is_free() {
        let ceiling = Ceiling::default();
        assert!(!ceiling.take());
        ceiling.set(2);
        assert_eq!([ceiling.take(), ceiling.take(), ceiling.take()], [true, true, false]);
        ceiling.give(1);
        assert!(ceiling.take());
        assert_eq!(ceiling.used(), 2);
    }
}
