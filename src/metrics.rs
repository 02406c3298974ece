//! What the program counts about itself. Every name stands here once: the macro makes of one list both the
//! counters and the plain copy that [`SynchronizationMetrics::snapshot`] returns.
//!
//! Counting is lock-free and never waits. A snapshot reads one counter after another: figures in it may be
//! some events apart. Where sums must agree at an instant, ask the owner (`EventBus::account`).
//! Units: events, tasks and permits are counts; times are microseconds. Arrays `[_; 3]` are by priority:
//! High, Medium, Low; arrays `[_; Component::COUNT]` by component.

mod channel;
mod histogram;
mod measure;

pub use self::{
    channel::{Channel, ChannelReading, Channels},
    histogram::{Histogram, HistogramReading},
    measure::{Counter, Gauge, Measure, Probe},
};

use crate::event::Component;

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
        published: Probe<[u64; 3]>,
        /// Events whose last handler has returned or panicked.
        delivered: Probe<[u64; 3]>,
        /// Events dropped by the backpressure policy after they were accepted.
        dropped_policy: Probe<[u64; 3]>,
        /// Events still queued when `stop` ran out of time.
        dropped_stop: Probe<[u64; 3]>,
        /// Events replaced by a newer one that says the same.
        coalesced: Probe<[u64; 3]>,
        /// Events waiting in a lane.
        queued: Probe<[u64; 3]>,
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
        /// Time one handler took for one event, in microseconds: of a busy lane of one event in 64, and of every call over
        /// 10 ms.
        handler_time: Histogram,
        /// Time from the acceptance of an event to the return of its last handler, in microseconds: of a busy lane of one
        /// event in 64.
        event_time: Histogram,
        /// Handler calls over 100 ms by the component that registered the handler.
        slow_handlers_by: [Counter; Component::COUNT],
        /// Handlers that were given a mailbox and a task of their own because one call took more than 5 s.
        moved_handlers: Counter,
        /// Time publishers waited for room, in microseconds.
        publisher_wait: Histogram,
        /// Waits of a publisher longer than 50 ms.
        publisher_wait_breaches: Counter,
        /// Events a mailbox dropped because all mailboxes together hold as many as they may.
        dropped_ceiling: [Counter; 3],
        /// Events shed because memory is short or the bus is degraded.
        dropped_shed: Probe<[u64; 3]>,
        /// Time workers spent on events, in microseconds, all workers together.
        worker_busy: Counter,
        /// Worker tasks.
        workers: Gauge,
        /// Events waiting in all mailboxes.
        in_mailboxes: Probe<u64>,
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
        /// Permits held, by component.
        permits_by: [Gauge; Component::COUNT],
        /// Requests for a permit that were refused because all were held.
        permits_refused: Counter,
        /// Requests for a permit that wait for one.
        permits_waiting: Gauge,
        /// Permits there are.
        permits: Gauge,
        /// Tasks alive whose owner is gone.
        tasks_leaked: Probe<u64>,
        /// Bytes of the process's resident set when it was measured last.
        memory_resident: Gauge,
        /// Bytes it may use: the setting, or what the control group or the machine allows, when that is less.
        memory_limit: Gauge,
        /// Bytes components say they hold in rings and bodies, by component.
        memory_accounted: [Gauge; Component::COUNT],
        /// Faults reported.
        faults: Counter,
        /// Faults that nobody was told of, because too many waited to be read or one was being handled.
        faults_unread: Counter,
    }
}

measures! {
    /// Locks of all rooms.
    LockMetrics => LockReading {
        /// Locks that were not free when they were asked for.
        contended: Probe<u64>,
        /// Time spent waiting for them, in microseconds.
        wait: Probe<u64>,
        /// The longest wait, in microseconds.
        longest_wait: Probe<u64>,
        /// Waits longer than 10 ms.
        breaches: Probe<u64>,
    }
}

measures! {
    /// The process manager.
    ProcessMetrics => ProcessReading {
        /// Runs that have not ended.
        running: Gauge,
        /// As many may run.
        limit: Gauge,
        /// Runs accepted.
        starts: Counter,
        /// Status reads that took a lock, which only the fallback does.
        locked_reads: Counter,
        /// Starts that a restart policy asked for.
        restarts: Counter,
        /// Processes that a restart policy gave up.
        given_up: Counter,
        /// Runs that were not ready in time.
        not_ready: Counter,
        /// Trees that outlived their grace and were killed.
        killed: Counter,
        /// Guards that ended before their tree did.
        guards_lost: Counter,
        /// Processes of those trees that the host ended itself.
        adopted: Counter,
        /// Trees that live on after their leader.
        left: Gauge,
        /// Bytes that were not sent to a process because it does not read its input.
        input_refused: Counter,
        /// Times the use of all trees was measured.
        usage_samples: Counter,
    }
}

measures! {
    /// The log store.
    LogsMetrics => LogsReading {
        /// Lines taken in.
        lines: Counter,
        /// Bytes taken in.
        bytes: Counter,
        /// Lines evicted.
        evicted: Counter,
        /// Lines that were longer than `log_store.max_line`.
        long: Counter,
        /// Lines that were stored without looking for errors in them.
        unclassified: Counter,
        /// Lines kept.
        kept_lines: Gauge,
        /// Bytes kept, with what is kept about them.
        kept_bytes: Gauge,
        /// Lines that may be kept now.
        limit_lines: Gauge,
        /// Bytes that may be kept now.
        limit_bytes: Gauge,
    }
}

measures! {
    /// What is printed, as it is written to files.
    HistoryMetrics => HistoryReading {
        /// Lines written.
        lines: Counter,
        /// Bytes written, with what stands between the lines.
        bytes: Counter,
        /// Records written: lines that were stored together, and names.
        records: Counter,
        /// Files begun.
        files: Counter,
        /// Files removed because there were too many bytes.
        removed: Counter,
        /// Lines that were to be written and were not.
        unrecorded: Counter,
        /// Projects whose history is off because the disk failed.
        failures: Counter,
        /// Bytes of all files of the projects that are recorded.
        kept_bytes: Gauge,
        /// Bytes they may be, of each project; 0 while nothing is recorded.
        limit_bytes: Gauge,
    }
}

measures! {
    /// All measures of the program; shared by `Arc`.
    SynchronizationMetrics => Snapshot {
        /// The event bus.
        bus: BusMetrics,
        /// Tasks, permits and faults.
        resource: ResourceMetrics,
        /// Locks.
        lock: LockMetrics,
        /// Processes.
        process: ProcessMetrics,
        /// Logs.
        logs: LogsMetrics,
        /// What is printed, in files.
        history: HistoryMetrics,
        /// Bounded channels.
        channels: Channels,
    }
}

// === impl SynchronizationMetrics ===

impl SynchronizationMetrics {
    /// All figures as they read now.
    pub fn snapshot(&self) -> Snapshot {
        self.read()
    }
}
