//! Every component under the load of 100 tasks with 1,000 operations each. What the tasks count must be what the
//! component says, nothing that is promised may be lost, and the component may run no more tasks than it declares.

mod bus;
mod config;
mod health;
mod logs;
mod many;
mod model;
mod process;
mod resource;
mod status;

use crate::{Program, exhaust::history};
use brummer::config::Mode::{Current, Fallback};

pub const PROGRAMS: &[Program] = &[
    ("load.bus.current", |scale| bus::run(scale, bus::Form::Steady(Current))),
    ("load.bus.fallback", |scale| bus::run(scale, bus::Form::Steady(Fallback))),
    ("load.bus.switching", |scale| bus::run(scale, bus::Form::Switching)),
    ("load.resource", resource::run),
    ("load.logs.current", |scale| logs::run(scale, Current)),
    ("load.logs.fallback", |scale| logs::run(scale, Fallback)),
    ("load.history.current", |scale| history::load(scale, Current)),
    ("load.history.fallback", |scale| history::load(scale, Fallback)),
    ("load.model.current", |scale| model::run(scale, Current)),
    ("load.model.fallback", |scale| model::run(scale, Fallback)),
    ("load.status", status::run),
    ("load.process.current", |scale| process::run(scale, Current)),
    ("load.process.fallback", |scale| process::run(scale, Fallback)),
    ("load.many.current", |_| many::at_once(Current)),
    ("load.many.fallback", |_| many::at_once(Fallback)),
    ("load.row.current", |scale| many::in_a_row(scale, Current)),
    ("load.row.fallback", |scale| many::in_a_row(scale, Fallback)),
    ("load.health", health::run),
    ("load.config", config::run),
];
