//! What the program counts about itself. Every name stands here once: the macro makes of one list both the
//! counters and the plain copy that [`SynchronizationMetrics::snapshot`] returns.
//!
//! Counting is lock-free and never waits. A snapshot reads one counter after another: figures in it may be
//! some events apart. Where sums must agree at an instant, ask the owner (`EventBus::account`).
//! Units: events, tasks and permits are counts; times are microseconds. Arrays `[_; 3]` are by priority:
//! High, Medium, Low.

mod histogram;
mod measure;

pub use self::{
    histogram::{Histogram, HistogramReading},
    measure::{Counter, Gauge, Measure},
};

/// Declares a group of measures and its readings from one list of names.
macro_rules! measures {
    ($(#[$group:meta])* $metrics:ident => $reading:ident { $($(#[$doc:meta])* $name:ident: $kind:ty,)* }) => {
        $(#[$group])*
        #[derive(Default, Debug)]
        pub struct $metrics { $($(#[$doc])* pub $name: $kind,)* }

        #[doc = concat!("What [`", stringify!($metrics), "`] read at one time.")]
        #[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
        pub struct $reading { $($(#[$doc])* pub $name: <$kind as Measure>::Reading,)* }

        impl Measure for $metrics {
            type Reading = $reading;
            fn read(&self) -> $reading {
                $reading { $($name: self.$name.read(),)* }
            }
        }
    };
}

measures! {
    /// The event bus.
    BusMetrics => BusReading {
        /// Events accepted.
        published: [Counter; 3],
        /// Events whose last handler has returned or panicked.
        delivered: [Counter; 3],
        /// Events dropped by the backpressure policy after they were accepted.
        dropped_policy: [Counter; 3],
        /// Events still queued when `stop` ran out of time.
        dropped_stop: [Counter; 3],
        /// Events replaced by a newer one that says the same.
        coalesced: [Counter; 3],
        /// Events waiting in a lane.
        queued: [Gauge; 3],
        /// Events refused with an error: full under `block`, or the bus had stopped. Not among `published`.
        refused: [Counter; 3],
        /// Times a publisher had to wait for room.
        publisher_waits: Counter,
        /// Events one full mailbox dropped; other subscribers got them. Not among the bus's own `dropped`.
        dropped_subscriber_full: [Counter; 3],
        /// Handler calls that took more than 100 ms.
        slow_handlers: Counter,
        /// Handler calls that took more than 5 s, seen while they ran.
        stuck_handlers: Counter,
        /// Handler calls that panicked.
        handler_panics: Counter,
        /// Time one handler took for one event, in microseconds.
        handler_time: Histogram,
    }
}

measures! {
    /// Tasks, permits and faults.
    ResourceMetrics => ResourceReading {
        /// Tasks started.
        tasks_spawned: Counter,
        /// Tasks that have not ended.
        tasks_alive: Gauge,
        /// Tasks that ended by a panic.
        tasks_panicked: Counter,
        /// Permits held.
        permits_in_use: Gauge,
        /// Requests for a permit that were refused because all were held.
        permits_refused: Counter,
        /// Faults reported.
        faults: Counter,
        /// Faults that nobody was told of, because too many waited to be read.
        faults_unread: Counter,
    }
}

measures! {
    /// All measures of the program; shared by `Arc`.
    SynchronizationMetrics => Snapshot {
        /// The event bus.
        bus: BusMetrics,
        /// Tasks, permits and faults.
        resource: ResourceMetrics,
    }
}

// === impl SynchronizationMetrics ===

impl SynchronizationMetrics {
    /// All figures as they read now.
    pub fn snapshot(&self) -> Snapshot {
        self.read()
    }
}
