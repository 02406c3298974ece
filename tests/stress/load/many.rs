//! Fifty processes at once, and a thousand one after the other: what they cost is given back when they have gone.

use std::{fs, time::Duration};

use brummer::{
    bus::{Filter, Mailbox},
    config::Mode,
    event::{Component, Event, EventKind, Exit, State},
    logs::Logs,
    process::{Manager, Parts},
};
use tokio::time::timeout;

use crate::{
    Scale, planted,
    rig::{self, Rig, config, until},
};

const AT_ONCE: usize = 50;
const IN_A_ROW: usize = 1000;

/// Runs before what they leave is looked at: until then tables fill and the allocator takes what it keeps.
const WARM_UP: usize = 200;

/// Scripts that take turns, each with an entry that stays.
const SCRIPTS: usize = 10;

/// What the memory of so many runs may differ by: less than 8 KiB each.
const SLACK: u64 = 8 << 20;

/// What a run must not leave behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Held {
    tasks: usize,
    files: usize,
    /// Children of this program, also those that have ended and were not waited for.
    children: usize,
}

struct Rooms {
    rig: Rig,
    exits: Mailbox,
    manager: Manager,
}

pub fn at_once(mode: Mode) -> String {
    rig::run(async {
        let mut rooms = Rooms::start(mode);
        let before = rooms.rest(None).await;
        for round in 0..2 {
            let mut started = Vec::new();
            for number in 0..AT_ONCE {
                let script = format!("echo up {number}; exec sleep 1000");
                let info = rig::shell(&format!("long {number}"), &script);
                started.push(rooms.manager.start(info).await.expect("there is room").process());
            }
            for process in &started {
                let runs =
                    || rooms.manager.status(*process).map(|status| status.state) == Some(State::Running);
                until("all run at once", runs).await;
            }
            assert!(held(&rooms).children >= AT_ONCE, "they all live");
            rooms.manager.stop_all(None).await.expect("they end");
            for _ in 0..AT_ONCE {
                assert_eq!(rooms.exit().await.0, State::Stopped);
            }
            if round == 0 {
                // Each entry keeps its task.
                rooms.rest(Some(Held { tasks: before.tasks + AT_ONCE, ..before })).await;
            }
        }
        rooms.rest(Some(Held { tasks: before.tasks + AT_ONCE, ..before })).await;
        rooms.end().await;
        format!("{AT_ONCE} ran at once, twice; then {before:?} again but for a task of each entry")
    })
}

pub fn in_a_row(scale: &Scale, mode: Mode) -> String {
    let runs = IN_A_ROW.max(scale.operations);
    rig::run(async {
        let mut rooms = Rooms::start(mode);
        rooms.short(WARM_UP).await;
        let (before, resident) = (rooms.rest(None).await, resident());
        rooms.short(runs).await;
        let kept = planted::is("keep-files").then(|| fs::File::open("/dev/null"));
        rooms.rest(Some(before)).await;
        drop(kept);
        let now = self::resident();
        assert!(now <= resident + SLACK, "memory grows: {resident} before {runs} runs, {now} after them");
        rooms.end().await;
        format!(
            "{runs} runs one after the other, {before:?} before and after; resident {} MB, then {} MB",
            resident >> 20,
            now >> 20
        )
    })
}

// === impl Rooms ===

impl Rooms {
    fn start(mode: Mode) -> Self {
        let config = config(mode);
        let rig = Rig::start(&config);
        let kinds = Filter::of(&[EventKind::ProcessExited]);
        let exits = rig.bus.subscribe(kinds, Component::App, AT_ONCE, config.eventbus.backpressure);
        let start = config.log_store.rollout.mode().start();
        let (logs, output) = Logs::start(&config.log_store, start, rig.bus.clone(), &rig.resources);
        drop(logs);
        let parts = Parts { bus: rig.bus.clone(), resources: rig.resources.clone(), output };
        let start = config.process_manager.rollout.mode().start();
        let manager = Manager::start_manager(&config.process_manager, start, parts);
        Self { rig, exits, manager }
    }

    async fn exit(&mut self) -> (State, Exit) {
        let exit = timeout(Duration::from_secs(60), self.exits.recv()).await.expect("it ends");
        let Some(Event::ProcessExited { state, exit, .. }) = exit else { panic!("only exits: {exit:?}") };
        (state, exit)
    }

    async fn short(&mut self, runs: usize) {
        for number in 0..runs {
            let script = format!("script {}", number % SCRIPTS);
            let info = rig::shell(&script, "echo a line; echo another >&2");
            self.manager.start(info).await.expect("there is room");
            assert_eq!(self.exit().await, (State::Success, Exit::Code(0)));
        }
    }

    /// Waits until all is as it was, or until nothing changes any more, and tells how it is.
    async fn rest(&self, wanted: Option<Held>) -> Held {
        if let Some(wanted) = wanted {
            // What has just ended may take a moment to go.
            until(&format!("{wanted:?} as before"), || held(self) == wanted).await;
            return wanted;
        }
        let (mut before, mut same) = (held(self), 0);
        while same < 20 {
            // What is waited for is that nothing changes, which takes time by itself.
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = held(self);
            same = if now == before { same + 1 } else { 0 };
            before = now;
        }
        before
    }

    async fn end(self) {
        let Self { rig, exits, manager } = self;
        manager.shutdown(Duration::from_secs(2)).await;
        drop((manager, exits));
        rig.end().await;
    }
}

fn held(rooms: &Rooms) -> Held {
    let files = fs::read_dir("/proc/self/fd").unwrap().count();
    Held { tasks: rooms.rig.resources.alive(), files, children: children() }
}

/// Each thread has its own.
fn children() -> usize {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let of = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    threads.map(|thread| of(thread).split_whitespace().count()).sum()
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident set");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
