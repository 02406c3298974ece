//! `brummer logs`: what was printed, from the files, without a host and beside one.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal, Write},
    path::Path,
};

use jiff::{Timestamp as Instant, tz::TimeZone};

use super::tell;
use crate::{
    app::{
        cli::{Colour, LogsArguments},
        histories,
    },
    config::nearest,
    event::{Seq, Timestamp},
    history::{Order, Query, Reader, Record, Session, Sessions},
    logs::Cleaner,
    process::Stream,
    project,
    search::{Facts, Filter, moment},
};

/// More names than this are not listed.
const NAMES: usize = 10;

/// A line that is wanted.
struct Line {
    record: Record,
    seq: Seq,
    text: Vec<u8>,
}

/// How lines are written.
struct Printer<W> {
    out: W,
    zone: TimeZone,
    colour: bool,
    json: bool,
    /// The session of the line before; the present one needs no heading.
    session: usize,
    sessions: Vec<Session>,
}

/// `brummer logs`. The exit code: 1 when lines were looked for and there are none, or a file could not be read.
pub(in crate::app) fn logs(arguments: &LogsArguments) -> Result<u8, String> {
    let root = root(arguments.dir.as_deref())?;
    let base =
        histories().ok_or("there is no history without a home directory: set HOME or XDG_STATE_HOME")?;
    let reader = Reader::open(&base, &root).map_err(|error| error.to_string())?;
    if reader.sessions().is_empty() {
        let root = root.display();
        return Err(format!(
            "nothing is recorded of {root}: what Neovim runs is, while log_store.history is on"
        ));
    }
    let colour = match arguments.color {
        Colour::Auto => io::stdout().is_terminal(),
        Colour::Always => true,
        Colour::Never => false,
    };
    let mut printer = Printer {
        out: io::BufWriter::new(io::stdout().lock()),
        zone: TimeZone::system(),
        colour,
        json: arguments.json,
        session: 1,
        sessions: reader.sessions().to_vec(),
    };
    let printed = if arguments.sessions {
        reader.sessions().iter().try_for_each(|session| printer.list(session)).map(|()| 0)
    } else {
        let filters = filters(arguments)?;
        let query = query(arguments, &reader, &root)?;
        let looks = arguments.since.is_some() || !filters.is_empty();
        print(&reader, query, &filters, arguments.tail, &mut printer)?
            .map(|printed| u8::from(printed.unread || (looks && !printed.any)))
    };
    match printed.and_then(|code| printer.out.flush().map(|()| code)) {
        // A reader that went away is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        printed => printed.map_err(|error| format!("standard output: {error}")),
    }
}

fn root(dir: Option<&Path>) -> Result<std::path::PathBuf, String> {
    let dir = match dir {
        Some(dir) => dir.canonicalize().map_err(|error| format!("{}: {error}", dir.display()))?,
        None => {
            std::env::current_dir().map_err(|error| format!("cannot tell the current directory: {error}"))?
        }
    };
    Ok(project::find_root(&dir).unwrap_or(dir))
}

fn filters(arguments: &LogsArguments) -> Result<Vec<Filter>, String> {
    let grep = arguments.grep.as_ref().map(|regex| {
        Filter::regex(regex).map_err(|wrong| format!("--grep: {}, character {}", wrong.what, wrong.at))
    });
    let level = arguments.level.as_ref().map(|level| {
        Filter::parse(&format!("level:{level}")).map_err(|wrong| format!("--level: {}", wrong.what))
    });
    grep.into_iter().chain(level).collect()
}

/// What to read. Who looks for something looks everywhere; who does not, at the last session.
fn query(arguments: &LogsArguments, reader: &Reader, root: &Path) -> Result<Query, String> {
    let since = arguments.since.as_ref().map(|since| moment(since, Timestamp::now())).transpose();
    let since = since.map_err(|error| format!("--since: {error}"))?;
    let all = Query { since, ..Query::default() };
    let name = arguments.name.as_ref().map(|name| called(name, reader, root)).transpose()?;
    let all = Query { name, ..all };
    let looks = arguments.grep.is_some() || since.is_some() || arguments.level.is_some();
    let newest = match arguments.session {
        Some(number) if number == 0 || number > reader.sessions().len() => {
            let last = reader.sessions().len();
            return Err(format!("there is no session {number}: they are 1 (the last one) to {last}"));
        }
        Some(number) => return Ok(Query { sessions: Sessions::Number(number), ..all }),
        None if looks && !arguments.previous => return Ok(all),
        None if arguments.previous => 2,
        None => 1,
    };
    let of = |number| Query { sessions: Sessions::Number(number), ..all.clone() };
    let any = |query: &Query| {
        let whenever = Query { since: None, ..query.clone() };
        // What cannot be read is told where it is printed.
        reader.records(whenever).next().is_some()
    };
    (newest..=reader.sessions().len()).map(of).find(any).ok_or_else(|| {
        let of = arguments.name.as_deref().map(|name| format!(" of {name}")).unwrap_or_default();
        format!("there is no session with lines{of} before the last one: brummer logs --sessions lists them")
    })
}

/// The whole name of a process that is called so.
fn called(name: &str, reader: &Reader, root: &Path) -> Result<String, String> {
    let exact = Query { name: Some(name.to_owned()), order: Order::NewestFirst, ..Query::default() };
    if reader.records(exact).flatten().next().is_some() {
        return Ok(name.to_owned());
    }
    let (mut known, mut unread) = (BTreeSet::new(), None);
    for record in reader.records(Query::default()) {
        match record {
            Ok(record) => drop(known.insert(record.name)),
            Err(error) => unread = unread.or(Some(error.to_string())),
        }
    }
    let alike: Vec<_> = known.iter().filter(|known| known.name == name).map(|known| known.label()).collect();
    match alike.as_slice() {
        [one] => return Ok(one.clone()),
        [] => {}
        several => return Err(format!("{name} is several: {}", several.join(", "))),
    }
    if let Some(error) = unread {
        return Err(error);
    }
    let labels: Vec<_> = known.iter().map(|known| known.label()).collect();
    let said = format!("no line of {name} is recorded of {}", root.display());
    Err(match nearest(name, labels.iter().map(String::as_str)) {
        Some(near) => format!("{said}: did you mean {near}?"),
        None if labels.len() <= NAMES => format!("{said}, only of {}", labels.join(", ")),
        None => said,
    })
}

/// What came of printing.
#[derive(Default)]
struct Printed {
    /// There were lines.
    any: bool,
    /// A file could not be read, which has been told.
    unread: bool,
}

/// Prints what is asked for.
fn print(
    reader: &Reader,
    query: Query,
    filters: &[Filter],
    tail: Option<usize>,
    printer: &mut Printer<impl Write>,
) -> Result<io::Result<Printed>, String> {
    let order = if tail.is_some() { Order::NewestFirst } else { Order::OldestFirst };
    let mut last = Vec::new();
    let mut printed = Printed::default();
    for record in reader.records(Query { order, ..query }) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                tell(&error.to_string());
                printed.unread = true;
                continue;
            }
        };
        let mut lines = wanted(&record, filters);
        match tail {
            Some(most) => {
                lines.reverse();
                last.extend(lines.into_iter().take(most - last.len()));
                if last.len() == most {
                    break;
                }
            }
            None => {
                for line in lines {
                    printed.any = true;
                    if let Err(error) = printer.line(&line) {
                        return Ok(Err(error));
                    }
                }
            }
        }
    }
    printed.any |= !last.is_empty();
    Ok(last.iter().rev().try_for_each(|line| printer.line(line)).map(|()| printed))
}

fn wanted(record: &Record, filters: &[Filter]) -> Vec<Line> {
    let facts = Facts { at: record.at, stream: record.stream, level: None };
    let passes = |text: &[u8]| {
        filters.is_empty() || {
            let plain = Cleaner::plain(text);
            filters.iter().all(|filter| filter.passes(&plain, &facts))
        }
    };
    let lines = record.lines().filter(|(_, text)| passes(text));
    lines.map(|(seq, text)| Line { record: record.clone(), seq, text: text.to_vec() }).collect()
}

// === impl Line ===

impl Line {
    /// Bytes it had, when it was cut.
    fn length(&self) -> Option<u64> {
        let at = self.seq.0 - self.record.first.0;
        self.record.cut.iter().find(|(line, _)| u64::from(*line) == at).map(|(_, length)| *length)
    }
}

// === impl Printer ===

impl<W: Write> Printer<W> {
    fn line(&mut self, line: &Line) -> io::Result<()> {
        let record = &line.record;
        if self.json {
            let text = Cleaner::plain(&line.text);
            let mut object = serde_json::json!({
                "session": record.session,
                "at": record.at.0,
                "name": record.name.label(),
                "run": record.run.0,
                "seq": line.seq.0,
                "stream": if record.stream == Stream::Err { "err" } else { "out" },
                "text": String::from_utf8_lossy(&text),
            });
            if record.after_exit {
                object["after_exit"] = true.into();
            }
            if let Some(length) = line.length() {
                object["length"] = length.into();
            }
            return writeln!(self.out, "{object}");
        }
        if self.session != record.session {
            self.session = record.session;
            let session = self.sessions.iter().find(|session| session.number == record.session);
            let started = session.map(|session| self.time(session.started, "%F %T")).unwrap_or_default();
            writeln!(self.out, "-- session {}, {started} --", record.session)?;
        }
        // Of a command line, which may have lines of its own.
        let name = record.name.label().replace(char::is_control, " ");
        write!(self.out, "[{}] {name}: ", self.time(record.at, "%H:%M:%S"))?;
        if self.colour {
            self.out.write_all(&line.text)?;
            // What a line leaves on is not for the next one's time.
            if line.text.contains(&0x1b) {
                self.out.write_all(b"\x1b[0m")?;
            }
        } else {
            self.out.write_all(&Cleaner::plain(&line.text))?;
        }
        if let Some(length) = line.length() {
            write!(self.out, "… ({length} bytes in all)")?;
        }
        self.out.write_all(b"\n")
    }

    /// One session of the list.
    fn list(&mut self, session: &Session) -> io::Result<()> {
        let Session { number, started, pid, live, bytes, .. } = session;
        if self.json {
            let object = serde_json::json!({
                "session": number, "id": &*session.id, "started": started.0, "pid": pid, "live": live, "bytes": bytes,
            });
            return writeln!(self.out, "{object}");
        }
        let started = self.time(*started, "%F %T");
        let live = if *live { "runs" } else { "ended" };
        writeln!(self.out, "{number:>3}  {started}  {live:5}  {:>6} KB  pid {pid}", bytes.div_ceil(1024))
    }

    fn time(&self, at: Timestamp, format: &str) -> String {
        let at = i64::try_from(at.0).ok().and_then(|at| Instant::from_millisecond(at).ok());
        at.map(|at| at.to_zoned(self.zone.clone()).strftime(format).to_string()).unwrap_or_default()
    }
}
