//! The bus: publishers of every priority, handlers and mailboxes that come and go, and one handler that counts.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use brummer::{
    bus::{EventBus, Filter},
    config::{Backpressure, Mode},
    event::{Component, Event, EventKind, Key, Seq},
};

use crate::{
    Scale, planted,
    rig::{self, Rig, config},
};

/// How the bus runs meanwhile.
#[derive(Clone, Copy)]
pub enum Form {
    Steady(Mode),
    /// Now this, now that implementation.
    Switching,
}

/// What the tasks and the handler count.
#[derive(Default)]
struct Counted {
    accepted: [AtomicU64; 3],
    refused: [AtomicU64; 3],
    delivered: [AtomicU64; 3],
    /// Events that came before an older one of their process.
    disordered: AtomicU64,
    /// Exits delivered.
    exits: AtomicU64,
    published_exits: AtomicU64,
    subscribed: AtomicU64,
}

fn read(counts: &[AtomicU64; 3]) -> [u64; 3] {
    counts.each_ref().map(|count| count.load(Relaxed))
}

pub fn run(scale: &Scale, form: Form) -> String {
    rig::run(async {
        let mode = match form {
            Form::Steady(mode) => mode,
            Form::Switching => Mode::Current,
        };
        let rig = Rig::start(&config(mode));
        let counted = Arc::new(Counted::default());
        let newest: Arc<[AtomicU64]> = (0..scale.tasks).map(|_| AtomicU64::new(0)).collect();
        let counting = rig.bus.on(Filter::all(), Component::App, "count", {
            let (counted, newest) = (Arc::clone(&counted), Arc::clone(&newest));
            let missed = AtomicBool::new(!planted::is("lost-event"));
            move |event| {
                if let Key::Process(process) = event.key()
                    && newest[process.0 as usize].swap(number(event), Relaxed) > number(event)
                {
                    counted.disordered.fetch_add(1, Relaxed);
                }
                if event.kind() == EventKind::ProcessExited {
                    counted.exits.fetch_add(1, Relaxed);
                    if !missed.swap(true, Relaxed) {
                        return;
                    }
                }
                counted.delivered[event.priority().index()].fetch_add(1, Relaxed);
            }
        });

        let switching = Arc::new(AtomicBool::new(matches!(form, Form::Switching)));
        let switcher = tokio::spawn(switch(rig.bus.clone(), Arc::clone(&switching)));
        let peak = rig.peak();
        let operations = scale.operations;
        rig::crowd(scale.tasks, scale.limit, |task| {
            let (bus, counted) = (rig.bus.clone(), Arc::clone(&counted));
            async move {
                for operation in 1..=operations {
                    operate(&bus, &counted, task, operation).await;
                }
            }
        })
        .await;
        switching.store(false, Relaxed);
        let switched = switcher.await.unwrap();
        let most = peak.take();

        let stopped = rig.bus.stop().await;
        assert_eq!(stopped.left, 0, "{stopped:?}");
        let books = rig.bus.account();
        let (accepted, delivered) = (read(&counted.accepted), read(&counted.delivered));
        assert_eq!(books.map(|book| book.published), accepted, "published and accepted: {books:?}");
        assert_eq!(books.map(|book| book.delivered), delivered, "delivered and seen: {books:?}");
        assert_eq!(books[0].dropped_policy + books[0].dropped_stop, 0, "High was lost: {books:?}");
        assert_eq!(
            counted.exits.load(Relaxed),
            counted.published_exits.load(Relaxed),
            "exits are never put together"
        );
        assert_eq!(counted.disordered.load(Relaxed), 0, "events of a process came out of order");
        let metrics = rig.metrics.snapshot().bus;
        assert_eq!(metrics.published, accepted, "the counters: {metrics:?}");
        assert_eq!(metrics.delivered, delivered, "the counters: {metrics:?}");
        assert_eq!(metrics.refused, read(&counted.refused), "the counters: {metrics:?}");
        assert_eq!(
            metrics.dropped_policy,
            books.map(|book| book.dropped_policy),
            "the counters: {metrics:?}"
        );
        // While one implementation is drained, a task of the other may have begun.
        let declared = rig.resting + usize::from(matches!(form, Form::Switching));
        assert!(most <= declared, "{most} tasks at once, {declared} are declared");
        drop(counting);
        let told = format!(
            "{} operations, {} subscriptions; high/medium/low published {accepted:?}, dropped {:?}, coalesced {:?}; \
             switched {switched} ×; tasks {most} of {declared}",
            scale.tasks * scale.operations,
            counted.subscribed.load(Relaxed),
            metrics.dropped_policy,
            metrics.coalesced,
        );
        rig.end().await;
        told
    })
}

async fn operate(bus: &EventBus, counted: &Arc<Counted>, task: usize, operation: usize) {
    let (event, waits) = match operation % 10 {
        0 => (rig::exited(task, operation), true),
        1 => (rig::exited(task, operation), false),
        2 => (rig::error(task, operation), false),
        3..=5 => (rig::lines(task, operation), operation.is_multiple_of(2)),
        6 | 7 => (rig::memory(), operation.is_multiple_of(2)),
        8 => {
            let kinds = Filter::of(&[EventKind::LinesArrived]);
            let mut mailbox = bus.subscribe(kinds, Component::App, 4, Backpressure::DropOldest);
            counted.subscribed.fetch_add(1, Relaxed);
            tokio::task::yield_now().await;
            while mailbox.try_recv().is_some() {}
            return;
        }
        _ => {
            let handler = bus.on(Filter::all(), Component::App, "passing", |_| {});
            counted.subscribed.fetch_add(1, Relaxed);
            tokio::task::yield_now().await;
            drop(handler);
            return;
        }
    };
    let (priority, exit) = (event.priority().index(), event.kind() == EventKind::ProcessExited);
    let taken = if waits { bus.publish(event).await } else { bus.try_publish(event) };
    match taken {
        Ok(()) => counted.accepted[priority].fetch_add(1, Relaxed),
        Err(_) => counted.refused[priority].fetch_add(1, Relaxed),
    };
    if exit {
        taken.expect("an exit is always taken");
        counted.published_exits.fetch_add(1, Relaxed);
    }
}

async fn switch(bus: EventBus, going: Arc<AtomicBool>) -> u32 {
    let mut switched = 0;
    while going.load(Relaxed) {
        for mode in [Mode::Fallback, Mode::Current] {
            bus.switch(mode).await;
            switched += 1;
            // A pace, not a wait: each implementation is to carry some of the load before the next change.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    switched
}

/// Which operation of its task it came from.
fn number(event: &Event) -> u64 {
    match event {
        Event::ProcessExited { last: Seq(number), .. }
        | Event::LinesArrived { last: Seq(number), .. }
        | Event::ErrorDetected { seq: Seq(number), .. } => *number,
        _ => 0,
    }
}
