//! Mailboxes nobody reads: each loses for its own reader only, and all together hold no more than they may.

use brummer::{
    bus::{Filter, Mailbox},
    config::{Backpressure, Mode},
    event::{Component, EventKind, Priority},
};

use super::events::KINDS;
use crate::{
    Scale,
    rig::{self, Rig, config, until},
};

const ROOM: usize = 4;
const EVENTS: usize = 50;

/// How many events of each priority a mailbox holds; none afterwards.
fn empty(mailbox: &mut Mailbox) -> [usize; 3] {
    let mut held = [0; 3];
    while let Some(event) = mailbox.try_recv() {
        held[event.priority().index()] += 1;
    }
    held
}

async fn delivered(rig: &Rig) {
    until("all is delivered", || rig.bus.account().iter().all(|book| book.queued + book.in_flight == 0))
        .await;
}

pub fn full(_scale: &Scale) -> String {
    rig::run(async {
        let rig = Rig::start(&config(Mode::Current));
        let subscribe =
            |policy, capacity| rig.bus.subscribe(Filter::of(&KINDS), Component::App, capacity, policy);
        let mut small =
            [subscribe(Backpressure::DropOldest, ROOM), subscribe(Backpressure::DropNewest, ROOM)];
        let mut large = subscribe(Backpressure::DropNewest, EVENTS);
        for number in 0..EVENTS {
            rig.bus.publish(rig::lines(number, number)).await.unwrap();
            rig.bus.publish(rig::exited(number, number)).await.unwrap();
            delivered(&rig).await;
        }
        let lost = rig.metrics.snapshot().bus.dropped_subscriber_full;
        assert_eq!(lost, [0, 2 * (EVENTS - ROOM) as u64, 0], "what the small ones could not hold");
        for mailbox in &mut small {
            assert_eq!(empty(mailbox), [EVENTS, ROOM, 0], "High is complete");
        }
        assert_eq!(empty(&mut large), [EVENTS, EVENTS, 0], "the other reader misses nothing");

        for number in 0..ROOM {
            rig.bus.publish(rig::lines(1, number)).await.unwrap();
        }
        delivered(&rig).await;
        for mailbox in &mut small {
            assert_eq!(empty(mailbox), [0, ROOM, 0], "there is room again");
        }
        assert_eq!(rig.metrics.snapshot().bus.dropped_subscriber_full, lost, "nothing more was lost");
        drop((small, large));
        rig.end().await;
        format!(
            "2 full, {} of {EVENTS} medium lost for each, none of {EVENTS} high, none for the other reader",
            EVENTS - ROOM
        )
    })
}

pub fn ceiling(_scale: &Scale) -> String {
    const MOST: usize = 60;
    const READERS: usize = 3;
    rig::run(async {
        let mut config = config(Mode::Current);
        config.eventbus.queue_sizes = [5, 5, 5];
        config.eventbus.workers = 1;
        config.eventbus.max_events = MOST;
        let rig = Rig::start(&config);
        let kinds = Filter::of(&[EventKind::LinesArrived]);
        let subscribe = || rig.bus.subscribe(kinds, Component::App, EVENTS, Backpressure::DropOldest);
        let mut readers: Vec<Mailbox> = (0..READERS).map(|_| subscribe()).collect();
        for number in 0..EVENTS {
            rig.bus.publish(rig::lines(1, number)).await.unwrap();
            delivered(&rig).await;
        }
        let at = Priority::Medium.index();
        let full = rig.metrics.snapshot().bus;
        let held: usize = readers.iter_mut().map(|reader| empty(reader)[at]).sum();
        assert!(held <= MOST, "{held} waited in all mailboxes, {MOST} may");
        assert_eq!(held + full.dropped_ceiling[at] as usize, READERS * EVENTS, "held and dropped: {full:?}");
        assert_eq!(full.in_mailboxes, held as u64, "as counted");

        for number in 0..5 {
            rig.bus.publish(rig::lines(1, number)).await.unwrap();
        }
        delivered(&rig).await;
        for reader in &mut readers {
            assert_eq!(empty(reader)[at], 5, "there is room again");
        }
        assert_eq!(rig.metrics.snapshot().bus.in_mailboxes, 0);
        drop(readers);
        rig.end().await;
        format!("{held} of {} held in {READERS} mailboxes, the limit is {MOST}", READERS * EVENTS)
    })
}
