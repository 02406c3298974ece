//! Who holds how many permits, who waits, and who is next. Pure: no tokio, no clock, no lock.
//!
//! While a permit is free nobody waits, so whoever asks gets it. A permit that comes back goes to the waiting
//! component that holds the smallest part of its share, and within it to the one that asked first; among
//! equals, too, the first that asked. A component that holds none is therefore never passed over twice by
//! the same one, and a share is no wall: alone, a component may hold them all.

use std::{cmp::Ordering, collections::VecDeque, task::Waker};

use crate::{event::Component, sync::planted};

/// What one permit counts for by component: shares are to each other as these. A person waits for what `rpc`
/// asks; what `logs` and `model` do not get now piles up; the rest works in the background.
const SHARES: [(Component, usize); Component::COUNT] = [
    (Component::Bus, 2),
    (Component::Project, 1),
    (Component::Process, 2),
    (Component::Logs, 2),
    (Component::Locate, 1),
    (Component::Model, 2),
    (Component::Rpc, 4),
    (Component::Resource, 1),
    (Component::App, 1),
];

/// One place in line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ticket(u64);

/// The answer to a request that may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Given,
    Waits(Ticket),
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Look {
    /// It holds a permit now; the ticket is used up.
    Given,
    /// It waits; the waker it had before is given out, because its drop is somebody else's code.
    Waits(Option<Waker>),
}

/// What is to be done outside the lock when somebody has left the line.
#[derive(Debug)]
pub(super) struct Left {
    /// To be woken.
    pub(super) next: Option<Waker>,
    /// To be dropped.
    pub(super) own: Option<Waker>,
}

#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    /// Permits by component, with those given to a ticket that has not looked yet.
    held: [usize; Component::COUNT],
    /// In the order they asked.
    waiting: VecDeque<Waiting>,
    /// Tickets that were given a permit and have not looked yet.
    given: Vec<Ticket>,
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    component: Component,
    waker: Option<Waker>,
}

/// The part of all permits that is one component's share, as numerator and denominator.
pub(super) fn share(component: Component) -> (usize, usize) {
    let all = SHARES.iter().map(|(_, share)| share).sum();
    (SHARES[component.index()].1, all)
}

// === impl Budget ===

impl Budget {
    /// All permits free. A limit of 0 is taken as 1.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            held: [0; Component::COUNT],
            waiting: VecDeque::new(),
            given: Vec::new(),
            next: 0,
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Permits by component.
    pub(super) fn held(&self) -> [usize; Component::COUNT] {
        self.held
    }

    /// False while shrinking has left more held than there are.
    fn is_free(&self) -> bool {
        self.held.iter().sum::<usize>() < self.limit + usize::from(planted("there is one permit more"))
    }

    /// A permit, if one is free.
    pub(super) fn try_take(&mut self, component: Component) -> bool {
        let free = self.is_free() && !(planted("only the first permit is given") && self.held != [0; _]);
        if free {
            self.take(component);
        }
        free
    }

    /// A permit now, or a place in line.
    pub(super) fn ask(&mut self, component: Component) -> Asked {
        if self.try_take(component) {
            return Asked::Given;
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiting.push_back(Waiting { ticket, component, waker: None });
        Asked::Waits(ticket)
    }

    /// Whether a ticket's turn has come; if not, whom to wake then.
    pub(super) fn look(&mut self, ticket: Ticket, waker: &Waker) -> Look {
        if self.claim(ticket) {
            return Look::Given;
        }
        let waiting = self.waiting.iter_mut().find(|waiting| waiting.ticket == ticket);
        Look::Waits(waiting.and_then(|waiting| waiting.waker.replace(waker.clone())))
    }

    /// Somebody no longer waits. A permit given meanwhile goes on to the next.
    pub(super) fn leave(&mut self, ticket: Ticket, component: Component) -> Left {
        if self.claim(ticket) {
            return Left { next: self.give_back(component), own: None };
        }
        let at = self.waiting.iter().position(|waiting| waiting.ticket == ticket);
        Left { next: None, own: at.and_then(|at| self.waiting.remove(at)?.waker) }
    }

    /// A permit comes back; gives out whom to wake.
    pub(super) fn give_back(&mut self, component: Component) -> Option<Waker> {
        let held = &mut self.held[component.index()];
        *held = held.saturating_sub(1);
        self.give_on()
    }

    /// There are more permits from now on, or fewer; then those who hold one keep it to their end. Gives out
    /// whom to wake.
    pub(super) fn set_limit(&mut self, limit: usize) -> Vec<Waker> {
        self.limit = limit.max(1);
        let mut woken = Vec::new();
        while self.is_free() && !self.waiting.is_empty() {
            woken.extend(self.give_on());
        }
        woken
    }

    fn take(&mut self, component: Component) {
        self.held[component.index()] += 1;
    }

    fn claim(&mut self, ticket: Ticket) -> bool {
        let at = self.given.iter().position(|given| *given == ticket);
        at.map(|at| self.given.swap_remove(at)).is_some()
    }

    /// Gives a free permit to the one who is next.
    fn give_on(&mut self) -> Option<Waker> {
        if !self.is_free() {
            return None;
        }
        let line = self.waiting.iter().enumerate();
        // The first among equals, and the line is in the order they asked.
        let (at, _) = line.min_by(|(_, a), (_, b)| self.compare_parts(a.component, b.component))?;
        let next = self.waiting.remove(at)?;
        self.take(next.component);
        self.given.push(next.ticket);
        next.waker
    }

    /// Compares which parts of their shares two components hold.
    fn compare_parts(&self, one: Component, other: Component) -> Ordering {
        let held = |component: Component| self.held[component.index()];
        let (of_one, of_other) = (share(one).0, share(other).0);
        (held(one) * of_other).cmp(&(held(other) * of_one))
    }
}
