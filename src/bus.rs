//! EventBus: brings what happened in one room to whoever asked for it.
//!
//! *In:* [`Event`]s, by [`EventBus::publish`] (may wait) or [`EventBus::try_publish`] (never waits).
//! *Out:* calls of synchronous handlers ([`EventBus::on`]) and own mailboxes ([`EventBus::subscribe`]).
//!
//! *Order:* events of one key reach a subscriber in the order published, also across priorities: an exit
//! waits behind the lines before it. A key always goes to the same lane, and a lane has one worker.
//! *Fairness:* a worker takes High, Medium and Low 8 : 4 : 1 while all three wait, so none starves.
//! *Bounded:* each lane holds its share of `queue_sizes` (rounded up), and a batch in its worker's hands.
//! Medium and Low in lanes and mailboxes together are at most `max_event_queue`, but for the moments of a change
//! of the implementation: then both hold what they may. Beyond its share go only
//! High events of `try_publish`, and those are bounded by what they are about: a run has three transitions,
//! and the errors of a run, its addresses, or the faults or the health of a component, take two places at most; newer ones
//! replace the second.
//! *Lost:* Medium and Low by the backpressure policy, and Low while the bus is failing or memory has nearly
//! run out; counted. Nothing in High, but for what `stop` could not deliver in 5 s. A full mailbox loses for
//! its own reader only.
//!
//! At every instant and per priority, [`EventBus::account`] balances:
//! published = delivered + dropped + coalesced + queued + in flight.
//!
//! A handler runs on a worker and only hands over: what waits or computes reads a mailbox in its own task.
//! One whose call takes longer than 5 s is a fault of its component. It is moved: from then on it is served
//! from a mailbox of its own by a task of its own, and its lane goes on with another worker. So a handler
//! that never returns costs one thread for each lane it was called on, and never the runtime's last one; on
//! a runtime with one thread only, nothing can help. With each of these threads waits the one task that was
//! woken on it last, because the runtime gives it to no other; where that is a worker, it is replaced as well.
//!
//! *Modes:* the fallback is one plain queue, delivered by whoever publishes. It keeps the order, the bounds and
//! the books, and lacks:
//!
//! | | current | fallback |
//! |---|---|---|
//! | a handler that does not return | holds up its own lane for 5 s, then nothing | a fault; holds up all, until it returns or the bus changes back |
//! | priorities | High overtakes Medium and Low of other keys | all wait in one line |
//! | the publisher's time | a push | that of all handlers, and of what others publish meanwhile |
//! | room | per lane and priority | High; Medium and Low together |

mod account;
mod batch;
mod ceiling;
mod fallback;
mod figures;
mod lane;
mod letter;
mod mailbox;
#[cfg(all(test, any(feature = "loom", feature = "shuttle")))]
mod model;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod model_tests;
mod queue;
mod registry;
mod start;
mod stop;
mod switch;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod tuning;
mod watch;
mod worker;

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

pub use self::{account::Account, mailbox::Mailbox, registry::Subscription};
use self::{
    ceiling::{Ceiling, Plan},
    fallback::Serial,
    lane::Lane,
    mailbox::Inbox,
    queue::Publisher,
    registry::{Registry, Sink},
    tuning::Tuning,
};
use crate::{
    config::{Backpressure, EventBusConfig, Mode},
    event::{Component, Event, EventKind, Health},
    metrics::SynchronizationMetrics,
    resource::{BLOCKED_SEND, ResourceManager, Shutdown, Task},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize},
    },
};

/// A handler call longer than this is counted.
pub const EVENT_HANDLING: Duration = Duration::from_millis(100);

/// The bus. Clones are one and the same; it runs until [`EventBus::stop`].
#[derive(Clone)]
pub struct EventBus {
    shared: Arc<Shared>,
}

/// Why an event was not taken. It counts as `refused`, not as published.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PublishError {
    /// The bus stops or has stopped.
    #[error("the event bus has stopped")]
    Stopped,
    /// The policy is `block` and there was no room in time.
    #[error("the event queue is full")]
    Full,
}

/// What `stop` could not deliver.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stopped {
    /// Events dropped, and events that wait for, or are in the hands of, a handler that did not return.
    pub left: usize,
    /// The same by priority: High, Medium, Low.
    pub by_priority: [usize; 3],
}

/// Which kinds of event a subscriber gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filter {
    kinds: u32,
}

/// Times the bus goes by; tests shorten them.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// A handler call longer than this is counted.
    slow: Duration,
    /// A handler call longer than this is a fault of its component, and the handler is moved.
    stuck: Duration,
    /// How long the `block` policy waits.
    block: Duration,
    /// A wait for room longer than this is counted.
    wait: Duration,
    /// How long a worker may take to answer.
    probe: Duration,
    /// How long `stop`, or a change of the implementation, waits for what was published.
    stop: Duration,
}

/// What publishers, workers and the watchdog share.
struct Shared {
    lanes: Box<[Lane]>,
    serial: Serial,
    /// Which of the two takes events in.
    fallback: AtomicBool,
    /// One permit: changes of the implementation come one after another.
    switching: Semaphore,
    registry: Arc<Registry>,
    ceiling: Arc<Ceiling>,
    config: Mutex<EventBusConfig>,
    tuning: Tuning,
    /// Handlers that were moved, and the tasks that serve them.
    moved: Mutex<Vec<(Arc<Inbox>, Task<()>)>>,
    resources: ResourceManager,
    metrics: Arc<SynchronizationMetrics>,
    limits: Limits,
    /// Threads of the runtime; nothing where one cannot be handed over.
    threads: Option<usize>,
    /// Those that run handlers just now.
    occupied: AtomicUsize,
    /// Begun when `stop` begins, and when it is done.
    closing: Shutdown,
    ended: Shutdown,
}

// === impl EventBus ===

impl EventBus {
    /// A running bus: one worker for each lane, and one task that looks for handlers that do not return.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        config: &EventBusConfig,
        mode: Mode,
        resources: &ResourceManager,
        metrics: Arc<SynchronizationMetrics>,
    ) -> Self {
        Self::start_with(config, mode, resources, metrics, Limits::default())
    }

    fn start_with(
        config: &EventBusConfig,
        mode: Mode,
        resources: &ResourceManager,
        metrics: Arc<SynchronizationMetrics>,
        limits: Limits,
    ) -> Self {
        let shared = Shared::new(config, mode, resources, metrics, limits);
        for index in 0..shared.lanes.len() {
            shared.metrics.bus.workers.increment();
            drop(resources.spawn(Component::Bus, "bus worker", worker::run(shared.clone(), index, 0, None)));
        }
        drop(resources.spawn(Component::Bus, "bus watchdog", watch::watch(shared.clone())));
        Self { shared }
    }

    /// Publishes from outside a handler. High waits until there is room, without limit; Medium and Low
    /// follow the policy, and under `block` wait up to 100 ms. Dropping the future before it is ready means
    /// the event was not published.
    ///
    /// # Errors
    /// The event was not taken: see [`PublishError`]. An event the policy drops was taken, and is counted.
    pub async fn publish(&self, event: Event) -> Result<(), PublishError> {
        // A publisher that never has to wait still gives way to the workers now and then.
        tokio::task::consume_budget().await;
        let (shared, priority, key) = (&*self.shared, event.priority(), event.key());
        let mut letter = Some(shared.letter(event));
        if shared.send(&mut letter, priority, key, Publisher::Outside)? {
            return Ok(());
        }
        shared.send_when_room(letter, priority, key).await
    }

    /// Publishes without waiting: from inside a handler, and wherever waiting would hold up what must go on
    /// (the log writer). High is always taken (see the module's head for what bounds it); under `block`, a
    /// Medium or Low event without room is refused.
    ///
    /// # Errors
    /// The event was not taken: see [`PublishError`].
    pub fn try_publish(&self, event: Event) -> Result<(), PublishError> {
        let (shared, priority, key) = (&*self.shared, event.priority(), event.key());
        let mut letter = Some(shared.letter(event));
        if shared.send(&mut letter, priority, key, Publisher::Handler)? {
            return Ok(());
        }
        Err(shared.refuse(priority, PublishError::Full))
    }

    /// Calls `handler` for each matching event published from now on, until the subscription is dropped.
    /// Calls for different keys may be concurrent. It must return soon and must not wait.
    /// `component` and `place` name it in faults.
    #[must_use = "dropping the subscription removes the handler"]
    pub fn on(
        &self,
        filter: Filter,
        component: Component,
        place: &'static str,
        handler: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Subscription {
        self.shared.registry.add(filter, component, place, Sink::Handler(Box::new(handler)))
    }

    /// A mailbox that gets each matching event published from now on, until it is dropped. It holds
    /// `capacity` Medium and as many Low events; when full, `policy` decides for this mailbox alone, and
    /// `Block` acts as `DropNewest`, because a worker does not wait. It is full, too, while all mailboxes
    /// together hold what `max_event_queue` leaves them. High is lossless and bounded as in a lane: three
    /// transitions per run, two places for a run's errors, its details or a component's faults.
    pub fn subscribe(
        &self,
        filter: Filter,
        component: Component,
        capacity: usize,
        policy: Backpressure,
    ) -> Mailbox {
        let inbox = Arc::new(Inbox::new([capacity; 3], policy, self.shared.ceiling.clone()));
        let sink = Sink::Mailbox(inbox.clone());
        let subscription = self.shared.registry.add(filter, component, "mailbox", sink);
        if self.shared.ended.is_begun() {
            inbox.close();
        }
        Mailbox::new(inbox, subscription)
    }

    /// Takes no more events, delivers those it has, and closes the mailboxes, which still give out what
    /// they hold. What is not delivered after 5 s is dropped and said.
    pub async fn stop(&self) -> Stopped {
        stop::stop(&self.shared).await
    }

    /// Which implementation takes events in.
    pub fn mode(&self) -> Mode {
        self.shared.mode()
    }

    /// Changes to the other implementation: what the old one holds is delivered before the new one delivers.
    /// A handler that does not return within 5 s is moved, so that it cannot hold this up.
    pub async fn switch(&self, mode: Mode) {
        // A task of its own, because it must not stop half-way when the caller does.
        let work = switch::switch(self.shared.clone(), mode);
        self.shared.resources.spawn(Component::Bus, "bus switch", work).await;
    }

    /// Switches off what the bus does without in this state: times when degraded, Low events when failing.
    pub fn degrade(&self, health: Health) {
        self.shared.tuning.set_health(health);
    }

    /// Uses what of the new settings can be used while it runs: all but the number of workers.
    pub fn reconfigure(&self, config: &EventBusConfig) {
        let shared = &*self.shared;
        let lanes = shared.lanes.len();
        let (plan, policy) = (Plan::new(config, lanes), config.backpressure);
        *shared.config.lock() = config.clone();
        shared.lanes.iter().for_each(|lane| lane.reconfigure(&plan, policy));
        shared.serial.reconfigure(lanes, &plan, policy);
        shared.ceiling.set(plan.mailboxes);
        shared.tuning.set_monitoring(config.monitoring);
    }

    /// Whether the current implementation works, also while the fallback runs: each worker has to come by
    /// its lane. Nothing is published for it.
    ///
    /// # Errors
    /// What does not work, worded for the user.
    pub async fn probe(&self) -> Result<(), String> {
        let shared = &*self.shared;
        if shared.closing.is_begun() {
            return Err(PublishError::Stopped.to_string());
        }
        let deadline = Instant::now() + shared.limits.probe;
        for (index, lane) in shared.lanes.iter().enumerate() {
            if timeout_at(deadline, lane.answers()).await.is_err() {
                let (number, all, limit) = (index + 1, shared.lanes.len(), shared.limits.probe);
                return Err(format!("event worker {number} of {all} did not answer within {limit:?}"));
            }
        }
        Ok(())
    }

    /// The books of both implementations: High, Medium, Low. Each lane is read at one instant, so they
    /// balance.
    pub fn account(&self) -> [Account; 3] {
        self.shared.account()
    }
}

impl fmt::Debug for EventBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBus").field("lanes", &self.shared.lanes.len()).finish_non_exhaustive()
    }
}

// === impl Filter ===

impl Filter {
    /// Every kind.
    pub fn all() -> Self {
        Self::of(&EventKind::ALL)
    }

    /// These kinds.
    pub fn of(kinds: &[EventKind]) -> Self {
        Self { kinds: kinds.iter().fold(0, |set, kind| set | 1 << *kind as u32) }
    }

    /// Whether it lets this kind through.
    pub fn matches(self, kind: EventKind) -> bool {
        self.kinds & (1 << kind as u32) != 0
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            slow: EVENT_HANDLING,
            stuck: Duration::from_secs(5),
            block: Duration::from_millis(100),
            wait: BLOCKED_SEND,
            probe: Duration::from_secs(4),
            stop: Duration::from_secs(5),
        }
    }
}
