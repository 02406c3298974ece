//! How far the end of a tree is: asked, then killed. Pure; the clock is passed in.

use std::time::{Duration, Instant};

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Ending {
    /// Nobody wants it to end.
    #[default]
    Not,
    /// It was asked; what is left at this time is killed.
    Asked(Instant),
    /// What is left is being killed.
    Killing,
}

// === impl Ending ===

impl Ending {
    /// Somebody wants it to end within this grace. True when it is to be asked, which is once; later the kill can only come
    /// nearer.
    pub(super) fn ask(&mut self, now: Instant, grace: Duration) -> bool {
        // A grace beyond the clock's end is none that ends.
        let at = now.checked_add(grace).unwrap_or(now + Duration::from_secs(1 << 30));
        match *self {
            Self::Not => {
                *self = Self::Asked(at);
                true
            }
            Self::Asked(sooner) => {
                *self = Self::Asked(sooner.min(at));
                false
            }
            Self::Killing => false,
        }
    }

    /// The grace is over now, whatever it was.
    pub(super) fn hurry(&mut self, now: Instant) {
        if *self != Self::Killing {
            *self = Self::Asked(now);
        }
    }

    /// True, once, when the time to kill has come.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = matches!(*self, Self::Asked(at) if at <= now);
        if due {
            *self = Self::Killing;
        }
        due
    }

    /// When [`Ending::is_due`] is to be asked.
    pub(super) fn due(&self) -> Option<Instant> {
        match *self {
            Self::Asked(at) => Some(at),
            Self::Not | Self::Killing => None,
        }
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_once_and_a_later_stop_only_brings_the_kill_nearer() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let mut ending = Ending::default();
        assert_eq!((ending.is_due(now), ending.due()), (false, None));
        assert!(ending.ask(now, 5 * second));
        assert!(!ending.ask(now, 9 * second));
        assert_eq!(ending.due(), Some(now + 5 * second));
        assert!(!ending.ask(now, 2 * second));
        assert_eq!(ending.due(), Some(now + 2 * second));
        assert!(!ending.is_due(now + second));
        assert!(ending.is_due(now + 2 * second));
        assert!(!ending.is_due(now + 2 * second), "once");
        assert!(!ending.ask(now, second), "it is being killed");
        assert_eq!(ending, Ending::Killing);
        assert!(Ending::default().ask(now, Duration::MAX), "no grace is too long");
    }

    #[test]
    fn a_hurry_needs_no_asking() {
        let now = Instant::now();
        let mut ending = Ending::default();
        ending.hurry(now);
        assert!(ending.is_due(now));
        ending.hurry(now);
        assert_eq!(ending, Ending::Killing);
    }
}
