//! Where things could wait for each other for ever: handlers that publish into their own full lane, and a handler that
//! does not return while errors arrive, a million in the long form. The watchdog looks at the locks meanwhile.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use brummer::{
    bus::Filter,
    config::Mode,
    event::{Component, Event, EventKind, FaultKind, Seq},
    logs::Logs,
};
use tokio::sync::oneshot;

use crate::{
    Program, Scale,
    exhaust::rings,
    rig::{self, Gate, Rig, config, until},
};

pub const PROGRAMS: &[Program] = &[
    ("deadlock.own-lane", |scale| own_lane(scale, Mode::Current)),
    ("deadlock.own-lane.fb", |scale| own_lane(scale, Mode::Fallback)),
    ("deadlock.ingest", ingest),
];

/// Each event makes two more, in a lane with room for two, while others wait for room in it.
fn own_lane(scale: &Scale, mode: Mode) -> String {
    const OTHERS: usize = 10;
    rig::run(async {
        let mut config = config(mode);
        config.eventbus.workers = 1;
        config.eventbus.queue_sizes = [2, 2, 2];
        let rig = Rig::start(&config);
        let most = scale.operations;
        let (made, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (publishing, counted) = (rig.bus.clone(), Arc::clone(&seen));
        let making = Arc::clone(&made);
        let handler =
            rig.bus.on(Filter::of(&[EventKind::ProcessExited]), Component::App, "publish", move |_| {
                counted.fetch_add(1, SeqCst);
                for _ in 0..2 {
                    let number = making.fetch_add(1, SeqCst);
                    if number < most {
                        publishing.try_publish(rig::exited(1, number)).expect("High is always taken");
                    }
                }
            });
        let published = Arc::new(AtomicUsize::new(0));
        rig::crowd(OTHERS, scale.limit, |task| {
            let (bus, published) = (rig.bus.clone(), Arc::clone(&published));
            async move {
                for number in 0..most / OTHERS {
                    bus.publish(rig::exited(task, number)).await.expect("High waits for room");
                    published.fetch_add(1, SeqCst);
                }
            }
        })
        .await;
        until("all is seen", || seen.load(SeqCst) == most + published.load(SeqCst)).await;
        let waits = rig.metrics.snapshot().bus.publisher_waits;
        drop(handler);
        rig.end().await;
        format!(
            "{most} published from the handler, {} from outside, which waited {waits} ×",
            published.load(SeqCst)
        )
    })
}

/// The log store goes on although who is told of errors does not return.
fn ingest(scale: &Scale) -> String {
    const BATCH: usize = 1000;
    rig::run(async {
        // A million lines in the long form.
        let batches = scale.operations / 5;
        let config = config(Mode::Current);
        let mut rig = Rig::start(&config);
        let gate = Gate::new();
        let held = Arc::clone(&gate.0);
        let kinds = Filter::of(&[EventKind::ErrorDetected]);
        let handler = rig.bus.on(kinds, Component::App, "does not return", move |_: &Event| held.pass());
        let (logs, output) = Logs::start(&config.log_store, Mode::Current, rig.bus.clone(), &rig.resources);
        let (ack, answer) = oneshot::channel();
        output.send(rings::begin(1, ack)).await.unwrap();
        answer.await.unwrap();
        for number in 0..batches {
            let text: String = (0..BATCH)
                .map(|line| format!("error: number {} went wrong\n", number * BATCH + line))
                .collect();
            output.send(rings::batch(1, text.into_bytes())).await.unwrap();
            if number == 0 {
                until("the handler stands still", || gate.0.waiting() == 1).await;
            }
        }
        let (ack, answer) = oneshot::channel();
        output.send(rings::end(1, ack)).await.unwrap();
        let lines = (batches * BATCH) as u64;
        assert_eq!(answer.await.unwrap(), Seq(lines), "all lines are in");
        assert_eq!(gate.0.waiting(), 1, "the handler has not returned");
        let queued = rig.bus.account()[0].queued;
        assert!(queued <= 4, "{queued} events wait, although a run's errors take two places");
        drop(gate);
        drop((logs, output, handler));
        // That it took so long may have been told.
        while let Ok(fault) = rig.faults().try_recv() {
            assert_eq!(fault.kind, FaultKind::Stuck, "{fault:?}");
        }
        rig.end().await;
        format!("{lines} error lines taken in while the handler stood still; {queued} events waited for it")
    })
}
