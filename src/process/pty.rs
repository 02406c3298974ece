//! A pseudoterminal: its two ends, its size, and reading and writing the host's end.
//!
//! Made in the host, so that no program is needed between; the guard makes the child's end the controlling terminal of
//! the child's session, which is what sends SIGWINCH and Ctrl-C where they belong.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{Mode, OFlags},
    pty::OpenptFlags,
    termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Winsize},
};
use tokio::net::unix::pipe;

/// Columns and rows of a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Characters in a row.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// What a terminal sends for the end of file where its settings cannot be asked: Ctrl-D.
pub(super) const CTRL_D: u8 = 4;

/// The host's end. Closing the last one hangs the terminal up.
///
/// No pipe, but used as two: the runtime asks of them only that they can be waited for.
#[derive(Debug)]
pub(super) struct Master {
    read: pipe::Receiver,
    write: pipe::Sender,
}

// === impl Size ===

impl Default for Size {
    /// What a terminal has that nobody looks at.
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}

impl From<Size> for Winsize {
    fn from(Size { cols, rows }: Size) -> Self {
        Self { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 }
    }
}

// === impl Master ===

impl Master {
    /// A new terminal: the host's end, and the child's.
    ///
    /// # Errors
    /// The system's: it has a limit of terminals, and of files.
    pub(super) fn open(size: Size) -> io::Result<(Self, OwnedFd)> {
        let master = rustix::pty::openpt(flags())?;
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        // Without NOCTTY it could become the host's own controlling terminal.
        let slave = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        rustix::termios::tcsetwinsize(&master, size.into())?;
        let mut modes = rustix::termios::tcgetattr(&slave)?;
        // So that erasing takes a whole character.
        modes.input_modes |= InputModes::IUTF8;
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &modes)?;
        let blocking = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, blocking | OFlags::NONBLOCK)?;
        let read = pipe::Receiver::from_owned_fd_unchecked(rustix::io::fcntl_dupfd_cloexec(&master, 0)?)?;
        Ok((Self { read, write: pipe::Sender::from_owned_fd_unchecked(master)? }, slave))
    }

    /// Gives it another size. The kernel sends SIGWINCH to the programs in its foreground when that is news.
    pub(super) fn resize(&self, size: Size) -> io::Result<()> {
        Ok(rustix::termios::tcsetwinsize(self, size.into())?)
    }

    /// Whether a program reads single keys instead of lines. False where the system does not tell.
    pub(super) fn is_raw(&self) -> bool {
        let modes = rustix::termios::tcgetattr(self);
        modes.is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON))
    }

    /// The byte that is the end of file at the start of a line.
    pub(super) fn end_of_file(&self) -> u8 {
        let modes = rustix::termios::tcgetattr(self);
        modes.map_or(CTRL_D, |modes| modes.special_codes[SpecialCodeIndex::VEOF])
    }

    /// Writes what there is room for, once there is any. Cancel safe.
    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.write.writable().await?;
            match self.write.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return written,
            }
        }
    }

    /// Appends what has been printed, once there is something, as far as there is room without growing: a terminal gives no
    /// more than a page at a time, so it is asked until it has no more. Once the child's end is closed everywhere there is no
    /// more: the kernel calls that an I/O error, here it is the end. Cancel safe.
    pub(super) async fn read(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let before = buffer.len();
        while buffer.len() < buffer.capacity() {
            let read = match self.read.try_read_buf(buffer) {
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Ok(0),
                read => read,
            };
            match read {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && buffer.len() == before => {
                    self.read.readable().await?;
                }
                // The end, or what is wrong, is told by the next read again.
                Ok(0) | Err(_) if buffer.len() > before => break,
                read => return read,
            }
        }
        Ok(buffer.len() - before)
    }
}

impl AsFd for Master {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.write.as_fd()
    }
}

#[cfg(target_os = "linux")]
fn flags() -> OpenptFlags {
    OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC
}

/// Close-on-exec comes a moment later here; what is started in that moment is a guard, which closes what it does not know.
#[cfg(not(target_os = "linux"))]
fn flags() -> OpenptFlags {
    OpenptFlags::RDWR | OpenptFlags::NOCTTY
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::{fs::File, io::Write};

    use super::*;

    #[tokio::test]
    async fn what_the_childs_end_prints_is_read_and_its_close_is_the_end() {
        let (master, slave) = Master::open(Size { cols: 91, rows: 33 }).expect("a terminal");
        let size = rustix::termios::tcgetwinsize(&slave).expect("its size");
        assert_eq!((size.ws_col, size.ws_row), (91, 33));
        let mut slave = File::from(slave);
        slave.write_all(b"one\ntwo").expect("room");
        drop(slave);
        let mut read = Vec::with_capacity(64);
        while master.read(&mut read).await.expect("no error at the end") > 0 {}
        assert_eq!(read, b"one\r\ntwo");
    }

    #[tokio::test]
    async fn lines_and_keys_are_told_apart_and_the_size_follows() {
        let (master, slave) = Master::open(Size::default()).expect("a terminal");
        assert!(!master.is_raw());
        let mut modes = rustix::termios::tcgetattr(&slave).expect("modes");
        modes.special_codes[SpecialCodeIndex::VEOF] = b'!';
        modes.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &modes).expect("raw");
        assert!(master.is_raw());
        assert_eq!(master.end_of_file(), b'!', "as it is set");
        master.resize(Size { cols: 132, rows: 50 }).expect("another size");
        let size = rustix::termios::tcgetwinsize(&slave).expect("its size");
        assert_eq!((size.ws_col, size.ws_row), (132, 50));
    }
}
