//! The pure parts against simple models, and the writer through its handle.

use proptest::prelude::*;

use super::{
    chunk::Extras,
    facts::Facts,
    state::{Limits, State},
    *,
};
use crate::{
    event::{RunId, Timestamp},
    process::Stream,
};

mod contract;
mod levels;

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

fn clean(line: &str) -> (String, Vec<(u32, u32, Style)>) {
    let (mut text, mut extras, mut styles) = (Vec::new(), Extras::default(), Arc::default());
    Cleaner::default().clean(line.as_bytes(), &mut text, &mut extras, &mut styles);
    let look = |id: StyleId| *styles.since(0).find(|(known, _)| *known == id).expect("a known style").1;
    let spans = extras.spans.iter().map(|span| (span.start, span.end, look(span.style))).collect();
    (String::from_utf8(text).expect("UTF-8"), spans)
}

fn fg(colour: Colour) -> Style {
    Style { fg: Some(colour), ..Style::default() }
}

#[test]
fn colours_become_spans_and_everything_else_goes() {
    let red = fg(Colour::Palette(1));
    assert_eq!(clean("a\x1b[31mred\x1b[0m b"), ("ared b".to_owned(), vec![(1, 4, red)]));
    assert_eq!(clean("\x1b[38;5;208mx").1, [(0, 1, fg(Colour::Palette(208)))]);
    assert_eq!(clean("\x1b[38;2;1;2;3mx").1, [(0, 1, fg(Colour::Rgb(1, 2, 3)))]);
    assert_eq!(clean("\x1b[38:2::1:2:3mx").1, [(0, 1, fg(Colour::Rgb(1, 2, 3)))]);
    assert_eq!(clean("\x1b[1;91mx\x1b[22my").1.len(), 2);
    assert_eq!(clean("\x1b]8;;file:///x\x1b\\link\x1b]8;;\x07!"), ("link!".to_owned(), vec![]));
    assert_eq!(clean("\x1b[2K\x1b[1Gx\x1b(By\x1b[?25lz"), ("xyz".to_owned(), vec![]));
    assert_eq!(
        clean("cut \x1b[31"),
        ("cut ".to_owned(), vec![]),
        "an unfinished sequence ends with its line"
    );
    assert_eq!(clean("cut \x1b]0;title"), ("cut ".to_owned(), vec![]));
    assert_eq!(clean("\x1b[999999999999mx"), ("x".to_owned(), vec![]));
}

#[test]
fn a_progress_line_keeps_its_last_state() {
    assert_eq!(clean("10%\r50%\r100%").0, "100%");
    assert_eq!(clean("done\r").0, "done");
    assert_eq!(clean("done\r\r\x1b[0m").0, "done", "nothing is printed after the return");
    assert_eq!(clean("\x1b[31mabc\rde"), ("de".to_owned(), vec![(0, 2, fg(Colour::Palette(1)))]));
    assert_eq!(clean("ab\x08c").0, "ac");
    assert_eq!(
        clean("é\x08e\x08\x08\x08x").0,
        "x",
        "a backspace takes a whole character, and stops at the start"
    );
}

#[test]
fn a_colour_stays_on_until_it_is_switched_off() {
    let (mut cleaner, mut styles) = (Cleaner::default(), Arc::default());
    let mut extras = Extras::default();
    for line in ["\x1b[32mfirst", "second", "\x1b[0mthird"] {
        cleaner.clean(line.as_bytes(), &mut Vec::new(), &mut extras, &mut styles);
    }
    assert_eq!(extras.spans.iter().map(|span| span.end).collect::<Vec<_>>(), [5, 6]);
}

proptest! {
    #[test]
    fn cleaning_never_panics_and_spans_are_apart(line in prop::collection::vec(prop_oneof![
        Just(0x1b_u8), Just(b'['), Just(b']'), Just(b'm'), Just(b';'), Just(b'3'), Just(b'\r'), Just(8), Just(7), any::<u8>()
    ], 0..80)) {
        let (mut text, mut extras, mut styles) = (Vec::new(), Extras::default(), Arc::default());
        Cleaner::default().clean(&line, &mut text, &mut extras, &mut styles);
        let spans = extras.spans;
        let mut end = 0;
        for span in &spans {
            prop_assert!(end <= span.start && span.start < span.end && span.end as usize <= text.len(), "{:?} in {}", spans, text.len());
            end = span.end;
        }
        prop_assert!(text.len() <= line.len());
    }

    #[test]
    fn plain_text_is_kept_to_the_byte(line in "[ -~äöü€]{0,60}") {
        prop_assert_eq!(Cleaner::plain(line.as_bytes()), line.into_bytes());
    }

    /// Against a plain list: numbers without gaps, exact counts, the newest lines kept, in order.
    #[test]
    fn the_store_is_a_list_that_forgets_its_head(batches in prop::collection::vec((0..3_u32, 1..40_usize), 1..60), limit in 1..60_usize, from in 0..300_u64, max in 1..50_usize) {
        let mut state = state(limit, usize::MAX);
        let mut printed: Vec<Vec<String>> = vec![Vec::new(); 3];
        let mut merged = Vec::new();
        for (process, count) in batches {
            let log = &mut printed[process as usize];
            let lines: Vec<_> = (0..count).map(|n| format!("{process}:{}", log.len() + n)).collect();
            let appended = state.append(ProcessId(process), (lines.join("\n") + "\n").as_bytes(), &[], facts());
            prop_assert_eq!(appended.first.0, log.len() as u64 + 1);
            log.extend(lines.iter().cloned());
            merged.extend(lines);
            prop_assert_eq!(appended.last.0, log.len() as u64);
            let counts = state.counts();
            prop_assert_eq!(counts.lines, counts.kept + counts.evicted);
            prop_assert!(counts.kept as usize <= limit);
        }
        let mut kept = 0;
        for (process, log) in printed.iter().enumerate() {
            let which = Which::Process(ProcessId(process as u32));
            let (slice, _) = state.read(&all(which), 0);
            let held = texts(&slice);
            prop_assert_eq!(&held[..], &log[log.len() - held.len()..], "the newest, in order");
            kept += held.len() as u64;
            // Reading piece by piece gives the same as reading at once.
            let mut next = Seq(1);
            let mut pieces = Vec::new();
            loop {
                let (part, _) = state.read(&Query { from: next, max_lines: max, ..all(which) }, 0);
                pieces.extend(texts(&part));
                next = part.next;
                if part.parts.is_empty() { break; }
            }
            prop_assert_eq!(&pieces, &held);
            // Who is far behind is sent the end.
            let (end, _) = state.read(&Query { from: Seq(from), max_behind: max, ..all(which) }, 0);
            let wanted = held.iter().skip((from.saturating_sub(1) as usize).saturating_sub(log.len() - held.len()));
            let wanted: Vec<_> = wanted.cloned().collect();
            prop_assert_eq!(texts(&end), wanted[wanted.len().saturating_sub(max)..].to_vec());
        }
        prop_assert_eq!(kept, state.counts().kept);
        let (slice, _) = state.read(&all(Which::Merged), 0);
        let held = texts(&slice);
        prop_assert_eq!(slice.head.0, merged.len() as u64);
        let mut rest = merged.iter();
        prop_assert!(held.iter().all(|line| rest.any(|printed| printed == line)), "in the order read");
    }
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
