//! Every limit is reached on purpose: what happens then is what was promised, and once room is made all is as before.

mod events;
pub mod history;
mod limit;
mod mailboxes;
mod memory;
mod permits;
mod processes;
pub mod rings;
mod waiting;

use crate::Program;
use brummer::config::{
    Backpressure::{Block, DropLowPriority, DropNewest, DropOldest},
    Mode::{Current, Fallback},
};

pub const PROGRAMS: &[Program] = &[
    ("exhaust.permits", permits::permits),
    ("exhaust.faults", permits::faults),
    ("exhaust.events.oldest", |_| events::both(DropOldest)),
    ("exhaust.events.newest", |_| events::both(DropNewest)),
    ("exhaust.events.low", |_| events::both(DropLowPriority)),
    ("exhaust.events.block", |_| events::both(Block)),
    ("exhaust.mailboxes", mailboxes::full),
    ("exhaust.ceiling", mailboxes::ceiling),
    ("exhaust.processes", |_| processes::most(Current)),
    ("exhaust.processes.fb", |_| processes::most(Fallback)),
    ("exhaust.starts", processes::starts),
    ("exhaust.waiting", |_| waiting::waiting(Current)),
    ("exhaust.waiting.fb", |_| waiting::waiting(Fallback)),
    ("exhaust.restarts", |_| waiting::restarts(Current)),
    ("exhaust.restarts.fb", |_| waiting::restarts(Fallback)),
    ("exhaust.pipe", |_| processes::pipe(Current)),
    ("exhaust.pipe.fb", |_| processes::pipe(Fallback)),
    ("exhaust.lines", |_| rings::lines(Current)),
    ("exhaust.lines.fb", |_| rings::lines(Fallback)),
    ("exhaust.bytes", |_| rings::bytes(Current)),
    ("exhaust.headlines", |_| rings::headlines(Current)),
    ("exhaust.history", |_| history::full(Current)),
    ("exhaust.history.fb", |_| history::full(Fallback)),
    ("exhaust.memory.logs", memory::logs),
    ("exhaust.memory.bus", memory::bus),
    ("exhaust.memory.limit", limit::limit),
];
