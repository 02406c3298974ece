//! Looking for errors, alone: lines that say nothing, which are nearly all.

use std::{fmt::Write, time::Instant};

use brummer::{event::Seq, locate::Scanner};

use crate::table::Table;

const LINES: usize = 100_000;
/// What one read of a pipe gives.
const BLOCK: usize = 64 << 10;
const RUNS: usize = 9;

/// What a line of each kind says, given its number and its time.
type Kind = (&'static str, fn(usize, &str) -> String);

const KINDS: &[Kind] = &[
    ("dev server: time, [vite], path", |number, time| {
        format!(
            "{time} [vite] (client) hmr update /src/components/pages/users/list-{number}/Table.tsx in {} ms, {} files",
            number % 977,
            number % 31
        )
    }),
    ("dev server: ends with a path", |number, time| {
        format!(
            "{time} [vite] (client) hmr update {number} of the components in /src/components/users/list-{number}.tsx"
        )
    }),
    ("digits", |number, _| format!("{number:0>99}")),
    ("JSON", |number, _| {
        format!(
            "{{\"level\":30,\"time\":{},\"pid\":4711,\"hostname\":\"box\",\"reqId\":\"r{number}\",\"msg\":\"request done\",\"ms\":{}}}",
            1_763_900_000_000_usize + number,
            number % 300
        )
    }),
    ("access log", |number, time| {
        format!(
            "127.0.0.1 - - [23/Nov/2026:{time} +0000] \"GET /api/users/{number} HTTP/1.1\" 200 {} \"-\" \"curl/8.5.0 (x86)\"",
            500 + number % 9000
        )
    }),
    ("three processes with prefixes", |number, time| {
        let name = ["web", "api", "worker"][number % 3];
        format!(
            "[{name}] {time} done with /src/components/pages/users/list-{number}/Table.tsx in {} ms",
            number % 977
        )
    }),
];

pub fn rows(table: &mut Table) {
    table.head("errors looked for, ns per line of 100 bytes", ["block", "by line", "ratio"]);
    for (name, line) in KINDS {
        let blocks = blocks(*line);
        let block = best(&blocks, Scanner::block);
        let by_line = best(&blocks, |scanner, first, text, found| {
            for (seq, line) in (first.0..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
                scanner.line(Seq(seq), &String::from_utf8_lossy(line), found);
            }
        });
        table.figures(name, [block, by_line, by_line / block], "");
    }
}

fn blocks(line: fn(usize, &str) -> String) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for number in 0..LINES {
        let time = format!("{:02}:{:02}:{:02}", number / 3600 % 24, number / 60 % 60, number % 60);
        let line = line(number, &time);
        if blocks.last().is_some_and(|block| block.len() + line.len() >= BLOCK) {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut() {
            writeln!(block, "{line}").unwrap();
        }
    }
    blocks
}

/// The least that a run took, in ns per line.
fn best(
    blocks: &[String],
    mut read: impl FnMut(&mut Scanner, Seq, &[u8], &mut Vec<brummer::locate::Finding>),
) -> f64 {
    let run = |_| {
        let (mut scanner, mut found, mut first) = (Scanner::new(), Vec::new(), 1);
        let begun = Instant::now();
        for block in blocks {
            read(&mut scanner, Seq(first), block.as_bytes(), &mut found);
            first += memchr::memchr_iter(b'\n', block.as_bytes()).count() as u64;
        }
        begun.elapsed().as_nanos() as f64 / LINES as f64
    };
    (0..RUNS).map(run).fold(f64::MAX, f64::min)
}
