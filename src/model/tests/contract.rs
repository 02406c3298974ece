//! What the model promises, whichever implementation runs. The replay test: whoever applies every view to what it has,
//! in any rhythm, holds the same as who asks anew.

use std::collections::BTreeMap;

use super::*;

/// Runs each test against both implementations.
macro_rules! both_modes {
    ($($name:ident)*) => { $(
        mod $name {
            #[test]
            fn current() {
                super::$name(super::Mode::Current);
            }
            #[test]
            fn fallback() {
                super::$name(super::Mode::Fallback);
            }
        }
    )* };
}

both_modes! {
    a_flood_of_errors_does_not_push_an_exit_out
    an_error_told_again_takes_nothing_back
    addresses_are_happenings_once_and_go_with_their_run
    happenings_are_bounded_and_rows_stay_complete
    a_new_run_shows_nothing_of_the_old_one_but_its_lines
    happenings_come_once_and_in_order
    nothing_changed_is_nothing_to_show
    the_probe_finds_a_model_in_order
}

proptest! {
    /// A reader that looks now and then, while the implementation changes now and then.
    #[test]
    fn a_snapshot_and_patches_are_a_snapshot(
        fallback in any::<bool>(),
        steps in prop::collection::vec((event(), any::<bool>(), prop::option::weighted(0.1, any::<bool>())), 0..60),
    ) {
        let of = |fallback| if fallback { Mode::Fallback } else { Mode::Current };
        let model = Model::new(of(fallback), HISTORY);
        let mut rows: BTreeMap<ProcessId, Row> = BTreeMap::new();
        let mut heard: Vec<u64> = Vec::new();
        let mut seen = Revision::default();
        for (event, look, switch) in &steps {
            model.update(event);
            if let Some(fallback) = switch {
                model.switch(of(*fallback));
            }
            if *look {
                let view = model.view(seen, heard.last().copied().unwrap_or(0));
                prop_assert!(model.mode() == Mode::Current || view.rows.is_empty() || view.rows.len() >= rows.len());
                seen = view.revision;
                rows.extend(view.rows.into_iter().map(|row| (row.id, row)));
                heard.extend(view.happenings.iter().map(|happening| happening.number));
                let whole = model.view(Revision::default(), 0);
                prop_assert_eq!(rows.values().cloned().collect::<Vec<_>>(), whole.rows);
                prop_assert_eq!(seen, whole.revision);
            }
        }
        prop_assert!(heard.is_sorted_by(|one, next| one < next), "each happening is told once, in order");
        prop_assert_eq!(model.probe(), Ok(()));
    }
}

fn a_flood_of_errors_does_not_push_an_exit_out(mode: Mode) {
    let model = Model::new(mode, HISTORY);
    let (process, run, at) = (ProcessId(1), RunId(1), Timestamp(5));
    model.update(&Event::ProcessPending { process, run, info: info(1), at });
    model.update(&Event::ProcessStarted { process, run, pid: 7, after: Seq(0), at });
    for count in 1..=5000 {
        model.update(&error(process, run, count));
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

/// An event has all addresses of its run, so that one whose place was taken by a newer one loses nothing.
fn addresses_are_happenings_once_and_go_with_their_run(mode: Mode) {
    let model = Model::new(mode, HISTORY);
    let (process, run, at) = (ProcessId(1), RunId(1), Timestamp(0));
    let told = |run, count: u64| {
        let url = |number: u64| Url { seq: Seq(number), url: format!("http://x.dev/{number}").into() };
        model.update(&Event::UrlDetected { process, run, urls: (1..=count).map(url).collect(), at });
    };
    told(run, 1);
    assert_eq!(model.view(Revision::default(), 0), View::default(), "nobody knows the process yet");
    model.update(&Event::ProcessPending { process, run, info: info(1), at });
    for count in [1, 3, 3, 2] {
        told(run, count);
    }
    let view = model.view(Revision::default(), 0);
    let urls: Vec<_> = view.happenings.iter().map(|it| it.what.clone()).collect();
    assert_eq!(urls, view.rows[0].urls.iter().cloned().map(What::Url).collect::<Vec<_>>());
    assert_eq!(urls.len(), 3);
    model.update(&Event::ProcessPending { process, run: RunId(2), info: info(1), at });
    told(run, 3);
    assert!(model.row(process).is_some_and(|row| row.urls.is_empty()), "those of the old run are gone");
}

/// A known error that is printed again changes nothing; what waits to be told of it stays.
fn an_error_told_again_takes_nothing_back(mode: Mode) {
    let model = Model::new(mode, HISTORY);
    let (process, run) = (ProcessId(1), RunId(1));
    model.update(&Event::ProcessPending { process, run, info: info(1), at: Timestamp(0) });
    model.update(&error(process, run, 1));
    model.update(&error(process, run, 1));
    let told = model.view(Revision::default(), 0).happenings;
    assert!(matches!(told[..], [Happening { what: What::Error { count: 1, .. }, .. }]), "{told:?}");
}

fn happenings_are_bounded_and_rows_stay_complete(mode: Mode) {
    let model = Model::new(mode, 300);
    let process = ProcessId(1);
    for run in 1..=1500 {
        run_to_its_end(&model, process, run);
    }
    assert_eq!(exits(&model).len(), HAPPENINGS);
    assert_eq!(exits(&model).last(), Some(&RunId(1500)), "the oldest are forgotten first");
    assert_eq!(model.row(process).map(|row| row.runs), Some(1500));
    assert_eq!(model.ended(process, 1200), None, "history is bounded too");
    assert!(model.ended(process, 1201).is_some(), "by its own limit");
}

fn a_new_run_shows_nothing_of_the_old_one_but_its_lines(mode: Mode) {
    let model = Model::new(mode, HISTORY);
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

fn happenings_come_once_and_in_order(mode: Mode) {
    let model = Model::new(mode, HISTORY);
    let (mut heard, mut runs) = (0, Vec::new());
    for run in 1..=20 {
        run_to_its_end(&model, ProcessId(1 + run as u32 % 3), run);
        if run % 4 == 0 {
            let view = model.view(Revision::default(), heard);
            assert!(view.happenings.iter().map(|it| it.number).eq(heard + 1..=heard + 4), "without a gap");
            heard += 4;
            runs.extend(view.happenings.iter().map(|it| it.run.0));
        }
    }
    assert!(runs.into_iter().eq(1..=20));
}

fn nothing_changed_is_nothing_to_show(mode: Mode) {
    let model = Model::new(mode, HISTORY);
    run_to_its_end(&model, ProcessId(1), 1);
    run_to_its_end(&model, ProcessId(2), 2);
    let seen = model.view(Revision::default(), 0).revision;
    assert_eq!(model.view(seen, 2), View { revision: seen, ..View::default() });
    model.update(&Event::LinesArrived { process: ProcessId(2), first: Seq(1), last: Seq(3) });
    let shown: Vec<_> = model.view(seen, 2).rows.iter().map(|row| row.id.0).collect();
    let expected: &[u32] = if mode == Mode::Fallback { &[1, 2] } else { &[2] };
    assert_eq!(shown, expected, "a patch has the changed row, a snapshot has all");
}

fn the_probe_finds_a_model_in_order(mode: Mode) {
    let model = Model::new(mode, HISTORY);
    assert_eq!((model.mode(), model.probe()), (mode, Ok(())));
    run_to_its_end(&model, ProcessId(1), 1);
    assert_eq!(model.probe(), Ok(()));
}
