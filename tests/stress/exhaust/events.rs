//! The queues of the bus are full because a handler does not return.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use brummer::{
    bus::{Account, Filter, PublishError},
    config::{Backpressure, Mode},
    event::{Component, Event, EventKind, Seq},
};
use parking_lot::Mutex;

use crate::rig::{self, Gate, Rig, config, until};

/// Room for Medium and for Low events.
const ROOM: usize = 8;
const HIGH: usize = 4;
/// So many more are published than there is room for.
const BEYOND: usize = 5;

pub fn both(policy: Backpressure) -> String {
    format!("{}; fallback: {}", one(Mode::Current, policy), one(Mode::Fallback, policy))
}

fn one(mode: Mode, policy: Backpressure) -> String {
    rig::run(async {
        let mut config = config(mode);
        config.eventbus.workers = 1;
        config.eventbus.queue_sizes = [HIGH, ROOM, ROOM];
        config.eventbus.backpressure = policy;
        let rig = Rig::start(&config);
        let gate = Gate::new();
        let (seen, low) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let watching = rig.bus.on(Filter::all(), Component::App, "gate", {
            let (gate, seen, low) = (Arc::clone(&gate.0), Arc::clone(&seen), Arc::clone(&low));
            move |event| {
                gate.pass();
                match event {
                    Event::LinesArrived { last: Seq(number), .. } => seen.lock().push(*number),
                    Event::MemorySampled { .. } => {
                        low.fetch_add(1, SeqCst);
                    }
                    _ => {}
                }
            }
        });
        // From a thread of its own: where whoever publishes delivers, it stands at the gate itself.
        let first = tokio::task::spawn_blocking({
            let bus = rig.bus.clone();
            move || bus.try_publish(rig::lines(1, 0))
        });
        until("the handler holds the worker", || gate.0.waiting() == 1).await;
        // Medium and Low.
        let mut refused = [0; 2];
        let mut offer = |event: Event| {
            let at = event.priority().index() - 1;
            if let Err(error) = rig.bus.try_publish(event) {
                assert_eq!(error, PublishError::Full);
                refused[at] += 1;
            }
        };
        for number in 1..=ROOM {
            offer(rig::lines(1, number));
            offer(rig::memory());
        }

        // --- full ---
        for number in ROOM + 1..=ROOM + BEYOND {
            offer(rig::lines(1, number));
        }
        let waiting: u64 = rig.bus.account().iter().map(|book| book.queued).sum();
        assert!(waiting <= 2 * ROOM as u64, "{waiting} wait");
        if policy == Backpressure::Block {
            assert_eq!(rig.bus.publish(rig::lines(1, 99)).await, Err(PublishError::Full), "after 100 ms");
            refused[0] += 1;
        }
        for number in 0..HIGH {
            rig.bus.publish(rig::exited(1, number)).await.unwrap();
        }
        let waits = || rig.metrics.snapshot().bus.publisher_waits;
        let before = waits();
        let (bus, event) = (rig.bus.clone(), rig::exited(1, HIGH));
        let waiting = tokio::spawn(async move { bus.publish(event).await });
        until("a publisher of a High event waits", || waits() > before).await;
        rig.bus.try_publish(rig::exited(1, HIGH + 1)).expect("a handler's High event is always taken");
        assert!(!waiting.is_finished());
        let full = rig.metrics.snapshot().bus;
        assert_eq!(full.published[0], (HIGH + 1) as u64, "the one that waits is not published");

        // --- room ---
        drop(gate);
        assert_eq!(waiting.await.unwrap(), Ok(()), "it came in");
        let settled = || rig.bus.account().iter().all(|book| book.queued + book.in_flight == 0);
        until("all is delivered", settled).await;
        assert_eq!(first.await.unwrap(), Ok(()));
        let (books, seen, low) = (rig.bus.account(), seen.lock().clone(), low.load(SeqCst));
        let lost = books.map(|book| book.dropped_policy);
        assert_eq!((books[0].delivered, lost[0]), ((HIGH + 2) as u64, 0), "every High event");
        assert_eq!([books[1].delivered, books[2].delivered], [seen.len() as u64, low], "delivered and seen");
        assert!(seen.is_sorted(), "in order: {seen:?}");
        assert!(books.iter().all(Account::balances), "{books:?}");
        assert_eq!(rig.metrics.snapshot().bus.refused, [0, refused[0], refused[1]]);
        assert!(lost[1] + lost[2] + refused[0] + refused[1] >= BEYOND as u64, "what had no room is counted");
        if mode == Mode::Current {
            let numbers =
                |range: RangeInclusive<usize>| range.map(|number| number as u64).collect::<Vec<_>>();
            let (expected, dropped) = match policy {
                Backpressure::DropOldest => {
                    ([vec![0], numbers(BEYOND + 1..=ROOM + BEYOND)].concat(), [0, BEYOND as u64, 0])
                }
                Backpressure::DropNewest => (numbers(0..=ROOM), [0, BEYOND as u64, 0]),
                Backpressure::DropLowPriority => (numbers(0..=ROOM + BEYOND), [0, 0, BEYOND as u64]),
                Backpressure::Block => (numbers(0..=ROOM), [0; 3]),
            };
            assert_eq!((seen, lost), (expected, dropped), "which lines came, {policy:?}");
        }

        // --- as before ---
        let delivered = books[1].delivered;
        for number in 100..200 {
            rig.bus.publish(rig::lines(1, number)).await.unwrap();
            until("it is delivered", settled).await;
        }
        assert_eq!(rig.bus.account()[1].delivered, delivered + 100, "nothing is dropped any more");
        drop(watching);
        rig.end().await;
        format!("medium and low dropped {:?}, refused {refused:?}, a publisher of High waited", &lost[1..])
    })
}

/// The kinds the other programs publish.
pub const KINDS: [EventKind; 2] = [EventKind::LinesArrived, EventKind::ProcessExited];
