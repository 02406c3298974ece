//! The replay test: whoever applies every view to what it has, in any rhythm, holds the same as who asks anew.

use std::{collections::BTreeMap, path::PathBuf};

use proptest::prelude::*;

use super::*;

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

proptest! {
    #[test]
    fn a_snapshot_and_patches_are_a_snapshot(steps in prop::collection::vec((event(), any::<bool>()), 0..60)) {
        let model = Model::default();
        let mut rows: BTreeMap<ProcessId, Row> = BTreeMap::new();
        let mut heard: Vec<u64> = Vec::new();
        let mut seen = Revision::default();
        for (event, look) in &steps {
            model.update(event);
            if *look {
                let view = model.view(seen, heard.last().copied().unwrap_or(0));
                seen = view.revision;
                rows.extend(view.rows.into_iter().map(|row| (row.id, row)));
                heard.extend(view.happenings.iter().map(|happening| happening.number));
                let whole = model.view(Revision::default(), 0);
                prop_assert_eq!(rows.values().cloned().collect::<Vec<_>>(), whole.rows);
                prop_assert_eq!(seen, whole.revision);
            }
        }
        prop_assert!(heard.is_sorted_by(|one, next| one < next), "each happening is told once, in order");
    }
}

fn exits(model: &Model) -> Vec<RunId> {
    let happenings = model.view(Revision::default(), 0).happenings;
    happenings.iter().filter(|it| matches!(it.what, What::Exited { .. })).map(|it| it.run).collect()
}

#[test]
fn a_flood_of_errors_does_not_push_an_exit_out() {
    let model = Model::default();
    let (process, run, at) = (ProcessId(1), RunId(1), Timestamp(5));
    model.update(&Event::ProcessPending { process, run, info: info(1), at });
    model.update(&Event::ProcessStarted { process, run, pid: 7, after: Seq(0), at });
    for number in 1..=5000 {
        let (seq, message) = (Seq(number), format!("error {number}").into());
        model.update(&Event::ErrorDetected { process, run, seq, count: number as u32, message, at });
    }
    let exit = Event::ProcessExited {
        process,
        run,
        state: State::Failed,
        exit: Exit::Code(2),
        last: Seq(9),
        reason: None,
        at: Timestamp(47),
    };
    model.update(&exit);
    let view = model.view(Revision::default(), 0);
    assert_eq!(view.happenings.len(), 3, "started, the newest error, exited");
    let row = &view.rows[0];
    assert_eq!((row.errors, row.first_error.as_deref()), (5000, Some("error 1")));
    assert_eq!(model.ended(process, 1).map(|ended| ended.took), Some(42));
}

#[test]
fn happenings_are_bounded_and_rows_stay_complete() {
    let model = Model::default();
    let process = ProcessId(1);
    for run in 1..=1500 {
        let (run, at) = (RunId(run), Timestamp(run));
        model.update(&Event::ProcessPending { process, run, info: info(1), at });
        let (state, exit) = (State::Failed, Exit::NotStarted);
        model.update(&Event::ProcessExited { process, run, state, exit, last: Seq(0), reason: None, at });
    }
    assert_eq!(exits(&model).len(), HAPPENINGS);
    assert_eq!(exits(&model).last(), Some(&RunId(1500)), "the oldest are forgotten first");
    assert_eq!(model.row(process).map(|row| row.runs), Some(1500));
    assert_eq!(model.ended(process, 400), None, "history is bounded too");
    assert!(model.ended(process, 1500).is_some());
}

#[test]
fn a_new_run_shows_nothing_of_the_old_one_but_its_lines() {
    let model = Model::default();
    let (process, at) = (ProcessId(1), Timestamp(1));
    model.update(&Event::ProcessPending { process, run: RunId(1), info: info(1), at });
    model.update(&Event::ProcessStarted { process, run: RunId(1), pid: 7, after: Seq(0), at });
    model.update(&Event::LinesArrived { process, first: Seq(1), last: Seq(12) });
    let (state, exit) = (State::Failed, Exit::Signal(9));
    let last = Seq(12);
    model.update(&Event::ProcessExited { process, run: RunId(1), state, exit, last, reason: None, at });
    model.update(&Event::ProcessPending { process, run: RunId(2), info: info(1), at });
    let row = model.row(process).expect("a row");
    assert_eq!(
        (row.state, row.exit, row.pid, row.errors, row.last, row.runs),
        (State::Pending, None, None, 0, Seq(12), 2)
    );
}
