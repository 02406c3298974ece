//! Directories that nobody else can look into.

use std::os::fd::OwnedFd;

use rustix::{
    fs::{FileType, Mode, OFlags},
    io::Errno,
};

use super::own_user;

/// A directory that only this user can look into or write.
pub(super) fn private(above: &OwnedFd, name: &str) -> Result<OwnedFd, String> {
    match rustix::fs::mkdirat(above, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.to_string()),
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(above, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP | Errno::NOTDIR => "not a directory".to_owned(),
        error => error.to_string(),
    })?;
    let stat = rustix::fs::fstat(&dir).map_err(|error| error.to_string())?;
    if stat.st_uid != own_user() {
        return Err("belongs to another user".to_owned());
    }
    let mode = Mode::from_raw_mode(stat.st_mode);
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory
        || mode.intersects(Mode::RWXG | Mode::RWXO)
    {
        return Err("is open to other users (chmod 700 closes it)".to_owned());
    }
    Ok(dir)
}
