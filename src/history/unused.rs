//! Histories of projects that nobody has used for long: removed when a host starts. Blocks.

use std::{io, path::Path};

use super::place::{Directory, Disk};
use crate::event::Timestamp;

/// More projects than this are not looked at.
const MAX: usize = 100_000;

/// Removes the files of each project whose newest one was written before this, unless a host writes one of them. The
/// directory stays until it has been empty for as long, so that it is taken from nobody who has just opened it. What cannot
/// be looked at or removed is left alone. Returns how many files went.
pub(super) fn remove(base: &Path, before: Timestamp) -> io::Result<u64> {
    let mut removed = 0;
    for project in base.read_dir()?.flatten().take(MAX) {
        if let Ok(Some(directory)) = Directory::named(base, &project.file_name()) {
            removed += remove_of(&directory, base, before).unwrap_or(0);
        }
    }
    Ok(removed)
}

fn remove_of(directory: &Directory, base: &Path, before: Timestamp) -> io::Result<u64> {
    let _alone = directory.alone();
    let files = directory.files()?;
    if files.is_empty() && !directory.changed_since(before)? {
        // One with other files in it stays.
        return directory.remove_empty(base).map(|()| 0);
    }
    if files.iter().any(|file| file.live || file.may_hold(before)) {
        return Ok(0);
    }
    let mut removed = 0;
    for file in files {
        directory.remove(&file.name)?;
        removed += 1;
    }
    Ok(removed)
}
