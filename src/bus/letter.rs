//! An event on its way.

use std::sync::Arc;

use super::{
    queue::{Item, Slot},
    registry::Table,
};
use crate::event::{Event, Fault, Key, Priority};

/// An event, and how many of its slot it stands for besides itself.
pub(super) struct Letter {
    event: Event,
    absorbed: u64,
}

/// A letter and the subscribers it is for.
pub(super) struct Job {
    pub(super) letter: Letter,
    pub(super) table: Arc<Table>,
}

// === impl Letter ===

impl Letter {
    pub(super) fn new(event: Event) -> Self {
        Self { event, absorbed: 0 }
    }

    /// The event as subscribers see it. An error carries its run's count; a fault has to say how many of its
    /// component it stands for.
    pub(super) fn open(self) -> Event {
        match self.event {
            Event::Fault(Fault { component, place, kind, message }) if self.absorbed > 0 => {
                let message = Arc::from(format!("{message} (and {} more just before)", self.absorbed));
                Event::Fault(Fault { component, place, kind, message })
            }
            event => event,
        }
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
            Event::ProcessPending { .. }
            | Event::ProcessStarted { .. }
            | Event::ProcessExited { .. }
            | Event::LinesArrived { .. }
            | Event::MemorySampled { .. } => None,
        }
    }

    fn absorb(&mut self, older: &Self) {
        self.absorbed += older.absorbed + 1;
    }
}

// === impl Job ===

impl Item for Job {
    fn key(&self) -> Key {
        self.letter.key()
    }

    fn priority(&self) -> Priority {
        self.letter.priority()
    }

    fn slot(&self) -> Option<Slot> {
        self.letter.slot()
    }

    fn absorb(&mut self, older: &Self) {
        self.letter.absorb(&older.letter);
    }
}
