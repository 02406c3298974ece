//! The status cell: what is read is whole, never goes back, and ends once.

use std::sync::Arc;

use super::{Status, StatusCell};
use crate::{
    event::{Exit, RunId, State, Timestamp},
    sync::{
        check::{explore, join, planted, spawn},
        planted,
    },
};

fn ended(run: u64, state: State) -> Status {
    Status {
        state,
        pid: Some(1),
        exit: Some(Exit::Code(0)),
        started_at: Some(Timestamp(1)),
        ended_at: Some(Timestamp(2)),
        ..Status::pending(RunId(run))
    }
}

/// What the process's own task tells of a second run.
fn live(cell: &StatusCell) {
    let over = ended(2, State::Success);
    let running = Status { state: State::Running, exit: None, ended_at: None, ..over.clone() };
    assert_eq!(cell.set(Status::pending(RunId(2))), Ok(()));
    assert_eq!(cell.set(running.clone()), Ok(()));
    if planted("a status is told in two halves") {
        cell.set(Status { state: State::Success, ..running }).ok();
    }
    cell.set(over).ok();
    // A stop that comes too late.
    cell.set(ended(2, State::Stopped)).ok();
}

/// A status that a run can have.
fn assert_whole(status: &Status) {
    let (started, ended) = match status.state {
        State::Pending => (false, false),
        State::Running => (true, false),
        _ => (true, true),
    };
    let has = |started, ended| {
        status.pid.is_some() == started
            && status.started_at.is_some() == started
            && status.exit.is_some() == ended
            && status.ended_at.is_some() == ended
    };
    assert!(has(started, ended), "mixed: {status:?}");
}

/// How far a run is.
fn stage(status: &Status) -> (RunId, u8) {
    let stage = match status.state {
        State::Pending => 0,
        State::Running => 1,
        _ => 2,
    };
    (status.run, stage)
}

#[test]
fn readers_see_whole_states_in_order_and_one_end() {
    explore(|| read_while_it_lives(StatusCell::new(ended(1, State::Failed))));
}

#[test]
fn so_do_readers_who_take_a_lock() {
    explore(|| read_while_it_lives(StatusCell::locked(ended(1, State::Failed), Arc::default())));
}

fn read_while_it_lives(cell: StatusCell) {
    let cell = Arc::new(cell);
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let cell = cell.clone();
            spawn(move || {
                let mut before = cell.get();
                assert_whole(&before);
                for _ in 0..2 {
                    let now = cell.get();
                    assert_whole(&now);
                    assert!(stage(&before) <= stage(&now), "back from {before:?} to {now:?}");
                    assert!(stage(&before) < stage(&now) || before == now, "two ends: {before:?}, {now:?}");
                    before = now;
                }
            })
        })
        .collect();
    live(&cell);
    join(readers);
    assert_eq!(cell.get().state, State::Success, "two ends");
}

planted! {
    a_status_told_in_two_halves_is_seen:
        readers_see_whole_states_in_order_and_one_end with "a status is told in two halves" says "mixed";
    a_second_end_under_a_lock_is_seen:
        so_do_readers_who_take_a_lock with "a move is not checked" says "two ends";
    a_second_end_is_seen:
        readers_see_whole_states_in_order_and_one_end with "a move is not checked" says "two ends";
}
