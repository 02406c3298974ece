//! What holds in both implementations: every test here runs against each.

use super::*;

macro_rules! in_both_modes {
    ($(async fn $name:ident($mode:ident: Mode) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn check($mode: Mode) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn current() {
                check(Mode::Current).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn fallback() {
                check(Mode::Fallback).await;
            }
        }
    )*};
}

in_both_modes! {
    async fn nothing_is_lost_and_each_subscriber_sees_each_key_in_order(mode: Mode) {
        const EVENTS: u64 = 1500;
        const PROCESSES: u32 = 6;
        let Bench { bus, resources, metrics, .. } =
            bench_in(mode, &config(4, [20, 60_000, 10], Backpressure::DropOldest), Limits::default());
        let (first, _first) = collect(&bus, Filter::all());
        let (second, _second) = collect(&bus, Filter::of(&[EventKind::ProcessExited]));
        let publishers: Vec<_> = (0..PROCESSES)
            .map(|process| {
                let bus = bus.clone();
                resources.spawn(Component::App, "publisher", async move {
                    for n in 1..=EVENTS {
                        match n % 4 {
                            0 => bus.publish(exited(process, n)).await.expect("it runs"),
                            1 => bus.try_publish(exited(process, n)).expect("it runs"),
                            2 => bus.publish(lines(process, n)).await.expect("it runs"),
                            _ => bus.try_publish(lines(process, n)).expect("it runs"),
                        }
                        assert!(bus.account().iter().all(Account::balances));
                    }
                })
            })
            .collect();
        for publisher in publishers {
            assert_eq!(publisher.await, Some(()));
        }
        assert_eq!(bus.stop().await, Stopped::default());
        let of = |seen: &crate::sync::Mutex<Vec<Event>>, process| {
            let seen = seen.lock();
            let mine = seen.iter().filter(|event| event.key() == Key::Process(ProcessId(process)));
            mine.map(number).collect::<Vec<_>>()
        };
        for process in 0..PROCESSES {
            assert!(of(&first, process).into_iter().eq(1..=EVENTS));
            assert!(of(&second, process).into_iter().eq((1..=EVENTS).filter(|n| n % 4 < 2)));
        }
        let all = EVENTS * u64::from(PROCESSES) / 2;
        let read = metrics.snapshot().bus;
        assert_eq!((read.published, read.delivered), ([all, all, 0], [all, all, 0]));
        assert_eq!((read.dropped_policy, read.queued, read.refused), ([0; 3], [0; 3], [0; 3]));
        let (calls, events) = (read.handler_time.count(), read.event_time.count());
        // Of a busy lane some are timed; the fallback times all.
        let least = if mode == Mode::Current { (1, 1) } else { (all * 3, all * 2) };
        assert!((least.0..=all * 3).contains(&calls) && (least.1..=all * 2).contains(&events), "{calls} {events}");
    }

    async fn what_waits_is_bounded_and_what_finds_no_room_is_counted(mode: Mode) {
        let Bench { bus, resources, metrics, .. } =
            bench_in(mode, &config(1, [2, 2, 2], Backpressure::DropOldest), Limits::default());
        let (gate, _handler) = gated(&bus, Filter::all());
        let holds = bus.clone();
        let holder =
            resources.spawn(Component::App, "holder", async move { holds.publish(lines(1, 0)).await });
        gate.reached().await;
        for n in 1..=100 {
            bus.publish(lines(1, n)).await.expect("the policy makes room");
            bus.publish(sample()).await.expect("the policy makes room");
            let [_, medium, low] = bus.account();
            assert!(medium.queued + low.queued <= 4, "{medium:?} {low:?}");
        }
        for n in 1..=2 {
            bus.publish(exited(2, n)).await.expect("there is room");
        }
        let publishes = bus.clone();
        let waiting =
            resources.spawn(Component::App, "publisher", async move { publishes.publish(exited(2, 3)).await });
        eventually("it waits", || metrics.bus.publisher_waits.read() == 1).await;
        assert_eq!(bus.account()[0].published, 2);
        drop(gate);
        assert_eq!(waiting.await, Some(Ok(())));
        assert_eq!(holder.await, Some(Ok(())));
        assert_eq!(bus.stop().await, Stopped::default());
        let [high, medium, low] = bus.account();
        assert!([high, medium, low].iter().all(Account::balances));
        assert_eq!((high.delivered, medium.published, low.published), (3, 101, 100));
        assert_eq!(medium.dropped_policy + low.dropped_policy, 196);
    }

    async fn stop_says_what_is_left_and_then_nothing_is_taken(mode: Mode) {
        let limits = Limits { stop: Duration::from_millis(5), ..Limits::default() };
        let Bench { bus, resources, metrics, .. } =
            bench_in(mode, &config(1, [8, 8, 8], Backpressure::DropOldest), limits);
        let (gate, _handler) = gated(&bus, Filter::all());
        let holds = bus.clone();
        let holder =
            resources.spawn(Component::App, "holder", async move { holds.publish(lines(1, 1)).await });
        gate.reached().await;
        for n in 2..=3 {
            bus.try_publish(lines(1, n)).expect("there is room");
            bus.try_publish(exited(2, n)).expect("there is room");
        }
        assert_eq!(bus.stop().await, Stopped { left: 5, by_priority: [2, 3, 0] });
        assert_eq!(bus.publish(lines(1, 4)).await, Err(PublishError::Stopped));
        assert_eq!(bus.try_publish(exited(2, 4)), Err(PublishError::Stopped));
        assert_eq!(metrics.bus.refused.read(), [1, 1, 0]);
        assert_eq!(metrics.bus.dropped_stop.read(), [2, 2, 0]);
        drop(gate);
        assert_eq!(holder.await, Some(Ok(())));
        assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
        let [high, medium, _] = bus.account();
        assert!(high.balances() && medium.balances());
        assert_eq!((medium.delivered, medium.in_flight), (1, 0));
    }

    async fn a_panic_in_a_handler_is_a_fault_and_the_rest_goes_on(mode: Mode) {
        let Bench { bus, mut faults, metrics, .. } =
            bench_in(mode, &config(2, [8, 8, 8], Backpressure::DropOldest), Limits::default());
        let _bad = bus.on(Filter::all(), Component::Locate, "bad", |event| panic!("at {}", number(event)));
        let (seen, _good) = collect(&bus, Filter::all());
        for n in 1..=2 {
            bus.publish(lines(1, n)).await.expect("it runs");
        }
        assert_eq!(bus.stop().await, Stopped::default());
        assert!(seen.lock().iter().map(number).eq(1..=2));
        for n in 1..=2 {
            let fault = faults.recv().await.expect("one for each");
            let said = (fault.component, fault.place, fault.kind, fault.message.to_string());
            assert_eq!(said, (Component::Locate, "bad", FaultKind::Panic, format!("at {n}")));
        }
        assert_eq!(metrics.bus.handler_panics.read(), 2);
        assert_eq!(bus.account()[1].delivered, 2);
    }

    async fn a_dropped_subscription_gets_nothing_more(mode: Mode) {
        let Bench { bus, .. } =
            bench_in(mode, &config(1, [8, 8, 8], Backpressure::DropOldest), Limits::default());
        let (early, first) = collect(&bus, Filter::all());
        bus.publish(lines(1, 1)).await.expect("it runs");
        eventually("it came", || bus.account()[1].delivered == 1).await;
        let (late, _second) = collect(&bus, Filter::all());
        drop(first);
        bus.publish(lines(1, 2)).await.expect("it runs");
        assert_eq!(bus.stop().await, Stopped::default());
        assert!(early.lock().iter().map(number).eq([1]));
        assert!(late.lock().iter().map(number).eq([2]));
        assert_eq!(Arc::strong_count(&early), 1, "what the handler captured is gone with it");
    }

    async fn high_from_a_handler_into_its_own_full_lane_neither_waits_nor_is_lost(mode: Mode) {
        let Bench { bus, .. } =
            bench_in(mode, &config(1, [2, 2, 2], Backpressure::DropOldest), Limits::default());
        let publishes = bus.clone();
        let _handler = bus.on(Filter::of(&[EventKind::LinesArrived]), Component::App, "echo", move |_| {
            for n in 1..=20 {
                publishes.try_publish(exited(1, n)).expect("always taken");
                publishes.try_publish(error(1, n as u32)).expect("always taken");
            }
        });
        let (seen, _collector) = collect(&bus, Filter::all());
        bus.publish(lines(1, 0)).await.expect("it runs");
        eventually("all came", || seen.lock().len() == 23).await;
        assert_eq!(bus.stop().await, Stopped::default());
        let of = |kind| {
            let seen = seen.lock();
            seen.iter().filter(|event| event.kind() == kind).map(number).collect::<Vec<_>>()
        };
        assert_eq!(of(EventKind::ProcessExited), (1..=20).collect::<Vec<_>>());
        // The first and the newest stand for all.
        assert_eq!(of(EventKind::ErrorDetected), [1, 20]);
        assert_eq!(bus.account()[0].coalesced, 18);
    }

    async fn each_policy_drops_what_it_says(mode: Mode) {
        for (policy, kept) in [
            (Backpressure::DropOldest, [3, 4]),
            (Backpressure::DropNewest, [1, 2]),
            (Backpressure::DropLowPriority, [1, 2]),
            (Backpressure::Block, [1, 2]),
        ] {
            // In the fallback Medium and Low share their room: here, two.
            let sizes = if mode == Mode::Current { [2, 2, 2] } else { [2, 1, 1] };
            let limits = Limits { block: Duration::from_millis(5), ..Limits::default() };
            let Bench { bus, resources, metrics, .. } = bench_in(mode, &config(1, sizes, policy), limits);
            let (gate, _handler) = gated(&bus, Filter::of(&[EventKind::ProcessExited]));
            let (seen, _seen) = collect(&bus, Filter::of(&[EventKind::LinesArrived]));
            let holds = bus.clone();
            let holder =
                resources.spawn(Component::App, "holder", async move { holds.publish(exited(1, 0)).await });
            gate.reached().await;
            for n in 1..=4 {
                let refused = policy == Backpressure::Block && n > 2;
                let expected = if refused { Err(PublishError::Full) } else { Ok(()) };
                assert_eq!(bus.publish(lines(1, n)).await, expected, "{policy:?}");
            }
            drop(gate);
            assert_eq!(holder.await, Some(Ok(())));
            assert_eq!(bus.stop().await, Stopped::default());
            assert!(seen.lock().iter().map(number).eq(kept), "{policy:?}");
            let dropped = metrics.bus.dropped_policy.read()[1];
            assert_eq!(dropped + metrics.bus.refused.read()[1], 2, "{policy:?}");
        }
    }

    async fn low_is_shed_while_the_bus_is_failing_and_counted(mode: Mode) {
        let Bench { bus, resources, metrics, .. } =
            bench_in(mode, &config(1, [8, 8, 8], Backpressure::DropOldest), Limits::default());
        let (seen, _handler) = collect(&bus, Filter::all());
        let one_more = || async {
            bus.publish(sample()).await.expect("it runs");
            bus.publish(lines(1, 1)).await.expect("it runs");
            assert!(bus.account().iter().all(Account::balances));
        };
        one_more().await;
        bus.degrade(Health::Failing);
        one_more().await;
        bus.degrade(Health::Healthy);
        one_more().await;
        resources.set_pressure(Pressure::Critical);
        eventually("the pressure is felt", || bus.shared.tuning.sheds_low()).await;
        one_more().await;
        resources.set_pressure(Pressure::Warning);
        eventually("the pressure is less", || !bus.shared.tuning.sheds_low()).await;
        one_more().await;
        assert_eq!(bus.stop().await, Stopped::default());
        let read = metrics.snapshot().bus;
        assert_eq!((read.dropped_shed, read.delivered), ([0, 0, 2], [0, 5, 3]));
        assert_eq!(seen.lock().len(), 8);
    }

    async fn the_current_implementation_answers_a_probe_without_an_event(mode: Mode) {
        let limits = Limits { probe: Duration::from_secs(60), ..Limits::default() };
        let Bench { bus, .. } = bench_in(mode, &config(4, [8, 8, 8], Backpressure::DropOldest), limits);
        assert_eq!(bus.probe().await, Ok(()));
        assert_eq!(bus.account(), [Account::default(); 3]);
        assert_eq!(bus.mode(), mode);
        bus.stop().await;
        assert!(bus.probe().await.is_err());
    }
}
