//! One file per run, so that what a host started can be found by the next one: written by the host once the program runs,
//! removed by the run's guard when its tree is empty, and by the host when that guard was lost.
//!
//! The directory is the user's alone: nothing in it, and no directory on the way to it that somebody else could write, is
//! followed as a symbolic link. *Bounded:* files looked at, and bytes of a file. *Lost:* nothing that is running: without
//! a record a tree is still ended by its guard, and only a crash of host and guard at once leaves it unfound.

mod claim;
mod directory;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{fs::MetadataExt, net::UnixStream},
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags, Timespec, Timestamps},
    io::Errno,
};

pub(super) use self::claim::Claim;
pub use self::claim::Claims;
use self::directory::private;
use super::{
    identity::{Identity, Machine},
    tree,
};
use crate::event::{ProcessInfo, Timestamp};

/// Changes when an older host could not read a record.
const VERSION: u32 = 1;

/// No record is near this size.
const MAX_BYTES: u64 = 64 << 10;

/// How long writing a record may take, in seconds.
const HALF_WRITTEN: i64 = 60;

/// How the names of sockets end.
const SOCKET: &str = ".sock";

/// More files than this are not looked at.
const MAX_FILES: usize = 4096;

/// What is known of one run.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    /// The value of `BRUMMER_RUN` in everything it started; also the name of the file.
    pub(super) mark: String,
    /// The project.
    pub(super) root: String,
    /// How users call the script.
    pub(super) name: String,
    pub(super) host: Identity,
    /// The Neovim that host serves.
    pub(super) editor: Option<Identity>,
    pub(super) guard: Identity,
    pub(super) leader: Identity,
    /// When it started, which is also the file's time until the tree is asked to end: from then on that is the file's.
    pub(super) at: Timestamp,
    /// The signal that asks it to end.
    pub(super) signal: i32,
    /// What it gets to end by itself, in milliseconds.
    pub(super) grace: u64,
    /// It may outlive its host.
    pub(super) detach: bool,
    /// Programs that may outlive it.
    pub(super) leave: Vec<String>,
    pub(super) machine: Machine,
}

/// A record as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) record: Record,
    /// When its tree was asked to end, if it was.
    pub(super) stopped: Option<Timestamp>,
}

/// The directory. Clones are one and the same.
#[derive(Clone, Debug)]
pub struct Records(Arc<Place>);

#[derive(Debug)]
struct Place {
    /// The user's own directory; where hosts listen, too.
    base: PathBuf,
    runs: OwnedFd,
    /// This host.
    own: Identity,
    editor: Option<Identity>,
    machine: Machine,
}

/// Why there are no records. Worded for the user.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}: what outlives a crash will not be found", .path.display())]
pub struct NoRecords {
    path: PathBuf,
    why: String,
}

// === impl Record ===

impl Record {
    /// The file of a run.
    fn file(mark: &str) -> String {
        format!("{mark}.json")
    }

    fn read(file: File, mark: &str) -> Result<Found, String> {
        let meta = file.metadata().map_err(|error| error.to_string())?;
        if !meta.is_file() || meta.uid() != own_user() {
            return Err("not a file of this user".to_owned());
        }
        let mut text = Vec::new();
        let read = file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
        if read as u64 > MAX_BYTES {
            return Err("too long for a record".to_owned());
        }
        let record: Self = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        if record.version != VERSION {
            return Err(format!("of version {}, not {VERSION}", record.version));
        }
        if record.mark != mark {
            return Err("the record of another run".to_owned());
        }
        let time = u64::try_from(meta.mtime()).unwrap_or_default() * 1000
            + u64::try_from(meta.mtime_nsec()).unwrap_or_default() / 1_000_000;
        let stopped = (time != record.at.0).then_some(Timestamp(time));
        Ok(Found { record, stopped })
    }
}

// === impl Records ===

impl Records {
    /// Those of this user: in `$XDG_RUNTIME_DIR/brummer`, or in `/tmp/brummer-UID` without one.
    ///
    /// # Errors
    /// The directory cannot be made, or is not the user's alone.
    pub fn open() -> Result<Self, NoRecords> {
        let user = own_user();
        let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let usable = |dir: &PathBuf| {
            dir.is_absolute() && dir.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == user)
        };
        match given.filter(usable) {
            Some(dir) => Self::within(&dir, "brummer"),
            None => Self::within(Path::new("/tmp"), &format!("brummer-{user}")),
        }
    }

    /// Those in a directory of this name, which is made when it is not there.
    fn within(parent: &Path, name: &str) -> Result<Self, NoRecords> {
        let base = parent.join(name);
        let failed = |path: &Path, why: String| NoRecords { path: path.to_owned(), why };
        let directory = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let above = rustix::fs::open(parent, directory, Mode::empty())
            .map_err(|error| failed(parent, error.to_string()))?;
        let own = private(&above, name).map_err(|why| failed(&base, why))?;
        let runs = private(&own, "runs").map_err(|why| failed(&base.join("runs"), why))?;
        let (own, editor, machine) = (Identity::own(), None, Machine::here());
        Ok(Self(Arc::new(Place { base, runs, own, editor, machine })))
    }

    /// The same for a host that serves an editor: the process that started it. When that is gone, the host is about to be.
    #[must_use]
    pub fn of_editor(self) -> Self {
        let Self(place) = self;
        let place = Arc::try_unwrap(place).map(|place| Place { editor: Identity::parent(), ..place });
        Self(place.map_or_else(|shared| shared, Arc::new))
    }

    /// The user's own directory.
    pub fn base(&self) -> &Path {
        &self.0.base
    }

    /// This host.
    pub fn own(&self) -> Identity {
        self.0.own
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.0.machine
    }

    /// The file of a run, for its guard to remove.
    pub(super) fn path(&self, mark: &str) -> PathBuf {
        self.0.base.join("runs").join(Record::file(mark))
    }

    /// The record of a run of this host. `grace` is what a tree gets where its script does not say.
    pub(super) fn of_run(
        &self,
        mark: String,
        info: &ProcessInfo,
        grace: Duration,
        (guard, leader): (u32, u32),
        at: Timestamp,
    ) -> Record {
        // One that has ended already is known by its number alone, which then means nobody.
        let identity = |pid| Identity::of(pid).unwrap_or(Identity { pid, start: 0 });
        let options = &info.options;
        let grace = options.stop_grace.unwrap_or(grace).as_millis();
        Record {
            root: info.root.to_string_lossy().into_owned(),
            name: info.label(),
            guard: identity(guard),
            leader: identity(leader),
            at,
            signal: tree::number(options.stop_signal),
            grace: u64::try_from(grace).unwrap_or(u64::MAX),
            detach: options.detach,
            leave: options.leave.clone(),
            ..self.blank(mark)
        }
    }

    /// The part of a record that is the same for all runs of this host.
    pub(super) fn blank(&self, mark: String) -> Record {
        let Place { own, editor, machine, .. } = &*self.0;
        Record {
            version: VERSION,
            mark,
            root: String::new(),
            name: String::new(),
            host: *own,
            editor: *editor,
            guard: *own,
            leader: *own,
            at: Timestamp::now(),
            signal: rustix::process::Signal::TERM.as_raw(),
            grace: 0,
            detach: false,
            leave: Vec::new(),
            machine: machine.clone(),
        }
    }

    /// Writes a record: all of it or nothing, readable by the user alone.
    pub(super) fn write(&self, record: &Record) -> io::Result<()> {
        let text = serde_json::to_vec(record)?;
        let (part, whole) = (format!("{}.part", record.mark), Record::file(&record.mark));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let runs = &self.0.runs;
        let file = rustix::fs::openat(runs, &part, flags, Mode::RUSR | Mode::WUSR)?;
        let written = self.fill(file.into(), &text, record.at).and_then(|()| {
            rustix::fs::renameat(runs, &part, runs, &whole)?;
            Ok(())
        });
        if written.is_err() {
            self.unlink(&part);
        }
        written
    }

    fn fill(&self, mut file: File, text: &[u8], at: Timestamp) -> io::Result<()> {
        file.write_all(text)?;
        let time = Timespec {
            tv_sec: i64::try_from(at.0 / 1000).unwrap_or_default(),
            tv_nsec: (at.0 % 1000 * 1_000_000).try_into().unwrap_or_default(),
        };
        rustix::fs::futimens(&file, &Timestamps { last_access: time, last_modification: time })?;
        Ok(())
    }

    /// Removes the record of a run; again is the same as once.
    pub(super) fn remove(&self, mark: &str) {
        self.unlink(&Record::file(mark));
    }

    /// The records of other hosts, and of what could not be read why.
    pub(super) fn of_others(&self) -> (Vec<Found>, Vec<String>) {
        let own = format!("{}-{}-", self.0.own.pid, self.0.own.start);
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        for name in self.names() {
            if name.starts_with(&own) {
                continue;
            }
            let Some(mark) = name.strip_suffix(".json") else {
                self.sweep(&name);
                continue;
            };
            match self.read(mark) {
                Ok(Some(record)) => found.push(record),
                Ok(None) => {}
                Err(why) => unreadable.push(format!("{}: {why}", self.path(mark).display())),
            }
        }
        (found, unreadable)
    }

    /// One record; `None` when it is gone.
    pub(super) fn read(&self, mark: &str) -> Result<Option<Found>, String> {
        // NONBLOCK because opening a pipe that somebody put there would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match rustix::fs::openat(&self.0.runs, Record::file(mark), flags, Mode::empty()) {
            Ok(file) => Record::read(file.into(), mark).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP) => Err("a symbolic link".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn names(&self) -> Vec<String> {
        let Ok(dir) = Dir::read_from(&self.0.runs) else { return Vec::new() };
        let names = dir.flatten().filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
        names.filter(|name| !name.starts_with('.')).take(MAX_FILES).collect()
    }

    /// Removes what a host left half written when it died. It may be one whose number means nothing here, so the file's age
    /// counts.
    fn sweep(&self, name: &str) {
        let Some(mark) = name.strip_suffix(".part") else { return };
        let stat = rustix::fs::statat(&self.0.runs, name, AtFlags::SYMLINK_NOFOLLOW);
        let now = i64::try_from(Timestamp::now().0 / 1000).unwrap_or_default();
        let old = stat.is_ok_and(|stat| now.saturating_sub(stat.st_mtime) > HALF_WRITTEN);
        if old && host_of(mark).is_some_and(|host| !host.lives()) {
            self.unlink(name);
        }
    }

    /// Where a host listens for others.
    pub fn socket(&self, host: Identity) -> PathBuf {
        self.0.base.join(format!("{}-{}{SOCKET}", host.pid, host.start))
    }

    /// Removes sockets on which nobody listens any more.
    pub(super) fn sweep_sockets(&self) {
        let is_socket = |name: &str| name.strip_suffix(SOCKET).map(|host| format!("{host}-0"));
        for entry in std::fs::read_dir(&self.0.base).into_iter().flatten().flatten().take(MAX_FILES) {
            let host = entry.file_name().to_str().and_then(is_socket).and_then(|mark| host_of(&mark));
            let gone = host.is_some_and(|host| !host.lives())
                && UnixStream::connect(entry.path())
                    .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
            if gone {
                std::fs::remove_file(entry.path()).ok();
            }
        }
    }

    fn unlink(&self, name: &str) {
        if let Err(error) = rustix::fs::unlinkat(&self.0.runs, name, AtFlags::empty())
            && error != Errno::NOENT
        {
            tracing::warn!(%error, name, "A record could not be removed.");
        }
    }

    #[cfg(test)]
    pub(crate) fn for_test(dir: &Path, own: Identity) -> Self {
        let Self(place) = Self::within(dir, "brummer").expect("it can be made");
        let place = Arc::into_inner(place).expect("nobody else has it");
        Self(Arc::new(Place { own, ..place }))
    }
}

/// The host that gave a mark (`HOSTPID-HOSTSTART-RUN`).
pub(super) fn host_of(mark: &str) -> Option<Identity> {
    let mut parts = mark.split('-');
    let host = Identity { pid: parts.next()?.parse().ok()?, start: parts.next()?.parse().ok()? };
    parts.next()?.parse::<u64>().ok().map(|_| host)
}

pub(super) fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}
