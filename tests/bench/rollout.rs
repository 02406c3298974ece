//! The current implementations beside their fallbacks: alternating, each piece of work in a process of its own, and the
//! median of seven. What is new must not be slower than the simple way by more than a tenth for one at a time, and not
//! slower at all for sixteen.

use brummer::config::Mode;

use crate::{
    child::{self, Piece},
    table::{Table, median},
};

const ROUNDS: usize = 7;

/// A piece of work: how it is called in the table, its name, and how often it is done by one and by sixteen.
const WORK: &[(&str, &str, usize, usize)] = &[
    ("events published", "events", 200_000, 200_000),
    ("processes started and stopped", "processes", 16, 64),
    ("lines into the store, the current one looks for errors", "lines", 400_000, 400_000),
    ("lines into the store, none looks for errors", "kept", 400_000, 400_000),
    ("updates of the model", "updates", 200_000, 200_000),
];

pub fn rows(table: &mut Table) {
    table.head("current beside fallback: × as fast, p99 and peak in parts", ["speed", "p99", "peak"]);
    for (title, name, one, sixteen) in WORK {
        for (at_once, count, budget) in [(1, *one, "speed ≥ 0.9"), (16, *sixteen, "speed ≥ 1.0, p99 < 1")]
        {
            let [mut speed, mut p99, mut peak] = [const { Vec::new() }; 3];
            for round in 0..ROUNDS {
                let (current, fallback) = pair(name, at_once, count, round);
                speed.push(fallback.cost.ms / current.cost.ms);
                p99.push(current.cost.p99 / fallback.cost.p99);
                peak.push(current.peak / fallback.peak);
            }
            let figures = [median(&mut speed), median(&mut p99), median(&mut peak)];
            table.figures(&format!("{title}, {at_once} at once"), figures, budget);
        }
    }
}

/// Now the one first, now the other: what a machine does meanwhile changes slowly.
fn pair(name: &str, at_once: usize, count: usize, round: usize) -> (Piece, Piece) {
    let measure = |mode| child::measure(name, mode, at_once, count);
    if round.is_multiple_of(2) {
        let current = measure(Mode::Current);
        (current, measure(Mode::Fallback))
    } else {
        let fallback = measure(Mode::Fallback);
        (measure(Mode::Current), fallback)
    }
}
