//! `brummer run`: scripts without an editor, their lines on standard output.

use std::{
    collections::HashMap,
    io::{self, IsTerminal, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp as Instant, tz::TimeZone};
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};

use super::{Core, end_all, offline::tell, signals::Signals};
use crate::{
    bus::Filter,
    config::Config,
    event::{Component, Event, EventKind, Exit, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp},
    logs::Cleaner,
    process::{Manager, OutputBatch, Started},
};

/// Batches between the readers and the printer. Full: the child waits, so a slow terminal loses nothing.
const PIPE: usize = 16;

/// The exit code of a program that lost its reader, as shells tell it: 128 and SIGPIPE.
const READER_GONE: u8 = 141;

/// How long the last lines may take once everything has ended: nobody may be reading them.
const LAST_LINES: Duration = Duration::from_secs(1);

/// An exit event, as far as it matters here.
type ExitOf = (RunId, State, Exit, Option<Arc<str>>);

/// Runs scripts until all have ended, a signal comes or nobody reads standard output any more. Returns the exit code:
/// the first one that is not 0. Whatever happens, nothing that was started is left behind.
pub(super) async fn run(config: &Config, infos: Vec<ProcessInfo>) -> io::Result<u8> {
    let mut signals = Signals::listen()?;
    let core = Core::build(config);
    let (output, batches) = mpsc::channel(PIPE);
    // Nobody reads exits before all have been started, and each start has one.
    let (exited, exits) = mpsc::channel(infos.len().max(1));
    let tell_exit =
        core.bus.on(Filter::of(&[EventKind::ProcessExited]), Component::App, "exits", move |event| {
            if let Event::ProcessExited { run, state, exit, reason, .. } = event {
                // There is room for every run, and each ends once.
                drop(exited.try_send((*run, *state, *exit, reason.clone())));
            }
        });
    let manager = core.manager(config, output);
    let reader_gone = Arc::new(Notify::new());
    let printer = {
        let (names, gone) = (manager.clone(), Arc::clone(&reader_gone));
        let plain = !io::stdout().is_terminal();
        let work = move || print(batches, io::stdout(), plain, &names, &gone);
        core.resources.blocking(Component::App, "printer", work)
    };
    let code = tokio::select! {
        code = until_over(&manager, infos, exits) => code,
        code = signals.any() => Ok(code),
        () = reader_gone.notified() => Ok(READER_GONE),
    };
    end_all(&manager).await;
    drop((manager, tell_exit));
    // Readers of pipes that an escaped process still holds end here, and then the printer comes to its end.
    core.resources.shutdown().begin();
    tokio::select! {
        done = timeout(LAST_LINES, printer) => drop(done),
        _ = signals.any() => {}
    }
    core.drain().await;
    code
}

/// Starts everything and waits for every exit.
async fn until_over(
    manager: &Manager,
    infos: Vec<ProcessInfo>,
    mut exits: mpsc::Receiver<ExitOf>,
) -> io::Result<u8> {
    let mut running = HashMap::new();
    for info in infos {
        let label = info.label();
        // One that is named twice is waited for twice when the first run was over before the second start.
        if let Started::New(_, run) = manager.start(info).await.map_err(io::Error::other)? {
            running.insert(run, label);
        }
    }
    let mut code = 0;
    while !running.is_empty() {
        let Some((run, state, exit, reason)) = exits.recv().await else { break };
        let name = running.remove(&run);
        if let (Some(reason), Some(name)) = (reason, name) {
            tell(&format!("{name}: {reason}"));
        }
        if code == 0 && state != State::Stopped {
            code = exit_code(exit);
        }
    }
    Ok(code)
}

/// As a shell tells it: 128 and the signal's number for a process that was killed.
fn exit_code(exit: Exit) -> u8 {
    match exit {
        Exit::Code(code) => u8::try_from(code).unwrap_or(1),
        Exit::Signal(signal) => u8::try_from(128 + signal).unwrap_or(255),
        Exit::NotStarted => 127,
    }
}

/// Prints until the pipe closes. When standard output takes no more it reports that once and throws the rest away.
fn print(
    mut batches: mpsc::Receiver<OutputBatch>,
    out: impl Write,
    plain: bool,
    manager: &Manager,
    reader_gone: &Notify,
) {
    let zone = TimeZone::system();
    let mut out = io::BufWriter::new(out);
    let mut lines: HashMap<ProcessId, u64> = HashMap::new();
    let mut open = true;
    while let Some(batch) = batches.blocking_recv() {
        match batch {
            OutputBatch::Begin { process, ack, .. } | OutputBatch::End { process, ack, .. } => {
                ack.send(Seq(lines.get(&process).copied().unwrap_or_default())).ok();
            }
            OutputBatch::Lines { process, at, text, .. } => {
                *lines.entry(process).or_default() += memchr::memchr_iter(b'\n', &text).count() as u64;
                // The manager knows it before the first line; whoever hears of it by an event may be late.
                let name = manager.info(process).map(|info| info.label()).unwrap_or_default();
                let stamp = clock(at, &zone);
                if open && let Err(error) = write(&mut out, &stamp, &name, &text, plain) {
                    open = false;
                    if error.kind() != io::ErrorKind::BrokenPipe {
                        tell(&format!("standard output: {error}"));
                    }
                    reader_gone.notify_one();
                }
            }
        }
    }
}

fn write(out: &mut impl Write, stamp: &str, name: &str, text: &[u8], plain: bool) -> io::Result<()> {
    for line in text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n') {
        write!(out, "[{stamp}] {name}: ")?;
        if plain {
            out.write_all(&Cleaner::plain(line))?;
        } else {
            out.write_all(line)?;
        }
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// `HH:MM:SS` here.
fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let at = i64::try_from(at.0).ok().and_then(|at| Instant::from_millisecond(at).ok());
    at.map(|at| at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()).unwrap_or_default()
}

/// What is to be started for `names`, all of it or nothing.
pub(super) fn prepare(
    root: &Path,
    config: &Config,
    names: &[String],
    arguments: &[String],
) -> Result<Vec<ProcessInfo>, crate::project::ProjectError> {
    let project = crate::project::load(root, config)?;
    let lookup = crate::project::PathLookup::from_env();
    project.commands(names, arguments, &lookup)
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_have_their_name_though_no_event_arrives() {
        let core = Core::build(&Config::default());
        let (output, batches) = mpsc::channel(PIPE);
        let manager = core.manager(&Config::default(), output);
        core.bus.stop().await;
        let process = manager.start(ProcessInfo::of_shell("echo hi")).await.expect("it starts").process();
        let names = manager.clone();
        let printer = core.resources.blocking(Component::App, "printer", move || {
            let mut out = Vec::new();
            print(batches, &mut out, true, &names, &Notify::new());
            String::from_utf8(out).expect("text")
        });
        let ended = async {
            while !manager.status(process).is_some_and(|status| status.state.is_terminal()) {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(20), ended).await.expect("it ends");
        manager.shutdown(Duration::ZERO).await;
        let printed = timeout(Duration::from_secs(20), printer).await.expect("it ends").expect("no panic");
        assert!(printed.ends_with("] echo hi: hi\n"), "{printed}");
        drop(manager);
        assert_eq!(core.drain().await, 0);
    }
}
