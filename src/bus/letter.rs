//! An event on its way.

use std::{borrow::Cow, sync::Arc, time::Instant};

use super::queue::{Item, Slot};
use crate::event::{Event, EventKind, Fault, Key, Priority};

/// An event, and how many of its slot it stands for besides itself.
pub(super) struct Letter {
    event: Event,
    absorbed: u64,
    /// Subscribers with a smaller number were there when it was published.
    pub(super) until: u64,
    /// When it was accepted, if it is one of those that are timed.
    pub(super) accepted: Option<Instant>,
}

// === impl Letter ===

impl Letter {
    pub(super) fn new(event: Event, until: u64) -> Self {
        Self { event, absorbed: 0, until, accepted: None }
    }

    pub(super) fn kind(&self) -> EventKind {
        self.event.kind()
    }

    /// The event as subscribers see it. An error carries its run's count; a fault has to say how many of its
    /// component it stands for.
    pub(super) fn open(&self) -> Cow<'_, Event> {
        match &self.event {
            Event::Fault(Fault { component, place, kind, message }) if self.absorbed > 0 => {
                let message = Arc::from(format!("{message} (and {} more just before)", self.absorbed));
                let fault = Fault { component: *component, place, kind: *kind, message };
                Cow::Owned(Event::Fault(fault))
            }
            event => Cow::Borrowed(event),
        }
    }

    pub(super) fn into_event(self) -> Event {
        if let Cow::Owned(event) = self.open() {
            return event;
        }
        self.event
    }
}

impl Item for Letter {
    fn key(&self) -> Key {
        self.event.key()
    }

    fn priority(&self) -> Priority {
        self.event.priority()
    }

    fn slot(&self) -> Option<Slot> {
        match &self.event {
            Event::ErrorDetected { process, run, .. } => Some(Slot::Errors(*process, *run)),
            Event::Fault(fault) => Some(Slot::Faults(fault.component)),
            Event::HealthChanged { component, .. } => Some(Slot::Health(*component)),
            Event::UrlDetected { process, run, .. } => Some(Slot::Urls(*process, *run)),
            Event::ProcessDetail { process, run, .. } => Some(Slot::Detail(*process, *run)),
            Event::ProcessPending { .. }
            | Event::ProcessStarted { .. }
            | Event::ProcessExited { .. }
            | Event::LinesArrived { .. }
            | Event::UsageSampled { .. }
            | Event::MemorySampled { .. } => None,
        }
    }

    fn absorb(&mut self, older: &Self) {
        self.absorbed += older.absorbed + 1;
    }
}
