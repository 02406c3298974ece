//! Which lock a thread holds, by the place that took it. Only debug builds know: release builds hold nothing
//! here, and neither do the checkers', which find deadlocks themselves and run all threads of a model on one.

#[cfg(all(debug_assertions, not(any(feature = "loom", feature = "shuttle"))))]
pub(super) use known::Held;
#[cfg(any(not(debug_assertions), feature = "loom", feature = "shuttle"))]
pub(super) use unknown::Held;

#[cfg(all(debug_assertions, not(any(feature = "loom", feature = "shuttle"))))]
mod known {
    use std::{cell::Cell, panic::Location, thread};

    type Place = Option<&'static Location<'static>>;

    thread_local! {
        static HELD: Cell<Place> = const { Cell::new(None) };
    }

    /// Held by this thread from `claim` to drop.
    pub(crate) struct Held {
        before: Place,
    }

    impl Held {
        #[track_caller]
        pub(crate) fn claim() -> Self {
            let here = Location::caller();
            let before = HELD.replace(Some(here));
            if let Some(first) = before
                // A second panic would abort and hide the first.
                && !thread::panicking()
            {
                HELD.set(before);
                panic!("lock taken at {here} while the one taken at {first} is held");
            }
            Self { before }
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            HELD.set(self.before);
        }
    }
}

#[cfg(any(not(debug_assertions), feature = "loom", feature = "shuttle"))]
mod unknown {
    pub(crate) struct Held;

    impl Held {
        pub(crate) fn claim() -> Self {
            Self
        }
    }
}
