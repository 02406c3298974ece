//! Locks and what stands around them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::*;

#[test]
fn a_lock_is_free_again_after_its_guard() {
    let (mutex, lock) = (Mutex::new(1), RwLock::new(1));
    *mutex.lock() += 1;
    *lock.write() += 1;
    assert_eq!(*mutex.lock(), 2);
    assert_eq!(*lock.read(), 2);
}

#[test]
#[cfg(debug_assertions)]
fn a_second_lock_panics_with_both_places() {
    let (first, second) = (Mutex::new(()), RwLock::new(()));
    let line = line!() + 2;
    let said = catch_unwind(AssertUnwindSafe(|| {
        let _first = first.lock();
        let _second = second.read();
    }))
    .expect_err("nesting must panic");
    let said = said.downcast_ref::<String>().expect("a text");
    for line in [line, line + 1] {
        assert!(said.contains(&format!("tests.rs:{line}:")), "{said}");
    }
    // Both are free afterwards, and the thread counts as holding none.
    drop(second.write());
    drop(first.lock());
}

#[test]
fn a_guard_cannot_move_to_another_thread() {
    // Does not compile when a guard is Send: `some` would be ambiguous.
    trait AmbiguousIfSend<A> {
        fn some() {}
    }
    struct Send_;
    impl<T: ?Sized> AmbiguousIfSend<()> for T {}
    impl<T: ?Sized + Send> AmbiguousIfSend<Send_> for T {}
    <MutexGuard<'static, ()> as AmbiguousIfSend<_>>::some();
    <ReadGuard<'static, ()> as AmbiguousIfSend<_>>::some();
    <WriteGuard<'static, ()> as AmbiguousIfSend<_>>::some();
}

#[test]
fn a_lock_that_is_not_free_is_counted() {
    let before = contention().contended;
    let (mutex, lock, deadline) = (Mutex::new(()), RwLock::new(()), Instant::now() + Duration::from_secs(20));
    // Each round is one more chance that one asks while the other holds. The figures are the whole program's:
    // that other tests add to them is why only growth is asserted.
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while contention().contended < before + 3 && Instant::now() < deadline {
                    let held = mutex.lock();
                    thread::yield_now();
                    drop(held);
                    let held = lock.write();
                    thread::yield_now();
                    drop(held);
                    drop(lock.read());
                }
            });
        }
    });
    assert!(contention().contended >= before + 3);
}

#[test]
fn a_wait_counts_with_its_time_and_a_long_one_as_a_breach() {
    let before = contention();
    contention::count(Duration::from_millis(10));
    contention::count(Duration::from_millis(11));
    let after = contention();
    assert!(after.contended >= before.contended + 2 && after.wait >= before.wait + 21_000);
    assert!(after.longest_wait >= 11_000 && after.breaches > before.breaches);
}

#[test]
fn a_swap_loses_no_update() {
    let swap = Swap::from_pointee(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| drop(swap.update(|n| n + 1))));
        }
    });
    let kept = swap.load();
    swap.store(Arc::new(7));
    assert_eq!((*kept, *swap.load()), (4000, 7));
}

#[test]
fn tokios_notify_keeps_the_contract() {
    contract::holds();
}
