//! Whatever a program prints: the cleaner, the way into the store and the search for errors hold what they promise.

use super::*;
use crate::{
    fuzz,
    locate::{Scanner, level, urls},
    logs::chunk::Extras,
};

/// Whether all bytes of `part` stand in `whole` in this order.
fn is_left_of(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|byte| rest.any(|other| other == byte))
}

#[test]
fn whatever_is_printed_is_cleaned() {
    fuzz::feed("ansi", |input| {
        let (mut cleaner, mut styles) = (Cleaner::default(), Arc::default());
        for line in input.split(|byte| *byte == b'\n') {
            let (mut text, mut extras) = (Vec::new(), Extras::default());
            cleaner.clean(line, &mut text, &mut extras, &mut styles);
            assert!(is_left_of(&text, line), "nothing is added");
            assert!(memchr::memchr3(0x1b, b'\r', 0x08, &text).is_none(), "nothing of it is left");
            let spans = extras.spans.iter().map(|span| (span.start, span.end));
            let links = extras.links.iter().map(|(start, end, _)| (*start, *end));
            for parts in [spans.collect::<Vec<_>>(), links.collect()] {
                let mut before = 0;
                for (start, end) in parts {
                    assert!(
                        before <= start && start < end && end as usize <= text.len(),
                        "in order and apart"
                    );
                    before = end;
                }
            }
        }
    });
}

#[test]
fn whatever_is_printed_is_stored_the_same_by_the_block_and_line_by_line() {
    fuzz::feed("ansi", |input| {
        let text = [input, b"\n"].concat();
        let (mut once, mut each) = (state(usize::MAX, usize::MAX), state(usize::MAX, usize::MAX));
        once.append(P, &text, &[], facts());
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            each.append(P, line, &[], facts());
        }
        assert_eq!(once.counts(), each.counts());
        let [once, each] = [&once, &each].map(|state| state.read(&all(Which::Process(P)), 0).0);
        let lines = |slice: &Slice| -> Vec<_> {
            let of = slice.parts.iter().flat_map(|part| part.lines.clone().map(move |index| (part, index)));
            of.map(|(part, index)| {
                let links: Vec<_> =
                    part.chunk.links(index).map(|(from, to, url)| (from, to, url.to_owned())).collect();
                (
                    part.chunk.text(index).to_vec(),
                    part.chunk.spans(index).to_vec(),
                    links,
                    part.chunk.line(index),
                )
            })
            .collect()
        };
        assert_eq!(lines(&once), lines(&each));
    });
}

#[test]
fn whatever_is_printed_is_looked_through_the_same_by_the_block_and_line_by_line() {
    fuzz::feed("classifier", |input| {
        let (mut block, mut each) = (Scanner::new(), Scanner::new());
        let (mut found, mut expected) = (Vec::new(), Vec::new());
        let text = [input, b"\n"].concat();
        block.block(Seq(1), &text, &mut found);
        let lines = text.strip_suffix(b"\n").unwrap_or(&text).split(|byte| *byte == b'\n');
        for (seq, line) in (1..).zip(lines) {
            let line = String::from_utf8_lossy(line);
            each.line(Seq(seq), &line, &mut expected);
            std::hint::black_box(level(line.as_bytes()));
        }
        block.finish(&mut found);
        each.finish(&mut expected);
        assert_eq!(found, expected);
        let last = memchr::memchr_iter(b'\n', &text).count() as u64;
        assert!(found.iter().all(|finding| (1..=last).contains(&finding.seq.0)));
        assert!(urls(&text).count() <= text.len());
    });
}
