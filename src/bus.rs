//! EventBus: brings what happened in one room to whoever asked for it.
//!
//! *In:* [`Event`]s, by [`EventBus::publish`] (may wait) or [`EventBus::try_publish`] (never waits).
//! *Out:* calls of synchronous handlers ([`EventBus::on`]) and own mailboxes ([`EventBus::subscribe`]).
//!
//! *Order:* events of one key reach a subscriber in the order published, also across priorities: an exit
//! waits behind the lines before it. A key always goes to the same lane, and a lane has one worker.
//! *Fairness:* a worker takes High, Medium and Low 8 : 4 : 1 while all three wait, so none starves.
//! *Bounded:* each lane holds its share of `queue_sizes` (rounded up). Beyond its share go only High events
//! of `try_publish`, and those are bounded by what they are about: a run has three transitions, and the
//! errors of a run, or the faults of a component, take two places at most; newer ones replace the second.
//! *Lost:* Medium and Low by the backpressure policy, counted; nothing in High, but for what `stop` could
//! not deliver in 5 s. A full mailbox loses for its own reader only.
//!
//! At every instant and per priority, [`EventBus::account`] balances:
//! published = delivered + dropped + coalesced + queued + in flight.
//!
//! A handler runs on a worker and only hands over: what waits or computes reads a mailbox in its own task.
//! A handler that blocks holds up the keys of its lane and a thread of the runtime until it returns.

mod lane;
mod letter;
mod mailbox;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod model_tests;
mod queue;
mod registry;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod worker;

use std::{fmt, pin::pin, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use self::{
    lane::{Lane, Offer},
    letter::{Job, Letter},
    mailbox::Inbox,
    queue::{Item, Publisher, Queue},
    registry::{Registry, Sink},
};
pub use self::{mailbox::Mailbox, queue::Account, registry::Subscription};
use crate::{
    config::{Backpressure, EventBusConfig, Mode},
    event::{Component, Event, EventKind, Health, Key, Priority},
    metrics::{BusMetrics, SynchronizationMetrics},
    resource::{ResourceManager, Shutdown},
};

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
    /// Events dropped, and events in the hands of a handler that did not return.
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
    /// A handler call longer than this is a fault of its component.
    stuck: Duration,
    /// How long the `block` policy waits.
    block: Duration,
    /// How long `stop` waits for what was published.
    stop: Duration,
}

/// What publishers, workers and the watchdog share.
struct Shared {
    lanes: Box<[Lane]>,
    registry: Arc<Registry>,
    resources: ResourceManager,
    metrics: Arc<SynchronizationMetrics>,
    limits: Limits,
    /// Begun when `stop` is done.
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
        _mode: Mode,
        resources: &ResourceManager,
        metrics: Arc<SynchronizationMetrics>,
    ) -> Self {
        Self::start_with(config, resources, metrics, Limits::default())
    }

    fn start_with(
        config: &EventBusConfig,
        resources: &ResourceManager,
        metrics: Arc<SynchronizationMetrics>,
        limits: Limits,
    ) -> Self {
        let lanes = config.workers.max(1);
        let shares = config.queue_sizes.map(|size| size.div_ceil(lanes));
        let shared = Arc::new(Shared {
            lanes: (0..lanes).map(|_| Lane::new(Queue::new(shares, config.backpressure))).collect(),
            registry: Arc::default(),
            resources: resources.clone(),
            metrics,
            limits,
            ended: Shutdown::default(),
        });
        for index in 0..lanes {
            resources.spawn(Component::Bus, "bus worker", worker::run(shared.clone(), index));
        }
        resources.spawn(Component::Bus, "bus watchdog", worker::watch(shared.clone()));
        Self { shared }
    }

    /// Publishes from outside a handler. High waits until there is room, without limit; Medium and Low
    /// follow the policy, and under `block` wait up to 100 ms. Dropping the future before it is ready means
    /// the event was not published.
    ///
    /// # Errors
    /// The event was not taken: see [`PublishError`]. An event the policy drops was taken, and is counted.
    pub async fn publish(&self, event: Event) -> Result<(), PublishError> {
        let shared = &*self.shared;
        let lane = shared.lane(event.key());
        let priority = event.priority();
        let mut letter = Letter::new(event);
        let mut deadline = None;
        let mut waits = false;
        loop {
            let mut room = pin!(lane.room.notified());
            // Registered before looking, or room made between the look and the wait would be missed.
            room.as_mut().enable();
            letter = match shared.offer(lane, letter, Publisher::Outside) {
                Ok(None) => return Ok(()),
                Ok(Some(back)) => back,
                Err(stopped) => return Err(stopped),
            };
            if !waits {
                waits = true;
                shared.metrics.bus.publisher_waits.increment();
            }
            let waited = match priority {
                Priority::High => {
                    room.await;
                    Ok(())
                }
                Priority::Medium | Priority::Low => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + shared.limits.block);
                    timeout_at(deadline, room).await
                }
            };
            if waited.is_err() {
                return Err(shared.refuse(priority, PublishError::Full));
            }
        }
    }

    /// Publishes without waiting: from inside a handler, and wherever waiting would hold up what must go on
    /// (the log writer). High is always taken (see
    /// the module's head for what bounds it); under `block`, a Medium or Low event without room is refused.
    ///
    /// # Errors
    /// The event was not taken: see [`PublishError`].
    pub fn try_publish(&self, event: Event) -> Result<(), PublishError> {
        let shared = &*self.shared;
        let (lane, priority) = (shared.lane(event.key()), event.priority());
        match shared.offer(lane, Letter::new(event), Publisher::Handler)? {
            None => Ok(()),
            Some(_) => Err(shared.refuse(priority, PublishError::Full)),
        }
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
    /// `Block` acts as `DropNewest`, because a worker does not wait. High is lossless and bounded as in a
    /// lane: three transitions per run, two places for a run's errors or a component's faults.
    pub fn subscribe(
        &self,
        filter: Filter,
        component: Component,
        capacity: usize,
        policy: Backpressure,
    ) -> Mailbox {
        let inbox = Arc::new(Inbox::new(capacity, policy));
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
        let shared = &*self.shared;
        for lane in &shared.lanes {
            lane.close();
        }
        let deadline = Instant::now() + shared.limits.stop;
        for lane in &shared.lanes {
            if timeout_at(deadline, lane.finished()).await.is_err() {
                for job in lane.halt() {
                    let priority = job.priority().index();
                    shared.metrics.bus.queued[priority].decrement();
                    shared.metrics.bus.dropped_stop[priority].increment();
                }
            }
        }
        shared.ended.begin();
        shared.registry.close_mailboxes();
        let by_priority =
            self.account().map(|account| (account.dropped_stop + account.in_flight).try_into().unwrap_or(0));
        Stopped { left: by_priority.iter().sum(), by_priority }
    }

    /// Which implementation runs.
    pub fn mode(&self) -> Mode {
        Mode::Current
    }

    /// Changes to the other implementation: what the old one holds is delivered before the new one delivers.
    pub async fn switch(&self, _mode: Mode) {}

    /// Switches off what the bus does without in this state.
    pub fn degrade(&self, _health: Health) {}

    /// Uses what of the new settings can be used while it runs.
    pub fn reconfigure(&self, _config: &EventBusConfig) {}

    /// Whether the current implementation works, also while the fallback runs.
    ///
    /// # Errors
    /// What does not work, worded for the user.
    pub async fn probe(&self) -> Result<(), String> {
        Ok(())
    }

    /// The books of all lanes: High, Medium, Low. Each lane is read at one instant, so they balance.
    pub fn account(&self) -> [Account; 3] {
        let mut sum = [Account::default(); 3];
        for lane in &self.shared.lanes {
            for (sum, account) in sum.iter_mut().zip(lane.account()) {
                *sum += account;
            }
        }
        sum
    }
}

impl fmt::Debug for EventBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBus").field("lanes", &self.shared.lanes.len()).finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// The lane of a key. Process ids are given in sequence, so the remainder spreads them evenly.
    fn lane(&self, key: Key) -> &Lane {
        let number = match key {
            Key::Process(process) => process.0 as usize,
            Key::Component(component) => component as usize,
        };
        &self.lanes[number % self.lanes.len()]
    }

    /// Takes the letter, or gives it back when there is no room and the publisher may wait.
    fn offer(
        &self,
        lane: &Lane,
        letter: Letter,
        publisher: Publisher,
    ) -> Result<Option<Letter>, PublishError> {
        let priority = letter.priority();
        // The handlers of this moment are the ones that get it.
        let job = Job { letter, table: self.registry.table() };
        match lane.offer(job, publisher) {
            Offer::Taken(pushed) => Ok(self.metrics.bus.pushed(priority, pushed).map(|job| job.letter)),
            Offer::Closed => Err(self.refuse(priority, PublishError::Stopped)),
        }
    }

    fn refuse(&self, priority: Priority, why: PublishError) -> PublishError {
        self.metrics.bus.refused[priority.index()].increment();
        why
    }
}

// === impl BusMetrics ===

impl BusMetrics {
    /// Counts what became of a push; gives back an item that found no room.
    fn pushed(&self, priority: Priority, pushed: queue::Push<Job>) -> Option<Job> {
        use queue::Push::{Coalesced, Dropped, Evicted, Full, Queued};
        let at = priority.index();
        match pushed {
            Full(job) => return Some(job),
            Queued => self.queued[at].increment(),
            Coalesced(_) => self.coalesced[at].increment(),
            Dropped(_) => self.dropped_policy[at].increment(),
            Evicted(victim) => {
                let victim = victim.priority().index();
                self.dropped_policy[victim].increment();
                self.queued[victim].decrement();
                self.queued[at].increment();
            }
        }
        self.published[at].increment();
        None
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
            slow: Duration::from_millis(100),
            stuck: Duration::from_secs(5),
            block: Duration::from_millis(100),
            stop: Duration::from_secs(5),
        }
    }
}
