//! Which lines are told to be the frames of one error.

use super::findings;
use crate::{event::Seq, locate::Scanner};

/// `first-last count user` of each group.
fn folds(log: &str) -> Vec<String> {
    let (mut scanner, mut found) = (Scanner::new(), Vec::new());
    scanner.block(Seq(1), log.as_bytes(), &mut found);
    scanner.finish(&mut found);
    let shown = scanner.take_frames().into_iter().map(|frames| {
        let user = frames.user.map_or_else(
            || "-".to_owned(),
            |(seq, place)| format!("{}={}:{}", seq.0, place.file, place.line.unwrap_or(0)),
        );
        format!("{}-{} {} {user}", frames.first.0, frames.last.0, frames.count)
    });
    shown.collect()
}

#[test]
fn frames_of_node_end_with_the_next_line() {
    let log = "TypeError: no\n    at f (/p/node_modules/x/i.js:1:2)\n    at g (/p/src/a.js:3:5)\n    at node:internal/main:1:2\nNode.js v22";
    assert_eq!(folds(log), ["2-4 3 3=/p/src/a.js:3"]);
    assert_eq!(findings(log).iter().filter(|finding| finding.seq == Seq(3)).count(), 1);
}

#[test]
fn source_between_the_frames_of_python_is_among_them() {
    let log = "Traceback (most recent call last):\n  File \"/p/a.py\", line 1, in <module>\n    f()\n  File \"/p/b.py\", line 2, in f\n    g()\n    ~^^\n  File \"/usr/lib/python3/x.py\", line 9, in g\n    raise KeyError(1)\nKeyError: 1\n";
    assert_eq!(folds(log), ["2-8 3 4=/p/b.py:2"]);
}

#[test]
fn functions_between_the_frames_of_rust_are_among_them() {
    let log = "thread 'main' panicked at src/main.rs:3:5:\nno\nstack backtrace:\n   0: std::panicking::begin_panic\n             at /rustc/abc/library/std/src/panicking.rs:1:2\n   1: core::panicking::panic\n             at /rustc/abc/library/core/src/panicking.rs:1:2\n   2: demo::main\n             at ./src/main.rs:3:5\n   3: other\nnote: Some details are omitted";
    assert_eq!(folds(log), ["5-9 3 9=./src/main.rs:3"]);
}

#[test]
fn few_frames_and_those_of_two_processes_at_once_stay_open() {
    assert_eq!(folds("TypeError: no\n    at f (/p/a.js:1:2)\n    at g (/p/a.js:3:5)\nx"), [""; 0]);
    let frames = "[web]     at f (/p/a.js:1:2)\n[api]     at f (/p/a.js:1:2)\n".repeat(4);
    assert_eq!(folds(&frames), [""; 0]);
}

#[test]
fn a_cause_begins_a_group_of_its_own() {
    let frames = "\tat com.x.A.a(A.java:1)\n\tat com.x.B.b(B.java:2)\n\tat com.x.C.c(C.java:3)\n";
    let log = format!(
        "java.lang.RuntimeException: no\n{frames}Caused by: java.io.IOException: x\n{frames}\t... 3 more\n"
    );
    assert_eq!(folds(&log), ["2-4 3 2=com/x/A.java:1", "6-8 3 6=com/x/A.java:1"]);
}

#[test]
fn groups_that_nobody_fetches_do_not_pile_up() {
    let (mut scanner, mut found) = (Scanner::new(), Vec::new());
    let log =
        "Error: no\n    at f (/p/a.js:1:2)\n    at f (/p/a.js:1:2)\n    at f (/p/a.js:1:2)\nx\n".repeat(2000);
    scanner.block(Seq(1), log.as_bytes(), &mut found);
    assert_eq!(scanner.take_frames().len(), 1024);
    assert!(scanner.take_frames().is_empty());
}
