//! Mailboxes.

use super::*;

#[tokio::test]
async fn a_full_mailbox_loses_for_itself_only_and_never_high() {
    let Bench { bus, metrics, .. } =
        bench(&config(1, [100, 100, 100], Backpressure::DropOldest), Limits::default());
    let mut mailbox = bus.subscribe(Filter::all(), Component::Model, 2, Backpressure::DropOldest);
    let (seen, _handler) = collect(&bus, Filter::all());
    for n in 1..=10 {
        bus.publish(lines(1, n)).await.expect("it runs");
        bus.publish(exited(2, 100 + n)).await.expect("it runs");
    }
    bus.publish(exited(1, 11)).await.expect("it runs");
    assert_eq!(bus.stop().await, Stopped::default());
    assert_eq!(seen.lock().len(), 21);
    assert_eq!(metrics.bus.dropped_subscriber_full.read(), [0, 8, 0]);
    let [high, medium, _] = mailbox.account();
    assert_eq!((high.published, high.queued), (11, 11));
    assert_eq!((medium.published, medium.dropped_policy, medium.queued), (10, 8, 2));

    let mut read = Vec::new();
    while let Some(event) = mailbox.recv().await {
        read.push((event.key(), number(&event)));
        assert!(mailbox.account().iter().all(Account::balances));
    }
    let of = |process| {
        let mine = read.iter().filter(move |(key, _)| *key == Key::Process(ProcessId(process)));
        mine.map(|(_, n)| *n).collect::<Vec<_>>()
    };
    // The newest lines, then the exit behind them.
    assert_eq!(of(1), [9, 10, 11]);
    assert_eq!(of(2), (101..=110).collect::<Vec<_>>());
    assert!(mailbox.try_recv().is_none());
    assert_eq!(mailbox.recv().await.map(|event| number(&event)), None);
}

#[tokio::test]
async fn a_mailbox_that_nobody_reads_is_bounded_by_what_high_is_about() {
    let Bench { bus, .. } = small(Backpressure::DropOldest);
    let mailbox = bus.subscribe(Filter::all(), Component::Model, 1, Backpressure::Block);
    for n in 1..=1000 {
        bus.publish(error(1, n)).await.expect("it runs");
        bus.publish(lines(1, n.into())).await.expect("it runs");
    }
    bus.stop().await;
    let [high, medium, _] = mailbox.account();
    assert_eq!((high.queued, medium.queued), (2, 1));
    assert_eq!(high.published, bus.account()[0].delivered);
}

#[tokio::test]
async fn a_reader_wakes_up_for_an_event_and_for_the_end() {
    let Bench { bus, resources, .. } = small(Backpressure::DropOldest);
    let mut mailbox = bus.subscribe(Filter::all(), Component::Model, 8, Backpressure::DropOldest);
    let newest = Arc::new(AtomicU64::new(0));
    let tells = newest.clone();
    let reader = resources.spawn(Component::Model, "reader", async move {
        while let Some(event) = mailbox.recv().await {
            tells.store(number(&event), Ordering::SeqCst);
        }
    });
    for n in 1..=3 {
        bus.publish(lines(1, n)).await.expect("it runs");
        eventually("it was read", || newest.load(Ordering::SeqCst) == n).await;
    }
    bus.stop().await;
    assert_eq!(reader.await, Some(()));
    // One that comes after the end is told so.
    let mut late = bus.subscribe(Filter::all(), Component::Model, 8, Backpressure::DropOldest);
    assert!(late.recv().await.is_none());
}

#[tokio::test]
async fn a_dropped_mailbox_is_unsubscribed() {
    let Bench { bus, metrics, .. } = small(Backpressure::DropOldest);
    drop(bus.subscribe(Filter::all(), Component::Model, 1, Backpressure::DropOldest));
    for n in 1..=3 {
        bus.publish(lines(1, n)).await.expect("it runs");
        eventually("it was delivered", || bus.account()[1].delivered == n).await;
    }
    bus.stop().await;
    assert_eq!(metrics.bus.dropped_subscriber_full.read(), [0; 3]);
}
