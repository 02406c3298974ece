//! What brummer costs, as tables. Compare rows of one run only.
//!
//! `cargo bench --bench bench -- NAME…` measures only some groups: `editor` beside the same thing without brummer, `logs`
//! the way of a line from a child into the store, `classify` looking for errors in it, `search` what finds lines again,
//! `keys` what a keypress notices of a flood, `bus` the event bus beside simpler ways, `start` start, stop and restart
//! beside other tools, `ends` the end of trees when host, guard or Neovim are killed, `usage` the looks at what trees use, `rollout` the current
//! implementations beside their fallbacks, and `core` a few rows for `make bench-against`. `--json` prints the figures
//! for machines instead, without those of `bus`.

// As in the tests: no runtime here, and a table is there to be printed.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

#[path = "../it/support.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod support;

mod bus;
mod child;
mod classify;
mod core;
mod editor;
mod ends;
mod keys;
mod logs;
mod print;
mod rollout;
mod search;
mod start;
mod table;
mod usage;
mod work;

use table::{Table, machine};

/// A group of rows: its name and what measures them.
type Group = (&'static str, fn(&mut Table));

const GROUPS: &[Group] = &[
    ("editor", editor::rows),
    ("keys", keys::rows),
    ("logs", logs::rows),
    ("search", search::rows),
    ("classify", classify::rows),
    ("bus", bus::rows),
    ("start", start::rows),
    ("ends", ends::rows),
    ("usage", usage::rows),
    ("rollout", rollout::rows),
    ("core", core::rows),
];

fn main() {
    brummer::guard::use_program(support::brummer());
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == child::ARGUMENT) {
        return child::run(&arguments[1..]);
    }
    if arguments.first().is_some_and(|first| first == print::ARGUMENT) {
        return print::run(&arguments[1..]);
    }
    if let [first, pace, ..] = arguments.as_slice()
        && first == keys::ARGUMENT
    {
        return keys::print(pace);
    }
    if let [first, file] = arguments.as_slice()
        && first == start::ARGUMENT
    {
        return start::began(file);
    }
    // `cargo bench` adds its own.
    arguments.retain(|argument| argument != "--bench");
    let json = arguments.iter().any(|argument| argument == "--json");
    arguments.retain(|argument| argument != "--json");
    if let Some(unknown) = arguments.iter().find(|argument| !GROUPS.iter().any(|(name, _)| name == argument))
    {
        let names: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
        eprintln!("no group is called {unknown}; there are: {}", names.join(", "));
        std::process::exit(2);
    }
    let mut table = Table::new(json);
    if !json {
        println!("{}", machine());
    }
    for (name, rows) in GROUPS {
        if arguments.is_empty() || arguments.iter().any(|argument| argument == name) {
            rows(&mut table);
        }
    }
    if json {
        println!("{}", table.to_json());
    }
}
