//! The channel's descriptors, moved away from 0 and 1 before anything else runs.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream as StdUnixStream,
    },
};

use rustix::fs::FileType;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{UnixStream, unix::pipe},
};

/// The lowest number a moved descriptor may get.
const FIRST: i32 = 3;

/// The two ends of the channel.
#[derive(Debug)]
pub struct Stdio {
    input: OwnedFd,
    output: OwnedFd,
}

pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

// === impl Stdio ===

impl Stdio {
    /// Takes descriptors 0 and 1. Afterwards 0 reads nothing and 1 is 2, so that nothing printed by accident
    /// can break the channel, and no child can inherit it.
    pub fn take() -> io::Result<Self> {
        let input = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), FIRST)?;
        let output = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), FIRST)?;
        rustix::stdio::dup2_stdin(File::open("/dev/null")?.as_fd())?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        Ok(Self { input, output })
    }

    /// Neovim gives sockets; a pipe works as well. Must be called inside a runtime.
    pub(super) fn open(self) -> io::Result<(Reader, Writer)> {
        let reader: Reader = match kind(&self.input)? {
            FileType::Socket => Box::new(socket(self.input)?),
            FileType::Fifo => Box::new(pipe::Receiver::from_owned_fd(self.input)?),
            _ => {
                return Err(io::Error::other(
                    "standard input is neither a socket nor a pipe: this is for an editor to start",
                ));
            }
        };
        let writer: Writer = match kind(&self.output)? {
            FileType::Socket => Box::new(socket(self.output)?),
            FileType::Fifo => Box::new(pipe::Sender::from_owned_fd(self.output)?),
            _ => {
                return Err(io::Error::other(
                    "standard output is neither a socket nor a pipe: this is for an editor to start",
                ));
            }
        };
        Ok((reader, writer))
    }
}

fn kind(descriptor: &OwnedFd) -> io::Result<FileType> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(descriptor)?.st_mode))
}

fn socket(descriptor: OwnedFd) -> io::Result<UnixStream> {
    let socket = StdUnixStream::from(descriptor);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}
