//! The pure parts against simple models, and the writer through its handle.

use super::{
    facts::Facts,
    state::{Limits, State},
    *,
};
use crate::{
    event::{RunId, Timestamp},
    process::Stream,
};

mod absorb;
mod addresses;
mod ansi;
mod contract;
mod fuzz;
mod groups;
mod levels;
mod model;
mod recorded;

const P: ProcessId = ProcessId(1);
const Q: ProcessId = ProcessId(2);

fn facts() -> Facts {
    Facts { at: Timestamp(0), run: RunId(1), stream: Stream::Out, after_exit: false }
}

fn state(lines: usize, bytes: usize) -> State {
    State::new(Limits { lines, bytes, headlines: 500, line: 64 << 10 })
}

fn all(which: Which) -> Query {
    Query { which, from: Seq(1), max_lines: usize::MAX, max_behind: usize::MAX, max_bytes: usize::MAX }
}

fn texts(slice: &Slice) -> Vec<String> {
    slice.lines().map(|(_, _, text)| String::from_utf8_lossy(text).into_owned()).collect()
}

#[test]
fn a_noisy_process_does_not_take_a_quiet_ones_lines() {
    let mut state = state(100, usize::MAX);
    state.append(Q, b"quiet one\nquiet two\n", &[], facts());
    for _ in 0..50 {
        state.append(P, "noise\n".repeat(40).as_bytes(), &[], facts());
    }
    assert_eq!(texts(&state.read(&all(Which::Process(Q)), 0).0), ["quiet one", "quiet two"]);
    assert_eq!(state.counts().kept, 100);
}

#[test]
fn the_merged_log_keeps_a_quiet_ones_lines_and_forgets_what_is_gone() {
    let mut state = state(100, usize::MAX);
    state.append(Q, b"quiet one\nquiet two\n", &[], facts());
    for _ in 0..5000 {
        state.append(P, b"noise\n", &[], facts());
        state.append(ProcessId(3), b"noise\n", &[], facts());
    }
    let (slice, _) = state.read(&all(Which::Merged), 0);
    assert_eq!(texts(&slice)[..2], ["quiet one", "quiet two"]);
    assert_eq!((slice.lines().count(), slice.head), (100, Seq(10_002)));
    let stretches = state.snapshot(Which::Merged).order.len();
    assert!(stretches < 100 + 25 + 1100, "{stretches}");
}

#[test]
fn a_log_that_is_looked_at_all_the_time_does_not_fall_apart() {
    let mut state = state(1000, usize::MAX);
    let mut held = None;
    for number in 0..1000 {
        let held_before = held.replace(state.read(&all(Which::Process(P)), 0));
        state.append(P, format!("{number}\n").as_bytes(), &[], facts());
        drop(held_before);
        if number % 10 == 0 {
            held = None;
            state.append(P, b"nobody looks\n", &[], facts());
        }
    }
    let (slice, _) = state.read(&all(Which::Process(P)), 0);
    assert!(slice.parts.len() < 50, "{} pieces", slice.parts.len());
}

#[test]
fn bytes_are_bounded_as_well_as_lines() {
    let mut state = state(1_000_000, 64 << 10);
    for number in 0..1000 {
        state.append(P, format!("{number} {}\n", "x".repeat(1000)).as_bytes(), &[], facts());
    }
    let (slice, _) = state.read(&all(Which::Process(P)), 0);
    let held: usize = slice.lines().map(|(_, _, text)| text.len()).sum();
    assert!((30 << 10..64 << 10).contains(&held), "{held} bytes are held");
    assert!(texts(&slice).last().is_some_and(|line| line.starts_with("999 ")));
}

#[test]
fn what_somebody_reads_does_not_change_under_them() {
    let mut state = state(10, usize::MAX);
    state.append(P, b"one\n", &[], facts());
    let (before, _) = state.read(&all(Which::Process(P)), 0);
    for _ in 0..30 {
        state.append(P, b"more\n", &[], facts());
    }
    assert_eq!(texts(&before), ["one"]);
}

#[test]
fn error_headlines_are_counted_once_each_and_per_run() {
    let mut state = state(1000, usize::MAX);
    state.begin(P, RunId(1), 1, Timestamp(0));
    let output = b"src/a.ts(3,7): error TS2322: no\nfine\nsrc/b.ts(4,1): error TS1005: ';' expected.\n";
    let appended = state.append(P, output, &[], facts());
    assert_eq!(appended.errors, 2);
    let (seq, message) = appended.error.expect("an error");
    assert_eq!((seq, message.contains("TS2322") || message.contains("no")), (Seq(1), true));
    let (slice, marks) = state.read(&all(Which::Process(P)), 0);
    let mark = |seq| Mark { process: P, seq: Seq(seq), severity: Severity::Error };
    assert_eq!(slice.marks, [mark(1), mark(3)]);
    let rest = Query { from: slice.next, ..all(Which::Process(P)) };
    assert_eq!(state.read(&rest, marks).0.marks, [], "each mark is told once");
    let head = Query { max_lines: 1, ..all(Which::Process(P)) };
    let (one, marks) = state.read(&head, 0);
    assert_eq!(one.marks, [mark(1)], "a mark comes with its line, not before");
    let tail = Query { from: one.next, ..all(Which::Process(P)) };
    assert_eq!(state.read(&tail, marks).0.marks, [mark(3)]);

    state.begin(P, RunId(2), 2, Timestamp(0));
    let again =
        state.append(P, b"src/a.ts(3,7): error TS2322: no\n", &[], Facts { run: RunId(2), ..facts() });
    assert_eq!(again.errors, 1, "counts begin anew with each run");
    let headlines = state.headlines();
    assert_eq!(headlines.iter().map(|it| (it.run.0, it.seq.0)).collect::<Vec<_>>(), [(2, 4), (1, 1), (1, 3)]);
}

#[test]
fn a_slice_tells_where_runs_begin_with_their_first_line() {
    let mut state = state(1000, usize::MAX);
    let runs = |state: &State, from| {
        let query = Query { from: Seq(from), ..all(Which::Process(P)) };
        let (slice, _) = state.read(&query, 0);
        slice.runs.iter().map(|run| (run.seq.0, run.number)).collect::<Vec<_>>()
    };
    state.begin(P, RunId(1), 1, Timestamp(0));
    state.append(P, b"a\nb\n", &[], facts());
    state.begin(P, RunId(2), 2, Timestamp(9));
    assert_eq!(runs(&state, 1), [(1, 1)]);
    assert_eq!(runs(&state, 3), []);
    state.append(P, b"c\n", &[], facts());
    assert_eq!(runs(&state, 3), [(3, 2)]);
}

#[test]
fn an_error_told_twice_counts_once() {
    let mut state = state(1000, usize::MAX);
    state.begin(P, RunId(1), 1, Timestamp(0));
    let once = b"src/a.ts(3,7): error TS2322: no\n";
    state.append(P, once, &[], facts());
    assert_eq!(state.append(P, once, &[], facts()).errors, 1);
}

#[test]
fn an_error_on_the_last_line_is_found_when_the_run_ends() {
    let mut state = state(1000, usize::MAX);
    state.begin(P, RunId(1), 1, Timestamp(0));
    let appended = state.append(P, b"Error: Cannot find module 'x'\n", &[], facts());
    let (seq, message, count) = match appended.error {
        Some((seq, message)) => (seq, message, appended.errors),
        None => {
            let held_back = state.finish(P, RunId(1)).expect("an error that was held back");
            let (seq, message) = held_back.error.expect("an error");
            (seq, message, held_back.errors)
        }
    };
    assert_eq!((seq, count), (Seq(1), 1));
    assert!(message.contains("Cannot find module"), "{message}");
    assert_eq!(state.finish(P, RunId(1)), None, "it is told once");
    assert_eq!(state.headlines().len(), 1);
}

#[test]
fn a_straggler_of_an_old_run_is_no_error_of_the_new_one() {
    let mut state = state(1000, usize::MAX);
    state.begin(P, RunId(1), 1, Timestamp(0));
    state.begin(P, RunId(2), 2, Timestamp(0));
    let late = state.append(P, b"src/a.ts(3,7): error TS2322: no\n", &[], facts());
    assert_eq!((late.error, late.errors), (None, 0));
}

#[test]
fn bytes_are_taken_from_whom_they_belong_to() {
    let mut state = state(10_000, 4 << 20);
    for _ in 0..2000 {
        state.append(Q, b"short\n", &[], facts());
    }
    for _ in 0..400 {
        state.append(P, format!("{}\n", "x".repeat(100_000)).as_bytes(), &[], facts());
    }
    assert_eq!(texts(&state.read(&all(Which::Process(Q)), 0).0).len(), 2000);
}

#[test]
fn a_reader_whose_lines_are_gone_is_brought_to_the_head() {
    let mut state = state(10_000, 1);
    for _ in 0..5 {
        state.append(P, b"too much for the store\n", &[], facts());
    }
    for which in [Which::Process(P), Which::Merged] {
        let (slice, _) = state.read(&all(which), 0);
        assert_eq!((slice.parts.len(), slice.next, slice.head), (0, Seq(6), Seq(5)), "{which:?}");
    }
}

#[test]
fn the_merged_log_knows_both_numbers_of_a_line() {
    let mut state = state(1000, usize::MAX);
    state.begin(P, RunId(1), 1, Timestamp(0));
    state.append(P, b"a\n", &[], facts());
    state.append(Q, b"x\ny\n", &[], facts());
    state.append(P, b"src/a.ts(3,7): error TS2322: no\n", &[], facts());
    let (slice, _) = state.read(&all(Which::Merged), 0);
    let numbers: Vec<_> =
        slice.parts.iter().map(|part| (part.process, part.first.0, part.position.0)).collect();
    assert_eq!(numbers, [(P, 1, 1), (Q, 1, 2), (P, 2, 4)]);
    assert_eq!(slice.marks, [Mark { process: P, seq: Seq(2), severity: Severity::Error }]);
    assert_eq!(slice.runs.len(), 1);
}

#[test]
fn the_oldest_headlines_make_room() {
    let mut state = State::new(Limits { lines: 1000, bytes: usize::MAX, headlines: 3, line: 64 << 10 });
    state.begin(P, RunId(1), 1, Timestamp(0));
    for line in 1..=9 {
        state.append(P, format!("src/a.ts({line},7): error TS2322: no\n").as_bytes(), &[], facts());
    }
    assert_eq!(state.headlines().iter().map(|it| it.seq.0).collect::<Vec<_>>(), [7, 8, 9]);
}
