//! JSON objects, one per line, over a socket, and whose user is at the other end.

use std::{io, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

/// How long the other end may take to take one message.
const TAKEN: Duration = Duration::from_secs(30);

/// Reads messages, each of at most so many bytes.
pub(super) struct Lines<R> {
    from: BufReader<R>,
    limit: usize,
    line: Vec<u8>,
}

// === impl Lines ===

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(from: R, limit: usize) -> Self {
        Self { from: BufReader::new(from), limit, line: Vec::new() }
    }

    /// The next message; `None` at the end. Cancel safe: what has come of a message is kept.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            let block = self.from.fill_buf().await?;
            if block.is_empty() {
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', block);
            let part = &block[..end.unwrap_or(block.len())];
            if self.line.len() + part.len() > self.limit {
                return Err(io::Error::other("a message is too long"));
            }
            self.line.extend_from_slice(part);
            let used = part.len() + usize::from(end.is_some());
            self.from.consume(used);
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                return Ok(Some(serde_json::from_slice(&line)?));
            }
        }
    }
}

/// Sends a message. Waits for the other end for a bounded time.
pub(super) async fn send(to: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    timeout(TAKEN, to.write_all(&line)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Whether the program at the other end is this user's.
pub(super) fn is_ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}
