//! The memory of this very process is filled to a limit and released again.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use brummer::{config::Mode, event::Pressure, resource::MemoryMonitor};

use crate::{
    Scale,
    rig::{self, Rig, config, until},
};

const MEGABYTE: usize = 1 << 20;

/// So much more may be held than is held at first.
const ROOM: usize = 200;

pub fn limit(_scale: &Scale) -> String {
    rig::run(async {
        let rig = Rig::start(&config(Mode::Current));
        let mut settings = config(Mode::Current).resources;
        let first = resident() / MEGABYTE;
        settings.memory_limit_mb = first + ROOM;
        settings.monitoring_interval = Duration::from_millis(20);
        let sampled = Arc::new(AtomicU64::new(0));
        let samples = Arc::clone(&sampled);
        let monitor = MemoryMonitor::start(&settings, &rig.resources, move |_| {
            samples.fetch_add(1, SeqCst);
        });
        let pressure = rig.resources.pressure();
        let is = |wanted: Pressure| *pressure.borrow() == wanted;
        until("it is measured while there is enough", || sampled.load(SeqCst) > 1).await;
        assert!(is(Pressure::Normal));

        let mut held = Vec::new();
        let mut stages = Vec::new();
        for stage in [Pressure::Warning, Pressure::Critical] {
            while !is(stage) {
                assert!(held.len() < 2 * ROOM, "no {stage:?} at {} MB", resident() / MEGABYTE);
                held.push(vec![1_u8; MEGABYTE]);
                // Not for something to happen, but slowly: the monitor looks every 20 ms, and no stage may be skipped.
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            stages.push(resident() / MEGABYTE);
        }
        let said = rig.metrics.snapshot().resource;
        assert!(said.memory_resident <= said.memory_limit, "critical comes before the limit: {said:?}");

        drop(held);
        until("memory is enough again", || is(Pressure::Normal)).await;
        let before = sampled.load(SeqCst);
        until("it is told again", || sampled.load(SeqCst) > before).await;
        drop(monitor);
        rig.end().await;
        format!(
            "{first} MB at first, warned at {}, critical at {}, limit {}, normal again",
            stages[0],
            stages[1],
            first + ROOM
        )
    })
}

fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident set");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
