//! Handlers that do not return: what becomes of them, and of everybody else.

use super::*;

fn impatient() -> Limits {
    Limits { stuck: Duration::from_millis(100), stop: Duration::from_millis(300), ..Limits::default() }
}

/// A handler that waits at a gate for the events with this number.
fn waits_at(
    bus: &EventBus,
    place: &'static str,
    at: u64,
) -> (Opener, Arc<crate::sync::Mutex<Vec<Event>>>, Subscription) {
    let (gate, seen) = (Opener(Arc::default()), Arc::new(crate::sync::Mutex::new(Vec::new())));
    let (waits, keeps) = (gate.0.clone(), seen.clone());
    let subscription = bus.on(Filter::all(), Component::Logs, place, move |event| {
        if number(event) == at {
            waits.wait();
        }
        keeps.lock().push(event.clone());
    });
    (gate, seen, subscription)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_lane_goes_on_with_the_rest_of_the_batch_and_the_rest_of_the_subscribers() {
    let Bench { bus, mut faults, resources, metrics, .. } =
        bench(&config(1, [50, 50, 50], Backpressure::DropOldest), impatient());
    let (first, before, _first) = waits_at(&bus, "first", 1);
    let (stuck, moved, _stuck) = waits_at(&bus, "stuck", 10);
    let (seen, _after) = collect(&bus, Filter::all());
    // The worker is held until all of these wait, so they are in one batch.
    bus.publish(lines(9, 1)).await.expect("it runs");
    first.reached().await;
    for n in 10..=30 {
        bus.try_publish(lines(n as u32 % 3, n)).expect("there is room");
    }
    drop(first);
    stuck.reached().await;
    let fault = timeout(Duration::from_secs(60), faults.recv()).await.expect("in time").expect("one");
    assert_eq!(fault.kind, FaultKind::Stuck);
    eventually("all others came", || seen.lock().len() == 22).await;
    let own = |seen: &crate::sync::Mutex<Vec<Event>>, process: u32| {
        let seen = seen.lock();
        let mine = seen.iter().filter(move |event| event.key() == Key::Process(ProcessId(process)));
        mine.map(number).collect::<Vec<_>>()
    };
    for process in 0..3 {
        let expected: Vec<_> = (10..=30).filter(|n| n % 3 == u64::from(process)).collect();
        assert_eq!(own(&seen, process), expected);
        assert_eq!(own(&before, process), expected);
    }
    // The event in the hands of the stuck handler is not delivered, and all the others are.
    eventually("the books say so", || bus.account()[1].delivered == 21).await;
    let books = bus.account()[1];
    assert!(books.balances());
    assert_eq!((books.in_flight, books.queued), (1, 0));
    drop(stuck);
    eventually("it caught up", || moved.lock().len() == 22).await;
    for process in 0..3 {
        assert_eq!(own(&moved, process), own(&seen, process));
    }
    eventually("it is delivered", || bus.account()[1].delivered == 22).await;
    // What comes later goes its new way.
    bus.publish(lines(1, 31)).await.expect("it runs");
    eventually("it came", || moved.lock().len() == 23).await;
    assert_eq!(bus.stop().await, Stopped::default());
    let read = metrics.snapshot().bus;
    assert!(read.moved_handlers >= 1 && read.stuck_handlers >= read.moved_handlers);
    assert_eq!((read.workers, read.in_mailboxes), (0, 0));
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_handlers_that_never_return_than_threads_stop_nothing() {
    let Bench { bus, resources, metrics, .. } =
        bench(&config(4, [50, 200, 50], Backpressure::DropOldest), impatient());
    let gates: Vec<_> =
        ["one", "two", "three", "four", "five"].map(|place| waits_at(&bus, place, 1)).into_iter().collect();
    let (seen, _collector) = collect(&bus, Filter::all());
    for process in 0..8 {
        bus.publish(lines(process, 1)).await.expect("it runs");
    }
    eventually("everybody else is served", || seen.lock().len() == 8).await;
    eventually("all are moved", || metrics.bus.moved_handlers.read() >= 5).await;
    for n in 2..=20 {
        for process in 0..8 {
            bus.publish(lines(process, n)).await.expect("it runs");
        }
    }
    eventually("it goes on", || seen.lock().len() == 160).await;
    assert_eq!(bus.probe().await, Ok(()));
    let books = bus.account()[1];
    assert!(books.balances());
    let stopped = bus.stop().await;
    assert!(stopped.left > 0, "{stopped:?}");
    drop(gates);
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
    assert_eq!(bus.account()[1].delivered, 160);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_stuck_on_two_lanes_gets_each_key_in_order_once_it_returns() {
    let Bench { bus, resources, metrics, .. } =
        bench(&config(2, [50, 50, 50], Backpressure::DropOldest), impatient());
    let (gate, seen, _handler) = waits_at(&bus, "stuck", 1);
    for process in 0..2 {
        bus.publish(lines(process, 1)).await.expect("it runs");
    }
    eventually("both were replaced", || metrics.bus.workers.read() >= 4).await;
    for n in 2..=9 {
        for process in 0..2 {
            bus.publish(lines(process, n)).await.expect("it runs");
        }
    }
    eventually("they wait", || metrics.snapshot().bus.in_mailboxes == 16).await;
    drop(gate);
    eventually("it caught up", || seen.lock().len() == 18).await;
    for process in 0..2 {
        let seen = seen.lock();
        let mine = seen.iter().filter(|event| event.key() == Key::Process(ProcessId(process)));
        assert!(mine.map(number).eq(1..=9));
    }
    assert_eq!(metrics.bus.moved_handlers.read(), 1);
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
    assert_eq!(bus.account()[1].delivered, 18);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_errors_and_a_handler_that_never_returns_grow_nothing() {
    const ERRORS: u32 = 1_000_000;
    let Bench { bus, resources, metrics, .. } =
        bench(&config(1, [2, 2, 2], Backpressure::DropOldest), impatient());
    let (gate, _handler) = gated(&bus, Filter::all());
    let (seen, _collector) = collect(&bus, Filter::of(&[EventKind::LinesArrived]));
    bus.publish(lines(9, 0)).await.expect("it runs");
    eventually("it is moved", || metrics.bus.moved_handlers.read() >= 1).await;
    for n in 1..=ERRORS {
        bus.try_publish(error(n % 2, n)).expect("always taken");
        if n % 1000 == 0 {
            bus.publish(lines(n % 2, n.into())).await.expect("the policy makes room");
        }
    }
    eventually("all went on", || bus.account()[0].queued == 0).await;
    eventually("others are served", || seen.lock().iter().map(number).any(|n| n == u64::from(ERRORS))).await;
    // Two of each run, and two of the lines.
    let held = metrics.snapshot().bus.in_mailboxes;
    assert!(held <= 6, "{held}");
    assert_eq!(bus.account()[1].in_flight, 1);
    let stopped = bus.stop().await;
    assert_eq!(stopped.left as u64, held + 1);
    drop(gate);
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_is_dropped_while_its_handler_is_stuck_holds_up_nobody() {
    let Bench { bus, resources, .. } = bench(&config(1, [8, 8, 8], Backpressure::DropOldest), impatient());
    let (gate, handler) = gated(&bus, Filter::all());
    let (seen, _collector) = collect(&bus, Filter::all());
    bus.publish(lines(1, 1)).await.expect("it runs");
    gate.reached().await;
    drop(handler);
    bus.publish(lines(1, 2)).await.expect("it runs");
    eventually("the others go on", || seen.lock().iter().map(number).eq(1..=2)).await;
    drop(gate);
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_is_moved_as_the_bus_ends_leaves_no_task_behind() {
    let Bench { bus, resources, .. } = bench(&config(1, [8, 8, 8], Backpressure::DropOldest), impatient());
    let (_seen, _handler) = collect(&bus, Filter::all());
    let called = bus.shared.registry.table().subscribers(EventKind::LinesArrived)[0].clone();
    assert_eq!(bus.stop().await, Stopped::default());
    // The watchdog's last look may end later than the stop.
    bus.shared.relocate(&called);
    assert_eq!(resources.drained(Duration::from_secs(20)).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lane_whose_worker_was_woken_by_a_handler_that_got_stuck_goes_on() {
    let Bench { bus, resources, .. } = bench(&config(2, [8, 8, 8], Backpressure::DropOldest), impatient());
    let gate = Opener(Arc::default());
    let (waits, publishes) = (gate.0.clone(), bus.clone());
    let _handler = bus.on(Filter::all(), Component::Logs, "publishes", move |event| {
        if event.key() == Key::Process(ProcessId(0)) {
            publishes.try_publish(lines(1, 1)).expect("it runs");
            waits.wait();
        }
    });
    let (seen, _collector) = collect(&bus, Filter::all());
    bus.publish(lines(0, 0)).await.expect("it runs");
    gate.reached().await;
    eventually("both lanes go on", || seen.lock().len() == 2).await;
    assert_eq!(bus.probe().await, Ok(()));
    drop(gate);
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}
