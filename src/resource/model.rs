//! Permits are neither lost nor given twice, and nobody waits for one in vain; nobody waits for the end in
//! vain either.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use super::{
    Shutdown,
    alive::Tasks,
    owner::Holding,
    permit::{Permit, Permits},
};
use crate::{
    event::Component,
    metrics::SynchronizationMetrics,
    sync::{
        atomic::{AtomicUsize, Ordering},
        check::{ALL_WAIT, block_on, explore, join, planted, spawn},
    },
};

fn permits(limit: usize) -> Arc<Permits> {
    Permits::new(limit, Arc::default())
}

/// Uses a permit; states that no more are used than there are.
fn work(permit: Permit, used: &AtomicUsize, limit: usize) {
    let used_before = used.fetch_add(1, Ordering::SeqCst);
    assert!(used_before < limit, "more permits than {limit} are held");
    used.fetch_sub(1, Ordering::SeqCst);
    drop(permit);
}

fn assert_all_free(permits: &Arc<Permits>, limit: usize) {
    let all: Vec<_> = (0..limit).map_while(|_| permits.try_acquire(Component::App).ok()).collect();
    assert_eq!(all.len(), limit, "permits are lost");
}

#[test]
fn a_permit_goes_from_hand_to_hand_and_none_is_lost() {
    explore(|| {
        let (permits, used) = (permits(1), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = [Component::Rpc, Component::Logs]
            .map(|component| {
                let (permits, used) = (permits.clone(), used.clone());
                spawn(move || work(block_on(permits.acquire(component)), &used, 1))
            })
            .into();
        if let Ok(permit) = permits.try_acquire(Component::App) {
            work(permit, &used, 1);
        }
        join(threads);
        assert_all_free(&permits, 1);
    });
}

#[test]
fn who_gives_up_waiting_keeps_no_permit() {
    explore(|| {
        let permits = permits(1);
        let held = permits.try_acquire(Component::App).expect("one is free");
        let gives_up = permits.clone();
        let impatient = spawn(move || {
            let mut wait = pin!(gives_up.acquire(Component::Rpc));
            drop(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        });
        drop(held);
        join([impatient]);
        assert_all_free(&permits, 1);
    });
}

#[test]
fn who_gives_up_waiting_passes_on_what_it_was_given() {
    explore(|| {
        let permits = permits(1);
        let held = permits.try_acquire(Component::App).expect("one is free");
        let (gives_up, waits) = (permits.clone(), permits.clone());
        let impatient = spawn(move || {
            let mut wait = pin!(gives_up.acquire(Component::Rpc));
            drop(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        });
        let patient = spawn(move || drop(block_on(waits.acquire(Component::Logs))));
        drop(held);
        join([impatient, patient]);
        assert_all_free(&permits, 1);
    });
}

#[test]
fn no_permit_is_refused_while_one_is_free() {
    explore(|| {
        let permits = permits(2);
        let asks = permits.clone();
        let thread = spawn(move || drop(asks.try_acquire(Component::Rpc).expect("at most 1 of 2 is held")));
        drop(permits.try_acquire(Component::Logs).expect("at most 1 of 2 is held"));
        join([thread]);
    });
}

#[test]
fn fewer_permits_and_more_again_lose_none() {
    explore(|| {
        let permits = permits(2);
        let asks = permits.clone();
        let thread = spawn(move || {
            let first = block_on(asks.acquire(Component::Rpc));
            drop(first);
            drop(block_on(asks.acquire(Component::Rpc)));
        });
        let held = block_on(permits.acquire(Component::Logs));
        permits.set_limit(1);
        drop(held);
        permits.set_limit(2);
        join([thread]);
        assert_all_free(&permits, 2);
    });
}

/// Too many orders for loom.
#[test]
#[cfg(feature = "shuttle")]
fn under_contention_every_component_gets_its_turn() {
    const LIMIT: usize = 2;
    explore(|| {
        let (permits, used) = (permits(LIMIT), Arc::new(AtomicUsize::new(0)));
        let components = [Component::Rpc, Component::Rpc, Component::Logs, Component::Model, Component::App];
        let threads = components.map(|component| {
            let (permits, used) = (permits.clone(), used.clone());
            spawn(move || {
                for _ in 0..4 {
                    work(block_on(permits.acquire(component)), &used, LIMIT);
                    let mut wait = pin!(permits.acquire(component));
                    drop(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())));
                }
            })
        });
        join(threads);
        assert_all_free(&permits, LIMIT);
    });
}

#[test]
fn whoever_waits_for_the_end_is_told_and_so_is_who_asks_later() {
    explore(|| {
        let shutdown = Shutdown::default();
        let waits: Vec<_> = (0..2)
            .map(|_| {
                let shutdown = shutdown.clone();
                spawn(move || block_on(shutdown.begun()))
            })
            .collect();
        shutdown.begin();
        block_on(shutdown.begun());
        assert!(shutdown.is_begun());
        join(waits);
    });
}

#[test]
fn the_last_task_to_end_is_noticed() {
    explore(|| {
        let tasks = Tasks::new(Arc::new(SynchronizationMetrics::default()));
        let holding = Holding::new(Component::App, "model");
        let ends: Vec<_> = (0..2)
            .map(|_| {
                let alive = tasks.begin(&holding);
                spawn(move || drop(alive))
            })
            .collect();
        block_on(tasks.none_alive());
        assert_eq!(tasks.alive(), 0);
        join(ends);
    });
}

planted! {
    a_permit_that_comes_back_unnoticed_is_seen:
        a_permit_goes_from_hand_to_hand_and_none_is_lost with "a permit comes back unnoticed" says ALL_WAIT;
    a_permit_too_many_is_seen:
        a_permit_goes_from_hand_to_hand_and_none_is_lost with "there is one permit more"
        says "more permits than 1 are held";
    a_permit_lost_with_its_future_is_seen:
        who_gives_up_waiting_keeps_no_permit with "a permit is lost with its future" says "permits are lost";
    a_refusal_for_no_reason_is_seen:
        no_permit_is_refused_while_one_is_free with "only the first permit is given"
        says "at most 1 of 2 is held";
    an_end_told_to_nobody_is_seen:
        whoever_waits_for_the_end_is_told_and_so_is_who_asks_later with "a round is missed" says ALL_WAIT;
    a_last_task_that_goes_unnoticed_is_seen:
        the_last_task_to_end_is_noticed with "a round is missed" says ALL_WAIT;
}
