//! Whose tasks they are. An owner answers for what it spawned: its tasks are to end when it goes, and those
//! that do not are leaked.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::ResourceManager;
use crate::{
    event::Component,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How long after its owner a task may live before it counts as leaked: to be aborted, or to say its last word.
const LEAKED: Duration = Duration::from_secs(1);

/// Answers for the tasks spawned through [`Owner::resources`], until dropped.
#[must_use = "dropping the owner says that its tasks are to end"]
pub struct Owner {
    resources: ResourceManager,
}

/// The tasks of one owner.
pub(super) struct Holding {
    component: Component,
    place: &'static str,
    alive: AtomicUsize,
}

/// Owners that are gone. An entry goes when no task and no handle of it is left, so there are no more entries
/// than tasks and handles.
#[derive(Default)]
pub(super) struct Gone(Mutex<Vec<(Instant, Arc<Holding>)>>);

// === impl Owner ===

impl Owner {
    pub(super) fn new(resources: &ResourceManager, component: Component, place: &'static str) -> Self {
        Self { resources: resources.holding(Holding::new(component, place)) }
    }

    /// The manager whose tasks are this owner's.
    pub fn resources(&self) -> ResourceManager {
        self.resources.clone()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.resources.let_go();
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner(..)")
    }
}

// === impl Holding ===

impl Holding {
    pub(super) fn new(component: Component, place: &'static str) -> Arc<Self> {
        Arc::new(Self { component, place, alive: AtomicUsize::new(0) })
    }

    pub(super) fn began(&self) {
        self.alive.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

// === impl Gone ===

impl Gone {
    /// An owner goes; again is the same as once.
    pub(super) fn add(&self, holding: &Arc<Holding>) {
        let mut gone = self.0.lock();
        gone.retain(is_referred_to);
        if !gone.iter().any(|(_, known)| Arc::ptr_eq(known, holding)) {
            gone.push((Instant::now(), holding.clone()));
        }
    }

    /// Tasks alive a second after their owner went: whose, spawned where, how many.
    pub(super) fn leaked(&self) -> Vec<(Component, &'static str, usize)> {
        let mut gone = self.0.lock();
        gone.retain(is_referred_to);
        let late = gone.iter().filter(|(since, _)| since.elapsed() >= LEAKED);
        late.map(|(_, holding)| (holding.component, holding.place, holding.alive.load(Ordering::Relaxed)))
            .filter(|(_, _, alive)| *alive > 0)
            .collect()
    }
}

/// Whether a task or a handle of it is left.
fn is_referred_to((_, holding): &(Instant, Arc<Holding>)) -> bool {
    Arc::strong_count(holding) > 1
}
