//! Permits: a bound on short work that takes CPU. One lock around the [`Budget`], because a single
//! compare-and-swap refuses under contention while permits are free.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::budget::{Asked, Budget, Left, Look, Ticket};
use crate::{
    event::Component,
    metrics::SynchronizationMetrics,
    sync::{Mutex, planted},
};

/// All permits of the program.
pub(super) struct Permits {
    /// Held for a few lines at a time; nobody is woken and no waker dropped under it.
    budget: Mutex<Budget>,
    metrics: Arc<SynchronizationMetrics>,
}

/// The right to do one piece of work; given back when dropped.
#[must_use = "the permit is given back when dropped"]
pub struct Permit {
    permits: Arc<Permits>,
    component: Component,
}

/// All permits were held.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Refused {
    /// Who asked.
    pub component: Component,
    /// How many permits there are.
    pub limit: usize,
    /// Who held how many, the most first.
    pub held: Vec<(Component, usize)>,
}

/// Waits for a permit. Dropped while it waits it leaves the line; dropped when its permit has come and nobody
/// has taken it, it gives it back.
pub(super) struct Acquire {
    permits: Arc<Permits>,
    component: Component,
    ticket: Option<Ticket>,
}

// === impl Permits ===

impl Permits {
    pub(super) fn new(limit: usize, metrics: Arc<SynchronizationMetrics>) -> Arc<Self> {
        let permits = Self { budget: Mutex::new(Budget::new(limit)), metrics };
        permits.set_limit(limit);
        Arc::new(permits)
    }

    pub(super) fn acquire(self: &Arc<Self>, component: Component) -> Acquire {
        Acquire { permits: self.clone(), component, ticket: None }
    }

    pub(super) fn try_acquire(self: &Arc<Self>, component: Component) -> Result<Permit, Refused> {
        let mut budget = self.budget.lock();
        if budget.try_take(component) {
            drop(budget);
            return Ok(self.permit(component));
        }
        let refused = Refused::new(component, &budget);
        drop(budget);
        self.metrics.resource.permits_refused.increment();
        Err(refused)
    }

    pub(super) fn set_limit(&self, limit: usize) {
        let mut budget = self.budget.lock();
        let woken = budget.set_limit(limit);
        let limit = budget.limit();
        drop(budget);
        self.metrics.resource.permits.set(limit as u64);
        for waker in woken {
            waker.wake();
        }
    }

    /// One that the budget has given.
    fn permit(self: &Arc<Self>, component: Component) -> Permit {
        self.metrics.resource.permits_in_use.increment();
        self.metrics.resource.permits_by[component.index()].increment();
        Permit { permits: self.clone(), component }
    }
}

// === impl Permit ===

impl Permit {
    /// Who holds it.
    pub fn component(&self) -> Component {
        self.component
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Self { permits, component } = self;
        permits.metrics.resource.permits_in_use.decrement();
        permits.metrics.resource.permits_by[component.index()].decrement();
        let next = permits.budget.lock().give_back(*component);
        if let Some(waker) = next
            && !planted("a permit comes back unnoticed")
        {
            waker.wake();
        }
    }
}

// === impl Acquire ===

impl Acquire {
    fn waits(&self, begins: bool) {
        let waiting = &self.permits.metrics.resource.permits_waiting;
        if begins { waiting.increment() } else { waiting.decrement() }
    }
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let permits = self.permits.clone();
        let mut budget = permits.budget.lock();
        let known = self.ticket;
        let ticket = match known.map_or_else(|| budget.ask(self.component), Asked::Waits) {
            Asked::Given => {
                drop(budget);
                return Poll::Ready(permits.permit(self.component));
            }
            Asked::Waits(ticket) => ticket,
        };
        let look = budget.look(ticket, cx.waker());
        drop(budget);
        if known.is_none() {
            self.ticket = Some(ticket);
            self.waits(true);
        }
        match look {
            Look::Waits(before) => {
                drop(before);
                Poll::Pending
            }
            Look::Given => {
                self.ticket = None;
                self.waits(false);
                Poll::Ready(permits.permit(self.component))
            }
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        self.waits(false);
        if planted("a permit is lost with its future") {
            return;
        }
        let Left { next, own } = self.permits.budget.lock().leave(ticket, self.component);
        drop(own);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

// === impl Refused ===

impl Refused {
    fn new(component: Component, budget: &Budget) -> Self {
        let all = Component::ALL.into_iter().zip(budget.held());
        let mut held: Vec<_> = all.filter(|(_, count)| *count > 0).collect();
        held.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Self { component, limit: budget.limit(), held }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<_> =
            self.held.iter().map(|(component, count)| format!("{component} {count}")).collect();
        write!(f, "{}: all {} permits are in use ({})", self.component, self.limit, held.join(", "))
    }
}
