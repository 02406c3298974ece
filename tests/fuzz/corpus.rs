//! What is fed to the parts that read what a program prints: the files of `tests/fuzz/corpus`, and inputs made of pieces of
//! them, of bytes that mean something to one of the parts, and of any bytes. A few on every run; for a minute with
//! `RUN_SLOW_TESTS=1`. An input that fails belongs into the corpus.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// How long the long form looks for an input that fails.
const LONG: Duration = Duration::from_secs(60);

/// Pieces that begin or end something.
const WORDS: [&[u8]; 22] = [
    b"\n",
    b"\r\n",
    b"\r",
    b"\x08",
    b"\x1b",
    b"\x1b[",
    b"\x1b[31m",
    b"\x1b[0m",
    b"\x1b]8;;http://a/b\x07",
    b"\x1b]",
    b"\x1b\\",
    b"\x1bP",
    b"\x18",
    b"\xff",
    b"\xf0\x9f",
    b"    at f (/a/b.js:1:2)\n",
    b"error: ",
    b"src/a.ts(3,7): error TS2322: no\n",
    b"Traceback (most recent call last):\n",
    b"  File \"a.py\", line 3, in f\n",
    b"[1] ",
    b"12:00:00 ",
];

/// Gives every input to `check`, which panics when something is wrong.
pub(crate) fn feed(target: &str, check: impl Fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut seeds = Vec::new();
    for entry in fs::read_dir(&directory).expect("a corpus").flatten() {
        let input = fs::read(entry.path()).expect("a file");
        eprintln!("{}", entry.path().display());
        check(&input);
        seeds.push(input);
    }
    assert!(seeds.len() > 5, "the corpus of {target} is there");
    let piece = prop_oneof![
        4 => (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..300_usize).prop_map(move |(seed, from, length)| {
            let seed = seed.get(&seeds);
            let from = from.index(seed.len() + 1);
            seed[from..seed.len().min(from + length)].to_vec()
        }),
        3 => prop::sample::select(&WORDS[..]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    let inputs = prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat());
    let end = std::env::var_os("RUN_SLOW_TESTS").map(|_| Instant::now() + LONG);
    loop {
        let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
        let ran = TestRunner::new(config).run(&inputs, |input| {
            check(&input);
            Ok(())
        });
        if let Err(failed) = ran {
            panic!("{target}: {failed}");
        }
        if end.is_none_or(|end| Instant::now() >= end) {
            return;
        }
    }
}
