//! Whatever is printed: no panic, no growth, spans inside the line.

use crate::{
    event::Seq,
    locate::{Scanner, lane::LANES, scanner::MESSAGE},
};
use proptest::prelude::*;

/// Pieces that formats are made of, so that random lines come near them.
const PIECES: &[&str] = &[
    "src/a.ts",
    ":",
    "1",
    "(",
    ")",
    "12:3",
    " - error TS1: ",
    "    at ",
    "file:///",
    "é",
    "𝒳",
    "[web] ",
    "| ",
    " --> ",
    "error: ",
    "File \"",
    "\", line 3",
    "Traceback (most recent call last):",
    "node:internal",
    "a.rs",
    "\t",
    "[",
    "]",
    "panicked at ",
    "thread 'x' ",
    "In file included from ",
    "a.c:1:2: ",
    "warning: ",
    "✘ [ERROR] ",
    "✖",
    "%ff%",
    "\r",
    "KeyError: x",
    "10:20:30 ",
    "E   ",
    "location: '",
    "not ok 1 - x",
    "❯ ",
    "╭─[ ",
    "2024-11-02T",
    "./",
    "//",
    "<",
    "\u{a0}",
];

fn line() -> impl Strategy<Value = String> {
    let near = prop::collection::vec(prop::sample::select(PIECES), 0..12).prop_map(|pieces| pieces.concat());
    prop_oneof![near, any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("RUN_SLOW_TESTS").is_some() { 5000 } else { 300 }))]

    #[test]
    fn spans_lie_inside_their_lines(lines in prop::collection::vec(line(), 1..20)) {
        let mut scanner = Scanner::new();
        let mut found = Vec::new();
        for (seq, line) in (1..).zip(&lines) {
            scanner.line(Seq(seq), line, &mut found);
        }
        scanner.finish(&mut found);
        for finding in &found {
            let line = &lines[usize::try_from(finding.seq.0).unwrap() - 1];
            prop_assert!(finding.message.len() <= MESSAGE);
            if let Some(place) = &finding.place {
                prop_assert!(line.get(place.span.0..place.span.1).is_some(), "{:?} in {:?}", place, line);
                prop_assert!(!place.file.is_empty());
                prop_assert!(place.line != Some(0));
            }
        }
    }
}

#[test]
fn state_stays_small_over_many_hostile_lines() {
    let mut scanner = Scanner::new();
    let mut found = Vec::new();
    let long = "x".repeat(3000);
    for seq in 1..=100_000_u64 {
        let line = match seq % 6 {
            0 => format!("[p{seq}] TypeError: {seq}"),
            1 => format!("/p/{seq}.js:{seq}"),
            2 => format!("error: {long}"),
            3 => format!("  File \"/p/{seq}.py\", line {seq}, in x"),
            4 => format!("[vite] Internal server error: /p/{seq}.ts: no (1:{seq})"),
            _ => format!("dir/{seq}.css"),
        };
        scanner.line(Seq(seq), &line, &mut found);
        assert!(found.len() <= 40, "one line told {} findings", found.len());
        found.clear();
    }
    assert!(scanner.lanes() <= LANES);
    assert!(scanner.size() < 256 << 10, "{} bytes are held", scanner.size());
}

#[test]
fn a_long_line_is_read_at_its_front_only() {
    let mut scanner = Scanner::new();
    let mut found = Vec::new();
    let line = format!("src/a.ts(1,7): error TS1: {}", "é".repeat(100_000));
    scanner.line(Seq(1), &line, &mut found);
    assert_eq!(found.len(), 1);
    assert!(found[0].message.len() <= MESSAGE && found[0].message.len() > MESSAGE - 4);
    found.clear();
    scanner.line(Seq(2), "thread 'main' panicked at src/a.rs:1:2:", &mut found);
    scanner.line(Seq(3), &line, &mut found);
    assert!(found.iter().all(|finding| finding.message.len() <= MESSAGE));
    found.clear();
    scanner.line(Seq(4), &format!("{} src/a.ts:1:7", "é".repeat(4000)), &mut found);
    assert!(found.is_empty());
}

#[test]
fn a_new_run_starts_without_the_stories_of_the_last() {
    let mut scanner = Scanner::new();
    let mut found = Vec::new();
    scanner.line(Seq(1), "TypeError: old", &mut found);
    scanner.reset();
    scanner.line(Seq(2), "    at f (/p/a.js:1:1)", &mut found);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].group, 0);
}
