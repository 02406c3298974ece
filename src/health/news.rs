//! Tells the bus of faults and of changes. A task of its own, because a bus in trouble may keep whoever publishes.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Inner, States};
use crate::{
    bus::EventBus,
    event::{Component, Event, Fault},
    resource::{FAULTS, ResourceManager, Sender, Waiting, channel as channel_of},
};

/// The way to the teller. Full: a fault is not told on the bus, and is counted as unread.
pub(super) fn channel(resources: &ResourceManager) -> (Sender<Fault>, mpsc::Receiver<Fault>) {
    channel_of(resources, Component::App, "faults to tell", FAULTS, Waiting::Measured)
}

/// Tells until the program ends. What changed while it could not tell is one change.
pub(super) async fn tell(
    mut faults: mpsc::Receiver<Fault>,
    mut states: watch::Receiver<States>,
    inner: Arc<Inner>,
    bus: EventBus,
    resources: ResourceManager,
) {
    let shutdown = resources.shutdown();
    let mut told = *states.borrow_and_update();
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            fault = faults.recv() => match fault {
                Some(fault) => {
                    // What goes wrong in here must not become a fault to tell of.
                    let told = || publish(&bus, Event::Fault(fault));
                    resources.recover_handling_fault(Component::App, "news of health", told);
                }
                None => return,
            },
            changed = states.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = *states.borrow_and_update();
                for event in changes(&inner, told, now) {
                    publish(&bus, event);
                }
                told = now;
            }
        }
    }
}

fn changes(inner: &Inner, told: States, now: States) -> impl Iterator<Item = Event> {
    let judged = inner.judged.load();
    let changed =
        Component::ALL.into_iter().filter(move |component| told[component.index()] != now[component.index()]);
    changed.map(move |component| {
        let ladder = judged.ladder(component);
        Event::HealthChanged {
            component,
            from: told[component.index()],
            to: now[component.index()],
            reason: ladder.reason().map_or_else(|| Arc::from(""), Arc::clone),
            at: ladder.since(),
        }
    })
}

fn publish(bus: &EventBus, event: Event) {
    let kind = event.kind();
    if let Err(error) = bus.try_publish(event) {
        tracing::debug!(?kind, %error, "An event was not taken.");
    }
}
