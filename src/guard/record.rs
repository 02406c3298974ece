//! What a guard does with the record of its run, which its host wrote.

use std::{fs, os::unix::ffi::OsStrExt, path::Path};

use rustix::{
    event::Timespec,
    fs::{AtFlags, CWD, Timestamps, UTIME_NOW},
};

use super::message::Start;

/// Tells other hosts since when the tree is being ended: by the time of its record.
pub(super) fn touch(start: &Start) {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    let path = Path::new(std::ffi::OsStr::from_bytes(&start.record));
    // None, or removed, which is as good.
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).ok();
}

/// Nothing is left of the tree.
pub(super) fn remove(start: &Start) {
    if !start.record.is_empty() {
        // It may have been removed, which is as good.
        fs::remove_file(Path::new(std::ffi::OsStr::from_bytes(&start.record))).ok();
    }
}
