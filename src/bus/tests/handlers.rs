//! Handlers that panic, stay or leave.

use super::*;

#[tokio::test]
async fn a_panic_in_a_handler_is_a_fault_and_the_rest_goes_on() {
    let Bench { bus, mut faults, metrics, .. } = small(Backpressure::DropOldest);
    let _bad = bus.on(Filter::all(), Component::Locate, "bad", |event| panic!("at {}", number(event)));
    let (seen, _good) = collect(&bus, Filter::all());
    for n in 1..=2 {
        bus.publish(lines(1, n)).await.expect("it runs");
    }
    bus.stop().await;
    assert!(seen.lock().iter().map(number).eq(1..=2));
    for n in 1..=2 {
        let fault = faults.recv().await.expect("one for each");
        assert_eq!(
            (fault.component, fault.place, &*fault.message),
            (Component::Locate, "bad", &*format!("at {n}"))
        );
    }
    assert_eq!(metrics.bus.handler_panics.read(), 2);
    assert_eq!(bus.account()[1].delivered, 2);
}

#[tokio::test]
async fn a_handler_of_faults_that_panics_does_not_feed_itself() {
    let Bench { bus, mut faults, metrics, .. } = small(Backpressure::DropOldest);
    let _bad = bus.on(Filter::all(), Component::App, "bad", |_| panic!("again"));
    bus.publish(fault("first")).await.expect("it runs");
    bus.stop().await;
    assert_eq!(metrics.bus.handler_panics.read(), 1);
    assert!(faults.try_recv().is_err());
}

#[tokio::test]
async fn faults_that_were_put_together_say_how_many() {
    let Bench { bus, .. } = small(Backpressure::DropOldest);
    let (seen, _handler) = collect(&bus, Filter::all());
    for n in 1..=5 {
        bus.try_publish(fault(&format!("no. {n}"))).expect("it runs");
    }
    bus.stop().await;
    let said: Vec<_> = seen
        .lock()
        .iter()
        .map(|event| match event {
            Event::Fault(fault) => fault.message.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, ["no. 1", "no. 5 (and 3 more just before)"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_does_not_return_is_a_fault_while_it_runs_and_other_keys_go_on() {
    let limits = Limits { slow: Duration::ZERO, stuck: Duration::from_millis(100), ..Limits::default() };
    let Bench { bus, mut faults, metrics, .. } =
        bench(&config(2, [10, 10, 10], Backpressure::DropOldest), limits);
    let gate = Opener(Arc::default());
    let waits = gate.0.clone();
    let _stuck = bus.on(Filter::all(), Component::Model, "stuck", move |event| {
        if event.key() == Key::Process(ProcessId(1)) {
            waits.wait();
        }
    });
    let (seen, _good) = collect(&bus, Filter::all());
    bus.publish(lines(1, 1)).await.expect("it runs");
    gate.reached().await;
    // The other lane.
    bus.publish(lines(2, 2)).await.expect("it runs");
    eventually("the other key came", || seen.lock().iter().map(number).any(|n| n == 2)).await;
    let fault = timeout(Duration::from_secs(60), faults.recv()).await.expect("in time").expect("one");
    assert_eq!((fault.component, fault.place), (Component::Model, "stuck"));
    drop(gate);
    assert_eq!(bus.stop().await, Stopped::default());
    // Once for the call, however often the watchdog looks.
    assert_eq!(metrics.bus.stuck_handlers.read(), 1);
    assert!(metrics.bus.slow_handlers.read() >= 1);
    assert!(faults.try_recv().is_err());
}

#[tokio::test]
async fn a_dropped_subscription_gets_nothing_more_also_of_what_waits() {
    let Bench { bus, .. } = small(Backpressure::DropOldest);
    let (early, first) = collect(&bus, Filter::all());
    bus.try_publish(lines(1, 1)).expect("it runs");
    let (late, _second) = collect(&bus, Filter::all());
    bus.try_publish(lines(1, 2)).expect("it runs");
    drop(first);
    bus.stop().await;
    assert!(early.lock().is_empty());
    // Only what was published after it came.
    assert!(late.lock().iter().map(number).eq([2]));
    // What the handler captured is gone with it.
    assert_eq!(Arc::strong_count(&early), 1);
}

#[test]
fn a_filter_lets_through_what_it_names() {
    let filter = Filter::of(&[EventKind::Fault, EventKind::LinesArrived]);
    let passed: Vec<_> = EventKind::ALL.into_iter().filter(|kind| filter.matches(*kind)).collect();
    assert_eq!(passed, [EventKind::LinesArrived, EventKind::Fault]);
    assert!(EventKind::ALL.into_iter().all(|kind| Filter::all().matches(kind)));
    assert!(!EventKind::ALL.into_iter().any(|kind| Filter::of(&[]).matches(kind)));
}
