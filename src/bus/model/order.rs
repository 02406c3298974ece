//! Every event reaches every subscriber once and in order, also when a batch goes to another worker or the
//! bus changes its implementation.

use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::sync::check::{explore_large, join, planted};

#[test]
fn a_batch_that_is_taken_over_is_delivered_once() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::Block);
        let (seen, _collect) = collect(&bus);
        for n in 1..=2 {
            bus.try_publish(high(n)).expect("it runs");
        }
        let (worker, watches) = (work(&bus), bus.clone());
        let watchdog = spawn(move || {
            let lane = &watches.shared.lanes[0];
            let Some(batch) = lane.hand() else { return };
            let at = batch.position();
            let Some(called) = batch.subscriber(at) else { return };
            called.behind.fetch_add(1, SeqCst);
            match lane.replace(&batch, at) {
                Some(worker) => block_on(worker::run(watches.shared.clone(), 0, worker, Some(batch))),
                None => called.came_back(),
            }
        });
        assert_books(&bus);
        stop(&bus);
        join([worker, watchdog]);
        let mut seen = seen.lock().clone();
        // The call that was left behind may be late.
        seen.sort_unstable();
        assert_eq!(seen, [1, 2], "delivered");
        assert_eq!(assert_books(&bus)[0].delivered, 2);
    });
}

#[test]
fn a_change_of_the_implementation_keeps_the_order_and_loses_nothing() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::Block);
        let (seen, _collect) = collect(&bus);
        let (worker, publishes) = (work(&bus), bus.clone());
        let publisher = spawn(move || {
            for n in 1..=3 {
                publishes.try_publish(high(n)).expect("one of the two takes it");
            }
        });
        // As `switch::switch` does it.
        bus.shared.serial.hold();
        bus.shared.lanes[0].divert();
        bus.shared.fallback.store(true, SeqCst);
        block_on(bus.shared.lanes[0].drained());
        if let Some(turn) = bus.shared.serial.release() {
            bus.shared.drive(turn);
        }
        join([publisher]);
        stop(&bus);
        join([worker]);
        assert_eq!(*seen.lock(), [1, 2, 3], "order");
        assert_eq!(assert_books(&bus)[0].delivered, 3);
    });
}

planted! {
    a_batch_delivered_by_two_is_seen:
        a_batch_that_is_taken_over_is_delivered_once with "a batch that was taken over goes on" says "delivered";
    an_event_that_overtakes_the_change_is_seen:
        a_change_of_the_implementation_keeps_the_order_and_loses_nothing
        with "what is held is delivered" says "order";
}
