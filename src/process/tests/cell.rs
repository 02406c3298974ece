//! The moves of a status, in a cell that is read by a load and in one that is read under a lock.

use super::*;

fn cells(status: &Status) -> [StatusCell; 2] {
    [StatusCell::new(status.clone()), StatusCell::locked(status.clone(), Arc::default())]
}

#[test]
fn a_run_keeps_its_one_terminal_state() {
    use State::{Failed, Pending, Running, Stopped, Success};
    let all = [Pending, Running, Success, Failed, Stopped];
    let legal = [
        (Pending, Running),
        (Pending, Failed),
        (Pending, Stopped),
        (Running, Success),
        (Running, Failed),
        (Running, Stopped),
    ];
    for from in all {
        let before = Status { state: from, ..Status::pending(RunId(1)) };
        for to in all {
            for cell in cells(&before) {
                let moved = cell.set(Status { state: to, ..Status::pending(RunId(1)) });
                assert_eq!(moved.is_ok(), legal.contains(&(from, to)), "{from:?} to {to:?}");
                assert_eq!(cell.get().state, if moved.is_ok() { to } else { from });
            }
        }
        for cell in cells(&before) {
            let next = cell.set(Status::pending(RunId(2)));
            assert_eq!(next.is_ok(), from.is_terminal(), "a new run after {from:?}");
        }
    }
}

#[test]
fn reads_under_a_lock_are_counted() {
    let metrics = Arc::new(SynchronizationMetrics::default());
    let cell = StatusCell::locked(Status::pending(RunId(1)), Arc::clone(&metrics));
    for _ in 0..3 {
        assert_eq!(cell.get().state, State::Pending);
    }
    assert_eq!(metrics.snapshot().process.locked_reads, 3);
}
