//! Where the program's own messages go: a file for the host, standard error for the command line. Never standard
//! output, which belongs to the channel or to the result.

use std::{fs::OpenOptions, io, path::Path, sync::Arc};

use tracing_subscriber::EnvFilter;

/// A log file that has grown past this is begun anew.
const MAX_FILE: u64 = 4 << 20;

/// Sets up logging; `BRUMMER_LOG` holds a filter as `tracing_subscriber::EnvFilter` reads it, such as `debug`.
pub(super) fn start(file: Option<&Path>) -> io::Result<()> {
    let default = if file.is_some() { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("BRUMMER_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let Some(path) = file else {
        builder.with_writer(io::stderr).init();
        return Ok(());
    };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let large = std::fs::metadata(path).is_ok_and(|file| file.len() > MAX_FILE);
    let mut options = OpenOptions::new();
    let options = if large { options.write(true).truncate(true) } else { options.append(true) };
    builder.with_writer(Arc::new(options.create(true).open(path)?)).init();
    Ok(())
}
