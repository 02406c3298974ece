//! Where files are: a directory per project, the user's alone, and the calls on it. Blocks.
//!
//! Whoever writes a file holds a lock on it that the kernel takes back however the writer ends; so everybody can tell which
//! files are still written, also across process namespaces. Where locks do not work (some network file systems) a file that
//! is being written looks like one that is not, and may be removed when it has become the oldest of all.

use std::{
    ffi::OsStr,
    fs::{DirBuilder, File},
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::fs::DirBuilderExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags},
    io::Errno,
};

use super::{file_name::FileName, format::check};
use crate::{event::Timestamp, resource::Segment};

/// More files than this are not looked at.
const MAX_FILES: usize = 100_000;

/// A file that is larger than a host makes any is read so far.
const LARGEST: u64 = 64 << 20;

/// Characters of a project's own name in the name of its directory.
const LONGEST: usize = 40;

/// Where the files of one project go. A test has its own.
pub(super) trait Disk: Send {
    /// A new file, which is marked as being written until it is dropped.
    fn create(&self, name: &FileName) -> io::Result<Box<dyn Sink>>;

    /// What is there.
    fn files(&self) -> io::Result<Vec<Stored>>;

    /// Removes a file; one that is gone is no error.
    fn remove(&self, name: &FileName) -> io::Result<()>;

    /// Keeps other hosts from making and removing files until dropped.
    fn alone(&self) -> Option<File>;
}

/// A file that is written.
pub(super) trait Sink: Write + Send {
    /// Takes back what is behind so many bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
}

/// A file that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stored {
    pub(super) name: FileName,
    pub(super) bytes: u64,
    /// When it was written last: seconds and nanoseconds.
    pub(super) modified: (i64, i64),
    /// Somebody writes it.
    pub(super) live: bool,
}

/// The directory of one project.
#[derive(Debug)]
pub(super) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

/// The name of the directory of a project: its own for whoever looks, and a number that tells it from others.
pub(super) fn directory_name(root: &Path) -> String {
    let bytes = root.as_os_str().as_encoded_bytes();
    let base = root.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let base: String = base.chars().take(LONGEST).map(plain).collect();
    format!("{:08x}-{base}", check(bytes))
}

// === impl Stored ===

impl Stored {
    /// Whether it can hold what was printed at this time or later.
    pub(super) fn may_hold(&self, since: Timestamp) -> bool {
        is_since(self.modified, since)
    }
}

fn is_since(modified: (i64, i64), since: Timestamp) -> bool {
    // The clocks of some file systems are coarse.
    modified.0.saturating_add(2) >= i64::try_from(since.0 / 1000).unwrap_or(i64::MAX)
}

/// When something was written last.
#[allow(clippy::unnecessary_cast, clippy::cast_possible_wrap, reason = "not the same type everywhere")]
fn modified(stat: &rustix::fs::Stat) -> (i64, i64) {
    (stat.st_mtime as i64, stat.st_mtime_nsec as i64)
}

// === impl Directory ===

impl Directory {
    /// The directory of the project at `root` below `base`, made when it is not there.
    pub(super) fn make(base: &Path, root: &Path) -> io::Result<Self> {
        let (above, name) = (base.parent().unwrap_or(base), base.file_name().unwrap_or_default());
        if let Some(state) = above.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(state)?;
        }
        Self::below(above, name.as_ref(), root, true)
    }

    /// The same if it is there.
    pub(super) fn find(base: &Path, root: &Path) -> io::Result<Option<Self>> {
        let (above, name) = (base.parent().unwrap_or(base), base.file_name().unwrap_or_default());
        match Self::below(above, name.as_ref(), root, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    /// The directory of this name below `base`, if it is one that was made here.
    pub(super) fn named(base: &Path, name: &OsStr) -> io::Result<Option<Self>> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let number = name.as_encoded_bytes().split(|byte| *byte == b'-').next().unwrap_or_default();
        if number.len() != 8 || !number.iter().all(u8::is_ascii_hexdigit) {
            return Ok(None);
        }
        let above = rustix::fs::open(base, flags, Mode::empty())?;
        Ok(Some(Self { fd: private(&above, name.as_ref(), false)?, path: base.join(name) }))
    }

    /// Whether a file was made or removed in it at this time or later.
    pub(super) fn changed_since(&self, since: Timestamp) -> io::Result<bool> {
        Ok(is_since(modified(&rustix::fs::fstat(&self.fd)?), since))
    }

    /// Removes it, if nothing is in it.
    pub(super) fn remove_empty(&self, base: &Path) -> io::Result<()> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        let above = rustix::fs::open(base, flags, Mode::empty())?;
        let name = self.path.file_name().unwrap_or_default();
        Ok(rustix::fs::unlinkat(&above, name, AtFlags::REMOVEDIR)?)
    }

    /// `STATE/brummer/history/PROJECT`: each of the last three is the user's own and no symbolic link.
    fn below(own: &Path, histories: &Path, root: &Path, make: bool) -> io::Result<Self> {
        let state = own.parent().unwrap_or(own);
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let mut fd = rustix::fs::open(state, flags, Mode::empty())?;
        let mut path = state.to_owned();
        let project = directory_name(root);
        for name in [own.file_name().unwrap_or_default().as_ref(), histories, Path::new(&project)] {
            path.push(name);
            fd = private(&fd, name, make).map_err(|error| of(&path, &error))?;
        }
        Ok(Self { fd, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All of a file. One that grows meanwhile is read as far as it had come; where one was cut meanwhile are zeros, which
    /// begin no record. Files are large: their memory goes back to the system with them.
    pub(super) fn read(&self, name: &FileName) -> io::Result<Segment> {
        let mut file = self.open(name)?;
        let length = file.metadata()?.len().min(LARGEST);
        let mut bytes = Segment::new(usize::try_from(length).unwrap_or_default());
        let mut at = 0;
        while at < bytes.len() {
            match file.read(&mut bytes[at..]) {
                Ok(0) => break,
                Ok(count) => at += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
    }

    fn open(&self, name: &FileName) -> io::Result<File> {
        // NONBLOCK because opening a pipe that somebody put there would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(rustix::fs::openat(&self.fd, name.to_string(), flags, Mode::empty())?.into())
    }

    fn stored(&self, name: FileName) -> Option<Stored> {
        let stat = rustix::fs::statat(&self.fd, name.to_string(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let own = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_uid == rustix::process::geteuid().as_raw();
        let modified = modified(&stat);
        let bytes = u64::try_from(stat.st_size).unwrap_or_default();
        own.then_some(Stored { name, bytes, modified, live: false })
    }

    /// Whether somebody writes it.
    fn is_live(&self, name: &FileName) -> bool {
        self.open(name).is_ok_and(|file| {
            matches!(rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared), Err(Errno::WOULDBLOCK))
        })
    }
}

impl Disk for Directory {
    fn create(&self, name: &FileName) -> io::Result<Box<dyn Sink>> {
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::CREATE
            | OFlags::EXCL
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC;
        let failed = |error: Errno| of(&self.path.join(name.to_string()), &error.into());
        let file =
            rustix::fs::openat(&self.fd, name.to_string(), flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        // Without, it looks as if nobody wrote it; see above. Whoever tries whether it is held lets go at once.
        rustix::fs::flock(&file, FlockOperation::LockExclusive).ok();
        Ok(Box::new(File::from(file)))
    }

    fn files(&self) -> io::Result<Vec<Stored>> {
        let entries = Dir::read_from(&self.fd)?.flatten().take(MAX_FILES);
        let names = entries.filter_map(|entry| FileName::parse(entry.file_name().to_str().ok()?));
        let mut files: Vec<_> = names.filter_map(|name| self.stored(name)).collect();
        files.sort_by_key(|file| file.name);
        // Only the last of a session can be written.
        for at in 0..files.len() {
            let last = files.get(at + 1).is_none_or(|next| !next.name.is_of(&files[at].name));
            files[at].live = last && self.is_live(&files[at].name);
        }
        Ok(files)
    }

    fn remove(&self, name: &FileName) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.fd, name.to_string(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(of(&self.path.join(name.to_string()), &error.into())),
        }
    }

    fn alone(&self) -> Option<File> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let held = rustix::fs::openat(&self.fd, ".", flags, Mode::empty()).ok()?;
        rustix::fs::flock(&held, FlockOperation::LockExclusive).ok()?;
        Some(held.into())
    }
}

impl Sink for File {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
}

/// A directory of the user's, closed to others if it was not.
fn private(above: &OwnedFd, name: &Path, make: bool) -> io::Result<OwnedFd> {
    if make {
        match rustix::fs::mkdirat(above, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(above, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP | Errno::NOTDIR => io::Error::new(io::ErrorKind::NotADirectory, "not a directory"),
        error => error.into(),
    })?;
    let stat = rustix::fs::fstat(&dir)?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "belongs to another user"));
    }
    if Mode::from_raw_mode(stat.st_mode).intersects(Mode::RWXG | Mode::RWXO) && make {
        rustix::fs::fchmod(&dir, Mode::RWXU)?;
    }
    Ok(dir)
}

/// The error with what it is about.
fn of(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
