//! Permits: a bound on short work that takes CPU. A semaphore, because a single compare-and-swap refuses
//! under contention while permits are free, and nothing gives the seed's slots back.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Inner;
use crate::event::Component;

/// The right to do one piece of work; given back when dropped.
#[must_use = "the permit is given back when dropped"]
pub struct Permit {
    _permit: Option<OwnedSemaphorePermit>,
    component: Component,
    owner: Arc<Inner>,
}

/// All permits were held.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{component}: all {limit} permits are in use")]
pub struct Refused {
    /// Who asked.
    pub component: Component,
    /// How many permits there are.
    pub limit: usize,
}

pub(super) async fn acquire(owner: &Arc<Inner>, component: Component) -> Permit {
    // Never closed, so this never fails; if it did, running without a permit beats not running.
    let permit = Semaphore::acquire_owned(owner.permits.clone()).await.ok();
    Permit::new(owner, component, permit)
}

pub(super) fn try_acquire(owner: &Arc<Inner>, component: Component) -> Result<Permit, Refused> {
    match Semaphore::try_acquire_owned(owner.permits.clone()) {
        Ok(permit) => Ok(Permit::new(owner, component, Some(permit))),
        Err(_) => {
            owner.metrics.resource.permits_refused.increment();
            Err(Refused { component, limit: owner.limit })
        }
    }
}

// === impl Permit ===

impl Permit {
    fn new(owner: &Arc<Inner>, component: Component, permit: Option<OwnedSemaphorePermit>) -> Self {
        owner.metrics.resource.permits_in_use.increment();
        Self { _permit: permit, component, owner: owner.clone() }
    }

    /// Who holds it.
    pub fn component(&self) -> Component {
        self.component
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.owner.metrics.resource.permits_in_use.decrement();
    }
}
