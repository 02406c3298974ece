//! Entry point: arguments, logging, runtime, `app::run`; nothing else. Before all of it, whether this is to be a guard.

use std::process::ExitCode;

use brummer::{app, guard};

fn main() -> ExitCode {
    guard::main_if_asked().unwrap_or_else(app::main)
}
