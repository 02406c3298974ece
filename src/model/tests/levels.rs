//! What is switched off while the model is unwell or memory is short, and that it comes back; changes of the
//! implementation under load.

use std::{collections::BTreeMap, sync::atomic::AtomicBool, sync::atomic::Ordering::SeqCst, thread};

use super::*;

#[test]
fn a_failing_model_counts_errors_in_their_row_alone() {
    let model = Model::default();
    let (process, run, at) = (ProcessId(1), RunId(1), Timestamp(5));
    model.update(&Event::ProcessPending { process, run, info: info(1), at });
    for health in [Health::Healthy, Health::Failing, Health::Failed, Health::Degraded, Health::Healthy] {
        model.degrade(health);
        assert_eq!(model.health(), health);
        let before = model.row(process).map(|row| row.errors).unwrap_or_default();
        let seen = model.view(Revision::default(), 0);
        let heard = seen.happenings.last().map_or(0, |newest| newest.number);
        model.update(&error(process, run, before + 1));
        assert_eq!(model.row(process).map(|row| row.errors), Some(before + 1), "{health:?}");
        let patch = model.view(seen.revision, heard);
        assert_eq!(patch.rows.len(), 1, "the row is shown: {health:?}");
        assert_eq!(patch.happenings.len(), usize::from(health < Health::Failing), "{health:?}");
    }
}

#[test]
fn critically_short_memory_halves_happenings_and_history_and_its_end_takes_that_back() {
    let model = Model::new(Mode::Current, 600);
    let process = ProcessId(1);
    let mut run = 0;
    let mut more = |count: u64| {
        for _ in 0..count {
            run += 1;
            run_to_its_end(&model, process, run);
        }
        run
    };
    let remembered =
        |newest: u64| (1..=newest).filter(|run| model.ended(process, *run as u32).is_some()).count();
    let newest = more(1200);
    assert_eq!((exits(&model).len(), remembered(newest)), (HAPPENINGS, 600));
    model.set_pressure(Pressure::Warning);
    assert_eq!((exits(&model).len(), remembered(newest)), (HAPPENINGS, 600));
    model.set_pressure(Pressure::Critical);
    assert_eq!((exits(&model).len(), remembered(newest)), (HAPPENINGS / 2, 300), "at once");
    let newest = more(700);
    assert_eq!((exits(&model).len(), remembered(newest)), (HAPPENINGS / 2, 300));
    assert_eq!(exits(&model).last(), Some(&RunId(newest)), "the newest are kept");
    model.set_pressure(Pressure::Normal);
    let newest = more(1200);
    assert_eq!((exits(&model).len(), remembered(newest)), (HAPPENINGS, 600));
}

#[test]
fn the_number_of_remembered_runs_can_change() {
    let model = Model::new(Mode::Current, 10);
    for run in 1..=20 {
        run_to_its_end(&model, ProcessId(1), run);
    }
    model.set_history(3);
    assert_eq!(model.ended(ProcessId(1), 17), None);
    assert!(model.ended(ProcessId(1), 18).is_some());
    model.set_history(5);
    for run in 21..=40 {
        run_to_its_end(&model, ProcessId(1), run);
    }
    assert_eq!(model.ended(ProcessId(1), 35), None);
    assert!(model.ended(ProcessId(1), 36).is_some());
}

#[test]
fn a_reader_misses_nothing_while_the_implementation_changes_to_and_fro() {
    const RUNS: u64 = 3000;
    let (model, over) = (Model::default(), AtomicBool::new(false));
    thread::scope(|threads| {
        threads.spawn(|| {
            for run in 1..=RUNS {
                run_to_its_end(&model, ProcessId(run as u32 % 7), run);
                model.update(&Event::LinesArrived {
                    process: ProcessId(run as u32 % 7),
                    first: Seq(1),
                    last: Seq(run),
                });
            }
            over.store(true, SeqCst);
        });
        threads.spawn(|| {
            while !over.load(SeqCst) {
                model.switch(Mode::Fallback);
                model.switch(Mode::Current);
            }
        });
        let (mut rows, mut seen, mut heard) = (BTreeMap::new(), Revision::default(), 0);
        loop {
            // Asked before the look, so that the last look sees everything.
            let last_look = over.load(SeqCst);
            let view = model.view(seen, heard);
            assert!(view.revision >= seen);
            assert!(view.happenings.is_sorted_by(|one, next| one.number < next.number));
            seen = view.revision;
            heard = view.happenings.last().map_or(heard, |newest| newest.number);
            rows.extend(view.rows.into_iter().map(|row| (row.id, row)));
            if last_look {
                break;
            }
        }
        assert_eq!(rows.into_values().collect::<Vec<_>>(), model.view(Revision::default(), 0).rows);
        assert_eq!(heard, RUNS);
    });
}
