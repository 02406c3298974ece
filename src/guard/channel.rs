//! The guard's end of the socket to its host.

use std::{
    io::IoSliceMut,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    cmsg_space,
    io::Errno,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send},
};

use super::message::{Malformed, News, Order, Reader};

/// The most descriptors that come with a start: input, and two pipes to read when the host is gone.
pub(super) const DESCRIPTORS: usize = 3;

/// See the module.
pub(super) struct Channel {
    socket: OwnedFd,
    reader: Reader,
    /// Those that came so far.
    descriptors: Vec<OwnedFd>,
}

/// What came of a look at the socket.
pub(super) enum Received {
    /// Something, or nothing yet.
    Some,
    /// The host's end is closed, or what it says makes no sense: there is no host any more.
    Closed,
}

// === impl Channel ===

impl Channel {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self { socket, reader: Reader::default(), descriptors: Vec::new() }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Waits for bytes and takes them.
    pub(super) fn receive(&mut self) -> Received {
        let mut block = [0; 4096];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        #[cfg(target_os = "linux")]
        let flags = RecvFlags::CMSG_CLOEXEC;
        #[cfg(not(target_os = "linux"))]
        let flags = RecvFlags::empty();
        match recvmsg(&self.socket, &mut [IoSliceMut::new(&mut block)], &mut control, flags) {
            Ok(received) => {
                for message in control.drain() {
                    if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                        self.descriptors.extend(descriptors);
                    }
                }
                for descriptor in &self.descriptors {
                    // Where it cannot be had with the message.
                    rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC).ok();
                }
                if received.bytes == 0 {
                    return Received::Closed;
                }
                self.reader.push(&block[..received.bytes]);
                Received::Some
            }
            Err(Errno::INTR | Errno::AGAIN) => Received::Some,
            Err(_) => Received::Closed,
        }
    }

    /// The next order that has come whole.
    ///
    /// # Errors
    /// There will be none.
    pub(super) fn order(&mut self) -> Result<Option<Order>, Malformed> {
        self.reader.order()
    }

    /// The descriptors that came with the start.
    pub(super) fn descriptors(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.descriptors)
    }

    /// Says something. A host that is gone is noticed when its end is read.
    pub(super) fn say(&self, news: &News) {
        let frame = news.encode();
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match send(&self.socket, rest, SendFlags::empty()) {
                Ok(sent) => rest = &rest[sent..],
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}
