//! What publishers meet when there is no room.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn high_from_outside_waits_for_room() {
    let Bench { bus, resources, metrics, .. } = small(Backpressure::DropOldest);
    let (gate, _handler) = gated(&bus, Filter::all());
    bus.publish(exited(1, 1)).await.expect("it runs");
    gate.reached().await;
    for n in 2..=3 {
        bus.publish(exited(1, n)).await.expect("there is room");
    }
    let publishes = bus.clone();
    let waiting =
        resources.spawn(Component::App, "publisher", async move { publishes.publish(exited(1, 4)).await });
    eventually("it waits", || metrics.bus.publisher_waits.read() == 1).await;
    assert!(!waiting.is_finished());
    assert_eq!(bus.account()[0].published, 3);
    drop(gate);
    assert_eq!(waiting.await, Some(Ok(())));
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(bus.account()[0].delivered, 4);
}

#[tokio::test]
async fn high_from_a_handler_never_waits_and_is_never_lost() {
    let Bench { bus, .. } = small(Backpressure::DropOldest);
    let publishes = bus.clone();
    // 20 into its own lane, which has room for 2 and no other worker.
    let _handler = bus.on(Filter::of(&[EventKind::LinesArrived]), Component::App, "echo", move |_| {
        for n in 1..=20 {
            publishes.try_publish(exited(1, n)).expect("always taken");
        }
    });
    let (seen, _collector) = collect(&bus, Filter::of(&[EventKind::ProcessExited]));
    bus.publish(lines(1, 1)).await.expect("it runs");
    eventually("all came", || seen.lock().len() == 20).await;
    assert_eq!(bus.stop().await, Stopped::default());
    assert!(seen.lock().iter().map(number).eq(1..=20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_errors_at_a_handler_that_does_not_return_holds_up_nobody() {
    const ERRORS: u32 = 1_000_000;
    // Before the watchdog does anything about it.
    let limits = Limits { stuck: Duration::from_secs(600), ..Limits::default() };
    let Bench { bus, .. } = bench(&config(1, [2, 2, 2], Backpressure::DropOldest), limits);
    let (seen, _collector) = collect(&bus, Filter::all());
    let (gate, _handler) = gated(&bus, Filter::all());
    bus.publish(lines(9, 0)).await.expect("it runs");
    gate.reached().await;
    for n in 1..=ERRORS {
        bus.try_publish(error(n % 2, n)).expect("always taken");
        if n % 1000 == 0 {
            bus.publish(lines(n % 2, n.into())).await.expect("the policy makes room");
        }
    }
    let [high, medium, _] = bus.account();
    assert_eq!((high.queued, high.coalesced), (4, u64::from(ERRORS) - 4));
    assert_eq!(medium.queued, 2);
    drop(gate);
    assert_eq!(bus.stop().await, Stopped::default());
    // The newest of each run is among what was delivered: it carries the count.
    let seen: Vec<_> =
        seen.lock().iter().filter(|e| e.kind() == EventKind::ErrorDetected).map(number).collect();
    assert!(seen.contains(&u64::from(ERRORS)) && seen.contains(&u64::from(ERRORS - 1)), "{seen:?}");
    assert_eq!(seen.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn block_takes_what_finds_room_in_time() {
    let Bench { bus, metrics, .. } = small(Backpressure::Block);
    // The worker has not run yet, because nothing here awaited: the lane fills up.
    for n in 1..=2 {
        bus.try_publish(lines(1, n)).expect("there is room");
    }
    assert_eq!(bus.try_publish(lines(1, 3)), Err(PublishError::Full));
    // With room to come within the time, it is taken.
    assert_eq!(bus.publish(lines(1, 4)).await, Ok(()));
    assert_eq!(metrics.bus.publisher_waits.read(), 1);
    assert_eq!(metrics.bus.refused.read(), [0, 1, 0]);
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(bus.account()[1].delivered, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn block_refuses_when_no_room_comes() {
    let limits = Limits { block: Duration::from_millis(20), ..Limits::default() };
    let Bench { bus, metrics, .. } = bench(&config(1, [2, 2, 2], Backpressure::Block), limits);
    let (gate, _handler) = gated(&bus, Filter::all());
    bus.publish(lines(1, 1)).await.expect("it runs");
    gate.reached().await;
    for n in 2..=3 {
        bus.publish(lines(1, n)).await.expect("there is room");
    }
    let begun = Instant::now();
    assert_eq!(bus.publish(lines(1, 4)).await, Err(PublishError::Full));
    assert!(begun.elapsed() >= limits.block);
    assert_eq!(metrics.bus.refused.read(), [0, 1, 0]);
    drop(gate);
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(bus.account()[1].delivered, 3);
}

#[tokio::test]
async fn each_policy_drops_what_it_says() {
    for (policy, kept) in [
        (Backpressure::DropOldest, [3, 4]),
        (Backpressure::DropNewest, [1, 2]),
        (Backpressure::DropLowPriority, [1, 2]),
    ] {
        let Bench { bus, .. } = small(policy);
        let (seen, _handler) = collect(&bus, Filter::all());
        for n in 1..=4 {
            assert_eq!(bus.try_publish(lines(1, n)), Ok(()));
        }
        bus.stop().await;
        assert!(seen.lock().iter().map(number).eq(kept), "{policy:?}");
        assert_eq!(bus.account()[1].dropped_policy, 2);
    }
}
