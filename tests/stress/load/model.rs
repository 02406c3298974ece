//! The model: events of 100 processes go in while readers follow it, each from the revision it has seen.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use brummer::{
    config::Mode,
    event::{Event, Exit, ProcessId, RunId, Seq, State, Timestamp},
    model::{HISTORY, Model, Revision, Row},
};

use crate::{Scale, planted, rig};

/// Readers at once.
const READERS: usize = 4;

/// What one reader has put together.
#[derive(Default)]
struct Followed {
    rows: BTreeMap<ProcessId, Row>,
    revision: Revision,
    heard: u64,
    views: u64,
}

pub fn run(scale: &Scale, mode: Mode) -> String {
    rig::run(async {
        let model = Arc::new(Model::new(mode, HISTORY));
        let going = Arc::new(AtomicBool::new(true));
        let updates = Arc::new(AtomicU64::new(0));
        let readers: Vec<_> =
            (0..READERS).map(|_| tokio::spawn(follow(Arc::clone(&model), Arc::clone(&going)))).collect();
        let operations = scale.operations;
        rig::crowd(scale.tasks, scale.limit, |task| {
            let (model, updates) = (Arc::clone(&model), Arc::clone(&updates));
            async move {
                for operation in 0..operations {
                    model.update(&event(task, operation));
                    updates.fetch_add(1, Relaxed);
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
        going.store(false, Relaxed);
        let whole = model.view(Revision(0), 0);
        let mut views = 0;
        for reader in readers {
            let mut followed = reader.await.unwrap();
            if planted::is("lost-row") {
                followed.rows.pop_last();
            }
            assert_eq!(followed.rows.len(), whole.rows.len(), "every row came to the reader");
            for row in &whole.rows {
                assert_eq!(followed.rows.get(&row.id), Some(row), "the row of {:?}", row.id);
            }
            views += followed.views;
        }
        assert_eq!(whole.rows.len(), scale.tasks);
        for row in &whole.rows {
            assert_eq!(row.runs as usize, operations.div_ceil(4), "starts of {:?}", row.id);
        }
        format!(
            "{} updates, {views} views by {READERS} readers, {} rows, {} happenings kept",
            updates.load(Relaxed),
            whole.rows.len(),
            whole.happenings.len()
        )
    })
}

/// Four events make one run.
fn event(task: usize, operation: usize) -> Event {
    let (process, run, at) = (rig::id(task), RunId((operation / 4) as u64 + 1), Timestamp(operation as u64));
    let seq = Seq(operation as u64);
    match operation % 4 {
        0 => {
            let info = Arc::new(rig::shell(&format!("script {task}"), "true"));
            Event::ProcessPending { process, run, info, at }
        }
        1 => Event::ProcessStarted { process, run, pid: 1, after: seq, at },
        2 => Event::LinesArrived { process, first: seq, last: seq },
        _ => {
            let (state, exit) = (State::Success, Exit::Code(0));
            Event::ProcessExited { process, run, state, exit, last: seq, reason: None, at }
        }
    }
}

async fn follow(model: Arc<Model>, going: Arc<AtomicBool>) -> Followed {
    let mut followed = Followed::default();
    loop {
        // Asked before looking, so that the last look sees all.
        let last = !going.load(Relaxed);
        let view = model.view(followed.revision, followed.heard);
        assert!(view.revision >= followed.revision, "a revision went back");
        followed.revision = view.revision;
        for row in view.rows {
            followed.rows.insert(row.id, row);
        }
        for happening in view.happenings {
            assert!(happening.number > followed.heard, "a happening came twice");
            followed.heard = happening.number;
        }
        followed.views += 1;
        if last {
            return followed;
        }
        tokio::task::yield_now().await;
    }
}
