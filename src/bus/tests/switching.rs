//! From one implementation to the other and back.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_and_books_hold_across_changes_in_both_directions_under_load() {
    const PROCESSES: u32 = 6;
    let Bench { bus, resources, .. } =
        bench(&config(4, [20, 40, 10], Backpressure::DropOldest), Limits::default());
    let (first, _first) = collect(&bus, Filter::all());
    let (second, _second) = collect(&bus, Filter::of(&[EventKind::ProcessExited]));
    let going = Arc::new(AtomicBool::new(true));
    let publishers: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let (bus, going) = (bus.clone(), going.clone());
            resources.spawn(Component::App, "publisher", async move {
                let mut n = 0;
                while going.load(Ordering::SeqCst) {
                    n += 1;
                    match n % 4 {
                        0 => bus.publish(exited(process, n)).await.expect("it runs"),
                        1 => bus.try_publish(exited(process, n)).expect("it runs"),
                        2 => bus.publish(lines(process, n)).await.expect("it runs"),
                        _ => bus.try_publish(lines(process, n)).expect("it runs"),
                    }
                    yield_now().await;
                }
                n
            })
        })
        .collect();
    for round in 0..40 {
        let before = first.lock().len();
        eventually("events come", || first.lock().len() > before + 100).await;
        let mode = if round % 2 == 0 { Mode::Fallback } else { Mode::Current };
        bus.switch(mode).await;
        assert_eq!(bus.mode(), mode);
        assert!(bus.account().iter().all(Account::balances));
    }
    going.store(false, Ordering::SeqCst);
    let mut sent = Vec::new();
    for publisher in publishers {
        sent.push(publisher.await.expect("it published"));
    }
    assert_eq!(bus.stop().await, Stopped::default());
    for (process, sent) in (0..).zip(sent) {
        for seen in [&first, &second] {
            let seen = seen.lock();
            let mine = seen.iter().filter(|event| event.key() == Key::Process(ProcessId(process)));
            let numbers: Vec<_> = mine.map(number).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "out of order");
            let exits = numbers.iter().filter(|n| *n % 4 < 2);
            assert!(exits.copied().eq((1..=sent).filter(|n| n % 4 < 2)), "High was lost");
        }
    }
    let [high, medium, _] = bus.account();
    assert!(high.balances() && medium.balances());
    assert_eq!(first.lock().len() as u64, high.delivered + medium.delivered);
    assert_eq!(medium.published, medium.delivered + medium.dropped_policy);
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_one_waits_until_the_old_one_has_delivered() {
    for (from, to) in [(Mode::Current, Mode::Fallback), (Mode::Fallback, Mode::Current)] {
        let Bench { bus, resources, .. } =
            bench_in(from, &config(2, [8, 8, 8], Backpressure::DropOldest), Limits::default());
        let gate = Opener(Arc::default());
        let waits = gate.0.clone();
        let _handler = bus.on(Filter::all(), Component::App, "first", move |event| {
            if number(event) == 1 {
                waits.wait();
            }
        });
        let (seen, _collector) = collect(&bus, Filter::all());
        let spawn = |event: Event| {
            let bus = bus.clone();
            resources.spawn(Component::App, "publisher", async move { bus.publish(event).await })
        };
        let holder = spawn(lines(1, 1));
        gate.reached().await;
        bus.try_publish(lines(1, 2)).expect("it runs");
        let switches = bus.clone();
        let switching = resources.spawn(Component::App, "switch", async move { switches.switch(to).await });
        eventually("publishers go to the other one", || bus.mode() == to).await;
        // Of the same key, and of another that nothing is in the way of.
        spawn(lines(1, 3)).await.expect("it returns").expect("it is taken");
        spawn(lines(2, 4)).await.expect("it returns").expect("it is taken");
        assert!(!switching.is_finished());
        assert!(seen.lock().is_empty());
        let books = bus.account()[1];
        assert_eq!((books.published, books.queued, books.in_flight), (4, 3, 1));
        drop(gate);
        assert_eq!(switching.await, Some(()));
        assert_eq!(holder.await, Some(Ok(())));
        assert_eq!(bus.stop().await, Stopped::default());
        let first: Vec<_> = seen.lock().iter().map(number).filter(|n| *n < 4).collect();
        assert_eq!(first, [1, 2, 3]);
        assert_eq!(bus.account()[1].delivered, 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_never_returns_does_not_hold_up_a_change() {
    let limits = Limits { stop: Duration::from_millis(40), ..Limits::default() };
    for (from, to) in [(Mode::Current, Mode::Fallback), (Mode::Fallback, Mode::Current)] {
        let Bench { bus, resources, mut faults, metrics, .. } =
            bench_in(from, &config(2, [8, 8, 8], Backpressure::DropOldest), limits);
        let (gate, _handler) = gated(&bus, Filter::all());
        let (seen, _collector) = collect(&bus, Filter::all());
        let holds = bus.clone();
        let holder =
            resources.spawn(Component::App, "holder", async move { holds.publish(lines(1, 1)).await });
        gate.reached().await;
        bus.try_publish(lines(1, 2)).expect("it runs");
        bus.switch(to).await;
        assert_eq!(bus.mode(), to);
        bus.publish(lines(1, 3)).await.expect("it runs");
        eventually("the others go on", || seen.lock().iter().map(number).eq(1..=3)).await;
        let fault = faults.recv().await.expect("it is said");
        assert_eq!((fault.component, fault.place), (Component::Bus, "switch"));
        assert!(fault.message.contains("logs, gated"), "{}", fault.message);
        let books = bus.account()[1];
        assert!(books.balances());
        assert_eq!((books.delivered, books.in_flight), (2, 1));
        // The event in its hands, and the two that wait for it.
        assert_eq!(bus.stop().await, Stopped { left: 3, by_priority: [0, 3, 0] });
        assert_eq!(metrics.bus.moved_handlers.read(), 1);
        drop(gate);
        assert_eq!(holder.await, Some(Ok(())));
        assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
        assert_eq!(bus.account()[1].delivered, 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_during_a_change_comes_to_an_end_and_loses_nothing() {
    let Bench { bus, resources, metrics, .. } =
        bench(&config(2, [8, 8, 8], Backpressure::DropOldest), Limits::default());
    let (gate, _handler) = gated(&bus, Filter::all());
    bus.publish(lines(1, 1)).await.expect("it runs");
    gate.reached().await;
    let switches = bus.clone();
    let switching =
        resources.spawn(Component::App, "switch", async move { switches.switch(Mode::Fallback).await });
    eventually("it has begun", || bus.mode() == Mode::Fallback).await;
    bus.publish(lines(1, 2)).await.expect("it is held");
    let stops = bus.clone();
    let stopping = resources.spawn(Component::App, "stop", async move { stops.stop().await });
    eventually("it has begun", || bus.shared.closing.is_begun()).await;
    // The change sees that, too.
    for _ in 0..1000 {
        yield_now().await;
    }
    drop(gate);
    assert_eq!(stopping.await, Some(Stopped::default()));
    assert_eq!(switching.await, Some(()));
    assert_eq!(bus.account()[1].delivered, 2);
    assert_eq!(
        (metrics.resource.faults.read(), metrics.bus.moved_handlers.read()),
        (0, 0),
        "it was not stuck"
    );
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_ends_with_a_stop_that_gave_up() {
    let limits = Limits { stop: Duration::from_millis(20), ..Limits::default() };
    let Bench { bus, resources, metrics, .. } =
        bench(&config(1, [8, 8, 8], Backpressure::DropOldest), limits);
    let (gate, _handler) = gated(&bus, Filter::all());
    bus.publish(lines(1, 1)).await.expect("it runs");
    gate.reached().await;
    // What the stop does, but for waiting.
    bus.shared.lanes[0].close();
    bus.shared.lanes[0].halt();
    bus.shared.ended.begin();
    let change = bus.shared.drain_lane(0, Instant::now());
    timeout(Duration::from_secs(20), change).await.expect("it gives up, too");
    assert_eq!(metrics.resource.faults.read(), 0, "it went on without nobody");
    drop(gate);
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}
