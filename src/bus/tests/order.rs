//! Order per key, and books that balance.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_keeps_its_order_across_priorities_and_the_books_balance_throughout() {
    const EVENTS: u64 = 3000;
    const PROCESSES: u32 = 9;
    let Bench { bus, resources, metrics, .. } =
        bench(&config(4, [40, 80, 10], Backpressure::DropOldest), Limits::default());
    let (seen, _handler) = collect(&bus, Filter::all());
    let watching = Arc::new(AtomicBool::new(true));
    let (watched, watches) = (bus.clone(), watching.clone());
    let watcher = resources.spawn(Component::App, "watcher", async move {
        let mut looks = 0;
        while watches.load(Ordering::SeqCst) {
            let books = watched.account();
            assert!(books.iter().all(Account::balances), "{books:?}");
            looks += 1;
            yield_now().await;
        }
        looks
    });
    let publishers: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let bus = bus.clone();
            resources.spawn(Component::App, "publisher", async move {
                for n in 1..=EVENTS {
                    let event = if n % 5 == 0 { exited(process, n) } else { lines(process, n) };
                    bus.publish(event).await.expect("it runs");
                }
            })
        })
        .collect();
    for publisher in publishers {
        assert_eq!(publisher.await, Some(()));
    }
    assert_eq!(bus.stop().await, Stopped::default());
    watching.store(false, Ordering::SeqCst);
    assert!(watcher.await.expect("it balanced") > 0);

    let seen = std::mem::take(&mut *seen.lock());
    for process in 0..PROCESSES {
        let mine = seen.iter().filter(|event| event.key() == Key::Process(ProcessId(process)));
        let numbers: Vec<_> = mine.map(number).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "out of order");
        let exits = numbers.iter().filter(|n| *n % 5 == 0).count() as u64;
        assert_eq!(exits, EVENTS / 5, "High was lost");
    }
    // Counted in the handler, in the books and in the metrics: the same.
    let [high, medium, low] = bus.account();
    let all = EVENTS * u64::from(PROCESSES);
    assert_eq!((high.published, medium.published, low), (all / 5, all / 5 * 4, Account::default()));
    assert_eq!(seen.len() as u64, high.delivered + medium.delivered);
    assert_eq!(medium.delivered + medium.dropped_policy, medium.published);
    let read = metrics.snapshot().bus;
    assert_eq!(read.published, [high.published, medium.published, 0]);
    assert_eq!(read.delivered, [high.delivered, medium.delivered, 0]);
    assert_eq!(read.dropped_policy, [0, medium.dropped_policy, 0]);
    assert_eq!((read.queued, read.refused), ([0; 3], [0; 3]));
    assert!((1..=seen.len() as u64).contains(&read.handler_time.count()), "some are timed");
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}

#[tokio::test]
async fn an_exit_waits_behind_the_lines_before_it() {
    let Bench { bus, .. } = bench(&config(1, [10, 10, 10], Backpressure::DropOldest), Limits::default());
    let (seen, _handler) = collect(&bus, Filter::all());
    // Nothing awaits in between, so all of it is queued when the worker first looks.
    for n in 1..=3 {
        bus.try_publish(lines(1, n)).expect("it runs");
    }
    bus.try_publish(exited(1, 4)).expect("it runs");
    bus.try_publish(exited(2, 5)).expect("it runs");
    bus.stop().await;
    let numbers: Vec<_> = seen.lock().iter().map(number).collect();
    assert_eq!(numbers, [5, 1, 2, 3, 4]);
}
