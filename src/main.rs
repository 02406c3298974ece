//! Entry point: arguments, logging, runtime, `app::run`; nothing else.

use std::process::ExitCode;

use brummer::app;

fn main() -> ExitCode {
    app::main()
}
