//! Writes everything a view stands for to a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use serde_json::{Value, json};

use super::{Handles, dispatch::blocking, previous, protocol, scope::Scope};
use crate::{
    event::Seq,
    history::{Order, ReadError},
    search::{Filter, Look, Past, PastLines},
};

/// Bytes that are given to the system at once.
const BUFFER: usize = 256 << 10;

/// Files begun, so that two that are written to one place at once are two.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// Carries out the call: memory and this session's history, in order, or an earlier session.
pub(super) async fn write(handles: &Handles, asked: protocol::Write) -> Result<Value, String> {
    let text = asked.filter.as_deref().unwrap_or_default();
    let filter = Filter::parse(text).map_err(|wrong| wrong.to_string())?;
    if let Some(began) = asked.session {
        let base = handles.history.base().map(Path::to_owned);
        let (lines, bytes) = blocking(handles, "write", move || {
            let target = Target::new(&asked)?;
            target.fill(|out| previous::copy(base.as_deref(), &asked, began, &filter, out))
        })
        .await??;
        return Ok(json!({ "lines": lines, "bytes": bytes }));
    }
    let scope = Scope::of(handles, asked.root.as_deref(), asked.name.as_deref())?;
    let look = scope.look(handles, filter).await?;
    let past = scope.past(handles, &look, false, Order::OldestFirst).await?;
    let (lines, bytes) = blocking(handles, "write", move || {
        let target = Target::new(&asked)?;
        target.fill(|out| View { look, scope, past }.copy(out))
    })
    .await??;
    Ok(json!({ "lines": lines, "bytes": bytes }))
}

/// Where it goes.
struct Target {
    /// As the user wrote it.
    path: PathBuf,
    /// Behind links.
    file: PathBuf,
    /// What is there already keeps who may read it.
    mode: Option<u32>,
    /// Into the file itself: it is added to, or it is no file of the usual kind.
    within: bool,
    append: bool,
}

// === impl Target ===

impl Target {
    fn new(asked: &protocol::Write) -> Result<Self, String> {
        let path = PathBuf::from(&asked.path);
        let refused = |why: &str| format!("cannot write {}: {why}", path.display());
        if !path.is_absolute() {
            return Err(refused("the path is not absolute"));
        }
        // A link to what is not there yet names what is to be made.
        let linked = || Some(path.parent()?.join(fs::read_link(&path).ok()?));
        let file = fs::canonicalize(&path).ok().or_else(linked).unwrap_or_else(|| path.clone());
        let there = match fs::metadata(&file) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(refused(&said(&error))),
        };
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(refused("it is a directory"));
        }
        // Nobody may ever read the other end.
        if there.as_ref().is_some_and(|there| there.file_type().is_fifo()) {
            return Err(refused("it is a pipe"));
        }
        if there.is_some() && !asked.append && !asked.force {
            return Err(refused("it exists (add ! to overwrite it)"));
        }
        let special = there.as_ref().is_some_and(|there| !there.is_file());
        let mode = there.map(|there| there.permissions().mode() & 0o777);
        Ok(Self { path, file, mode, within: asked.append || special, append: asked.append })
    }

    /// Opens it, has it filled and puts it in its place. Returns what `fill` counts and the bytes written.
    fn fill(&self, fill: impl FnOnce(&mut dyn io::Write) -> io::Result<u64>) -> Result<(u64, u64), String> {
        let done = if self.within { self.fill_within(fill) } else { self.fill_beside(fill) };
        done.map_err(|error| format!("cannot write {}: {}", self.path.display(), said(&error)))
    }

    fn fill_within(
        &self,
        fill: impl FnOnce(&mut dyn io::Write) -> io::Result<u64>,
    ) -> io::Result<(u64, u64)> {
        let mut options = OpenOptions::new();
        options.write(true).append(self.append).create(true);
        written(options.open(&self.file)?, fill)
    }

    /// A file of its own takes the place of the other when it is whole.
    fn fill_beside(
        &self,
        fill: impl FnOnce(&mut dyn io::Write) -> io::Result<u64>,
    ) -> io::Result<(u64, u64)> {
        let name = self.file.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let short: String = name.chars().take(100).collect();
        let number = WRITES.fetch_add(1, Relaxed);
        let beside = self.file.with_file_name(format!(".{short}.brummer-{}-{number}", std::process::id()));
        // One that a host of this number left behind is nobody's any more.
        fs::remove_file(&beside).ok();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if let Some(mode) = self.mode {
            options.mode(mode);
        }
        let file = options.open(&beside)?;
        let done = written(file, fill).and_then(|done| {
            if let Some(mode) = self.mode {
                fs::set_permissions(&beside, fs::Permissions::from_mode(mode))?;
            }
            fs::rename(&beside, &self.file)?;
            Ok(done)
        });
        if done.is_err() {
            fs::remove_file(&beside).ok();
        }
        done
    }
}

fn written(file: File, fill: impl FnOnce(&mut dyn io::Write) -> io::Result<u64>) -> io::Result<(u64, u64)> {
    let mut out = Counted { out: BufWriter::with_capacity(BUFFER, file), bytes: 0 };
    let lines = fill(&mut out)?;
    out.flush()?;
    Ok((lines, out.bytes))
}

/// What the system says, without its number.
fn said(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

struct Counted {
    out: BufWriter<File>,
    bytes: u64,
}

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What is written.
struct View {
    look: Look,
    scope: Scope,
    past: Option<Past>,
}

// === impl View ===

impl View {
    /// Both are in order of time, and so is what is written. Returns how many lines that were.
    fn copy(self, out: &mut dyn io::Write) -> io::Result<u64> {
        let Self { look, scope, past } = self;
        let merged = scope.name.is_none();
        let older = past.map(|past| past.lines(look.filter().clone())).transpose();
        let mut older = older.map_err(io::Error::other)?.into_iter().flatten().peekable();
        let mut lines = 0;
        for window in look.windows(Seq(u64::MAX)).rev() {
            for found in look.window(window) {
                let (process, chunk, index) = look.line(&found);
                let at = chunk.line(index).at;
                // Of one log all of it is older, whatever the clock said.
                let before = |past: &PastLines| !merged || past.at <= at;
                while let Some(past) = older.next_if(|past| past.as_ref().is_ok_and(before)) {
                    lines += write_past(past, merged, out)?;
                }
                if merged && let Some(label) = scope.labels.get(&process) {
                    out.write_all(label.as_bytes())?;
                    out.write_all(b": ")?;
                }
                // With its newline.
                out.write_all(chunk.block(index..index + 1))?;
                lines += 1;
            }
        }
        for past in older {
            lines += write_past(past, merged, out)?;
        }
        Ok(lines)
    }
}

fn write_past(past: Result<PastLines, ReadError>, merged: bool, out: &mut dyn io::Write) -> io::Result<u64> {
    let past = past.map_err(io::Error::other)?;
    for line in &past.lines {
        if merged {
            out.write_all(past.label.as_bytes())?;
            out.write_all(b": ")?;
        }
        out.write_all(&line.text)?;
        out.write_all(b"\n")?;
    }
    Ok(past.lines.len() as u64)
}
