//! Room, wake-ups, drops and stop: nobody waits in vain, and everything published is accounted for.

use super::*;
use crate::sync::check::{ALL_WAIT, explore_large, join, planted};

#[test]
fn a_publisher_that_waits_for_room_gets_it_and_all_is_delivered() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::Block);
        let (seen, _collect) = collect(&bus);
        let worker = work(&bus);
        block_on(async {
            for n in 1..=2 {
                bus.publish(high(n)).await.expect("it runs");
            }
        });
        stop(&bus);
        join([worker]);
        assert_eq!(*seen.lock(), [1, 2]);
        assert_eq!((assert_books(&bus)[0].delivered, bus.shared.lanes[0].hand().is_none()), (2, true));
    });
}

#[test]
fn the_books_balance_at_every_read() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::DropOldest);
        let (seen, _collect) = collect(&bus);
        let worker = work(&bus);
        let publishes = bus.clone();
        let publisher = spawn(move || {
            for n in 1..=2 {
                block_on(publishes.publish(medium(n))).expect("it runs");
            }
        });
        assert_books(&bus);
        assert_books(&bus);
        join([publisher]);
        stop(&bus);
        join([worker]);
        let books = assert_books(&bus)[1];
        assert_eq!((books.published, books.delivered), (2, seen.lock().len() as u64));
        assert_eq!(seen.lock().last(), Some(&2), "the newest is kept");
    });
}

#[test]
fn a_stop_delivers_what_was_taken_and_refuses_the_rest() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::Block);
        let (seen, _collect) = collect(&bus);
        let worker = work(&bus);
        let publishes = bus.clone();
        let publisher = spawn(move || {
            let mut taken = 0;
            for n in 1..=2 {
                taken += u64::from(block_on(publishes.publish(high(n))).is_ok());
            }
            let seen = seen.lock().len() as u64;
            // It is the last to publish, so nothing is taken in after it.
            assert!(publishes.account()[0].published == taken && seen <= taken);
        });
        stop(&bus);
        join([publisher, worker]);
        let books = assert_books(&bus)[0];
        assert_eq!(books.published, books.delivered, "left behind");
    });
}

#[test]
fn a_stop_that_runs_out_of_time_counts_what_it_drops() {
    explore_large(|| {
        let bus = bus(Mode::Current, Backpressure::Block);
        let (seen, _collect) = collect(&bus);
        for n in 1..=2 {
            bus.try_publish(high(n)).expect("it runs");
        }
        let worker = work(&bus);
        bus.shared.lanes[0].close();
        bus.shared.lanes[0].halt();
        assert_books(&bus);
        join([worker]);
        let books = assert_books(&bus)[0];
        assert_eq!((books.published, books.delivered), (2, seen.lock().len() as u64));
        assert_eq!(books.in_flight, 0);
    });
}

planted! {
    a_worker_that_is_not_woken_is_seen:
        a_publisher_that_waits_for_room_gets_it_and_all_is_delivered
        with "the worker is not woken" says ALL_WAIT;
    room_that_nobody_is_told_of_is_seen:
        a_publisher_that_waits_for_room_gets_it_and_all_is_delivered with "room is not told" says ALL_WAIT;
    a_stop_that_is_not_told_is_seen:
        a_publisher_that_waits_for_room_gets_it_and_all_is_delivered with "news are not told" says ALL_WAIT;
    a_drop_that_is_not_counted_is_seen:
        the_books_balance_at_every_read with "a drop is not counted" says "the books do not balance";
}
