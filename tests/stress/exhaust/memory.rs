//! Memory is short: what can be done without is given up, step by step, and taken up again.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use brummer::{
    bus::Filter,
    config::Mode,
    event::{Component, EventKind, Pressure, Priority},
    logs::Logs,
};

use super::rings;
use crate::{
    Scale,
    rig::{self, Rig, config, until},
};

pub fn logs(_scale: &Scale) -> String {
    const MOST: usize = 1000;
    rig::run(async {
        let mut config = config(Mode::Current);
        config.log_store.max_entries = MOST;
        let rig = Rig::start(&config);
        let (logs, output) = Logs::start(&config.log_store, Mode::Current, rig.bus.clone(), &rig.resources);
        let text = |number: usize| format!("line {number}");
        rings::fill(&output, 1, 2 * MOST, text).await;
        let full = logs.counts().await.unwrap().kept;
        assert!(full <= MOST as u64 && full > MOST as u64 / 2, "{full} kept");

        rig.resources.set_pressure(Pressure::Critical);
        let half = MOST as u64 / 2;
        until("the rings are halved", || rig.metrics.snapshot().logs.kept_lines <= half).await;
        let shed = logs.counts().await.unwrap();
        assert!(shed.kept <= half && shed.evicted + shed.kept == shed.lines, "{shed:?}");
        let newest = rings::all(&logs, 1).await.head;
        assert_eq!(newest.0, 2 * MOST as u64, "the newest lines stay");

        rig.resources.set_pressure(Pressure::Normal);
        until("the limit is back", || rig.metrics.snapshot().logs.limit_lines == MOST as u64).await;
        rings::fill(&output, 2, 2 * MOST, text).await;
        let back = logs.counts().await.unwrap();
        assert!(back.kept > half && back.evicted + back.kept == back.lines, "{back:?}");
        drop((logs, output));
        rig.end().await;
        format!("{full} lines kept, {} when memory was short, {} afterwards", shed.kept, back.kept)
    })
}

pub fn bus(_scale: &Scale) -> String {
    const EVENTS: u64 = 20;
    rig::run(async {
        let rig = Rig::start(&config(Mode::Current));
        let seen = Arc::new(AtomicU64::new(0));
        let kinds = Filter::of(&[EventKind::MemorySampled]);
        let watching = rig.bus.on(kinds, Component::App, "count", {
            let seen = Arc::clone(&seen);
            move |_| {
                seen.fetch_add(1, SeqCst);
            }
        });
        let low = Priority::Low.index();
        let publish = async |wanted: u64, what: &str| {
            for _ in 0..EVENTS {
                rig.bus.try_publish(rig::memory()).ok();
                until(what, || rig.bus.account()[low].queued + rig.bus.account()[low].in_flight == 0).await;
            }
            assert_eq!(seen.swap(0, SeqCst), wanted, "{what}");
        };
        publish(EVENTS, "while there is enough").await;
        rig.resources.set_pressure(Pressure::Critical);
        // It sees the change a little later than it is made.
        until("it sheds", || {
            rig.bus.try_publish(rig::memory()).ok();
            rig.metrics.snapshot().bus.dropped_shed[low] > 0
        })
        .await;
        until("all is delivered", || rig.bus.account()[low].queued + rig.bus.account()[low].in_flight == 0)
            .await;
        seen.store(0, SeqCst);
        publish(0, "while it is short").await;
        rig.bus.publish(rig::exited(1, 1)).await.expect("High is taken all the same");
        rig.resources.set_pressure(Pressure::Normal);
        until("it sheds no more", || {
            rig.bus.try_publish(rig::memory()).ok();
            seen.load(SeqCst) > 0
        })
        .await;
        until("all is delivered", || rig.bus.account()[low].queued + rig.bus.account()[low].in_flight == 0)
            .await;
        seen.store(0, SeqCst);
        publish(EVENTS, "afterwards").await;
        let shed = rig.metrics.snapshot().bus.dropped_shed[low];
        drop(watching);
        rig.end().await;
        format!("{shed} low events shed while memory was short, none before and after")
    })
}
