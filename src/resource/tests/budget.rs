//! Who gets a permit that comes back, and what becomes of those who no longer want one.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Poll, Waker},
};

use proptest::prelude::*;

use super::*;
use crate::resource::budget::{Asked, Budget, Look, share};

type Waiter = Pin<Box<dyn Future<Output = Permit>>>;

fn waiter(manager: &ResourceManager, component: Component) -> Waiter {
    let manager = manager.clone();
    Box::pin(async move { manager.acquire(component).await })
}

/// Polls once.
async fn poll(waiter: &mut Waiter) -> Option<Permit> {
    poll_fn(|cx| match waiter.as_mut().poll(cx) {
        Poll::Ready(permit) => Poll::Ready(Some(permit)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

fn take(manager: &ResourceManager, component: Component, count: usize) -> VecDeque<Permit> {
    (0..count).map(|_| manager.try_acquire(component).expect("one is free")).collect()
}

#[tokio::test]
async fn a_permit_goes_to_the_component_furthest_below_its_share_and_there_to_the_first_that_asked() {
    let (manager, _faults, metrics) = manager(13);
    let (rpc, logs) = (Component::Rpc, Component::Logs);
    assert_eq!([rpc, logs].map(|component| share(component).0), [4, 2], "rpc's share is twice that of logs");
    let _held = (take(&manager, rpc, 4), take(&manager, logs, 3));
    let mut freed = take(&manager, Component::App, 6);
    let mut line = Vec::new();
    for component in [logs, rpc, logs, rpc, rpc, Component::Model] {
        let mut waiter = waiter(&manager, component);
        assert!(poll(&mut waiter).await.is_none());
        line.push((line.len(), waiter));
    }
    assert_eq!(metrics.resource.permits_waiting.read(), 6);
    let (mut order, mut kept) = (Vec::new(), Vec::new());
    while freed.pop_front().is_some() {
        for (number, mut waiter) in std::mem::take(&mut line) {
            match poll(&mut waiter).await {
                Some(permit) => {
                    order.push(number);
                    kept.push(permit);
                }
                None => line.push((number, waiter)),
            }
        }
    }
    // Parts of shares: model 0/2, rpc 4/4 and 5/4, then rpc and logs equal at 6/4 and 3/2.
    assert_eq!(order, [5, 1, 3, 0, 4, 2]);
    assert_eq!(metrics.resource.permits_waiting.read(), 0);
}

#[tokio::test]
async fn a_component_alone_may_hold_them_all_and_a_refusal_names_who_does() {
    let (manager, _faults, metrics) = manager(4);
    let mut held = take(&manager, Component::App, 4);
    held.pop_front();
    held.extend(take(&manager, Component::Rpc, 1));
    let refused = manager.try_acquire(Component::Logs).err().expect("none is free");
    assert_eq!(refused.to_string(), "logs: all 4 permits are in use (app 3, rpc 1)");
    let by = metrics.resource.permits_by.read();
    assert_eq!((by[Component::App.index()], by[Component::Rpc.index()], by.iter().sum()), (3, 1, 4));
    drop(held);
    assert_eq!(metrics.resource.permits_by.read().iter().sum::<u64>(), 0);
}

#[tokio::test]
async fn whoever_gives_up_waiting_leaves_the_line_and_passes_on_what_it_was_given() {
    let (manager, _faults, metrics) = manager(1);
    let held = take(&manager, Component::App, 1);
    let [mut first, mut second, mut third] = [0; 3].map(|_| waiter(&manager, Component::Logs));
    for waiter in [&mut first, &mut second, &mut third] {
        assert!(poll(waiter).await.is_none());
    }
    drop(first);
    assert_eq!(metrics.resource.permits_waiting.read(), 2);
    // The second is given the permit and never looks.
    drop(held);
    assert_eq!(
        manager.try_acquire(Component::App).err().map(|refused| refused.held),
        Some(vec![(Component::Logs, 1)])
    );
    drop(second);
    let permit = poll(&mut third).await.expect("passed on");
    assert_eq!(metrics.resource.permits_waiting.read(), 0);
    drop(permit);
    drop(manager.try_acquire(Component::App).expect("none was lost"));
}

#[tokio::test]
async fn fewer_permits_let_the_holders_finish_and_more_go_to_those_that_wait() {
    let (manager, _faults, metrics) = manager(3);
    let permits = |max_tasks| {
        manager.reconfigure(&ResourcesConfig { max_tasks, ..ResourcesConfig::default() });
        metrics.resource.permits.read()
    };
    let mut held = take(&manager, Component::App, 3);
    assert_eq!(permits(1), 1);
    let [mut first, mut second] = [0; 2].map(|_| waiter(&manager, Component::Logs));
    assert!(poll(&mut first).await.is_none() && poll(&mut second).await.is_none());
    held.truncate(1);
    assert!(poll(&mut first).await.is_none(), "as many are held as there may be");
    let refused = manager.try_acquire(Component::App).err().expect("none is free");
    assert_eq!((refused.limit, refused.held), (1, vec![(Component::App, 1)]));
    assert_eq!(permits(3), 3);
    let both = (poll(&mut first).await, poll(&mut second).await);
    assert!(both.0.is_some() && both.1.is_some());
    assert_eq!(permits(0), 1, "never none");
}

#[tokio::test]
async fn a_permit_that_comes_back_wakes_the_one_it_goes_to() {
    let (manager, _faults, _metrics) = manager(1);
    let held = take(&manager, Component::App, 1);
    let asks = manager.clone();
    let task = manager
        .spawn(Component::Logs, "asks", async move { asks.acquire(Component::Logs).await.component() });
    let mut held = Some(held);
    let wait = async {
        while manager.inner.metrics.resource.permits_waiting.read() == 0 {
            tokio::task::yield_now().await;
        }
        held.take();
    };
    pin!(wait).await;
    assert_eq!(task.await, Some(Component::Logs));
}

proptest! {
    #[test]
    fn while_one_is_free_nobody_waits_and_no_more_are_held_than_there_are(
        limit in 1_usize..6,
        steps in prop::collection::vec((0_usize..4, 0_usize..3, 0_usize..8), 1..200),
    ) {
        let components = [Component::Rpc, Component::Logs, Component::App];
        let mut budget = Budget::new(limit);
        let (mut held, mut line): (Vec<Component>, Vec<_>) = (Vec::new(), Vec::new());
        for (step, component, pick) in steps {
            let component = components[component];
            match step {
                0 => if budget.try_take(component) {
                    prop_assert!(line.is_empty() && held.len() < limit);
                    held.push(component);
                } else {
                    prop_assert_eq!(held.len(), limit);
                },
                1 => match budget.ask(component) {
                    Asked::Given => held.push(component),
                    Asked::Waits(ticket) => {
                        prop_assert_eq!(held.len(), limit);
                        line.push((ticket, component));
                    }
                },
                2 if !held.is_empty() => drop(budget.give_back(held.swap_remove(pick % held.len()))),
                3 if !line.is_empty() => {
                    let (ticket, component) = line.remove(pick % line.len());
                    drop(budget.leave(ticket, component));
                }
                _ => {}
            }
            line.retain(|&(ticket, component)| {
                let given = matches!(budget.look(ticket, Waker::noop()), Look::Given);
                if given {
                    held.push(component);
                }
                !given
            });
            prop_assert!(held.len() <= limit);
            prop_assert!(line.is_empty() || held.len() == limit, "{:?}", budget);
            prop_assert_eq!(budget.held().iter().sum::<usize>(), held.len());
        }
    }
}
