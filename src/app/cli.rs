//! The command line.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use super::{headless, logging, offline};

/// Runs a project's dev scripts, keeps their logs and finds the source line behind every error.
#[derive(Parser)]
#[command(name = "brummer", disable_version_flag = true, arg_required_else_help = true)]
struct Cli {
    /// Print the version; with --json, the protocol too.
    #[arg(long, short = 'V')]
    version: bool,
    /// With --version: as one JSON object.
    #[arg(long, requires = "version")]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// The back end of one Neovim, on standard input and output. Neovim starts this itself.
    #[cfg(feature = "editor")]
    Host(HostArguments),
    /// Run scripts here and print their lines as `[HH:MM:SS] name: line`, until all have ended. What they come after is
    /// started before them, and stopped at the end. One script reads standard input, several read nothing.
    Run(RunArguments),
    /// List the scripts of the project here.
    Scripts {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Find the places that tool output points at.
    Locate(LocateArguments),
    /// Print what scripts of the project here have printed under Neovim, now and earlier, as `[HH:MM:SS] name: line`.
    ///
    /// Without --since, --grep and --level: the last session in which there is something to print, a session being one
    /// Neovim from start to end. With one of these: all sessions. Lines of an earlier session come below a line that says
    /// which. Nothing has to run; what runs can be read, too. Exits with 1 when lines were looked for and there are none.
    Logs(LogsArguments),
    /// Print each setting with its source, and what is wrong with the files.
    Config,
}

#[cfg(feature = "editor")]
#[derive(Args)]
struct HostArguments {
    /// Speak msgpack-RPC on standard input and output.
    #[arg(long, required = true)]
    stdio: bool,
    /// Write messages to this file instead of standard error.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

#[derive(Args)]
struct RunArguments {
    /// Run them also where another Neovim or `brummer run` of yours runs the same of this project.
    #[arg(long)]
    another: bool,
    /// Scripts and sets of the project here; `cargo run` needs no quotes.
    #[arg(required = true, value_name = "SCRIPT", allow_hyphen_values = true)]
    names: Vec<String>,
    /// Arguments for each of them.
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

impl RunArguments {
    /// Names, and the arguments after `--`, which clap takes for a name once names may begin with `-`.
    fn split(&self) -> (&[String], &[String]) {
        match self.names.iter().position(|word| word == "--") {
            Some(at) => (&self.names[..at], &self.names[at + 1..]),
            None => (&self.names, &self.arguments),
        }
    }
}

#[derive(Args)]
pub(super) struct LocateArguments {
    /// Print one JSON object per line that points somewhere.
    #[arg(long, conflicts_with = "quickfix")]
    pub(super) json: bool,
    /// Print `file:line:col: severity: message`, which `nvim -q` reads (the default).
    #[arg(long)]
    pub(super) quickfix: bool,
    /// Where the tool ran; relative paths start there.
    #[arg(long, value_name = "DIR")]
    pub(super) cwd: Option<PathBuf>,
    /// The output; standard input without it.
    pub(super) file: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct LogsArguments {
    /// A script as `brummer scripts` lists it (`dev`, `web/dev`); all without it.
    #[arg(value_name = "NAME", allow_hyphen_values = true)]
    pub(super) name: Option<String>,
    /// The project this directory is in, instead of the one here.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Lines from then on: 10m (s, m, h, d, w ago), 14:30, 2026-11-23 or 2026-11-23T14:30.
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Lines in which this regular expression matches; small letters match capitals, too, unless it has a capital.
    #[arg(long, value_name = "REGEX")]
    pub(super) grep: Option<String>,
    /// Lines that say they are of this level or a worse one: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL")]
    pub(super) level: Option<String>,
    /// The session before the present one, or before the last one when none runs.
    #[arg(long, conflicts_with = "session")]
    pub(super) previous: bool,
    /// One session: 1 is the present or last one, 2 the one before.
    #[arg(long, value_name = "N")]
    pub(super) session: Option<usize>,
    /// List the sessions instead.
    #[arg(long, conflicts_with_all = ["name", "since", "grep", "level", "previous", "session", "tail"])]
    pub(super) sessions: bool,
    /// Only so many lines, the last ones.
    #[arg(long, value_name = "N")]
    pub(super) tail: Option<usize>,
    /// One JSON object per line.
    #[arg(long)]
    pub(super) json: bool,
    /// Whether colours are printed: auto is on a terminal only.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Colour,
}

/// When colours are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum Colour {
    Auto,
    Always,
    Never,
}

/// Carries out the command line.
pub(super) fn run() -> ExitCode {
    let cli = Cli::parse();
    if cli.version {
        return finish(print_version(cli.json).map(|()| 0));
    }
    match cli.command {
        #[cfg(feature = "editor")]
        Some(Command::Host(arguments)) => finish(host(&arguments)),
        Some(Command::Run(arguments)) => finish(run_scripts(&arguments)),
        Some(Command::Scripts { json }) => finish(offline::scripts(json)),
        Some(Command::Locate(arguments)) => finish(offline::locate(&arguments)),
        Some(Command::Logs(arguments)) => finish(offline::logs(&arguments)),
        Some(Command::Config) => finish(offline::config()),
        None => finish(Err("nothing to do: see brummer --help".to_owned())),
    }
}

fn finish(done: Result<u8, String>) -> ExitCode {
    match done {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            offline::tell(&message);
            ExitCode::FAILURE
        }
    }
}

fn print_version(json: bool) -> Result<(), String> {
    let version = env!("CARGO_PKG_VERSION");
    #[cfg(feature = "editor")]
    let protocol = Some(crate::rpc::PROTOCOL);
    #[cfg(not(feature = "editor"))]
    let protocol: Option<u32> = None;
    let text = if json {
        serde_json::json!({ "version": version, "protocol": protocol }).to_string()
    } else {
        format!("brummer {version}")
    };
    offline::print(&text)
}

#[cfg(feature = "editor")]
fn host(arguments: &HostArguments) -> Result<u8, String> {
    // First of all: whatever is printed by accident from here on must not reach the channel.
    let stdio = crate::rpc::Stdio::take().map_err(|error| format!("cannot take the channel: {error}"))?;
    if let Err(error) = logging::start(arguments.log.as_deref()) {
        // What the host is for does not need the file: its errors go to the editor instead.
        logging::start(None).map_err(|error| error.to_string())?;
        tracing::warn!(%error, file = ?arguments.log, "The log file cannot be written.");
    }
    crate::process::own_the_program();
    let runtime = runtime()?;
    let served = runtime.block_on(super::host::run(stdio));
    // Whatever has not ended by now must not hold the program.
    runtime.shutdown_background();
    served.map(|()| 0).map_err(|error| error.to_string())
}

fn run_scripts(arguments: &RunArguments) -> Result<u8, String> {
    logging::start(None).map_err(|error| error.to_string())?;
    let (here, root, loaded) = offline::here()?;
    let (names, given) = arguments.split();
    let steps =
        headless::prepare(&root, &here, &loaded.config, names, given).map_err(|error| error.to_string())?;
    crate::process::own_the_program();
    let runtime = runtime()?;
    let code = runtime
        .block_on(headless::run(&loaded.config, steps, arguments.another))
        .map_err(|error| error.to_string());
    runtime.shutdown_background();
    code
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))
}
