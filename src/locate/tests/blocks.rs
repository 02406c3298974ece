//! A block is read as its lines one by one would be, whatever stands beside what.

use crate::{
    event::Seq,
    locate::{Finding, Frames, Scanner},
};
use proptest::prelude::*;

/// Lines of tools, each with what may stand around it in the stories they tell.
const LINES: &[&str] = &[
    "",
    "   ",
    "\t",
    "src/a.ts(1,7): error TS2322: no",
    "src/a.ts:1:7 - error TS2322: no",
    "/p/src/main.ts",
    "src/components/App.vue",
    "   1:10  error  'x' is defined  no-unused-vars",
    "  3:2  warning  no  x",
    "12:30  error  no",
    "TypeError: Cannot read properties of undefined",
    "Uncaught Error: no",
    "something went wrong",
    "    at f (/p/src/a.js:3:5)",
    "    at node:internal/main:1:2",
    "    at g (/p/node_modules/x/index.js:3:5)",
    "  [cause]: Error: deeper",
    "Traceback (most recent call last):",
    "  File \"/p/a.py\", line 3, in <module>",
    "    foo()",
    "    ~~~^^",
    "  File \"/usr/lib/python3/x.py\", line 7, in bar",
    "KeyError: 'x'",
    "During handling of the above exception, another exception occurred:",
    "error[E0308]: mismatched types",
    " --> src/main.rs:6:35",
    "  |",
    "note: defined here",
    "warning: unused import",
    "error: could not compile `demo`",
    "thread 'main' panicked at src/main.rs:3:5:",
    "index out of bounds",
    "   0: std::panicking::begin_panic",
    "             at /rustc/abc/library/std/src/panicking.rs:1:2",
    "             at ./src/main.rs:3:5",
    "panic: runtime error: no",
    "goroutine 1 [running]:",
    "main.foo(0x1)",
    "\t/p/main.go:12 +0x1d",
    "[vite] Internal server error: no",
    "  File: /p/src/a.vue:3:5",
    "✘ [ERROR] no such thing",
    "    src/a.ts:3:5:",
    "➜  Local:   http://localhost:5173/",
    "✓ built in 3 s",
    "● suite › case",
    "❯ src/a.test.ts:3:5",
    "ERROR in ./src/a.js 3:5",
    "Module not found",
    "E       assert 1 == 2",
    "tests/test_a.py:3: AssertionError",
    "not ok 1 - x",
    "  location: '/p/a.test.js:3:5'",
    "  failureType: 'testCodeFailure'",
    "1) test it (App)",
    "1) App\\ATest::testIt",
    "Summary of all failing tests",
    "Test Suites: 1 failed",
    "test at a.test.js:3:5",
    "npm ERR! code 1",
    "Exception in thread \"main\" java.lang.RuntimeException: no",
    "\tat com.x.App.main(App.java:5)",
    "\tat java.base/java.lang.Thread.run(Thread.java:1)",
    "Caused by: java.io.IOException: no",
    "\t... 12 more",
    "/p/src/a.svelte:3:5",
    "Error: no such prop (svelte)",
    "\u{a0}TypeError: with a hard blank",
    "\u{b}src/a.ts",
    "line 3 of src/a.ts, line 3",
    "x.sh: line 3: no",
    "duration: 12 ms",
    "(3 modules) in 12 ms",
    "see https://x.dev/a.js:3:5",
    "GET /src/a.css",
    "12",
    "1234567890123456789012345678901234567890",
    "{\"level\":30,\"time\":1763900000000,\"msg\":\"a: b\"}",
    "127.0.0.1 - - [23/Nov/2026:12:01:07 +0000] \"GET / HTTP/1.1\" 200 12",
    "    a.scss 3:5  root stylesheet",
    "a.ts :3",
    "Makefile:3: no rule",
];

/// What may stand before a line.
const PREFIXES: &[&str] = &[
    "",
    "",
    "",
    "12:01:07 ",
    "[12:01:07] ",
    "2026-11-23T12:01:07.123Z ",
    "12:01:07 PM [vite] ",
    "[web] ",
    "[api] ",
    "app-1  | ",
    "web:dev: ",
    "apps/web dev: ",
    "│ ",
    "  | ",
];

/// A line without its end, not always UTF-8.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let known = (prop::sample::select(PREFIXES), prop::sample::select(LINES))
        .prop_map(|(prefix, line)| format!("{prefix}{line}").into_bytes());
    let processes = (0..40_u8, prop::sample::select(LINES))
        .prop_map(|(number, line)| format!("[p{number}] {line}").into_bytes());
    let long = (prop::sample::select(LINES), 1200..5000_usize, prop::sample::select(LINES))
        .prop_map(|(front, length, back)| [front.as_bytes(), &vec![b'x'; length], back.as_bytes()].concat());
    let mangled = (prop::sample::select(LINES), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(line, at, byte)| {
            let mut line = line.as_bytes().to_vec();
            line.insert(at.index(line.len() + 1), if byte == b'\n' { 0xff } else { byte });
            line
        },
    );
    let noise = prop::collection::vec(any::<u8>(), 0..60)
        .prop_map(|bytes| bytes.into_iter().filter(|byte| *byte != b'\n').collect());
    prop_oneof![12 => known, 2 => processes, 1 => long, 2 => mangled, 1 => noise]
}

fn log() -> impl Strategy<Value = Vec<Vec<u8>>> {
    // A line is often there several times: with other lines between, and without.
    let stretch = (line(), 1..4_usize).prop_map(|(line, times)| vec![line; times]);
    prop::collection::vec(stretch, 1..60).prop_map(|stretches| stretches.concat())
}

/// What is found by one line after another.
fn by_line(lines: &[Vec<u8>]) -> (Vec<Finding>, Vec<Frames>) {
    let (mut scanner, mut found) = (Scanner::new(), Vec::new());
    for (seq, line) in (1..).zip(lines) {
        scanner.line(Seq(seq), &String::from_utf8_lossy(line), &mut found);
    }
    scanner.finish(&mut found);
    (found, scanner.take_frames())
}

/// What is found in blocks that end after these numbers of lines.
fn by_block(lines: &[Vec<u8>], cuts: &[usize], ended: bool) -> (Vec<Finding>, Vec<Frames>) {
    let (mut scanner, mut found, mut start) = (Scanner::new(), Vec::new(), 0);
    for end in cuts.iter().copied().chain([lines.len()]) {
        let mut block: Vec<u8> =
            lines[start..end].iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        // A last line without end is one all the same, unless it is empty.
        if !ended && lines[start..end].last().is_some_and(|line| !line.is_empty()) {
            block.pop();
        }
        scanner.block(Seq(start as u64 + 1), &block, &mut found);
        start = end;
    }
    scanner.finish(&mut found);
    (found, scanner.take_frames())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("RUN_SLOW_TESTS").is_some() { 20_000 } else { 400 }))]

    #[test]
    fn a_block_tells_what_its_lines_tell(
        lines in log(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ended: bool,
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(lines.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(by_block(&lines, &cuts, ended), by_line(&lines));
    }
}
