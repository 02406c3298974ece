//! Entry point: arguments, logging, runtime, `app::run`; nothing else.

fn main() {}
