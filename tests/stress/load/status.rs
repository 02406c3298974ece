//! A status is read as one value: whatever a reader sees was written together.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use brummer::{
    event::{Exit, RunId, State, Timestamp},
    process::{Status, StatusCell},
};

use crate::{Scale, planted, rig};

/// Each has one writer; the other tasks read.
const CELLS: usize = 10;

pub fn run(scale: &Scale) -> String {
    rig::run(async {
        let cells: Arc<[StatusCell]> =
            (0..CELLS).map(|_| StatusCell::new(Status::pending(RunId(1)))).collect();
        let reads = Arc::new(AtomicU64::new(0));
        let operations = scale.operations;
        rig::crowd(scale.tasks, scale.limit, |task| {
            let (cells, reads) = (Arc::clone(&cells), Arc::clone(&reads));
            async move {
                for operation in 0..operations {
                    if task < CELLS {
                        cells[task].set(status(operation)).expect("a legal move");
                    } else {
                        let status = cells[operation % CELLS].get();
                        assert!(is_whole(&status), "a torn status: {status:?}");
                        reads.fetch_add(1, Relaxed);
                    }
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
        for cell in cells.iter() {
            assert_eq!(*cell.get(), status(operations - 1), "the last value is the one written last");
        }
        format!("{} writes, {} reads, none torn", CELLS * operations, reads.load(Relaxed))
    })
}

/// Two moves for the first run, which is pending already, three for each later one. All fields follow from the number.
fn status(operation: usize) -> Status {
    let (run, step) = ((operation + 1) / 3 + 1, (operation + 1) % 3);
    let run = RunId(run as u64);
    let at = Timestamp(run.0);
    let running = Status {
        state: State::Running,
        pid: Some(run.0 as u32),
        started_at: Some(at),
        ..Status::pending(run)
    };
    match step {
        0 => Status::pending(run),
        1 => running,
        _ => Status {
            state: State::Success,
            exit: Some(Exit::Code(run.0 as i32)),
            ended_at: Some(at),
            ..running
        },
    }
}

fn is_whole(status: &Status) -> bool {
    let at = Some(Timestamp(status.run.0));
    let started = status.pid == Some(status.run.0 as u32) && status.started_at == at;
    let ended = status.exit == Some(Exit::Code(status.run.0 as i32)) && status.ended_at == at;
    let whole = match status.state {
        State::Pending => status.pid.is_none() && status.exit.is_none(),
        State::Running => started && status.exit.is_none(),
        _ => started && ended,
    };
    whole && !(planted::is("torn-status") && status.run.0 > 2)
}
