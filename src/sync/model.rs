//! The stand-ins: no wake-up of `Notify` and no update of `Swap` is lost.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use super::{
    Mutex, Notify, Swap,
    atomic::{AtomicBool, Ordering},
    check::{ALL_WAIT, block_on, explore, join, planted, spawn},
    contract,
};

#[derive(Default)]
struct Flag {
    raised: AtomicBool,
    told: Notify,
}

impl Flag {
    fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }
}

#[test]
fn the_stand_in_keeps_the_contract() {
    explore(contract::holds);
}

#[test]
fn one_wake_up_given_before_the_wait_is_kept() {
    explore(|| {
        let flag = Arc::new(Flag::default());
        let raises = flag.clone();
        let raiser = spawn(move || {
            raises.raised.store(true, Ordering::Release);
            raises.told.notify_one();
        });
        block_on(async {
            while !flag.is_raised() {
                flag.told.notified().await;
            }
        });
        join([raiser]);
    });
}

#[test]
fn a_future_made_before_the_look_is_woken_with_all() {
    explore(|| {
        let flag = Arc::new(Flag::default());
        let raises = flag.clone();
        let raiser = spawn(move || {
            raises.raised.store(true, Ordering::Release);
            raises.told.notify_waiters();
        });
        block_on(async {
            let told = pin!(flag.told.notified());
            if !flag.is_raised() {
                told.await;
            }
        });
        join([raiser]);
    });
}

#[test]
fn two_who_are_in_line_before_they_look_get_both_items() {
    #[derive(Default)]
    struct Items {
        left: Mutex<usize>,
        more: Notify,
    }
    impl Items {
        fn take(&self) -> bool {
            let mut left = self.left.lock();
            let some = *left > 0;
            *left -= usize::from(some);
            some
        }
        async fn one(&self) {
            loop {
                let mut more = pin!(self.more.notified());
                more.as_mut().enable();
                if self.take() {
                    return;
                }
                more.await;
            }
        }
    }
    explore(|| {
        let items = Arc::new(Items::default());
        let (consumes, produces) = (items.clone(), items.clone());
        let consumer = spawn(move || block_on(consumes.one()));
        let producer = spawn(move || {
            for _ in 0..2 {
                *produces.left.lock() += 1;
                produces.more.notify_one();
            }
        });
        block_on(items.one());
        join([consumer, producer]);
    });
}

#[test]
fn a_wake_up_for_somebody_who_went_away_goes_to_the_next() {
    explore(|| {
        let notify = Arc::new(Notify::new());
        let goes = notify.clone();
        let impatient = spawn(move || {
            let mut wait = pin!(goes.notified());
            let poll = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if poll.is_ready() {
                // It took the wake-up itself.
                goes.notify_one();
            }
        });
        let wakes = notify.clone();
        let waker = spawn(move || wakes.notify_one());
        block_on(notify.notified());
        join([impatient, waker]);
    });
}

#[test]
fn no_update_is_lost() {
    explore(|| {
        let swap = Arc::new(Swap::from_pointee(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let swap = swap.clone();
                spawn(move || drop(swap.update(|n| n + 1)))
            })
            .collect();
        join(threads);
        assert_eq!(*swap.load(), 2, "updates");
    });
}

planted! {
    a_permit_that_is_not_kept_is_seen:
        one_wake_up_given_before_the_wait_is_kept with "no permit is kept" says ALL_WAIT;
    a_future_that_misses_its_round_is_seen:
        a_future_made_before_the_look_is_woken_with_all with "a round is missed" says ALL_WAIT;
    enabling_left_out_is_seen:
        two_who_are_in_line_before_they_look_get_both_items with "enable does nothing" says ALL_WAIT;
    a_wake_up_lost_with_its_future_is_seen:
        a_wake_up_for_somebody_who_went_away_goes_to_the_next with "nothing is handed on" says ALL_WAIT;
    an_update_over_another_is_seen:
        no_update_is_lost with "an update overwrites another" says "updates";
}
