//! What the tests of the model have in common.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::config::RunOptions;

mod contract;
mod levels;

fn info(name: u32) -> Arc<ProcessInfo> {
    Arc::new(ProcessInfo {
        name: format!("script{name}"),
        package: None,
        root: PathBuf::from("/p"),
        cwd: PathBuf::from("/p"),
        argv: vec!["/bin/true".to_owned()],
        args: Vec::new(),
        script: "true".to_owned(),
        env: Vec::new(),
        options: RunOptions::default(),
    })
}

fn event() -> impl Strategy<Value = Event> {
    (0_u32..4, 1_u64..5, 0_u64..50, 0..5).prop_map(|(process, run, number, kind)| {
        let (process, run, at) = (ProcessId(process), RunId(run), Timestamp(number));
        match kind {
            0 => Event::ProcessPending { process, run, info: info(process.0), at },
            1 => Event::ProcessStarted { process, run, pid: 7, after: Seq(number), at },
            2 => Event::LinesArrived { process, first: Seq(1), last: Seq(number) },
            3 => Event::ErrorDetected { process, run, seq: Seq(number), count: 1, message: "no".into(), at },
            _ => Event::ProcessExited {
                process,
                run,
                state: State::Failed,
                exit: Exit::Code(1),
                last: Seq(number),
                reason: None,
                at,
            },
        }
    })
}

/// A run from its acceptance to its exit.
fn run_to_its_end(model: &Model, process: ProcessId, run: u64) {
    let (run, at) = (RunId(run), Timestamp(run));
    model.update(&Event::ProcessPending { process, run, info: info(process.0), at });
    let (state, exit) = (State::Failed, Exit::NotStarted);
    model.update(&Event::ProcessExited { process, run, state, exit, last: Seq(0), reason: None, at });
}

fn error(process: ProcessId, run: RunId, count: u32) -> Event {
    let (seq, message) = (Seq(u64::from(count)), format!("error {count}").into());
    Event::ErrorDetected { process, run, seq, count, message, at: Timestamp(5) }
}

/// The runs whose exits are remembered as happenings.
fn exits(model: &Model) -> Vec<RunId> {
    let happenings = model.view(Revision::default(), 0).happenings;
    happenings.iter().filter(|it| matches!(it.what, What::Exited { .. })).map(|it| it.run).collect()
}
