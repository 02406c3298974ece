//! Who comes gets all from then on, and who has left is not called any more. A call that has begun goes on
//! to its end.

use std::sync::atomic::AtomicUsize as Count;

use super::*;
use crate::sync::{
    atomic::{AtomicBool, Ordering::SeqCst},
    check::{ALL_WAIT, explore_large, join, planted},
};

#[test]
fn who_has_left_is_not_called_for_what_comes_next() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::Block);
        let gone = Arc::new(AtomicBool::new(false));
        let was_gone = Arc::new(AtomicBool::new(false));
        let (looks, knows, asks) = (gone.clone(), was_gone.clone(), was_gone.clone());
        // Called before the one that leaves, for the same event, from the same table.
        let _first = on(&bus, move |_| knows.store(looks.load(SeqCst), SeqCst));
        let leaves = on(&bus, move |_| assert!(!asks.load(SeqCst), "called after it has left"));
        let worker = work(&bus);
        let leaver = spawn(move || {
            drop(leaves);
            gone.store(true, SeqCst);
        });
        bus.try_publish(high(1)).expect("it runs");
        stop(&bus);
        join([leaver, worker]);
        let panics = bus.shared.metrics.bus.handler_panics.read();
        assert_eq!(panics, 0, "called after it has left");
    });
}

#[test]
fn who_comes_gets_what_is_published_from_then_on_whoever_comes_and_goes_besides() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::Block);
        let (worker, other) = (work(&bus), bus.clone());
        let comes_and_goes = spawn(move || drop(on(&other, |_| {})));
        let calls = Arc::new(Count::new(0));
        let counts = calls.clone();
        let _stays = on(&bus, move |_| {
            counts.fetch_add(1, SeqCst);
        });
        bus.try_publish(high(1)).expect("it runs");
        stop(&bus);
        join([comes_and_goes, worker]);
        assert_eq!(calls.load(SeqCst), 1, "calls");
        assert_eq!(bus.shared.registry.table().subscribers(EventKind::Fault).len(), 1, "subscribers");
    });
}

#[test]
fn who_reads_a_mailbox_is_woken_for_each_event_and_for_the_end() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::Block);
        let mut mailbox = bus.subscribe(Filter::all(), Component::Model, 1, Backpressure::Block);
        let worker = work(&bus);
        let reader = spawn(move || {
            block_on(async {
                assert_eq!(mailbox.recv().await.map(|event| number(&event)), Some(1));
                assert!(mailbox.recv().await.is_none());
            });
        });
        bus.try_publish(high(1)).expect("it runs");
        stop(&bus);
        bus.shared.registry.inboxes().iter().for_each(|inbox| inbox.close());
        join([worker, reader]);
    });
}

planted! {
    a_call_after_the_leave_is_seen:
        who_has_left_is_not_called_for_what_comes_next
        with "who leaves is still called" says "called after it has left";
    a_subscriber_lost_to_another_is_seen:
        who_comes_gets_what_is_published_from_then_on_whoever_comes_and_goes_besides
        with "an update overwrites another" says "assertion";
    a_reader_that_is_not_woken_is_seen:
        who_reads_a_mailbox_is_woken_for_each_event_and_for_the_end with "no permit is kept" says ALL_WAIT;
}
