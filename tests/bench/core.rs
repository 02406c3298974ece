//! A few rows of the core that take seconds: `make bench-against` compares them between two revisions. A name stays what
//! it means, or the comparison does not find it.

use std::{fs, time::Instant};

use brummer::config::{self, Mode};

use crate::{
    child,
    table::{Table, ms},
};

const ROUNDS: usize = 3;

/// How a row is called, the piece of work, how many at once, and how much.
const WORK: &[(&str, &str, usize, usize)] = &[
    ("core: events, 1 publisher", "events", 1, 200_000),
    ("core: events, 16 publishers", "events", 16, 200_000),
    ("core: processes, 1 at once", "processes", 1, 16),
    ("core: processes, 16 at once", "processes", 16, 64),
    ("core: lines, 1 writer", "lines", 1, 500_000),
    ("core: lines, 16 writers", "lines", 16, 400_000),
    ("core: lines from a child", "through", 1, 500_000),
    ("core: model, 16 writers", "updates", 16, 200_000),
];

pub fn rows(table: &mut Table) {
    table.head("the core, in ms", ["median", "least", "most"]);
    for (title, name, at_once, count) in WORK {
        let mut times: Vec<f64> =
            (0..ROUNDS).map(|_| child::measure(name, Mode::Current, *at_once, *count).cost.ms).collect();
        table.row(title, &mut times);
    }
    let mut times: Vec<f64> = (0..ROUNDS).map(|_| settings()).collect();
    table.row("core: settings read 500 times", &mut times);
}

fn settings() -> f64 {
    let root = tempfile::tempdir().unwrap();
    let text = "[eventbus]\nqueue_sizes = [50, 60, 70]\n[log_store]\nmax_entries = 123\n";
    fs::write(root.path().join(config::FILE_NAME), text).unwrap();
    let start = Instant::now();
    for _ in 0..500 {
        assert_eq!(config::load(root.path(), None, &|_| None).config.log_store.max_entries, 123);
    }
    ms(start.elapsed())
}
