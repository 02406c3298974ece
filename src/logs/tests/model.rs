//! The store against simple models: lists of lines that forget their head.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::logs::facts::Facts;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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

    /// Lines of every kind from several processes, in batches of every size, while readers hold some of it: what is kept is
    /// what was printed, to the byte and with its facts, and what somebody holds stays as it was.
    #[test]
    fn every_line_kept_is_as_it_was_printed(steps in prop::collection::vec(step(), 1..40), lines in 20..3000_usize, bytes in prop_oneof![Just(usize::MAX), 5000..300_000_usize]) {
        let mut state = state(lines, bytes);
        state.set_limits(Limits { lines, bytes, headlines: 5, line: LONG });
        let (mut printed, mut order, mut held) = (vec![VecDeque::<Printed>::new(); 3], Vec::new(), Vec::new());
        let mut now = 1_u64 << 33;
        for step in steps {
            match step {
                Step::Print { process, err, run, after, batch } => {
                    now = now.saturating_add_signed(after);
                    let stream = if err { Stream::Err } else { Stream::Out };
                    let facts = Facts { at: Timestamp(now), run: RunId(run), stream, after_exit: run == 3 };
                    let (mut text, mut cut) = (Vec::new(), Vec::new());
                    for (number, line) in (0..).zip(&batch) {
                        let (raw, clean, whole) = line.render();
                        text.extend_from_slice(&raw);
                        text.push(b'\n');
                        cut.extend(whole.map(|whole| (number, whole)));
                        let long = whole.is_some() || raw.len() > LONG;
                        printed[process].push_back(Printed { clean, facts, long, whole, spans: line.spans() });
                    }
                    let last = printed[process].len() as u64;
                    order.extend((0..batch.len() as u64).rev().map(|back| (process, last - back)));
                    state.append(ProcessId(process as u32), &text, &cut, facts);
                }
                Step::Hold { from } => {
                    let (slice, _) = state.read(&Query { from: Seq(from), ..all(Which::Merged) }, 0);
                    let copy: Vec<_> = slice.lines().map(|(seq, of, text)| (seq, of, text.to_vec())).collect();
                    held.push((slice, copy));
                }
                Step::Release => drop(held.pop()),
            }
            let counts = state.counts();
            let all: usize = printed.iter().map(VecDeque::len).sum();
            prop_assert_eq!((counts.lines, counts.kept + counts.evicted), (all as u64, all as u64));
            prop_assert!(counts.kept as usize <= lines && state.bytes() <= bytes);
            if bytes == usize::MAX {
                prop_assert_eq!(counts.kept as usize, all.min(lines), "not one more than needed goes");
                for (process, log) in printed.iter().enumerate() {
                    let kept = state.snapshot(Which::Process(ProcessId(process as u32))).len() as usize;
                    prop_assert!(kept >= log.len().min(lines / 6), "a quiet one keeps its lines");
                }
            }
            for (slice, copy) in &held {
                prop_assert!(slice.lines().eq(copy.iter().map(|(seq, of, text)| (*seq, *of, &text[..]))));
            }
        }
        let snapshot = state.snapshot(Which::Merged);
        prop_assert_eq!((snapshot.len(), snapshot.head.0), (state.counts().kept, order.len() as u64));
        let mut bytes = 0;
        for (process, log) in printed.iter().enumerate() {
            let Some(kept) = snapshot.of(ProcessId(process as u32)) else { continue };
            prop_assert_eq!(kept.last.0, log.len() as u64);
            for seq in kept.first.0..=kept.last.0 {
                let (part, index) = kept.find(Seq(seq)).expect("a line that is kept");
                let expected = &log[seq as usize - 1];
                let line = part.chunk.line(index);
                prop_assert_eq!(part.chunk.text(index), &expected.clean[..]);
                let facts = Facts { at: line.at, run: line.run, stream: line.stream, after_exit: line.after_exit };
                prop_assert_eq!(facts, expected.facts);
                prop_assert_eq!((line.long, line.whole.map(|whole| u64::from(whole.get()))), (expected.long, expected.whole));
                prop_assert_eq!(part.chunk.spans(index).len(), expected.spans);
                let block = part.chunk.block(index..index + 1);
                prop_assert_eq!(block.strip_suffix(b"\n"), Some(&expected.clean[..]));
                prop_assert_eq!(part.chunk.line_at(part.chunk.start(index)), index);
                bytes += part.chunk.cost(index..index + 1);
            }
        }
        prop_assert_eq!(state.bytes(), bytes, "what is accounted is what is kept");
        // The merged log has every line that is kept, in the order they came.
        let (slice, _) = state.read(&all(Which::Merged), 0);
        let merged: Vec<_> = slice.lines().map(|(seq, of, _)| (of.0 as usize, seq.0)).collect();
        let first = |process: usize| snapshot.of(ProcessId(process as u32)).map_or(u64::MAX, |kept| kept.first.0);
        let expected: Vec<_> = order.iter().copied().filter(|(process, seq)| *seq >= first(*process)).collect();
        prop_assert_eq!(merged, expected);
        for stretch in &snapshot.order {
            let process = stretch.process.0 as usize;
            prop_assert_eq!(order[stretch.first.0 as usize - 1], (process, stretch.from.0));
        }
    }
}

/// Lines of more bytes are long, in these tests.
const LONG: usize = 300;

#[derive(Clone, Debug)]
enum Step {
    Print { process: usize, err: bool, run: u64, after: i64, batch: Vec<Line> },
    Hold { from: u64 },
    Release,
}

#[derive(Clone, Debug)]
enum Line {
    Plain(usize),
    Coloured(usize),
    Progress(usize),
    Windows(usize),
    Long(usize),
    Cut(u64),
}

#[derive(Clone, Debug)]
struct Printed {
    clean: Vec<u8>,
    facts: Facts,
    long: bool,
    whole: Option<u64>,
    spans: usize,
}

impl Line {
    /// As printed, as kept, and its length if it was cut.
    fn render(&self) -> (Vec<u8>, Vec<u8>, Option<u64>) {
        let (raw, clean, whole) = match self {
            Self::Plain(n) => (format!("line {n}"), format!("line {n}"), None),
            Self::Coloured(n) => (format!("\x1b[3{}mred\x1b[0m {n}", n % 8), format!("red {n}"), None),
            Self::Progress(n) => (format!("10%\r{n}%"), format!("{n}%"), None),
            Self::Windows(n) => (format!("{n}\r"), n.to_string(), None),
            Self::Long(n) => ("x".repeat(*n), "x".repeat(*n), None),
            Self::Cut(n) => ("head".to_owned(), "head".to_owned(), Some(*n)),
        };
        (raw.into_bytes(), clean.into_bytes(), whole)
    }

    fn spans(&self) -> usize {
        usize::from(matches!(self, Self::Coloured(_)))
    }
}

fn step() -> impl Strategy<Value = Step> {
    let line = prop_oneof![
        8 => (0..1_000_000_usize).prop_map(Line::Plain),
        1 => Just(Line::Plain(7)),
        2 => (0..100_usize).prop_map(Line::Coloured),
        1 => (0..100_usize).prop_map(Line::Progress),
        1 => (0..100_usize).prop_map(Line::Windows),
        1 => (0..20_000_usize).prop_map(Line::Long),
        1 => (1..1_000_000_u64).prop_map(Line::Cut),
    ];
    let batch = prop_oneof![
        3 => prop::collection::vec(line, 1..30),
        1 => (1..20_000_usize).prop_map(|count| (0..count).map(Line::Plain).collect()),
        1 => (60_000..200_000_usize).prop_map(|length| vec![Line::Long(length), Line::Plain(1)]),
    ];
    // Now and then the clock is set, to either side.
    let after = prop_oneof![8 => 0..3_i64, 1 => Just(-5_000), 1 => Just(1 << 32), 1 => Just(-(1 << 32))];
    let print = (0..3_usize, any::<bool>(), 1..4_u64, after, batch)
        .prop_map(|(process, err, run, after, batch)| Step::Print { process, err, run, after, batch });
    prop_oneof![6 => print, 1 => (0..2000_u64).prop_map(|from| Step::Hold { from }), 1 => Just(Step::Release)]
}
