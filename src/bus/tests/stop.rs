//! The end.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_says_what_a_stuck_handler_left() {
    let limits = Limits { stop: Duration::from_millis(5), ..Limits::default() };
    let Bench { bus, resources, metrics, .. } =
        bench(&config(1, [2, 8, 2], Backpressure::DropOldest), limits);
    let (gate, _handler) = gated(&bus, Filter::all());
    bus.publish(lines(1, 1)).await.expect("it runs");
    gate.reached().await;
    for n in 2..=4 {
        bus.publish(lines(1, n)).await.expect("there is room");
    }
    for n in 5..=6 {
        bus.publish(exited(2, n)).await.expect("there is room");
    }
    let publishes = bus.clone();
    let waiting =
        resources.spawn(Component::App, "publisher", async move { publishes.publish(exited(2, 7)).await });
    eventually("it waits", || metrics.bus.publisher_waits.read() == 1).await;

    assert_eq!(bus.stop().await, Stopped { left: 6, by_priority: [2, 4, 0] });
    assert_eq!(waiting.await, Some(Err(PublishError::Stopped)));
    assert_eq!(bus.publish(exited(2, 8)).await, Err(PublishError::Stopped));
    assert_eq!(bus.try_publish(exited(2, 9)), Err(PublishError::Stopped));
    assert_eq!(metrics.bus.refused.read(), [3, 0, 0]);
    let [high, medium, _] = bus.account();
    assert_eq!((high.dropped_stop, medium.dropped_stop, medium.in_flight), (2, 3, 1));
    assert_eq!(metrics.bus.dropped_stop.read(), [2, 3, 0]);

    // Once the handler returns, its event counts as delivered and the worker goes.
    drop(gate);
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
    let [high, medium, _] = bus.account();
    assert!(high.balances() && medium.balances());
    assert_eq!((medium.delivered, medium.in_flight), (1, 0));
    assert_eq!(metrics.bus.queued.read(), [0; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_worker_had_taken_is_not_delivered_after_a_stop_that_gave_up() {
    let limits = Limits { stop: Duration::from_millis(5), ..Limits::default() };
    let Bench { bus, resources, metrics, .. } =
        bench(&config(1, [8, 8, 8], Backpressure::DropOldest), limits);
    let (first, second) = (Opener(Arc::default()), Opener(Arc::default()));
    let gates = [first.0.clone(), second.0.clone()];
    let (seen, _collector) = collect(&bus, Filter::all());
    let _handler = bus.on(Filter::all(), Component::Logs, "gated", move |event| match number(event) {
        1 => gates[0].wait(),
        _ => gates[1].wait(),
    });
    bus.publish(lines(1, 1)).await.expect("it runs");
    first.reached().await;
    // These three wait together, so the worker takes them together.
    for n in 2..=4 {
        bus.publish(lines(1, n)).await.expect("there is room");
    }
    drop(first);
    second.reached().await;
    assert_eq!(bus.account()[1].in_flight, 3);
    assert_eq!(bus.stop().await, Stopped { left: 3, by_priority: [0, 3, 0] });
    drop(second);
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
    assert!(seen.lock().iter().map(number).eq(1..=2));
    let medium = bus.account()[1];
    assert_eq!((medium.delivered, medium.dropped_stop, medium.in_flight), (2, 2, 0));
    assert_eq!(metrics.bus.dropped_stop.read(), [0, 2, 0]);
}

#[tokio::test]
async fn stop_ends_the_workers_and_may_be_asked_twice() {
    let Bench { bus, resources, .. } = bench(&EventBusConfig::default(), Limits::default());
    assert_eq!(resources.alive(), EventBusConfig::default().workers + 1);
    let (again, other) = (bus.clone(), bus.clone());
    assert_eq!(tokio::join!(bus.stop(), again.stop()), (Stopped::default(), Stopped::default()));
    assert_eq!(other.stop().await, Stopped::default());
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}
