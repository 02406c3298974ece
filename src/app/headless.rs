//! `brummer run`: scripts without an editor, their lines on standard output.

mod claim;
mod follow;
mod input;

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

use super::{Core, end_all, offline::tell, records, signals::Signals};
use crate::{
    config::Config,
    event::{Component, ProcessId, Seq, Timestamp},
    logs::Cleaner,
    process::{Manager, OutputBatch},
    project::{self, PathLookup, ProjectError, Step},
};

/// Batches between the readers and the printer. Full: the child waits, so a slow terminal loses nothing.
const PIPE: usize = 16;

/// The exit code of a program that lost its reader, as shells tell it: 128 and SIGPIPE.
const READER_GONE: u8 = 141;

/// How long the last lines may take once everything has ended: nobody may be reading them.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Runs scripts until all that were asked for have ended, a signal comes or nobody reads standard output any more. What was
/// started only because they come after it is then stopped. Returns the exit code: the first one that is not 0. Whatever happens, nothing that was started is left behind.
pub(super) async fn run(config: &Config, mut steps: Vec<Step>, another: bool) -> io::Result<u8> {
    let records = records();
    let claims = claim::claim(records.as_ref(), &steps, another).map_err(io::Error::other)?;
    let whose = input::give(&mut steps);
    let mut signals = Signals::listen()?;
    let core = Core::build(config);
    let (output, batches) = mpsc::channel(PIPE);
    let events = follow::subscribe(&core.bus);
    let manager = core.manager(config, output);
    if let Some(records) = records {
        manager.keep_records(records);
    }
    if whose == input::Whose::One {
        manager.lend_input();
    }
    let _terminal = input::Terminal::as_it_is();
    let reader_gone = Arc::new(Notify::new());
    let printer = {
        let (names, gone) = (manager.clone(), Arc::clone(&reader_gone));
        let plain = !io::stdout().is_terminal();
        let work = move || print(batches, io::stdout(), plain, &names, &gone);
        core.resources.blocking(Component::App, "printer", work)
    };
    let code = tokio::select! {
        code = follow::until_over(&manager, (steps, claims), events) => code,
        code = signals.any() => Ok(code),
        () = reader_gone.notified() => Ok(READER_GONE),
    };
    end_all(&manager).await;
    drop(manager);
    // Readers of pipes that an escaped process still holds end here, and then the printer comes to its end.
    core.resources.shutdown().begin();
    tokio::select! {
        done = timeout(LAST_LINES, printer) => drop(done),
        _ = signals.any() => {}
    }
    core.drain().await;
    code
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

/// What is to be started for `names` by somebody in the directory `from`, all of it or nothing.
pub(super) fn prepare(
    root: &Path,
    from: &Path,
    config: &Config,
    names: &[String],
    arguments: &[String],
) -> Result<Vec<Step>, ProjectError> {
    let project = project::load(root, config).seen_from(from);
    for problem in &project.problems {
        tell(&problem.within(root));
    }
    project.plan(names, arguments, &PathLookup::from_env())
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;
    use crate::event::ProcessInfo;

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
