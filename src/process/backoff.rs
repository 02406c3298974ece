//! Whether a script that has ended is started again by itself, when, and when that is given up.
//!
//! The waits double from `delay` to `max_delay`. A run that lasted `reset_after` counts as stable: after it the waits and the
//! count begin anew, as they do when somebody starts the script. Delays have no jitter: what restarts here shares no
//! server with a thousand others, and a user who reads "in 4 s" can rely on it.

use std::{sync::Arc, time::Duration};

use crate::{
    config::{RestartPolicy, RestartWhen},
    event::Exit,
};

/// The restarts since the last stable run, of one process.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    restarts: u32,
}

/// What follows the end of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Nothing.
    Rest,
    /// It is started again.
    Restart(Restart),
    /// It would be started again, but has been too often. Worded for the user.
    GiveUp(Arc<str>),
}

/// A start that a policy asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Restart {
    /// How long it waits.
    pub(super) delay: Duration,
    /// Which one since the last stable run, from 1.
    pub(super) number: u32,
    /// As many there may be.
    pub(super) limit: Option<u32>,
}

// === impl Backoff ===

impl Backoff {
    /// Somebody started it: what was before does not count.
    pub(super) fn reset(&mut self) {
        self.restarts = 0;
    }

    /// A run ended by itself after it had run for so long.
    pub(super) fn after(&mut self, policy: &RestartPolicy, exit: Exit, lasted: Duration) -> Next {
        let wanted = match (policy.when, exit) {
            // A program that cannot be started cannot be so a second later either.
            (RestartWhen::Never, _) | (_, Exit::NotStarted) | (RestartWhen::OnFailure, Exit::Code(0)) => {
                false
            }
            (RestartWhen::OnFailure | RestartWhen::Always, Exit::Code(_) | Exit::Signal(_)) => true,
        };
        if !wanted {
            return Next::Rest;
        }
        if lasted >= policy.reset_after {
            self.restarts = 0;
        }
        if policy.limit.is_some_and(|limit| self.restarts >= limit) {
            let times = if self.restarts == 1 { "restart" } else { "restarts" };
            return Next::GiveUp(
                format!("gave up after {} {times}: {}", self.restarts, words_of(exit)).into(),
            );
        }
        self.restarts += 1;
        Next::Restart(Restart {
            delay: delay(policy, self.restarts),
            number: self.restarts,
            limit: policy.limit,
        })
    }
}

/// The wait before the restart of this number, from 1.
fn delay(policy: &RestartPolicy, number: u32) -> Duration {
    let doubled = 2_u32.checked_pow(number.saturating_sub(1));
    let delay = doubled.and_then(|times| policy.delay.checked_mul(times));
    delay.map_or(policy.max_delay, |delay| delay.min(policy.max_delay))
}

/// How a run ended, for the user.
pub(super) fn words_of(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::NotStarted => "it could not be started".to_owned(),
    }
}

// === impl Restart ===

impl Restart {
    /// What a pending run says while so much of the wait is left: whole seconds, of which the begun one counts.
    pub(super) fn waiting(self, left: Duration) -> String {
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        match self.limit {
            Some(limit) => format!("restarts in {seconds} s ({} of {limit})", self.number),
            None => format!("restarts in {seconds} s (number {})", self.number),
        }
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FAILED: Exit = Exit::Code(1);
    const SHORT: Duration = Duration::from_millis(10);

    fn policy(when: RestartWhen) -> RestartPolicy {
        RestartPolicy { when, ..RestartPolicy::default() }
    }

    fn seconds(next: &Next) -> Option<u64> {
        match next {
            Next::Restart(restart) => Some(restart.delay.as_secs()),
            Next::Rest | Next::GiveUp(_) => None,
        }
    }

    #[test]
    fn each_policy_restarts_after_its_ends() {
        use RestartWhen::{Always, Never, OnFailure};
        let ends = [Exit::Code(0), Exit::Code(1), Exit::Signal(9), Exit::NotStarted];
        for (when, expected) in [
            (Never, [false, false, false, false]),
            (OnFailure, [false, true, true, false]),
            (Always, [true, true, true, false]),
        ] {
            for (exit, restarts) in ends.into_iter().zip(expected) {
                let next = Backoff::default().after(&policy(when), exit, SHORT);
                assert_eq!(matches!(next, Next::Restart(_)), restarts, "{when:?} after {exit:?}");
            }
        }
    }

    #[test]
    fn the_wait_doubles_to_its_cap_and_then_it_is_given_up() {
        let policy = RestartPolicy { limit: Some(7), ..policy(RestartWhen::OnFailure) };
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..7).filter_map(|_| seconds(&backoff.after(&policy, FAILED, SHORT))).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        let said = |text: &str| Next::GiveUp(text.into());
        assert_eq!(backoff.after(&policy, FAILED, SHORT), said("gave up after 7 restarts: exit 1"));
        assert_eq!(
            backoff.after(&policy, Exit::Signal(11), SHORT),
            said("gave up after 7 restarts: signal 11")
        );
    }

    #[test]
    fn a_stable_run_and_a_start_by_hand_begin_anew() {
        let policy = RestartPolicy { limit: Some(2), ..policy(RestartWhen::OnFailure) };
        let mut backoff = Backoff::default();
        let mut after = |lasted| seconds(&backoff.after(&policy, FAILED, lasted));
        assert_eq!([after(SHORT), after(SHORT), after(SHORT)], [Some(1), Some(2), None]);
        assert_eq!([after(policy.reset_after), after(SHORT), after(SHORT)], [Some(1), Some(2), None]);
        let nearly = policy.reset_after.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(after(nearly), None, "it was not quite stable");
        backoff.reset();
        assert_eq!(seconds(&backoff.after(&policy, FAILED, SHORT)), Some(1));
    }

    #[test]
    fn the_wait_is_told_in_whole_seconds() {
        let restart = Restart { delay: Duration::from_secs(4), number: 2, limit: Some(5) };
        assert_eq!(restart.waiting(restart.delay), "restarts in 4 s (2 of 5)");
        assert_eq!(restart.waiting(Duration::from_millis(3001)), "restarts in 4 s (2 of 5)");
        assert_eq!(Restart { limit: None, ..restart }.waiting(SHORT), "restarts in 1 s (number 2)");
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_the_cap_or_gets_shorter(delay in 0_u64..10_000, most in 0_u64..100_000, ends in 1_usize..200) {
            let policy = RestartPolicy {
                delay: Duration::from_millis(delay),
                max_delay: Duration::from_millis(most),
                limit: None,
                ..policy(RestartWhen::Always)
            };
            let (mut backoff, mut before) = (Backoff::default(), Duration::ZERO);
            for number in 1..=ends {
                let Next::Restart(restart) = backoff.after(&policy, FAILED, SHORT) else { panic!("no limit") };
                prop_assert_eq!(restart.number as usize, number);
                prop_assert!(restart.delay <= policy.max_delay && restart.delay >= before);
                before = restart.delay;
            }
        }
    }
}
