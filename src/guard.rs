//! `brummer guard`: the small program that owns one process tree and outlives the host long enough to end it.
//!
//! *Flows in:* [`Order`]s on its standard input, one end of a socket pair; the first is [`Order::Start`] and brings the
//! descriptors of the child with it. *Flows out:* [`News`]. Its standard output and error are the script's, and it gives them up as
//! soon as the script has them. *Bounded:* one tree for each guard; a message by [`message::MAX_FRAME`]. *Lost:* nothing; when the
//! host's end closes, in whatever way, the tree is ended with the script's own signal and grace, and what it prints meanwhile
//! is read and thrown away, so that it can end in good order.
//!
//! A guard is a sub-reaper: whatever the tree starts comes back to it, also what has left its group and its session, so
//! "nothing is left" is exact: the guard has no child. It is one thread that never allocates much, and everything that is
//! `unsafe` in the program is in its `sys.rs`. It runs before anything else of the program: no logging, no runtime.
//!
//! Linux only: that a tree cannot escape, and that the leader dies with a guard that was killed. Elsewhere a guard ends the
//! process group and what it finds by parent.

mod asking;
mod bytes;
mod channel;
mod child;
mod ending;
mod message;
mod processes;
mod record;
mod serve;
mod sys;
use std::{ffi::OsStr, path::PathBuf, process::ExitCode, sync::OnceLock};

pub use self::{
    message::{News, Order, Reader, Start, Step},
    processes::{Process, children, descendants, find, group, part, signal},
};

#[cfg(target_os = "linux")]
pub use self::processes::{child_ids, has_child_lists, read_proc};

/// What a guard calls itself: in `ps`, and as its argument 0.
pub const NAME: &str = "brummer-guard";

/// The argument by which the program knows that it is to be a guard.
pub const ARGUMENT: &str = "guard";

/// Carries out the program as a guard if it was started as one: to be called before anything else.
pub fn main_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let (name, first) = (arguments.next()?, arguments.next()?);
    (name == OsStr::new(NAME) && first == OsStr::new(ARGUMENT)).then(|| ExitCode::from(serve::run()))
}

/// Another program that can be a guard, for one whose `main` cannot: a test.
static OTHER: OnceLock<PathBuf> = OnceLock::new();

/// Starts guards from this file from now on. The first one said holds.
pub fn use_program(path: impl Into<PathBuf>) {
    OTHER.get_or_init(|| path.into());
}

/// The program that is started as a guard: the very one that runs, also when its file has been replaced.
pub fn program() -> PathBuf {
    if let Some(other) = OTHER.get() {
        return other.clone();
    }
    let own = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") { own } else { std::env::current_exe().unwrap_or(own) }
}
