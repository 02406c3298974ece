//! The bus against a simple model: whatever is published, in whatever order with pauses, changes of the
//! implementation and of health, the rules hold at the end and the books at every instant.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Lines(u32),
    Exit(u32),
    Error(u32),
    Sample,
    Pause(u8),
    Switch(bool),
    Degrade(bool),
    Read(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..5_u32).prop_map(Step::Lines),
        4 => (0..5_u32).prop_map(Step::Exit),
        4 => (0..5_u32).prop_map(Step::Error),
        3 => Just(Step::Sample),
        4 => (1..4_u8).prop_map(Step::Pause),
        1 => any::<bool>().prop_map(Step::Switch),
        1 => any::<bool>().prop_map(Step::Degrade),
        2 => (1..9_u8).prop_map(Step::Read),
    ]
}

fn policy() -> impl Strategy<Value = Backpressure> {
    use Backpressure::{Block, DropLowPriority, DropNewest, DropOldest};
    prop_oneof![Just(DropOldest), Just(DropNewest), Just(DropLowPriority), Just(Block)]
}

async fn check(policy: Backpressure, lanes: usize, fallback: bool, steps: &[Step]) {
    let mode = if fallback { Mode::Fallback } else { Mode::Current };
    let Bench { bus, metrics, .. } = bench_in(mode, &config(lanes, [6, 5, 4], policy), Limits::default());
    let (seen, _handler) = collect(&bus, Filter::all());
    let mut mailbox = bus.subscribe(Filter::all(), Component::Model, 4, policy);
    let mut read = Vec::new();
    // What was accepted, by key and kind, in order; the number says where in time.
    let mut accepted: BTreeMap<(u32, bool), Vec<u64>> = BTreeMap::new();
    let mut counts = [0_u64; 3];
    for (n, step) in (1_u64..).zip(steps) {
        let event = match step {
            Step::Lines(process) => lines(*process, n),
            Step::Exit(process) => exited(*process, n),
            Step::Error(process) => error(*process, n as u32),
            Step::Sample => sample(),
            Step::Pause(times) => {
                for _ in 0..*times {
                    yield_now().await;
                }
                continue;
            }
            Step::Switch(fallback) => {
                bus.switch(if *fallback { Mode::Fallback } else { Mode::Current }).await;
                continue;
            }
            Step::Degrade(badly) => {
                bus.degrade(if *badly { Health::Failing } else { Health::Healthy });
                continue;
            }
            Step::Read(times) => {
                read.extend((0..*times).map_while(|_| mailbox.try_recv()));
                continue;
            }
        };
        let priority = event.priority().index();
        if bus.try_publish(event).is_ok() {
            counts[priority] += 1;
            if let Step::Exit(process) | Step::Error(process) = step {
                accepted.entry((*process, matches!(step, Step::Exit(_)))).or_default().push(n);
            }
        } else {
            assert!(priority > 0 && policy == Backpressure::Block, "refused without need");
        }
        let books = bus.account();
        assert!(books.iter().all(Account::balances), "{books:?}");
        assert_eq!(books.map(|books| books.published), counts);
        assert!(books[1].queued + books[2].queued <= (lanes * 3 * 2).max(9) as u64 * 2);
    }
    assert_eq!(bus.stop().await, Stopped::default());
    while let Some(event) = mailbox.recv().await {
        read.push(event);
    }
    let books = bus.account();
    let seen = std::mem::take(&mut *seen.lock());
    let delivered: u64 = books.iter().map(|books| books.delivered).sum();
    assert_eq!(seen.len() as u64, delivered, "the handler counts as the books do");
    let full: u64 = metrics.bus.dropped_subscriber_full.read().iter().sum();
    let coalesced: u64 = mailbox.account().iter().map(|books| books.coalesced).sum();
    assert_eq!(read.len() as u64 + full + coalesced, delivered, "the mailbox too");
    assert_eq!((books[0].dropped_policy, books[0].dropped_shed), (0, 0), "High was lost");
    for events in [&seen, &read] {
        for process in 0..5 {
            let mine = events.iter().filter(|event| event.key() == Key::Process(ProcessId(process)));
            let numbers: Vec<_> = mine.map(number).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "out of order: {numbers:?}");
            let of = |kind| {
                let mine = events.iter().filter(|event| event.key() == Key::Process(ProcessId(process)));
                mine.filter(|event| event.kind() == kind).map(number).collect::<Vec<_>>()
            };
            let all = |exits| accepted.get(&(process, exits)).cloned().unwrap_or_default();
            assert_eq!(of(EventKind::ProcessExited), all(true), "an exit was lost");
            // Errors stand for one another: the newest is always among them.
            assert_eq!(of(EventKind::ErrorDetected).last(), all(false).last(), "the newest error was lost");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bus_keeps_its_rules_whatever_happens(
        policy in policy(),
        lanes in 1..4_usize,
        fallback in any::<bool>(),
        steps in prop::collection::vec(step(), 0..200),
        threads in any::<bool>(),
    ) {
        let mut runtime = if threads {
            tokio::runtime::Builder::new_multi_thread()
        } else {
            tokio::runtime::Builder::new_current_thread()
        };
        let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(check(policy, lanes, fallback, &steps));
    }
}
