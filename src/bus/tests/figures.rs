//! What the bus counts, one test for each figure, and settings that change while it runs.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_are_kept_only_while_monitoring_is_on_and_all_is_well() {
    let Bench { bus, resources, metrics, .. } =
        bench(&config(1, [8, 8, 8], Backpressure::DropOldest), Limits::default());
    let (_seen, _handler) = collect(&bus, Filter::all());
    let off = EventBusConfig { monitoring: false, ..config(1, [8, 8, 8], Backpressure::DropOldest) };
    let on = EventBusConfig { monitoring: true, ..off.clone() };
    let counts = || {
        let read = metrics.snapshot().bus;
        (read.handler_time.count(), read.event_time.count())
    };
    // Each state, and whether times are kept in it.
    for (state, kept) in [(0, true), (1, false), (2, true), (3, false), (4, true), (5, false), (6, true)] {
        match state {
            1 => bus.reconfigure(&off),
            2 => bus.reconfigure(&on),
            3 => bus.degrade(Health::Degraded),
            4 => bus.degrade(Health::Healthy),
            5 => resources.set_pressure(Pressure::Warning),
            6 => resources.set_pressure(Pressure::Normal),
            _ => {}
        }
        eventually("the state is seen", || bus.shared.tuning.timing() == kept).await;
        let (before, delivered) = (counts(), bus.account()[1].delivered);
        bus.publish(lines(1, state)).await.expect("it runs");
        eventually("it is delivered", || bus.account()[1].delivered == delivered + 1).await;
        if kept {
            eventually("it is told", || counts() == (before.0 + 1, before.1 + 1)).await;
        } else {
            assert_eq!(counts(), before);
        }
    }
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(counts(), (4, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_handler_is_counted_by_component_with_and_without_times() {
    for monitoring in [true, false] {
        let limits = Limits { slow: Duration::from_millis(4), ..Limits::default() };
        let config = EventBusConfig { monitoring, ..config(1, [8, 8, 8], Backpressure::DropOldest) };
        let Bench { bus, metrics, .. } = bench(&config, limits);
        let counts = metrics.clone();
        let (gate, _handler) = gated(&bus, Filter::all());
        bus.publish(lines(1, 1)).await.expect("it runs");
        gate.reached().await;
        let begun = std::time::Instant::now();
        // Without times the watchdog counts it while it runs.
        eventually("it is slow", || {
            if monitoring { begun.elapsed() > limits.slow * 2 } else { counts.bus.slow_handlers.read() == 1 }
        })
        .await;
        drop(gate);
        assert_eq!(bus.stop().await, Stopped::default());
        let read = metrics.snapshot().bus;
        let mut expected = [0; Component::COUNT];
        expected[Component::Logs.index()] = 1;
        assert_eq!((read.slow_handlers, read.slow_handlers_by), (1, expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_busy_lane_some_events_are_timed_and_every_call_that_takes_long() {
    let limits = Limits { slow: Duration::from_millis(20), ..Limits::default() };
    let Bench { bus, metrics, .. } = bench(&config(1, [8, 8, 8], Backpressure::DropOldest), limits);
    let (first, third) = (Opener(Arc::default()), Opener(Arc::default()));
    let gates = [first.0.clone(), third.0.clone()];
    let _handler = bus.on(Filter::all(), Component::Logs, "gated", move |event| match number(event) {
        1 => gates[0].wait(),
        3 => gates[1].wait(),
        _ => {}
    });
    bus.publish(lines(1, 1)).await.expect("it runs");
    first.reached().await;
    // The second finds the lane empty and is timed; those behind it are not.
    for n in 2..=5 {
        bus.publish(lines(1, n)).await.expect("it runs");
    }
    drop(first);
    third.reached().await;
    let begun = std::time::Instant::now();
    eventually("it is slow", || begun.elapsed() > limits.slow * 3).await;
    drop(third);
    assert_eq!(bus.stop().await, Stopped::default());
    let read = metrics.snapshot().bus;
    assert_eq!((read.event_time.count(), read.handler_time.count()), (2, 3));
    assert!(read.handler_time.max >= 20_000 && read.slow_handlers_by[Component::Logs.index()] >= 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_room_is_recorded_and_a_long_one_is_a_breach() {
    for (wait, breaches) in [(Duration::ZERO, 1), (Duration::from_secs(600), 0)] {
        let limits = Limits { wait, ..Limits::default() };
        let Bench { bus, resources, metrics, .. } =
            bench(&config(1, [1, 1, 1], Backpressure::DropOldest), limits);
        let (gate, _handler) = gated(&bus, Filter::all());
        bus.publish(exited(1, 1)).await.expect("it runs");
        gate.reached().await;
        bus.publish(exited(1, 2)).await.expect("there is room");
        let publishes = bus.clone();
        let waiting = resources
            .spawn(Component::App, "publisher", async move { publishes.publish(exited(1, 3)).await });
        eventually("it waits", || metrics.bus.publisher_waits.read() == 1).await;
        drop(gate);
        assert_eq!(waiting.await, Some(Ok(())));
        assert_eq!(bus.stop().await, Stopped::default());
        let read = metrics.snapshot().bus;
        assert_eq!((read.publisher_wait.count(), read.publisher_wait_breaches), (1, breaches));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_workers_spend_is_added_up_and_workers_are_counted() {
    for monitoring in [true, false] {
        let config = EventBusConfig { monitoring, ..config(4, [8, 8, 8], Backpressure::DropOldest) };
        let Bench { bus, metrics, .. } = bench(&config, Limits::default());
        assert_eq!(metrics.bus.workers.read(), 4);
        let (gate, _handler) = gated(&bus, Filter::all());
        bus.publish(lines(1, 1)).await.expect("it runs");
        gate.reached().await;
        let begun = std::time::Instant::now();
        eventually("some time has passed", || begun.elapsed() > Duration::from_millis(2)).await;
        drop(gate);
        assert_eq!(bus.stop().await, Stopped::default());
        let read = metrics.snapshot().bus;
        assert!(read.worker_busy >= 2000, "{}", read.worker_busy);
        eventually("they have gone", || metrics.bus.workers.read() == 0).await;
    }
}

#[tokio::test]
async fn mailboxes_together_hold_no_more_than_the_ceiling_leaves() {
    // One lane: a share of 4 and 4, and a hand of 3. The rest is for mailboxes.
    let config = EventBusConfig { max_events: 17, ..config(1, [4, 4, 4], Backpressure::DropOldest) };
    let Bench { bus, metrics, .. } = bench(&config, Limits::default());
    let room = 17 - (4 + 4 + 3);
    let mut mailboxes: Vec<_> =
        [Backpressure::DropOldest, Backpressure::DropNewest, Backpressure::DropOldest]
            .map(|policy| bus.subscribe(Filter::all(), Component::Model, 100, policy))
            .into_iter()
            .collect();
    for n in 1..=20 {
        bus.publish(lines(1, n)).await.expect("it runs");
        bus.publish(exited(2, n)).await.expect("it runs");
        eventually("it is delivered", || bus.account()[1].delivered == n).await;
        assert!(bus.shared.ceiling.used() <= room);
    }
    eventually("all is delivered", || bus.account()[0].delivered == 20).await;
    let held: u64 = mailboxes.iter().map(|mailbox| mailbox.account()[1].queued).sum();
    assert_eq!(held, room as u64);
    let read = metrics.snapshot().bus;
    assert_eq!((read.dropped_ceiling, read.dropped_subscriber_full), ([0, 60 - room as u64, 0], [0; 3]));
    // High is lossless.
    assert!(mailboxes.iter().all(|mailbox| mailbox.account()[0].queued == 20));
    assert_eq!(read.in_mailboxes, room as u64 + 60);
    // The policy decides which: the oldest went, or the newest did not come.
    let lines_of = |mailbox: &mut Mailbox| {
        let all = std::iter::from_fn(|| mailbox.try_recv());
        all.filter(|event| event.kind() == EventKind::LinesArrived).map(|event| number(&event)).collect()
    };
    let kept: Vec<Vec<u64>> = mailboxes.iter_mut().map(lines_of).collect();
    assert_eq!(kept, [vec![19, 20], vec![1, 2], vec![19, 20]]);
    assert_eq!(bus.shared.ceiling.used(), 0);
    // What a mailbox holds is given back when it goes.
    bus.publish(lines(1, 21)).await.expect("it runs");
    eventually("they hold it", || bus.shared.ceiling.used() == 3).await;
    drop(mailboxes);
    assert_eq!(bus.shared.ceiling.used(), 0);
    bus.stop().await;
}

#[tokio::test]
async fn new_settings_are_used_at_once() {
    let before = config(1, [8, 2, 8], Backpressure::DropNewest);
    let Bench { bus, metrics, .. } = bench(&before, Limits::default());
    let _mailbox = bus.subscribe(Filter::all(), Component::Model, 100, Backpressure::DropOldest);
    // Nothing awaits, so the worker takes nothing.
    let fill = |most| {
        for n in 1..=10 {
            bus.try_publish(lines(1, n)).expect("the policy drops");
        }
        assert_eq!(bus.account()[1].queued, most);
    };
    fill(2);
    bus.reconfigure(&EventBusConfig { queue_sizes: [8, 5, 8], ..before.clone() });
    fill(5);
    bus.reconfigure(&EventBusConfig { backpressure: Backpressure::Block, ..before.clone() });
    assert_eq!(bus.try_publish(lines(1, 1)), Err(PublishError::Full));
    // A ceiling that leaves nothing for mailboxes.
    bus.reconfigure(&EventBusConfig { max_events: 3, ..before });
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(metrics.bus.dropped_ceiling.read(), [0, 5, 0]);
}

#[tokio::test]
async fn time_spent_on_mailboxes_is_work_too() {
    let Bench { bus, metrics, .. } =
        bench(&config(1, [8, 60_000, 8], Backpressure::DropOldest), Limits::default());
    let _mailboxes =
        [(); 8].map(|()| bus.subscribe(Filter::all(), Component::App, 8, Backpressure::DropOldest));
    for n in 1..=2_000 {
        bus.try_publish(lines(1, n)).expect("the policy makes room");
    }
    assert_eq!(bus.stop().await, Stopped::default());
    assert!(metrics.bus.worker_busy.read() > 0, "16,000 events were put");
}
