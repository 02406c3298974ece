//! Which tree listens on which TCP port. The kernel is asked for listening sockets alone (sock_diag(7)), because reading
//! `/proc/net/tcp` takes it milliseconds; and the open files of the trees are looked through only when there is a listener
//! that was not there before.

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    sync::Once,
};

use rustix::{
    fd::OwnedFd,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
        sockopt::{Timeout, set_socket_timeout},
    },
};

use crate::event::ProcessId;

/// So often a listener is looked for in the trees before it counts as somebody else's: it may belong to one that has
/// just been started.
const LOOKS: u8 = 3;

/// `SOCK_DIAG_BY_FAMILY`, as request and as answer.
const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const REQUEST_ALL: u16 = 0x301;
const TCP: u8 = 6;
/// The bit of `TCP_LISTEN`.
const LISTENING: u32 = 1 << 10;
/// Sizes of a message's header, of a request with it, and of an answer without.
const HEADER: usize = 16;
const QUESTION: usize = 72;
const ANSWER: usize = 72;

/// A listening socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Listener {
    /// The number of its file.
    pub(super) socket: u64,
    pub(super) port: u16,
    /// Who made it.
    pub(super) user: u32,
}

/// Whose listeners are whose, as far as was seen.
#[derive(Default)]
pub(super) struct Ports {
    owners: HashMap<u64, Owner>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owner {
    /// Looked for so often, without success.
    Sought(u8),
    Process(ProcessId),
}

// === impl Ports ===

impl Ports {
    /// Sorts the listeners by the trees they are in.
    pub(super) fn look(
        &mut self,
        listeners: &[Listener],
        trees: &[(ProcessId, &[u32])],
    ) -> HashMap<ProcessId, Vec<u16>> {
        self.owners.retain(|socket, owner| {
            let ours = |process| trees.iter().any(|(tree, _)| *tree == process);
            listeners.iter().any(|listener| listener.socket == *socket)
                && !matches!(owner, Owner::Process(process) if !ours(*process))
        });
        for Listener { socket, .. } in listeners {
            self.owners.entry(*socket).or_insert(Owner::Sought(0));
        }
        if self.owners.values().any(|owner| matches!(owner, Owner::Sought(times) if *times < LOOKS)) {
            for (process, members) in trees {
                members.iter().flat_map(|pid| sockets(*pid)).for_each(|socket| {
                    if let Some(owner) = self.owners.get_mut(&socket) {
                        *owner = Owner::Process(*process);
                    }
                });
            }
            for owner in self.owners.values_mut() {
                if let Owner::Sought(times) = owner {
                    *times = times.saturating_add(1);
                }
            }
        }
        let mut ports: HashMap<ProcessId, BTreeSet<u16>> = HashMap::new();
        for Listener { socket, port, .. } in listeners {
            if let Some(Owner::Process(process)) = self.owners.get(socket) {
                ports.entry(*process).or_default().insert(*port);
            }
        }
        ports.into_iter().map(|(process, ports)| (process, ports.into_iter().collect())).collect()
    }
}

/// The sockets a process has open; none of one that belongs to another user.
pub(super) fn sockets(pid: u32) -> impl Iterator<Item = u64> {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| {
        let target = fs::read_link(file.path()).ok()?;
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    })
}

/// Every TCP socket that listens, in the network this program is in. None where the kernel does not tell, which is said once.
pub(super) fn listeners() -> Vec<Listener> {
    let both = [AddressFamily::INET, AddressFamily::INET6].into_iter();
    let asked: io::Result<Vec<_>> = both.map(ask).collect();
    asked.map(|both| both.concat()).unwrap_or_else(|error| {
        static SAID: Once = Once::new();
        SAID.call_once(|| tracing::info!(%error, "The kernel does not tell who listens on which port."));
        Vec::new()
    })
}

fn ask(family: AddressFamily) -> io::Result<Vec<Listener>> {
    let socket: OwnedFd =
        socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    // The kernel answers at once; a look that hangs would be the last one.
    set_socket_timeout(&socket, Timeout::Recv, Some(std::time::Duration::from_secs(1)))?;
    send(&socket, &question(family), SendFlags::empty())?;
    let mut listeners = Vec::new();
    let mut block = vec![0; 32 << 10];
    loop {
        let (n, _) = recv(&socket, block.as_mut_slice(), RecvFlags::empty())?;
        if n == 0 || take(&block[..n], &mut listeners)? {
            return Ok(listeners);
        }
    }
}

fn question(family: AddressFamily) -> [u8; QUESTION] {
    let mut message = [0; QUESTION];
    message[0..4].copy_from_slice(&(QUESTION as u32).to_ne_bytes());
    message[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    message[6..8].copy_from_slice(&REQUEST_ALL.to_ne_bytes());
    message[HEADER] = u8::try_from(family.as_raw()).unwrap_or_default();
    message[HEADER + 1] = TCP;
    message[HEADER + 4..HEADER + 8].copy_from_slice(&LISTENING.to_ne_bytes());
    message
}

/// Takes the answers of one block; true at the last one. A message that is cut short ends it, too.
fn take(mut block: &[u8], listeners: &mut Vec<Listener>) -> io::Result<bool> {
    while block.len() >= HEADER {
        let length = u32::from_ne_bytes([block[0], block[1], block[2], block[3]]) as usize;
        let Some(body) = block.get(HEADER..length) else { return Ok(true) };
        match u16::from_ne_bytes([block[4], block[5]]) {
            DONE => return Ok(true),
            ERROR => {
                let code = body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
                return Err(io::Error::from_raw_os_error(-code));
            }
            BY_FAMILY if body.len() >= ANSWER => {
                // The port comes as it travels; user and number of the file are the last fields.
                let port = u16::from_be_bytes([body[4], body[5]]);
                let user = u32::from_ne_bytes([body[64], body[65], body[66], body[67]]);
                let socket = u32::from_ne_bytes([body[68], body[69], body[70], body[71]]).into();
                listeners.push(Listener { socket, port, user });
            }
            _ => {}
        }
        block = block.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const OURS: ProcessId = ProcessId(1);

    #[test]
    fn the_ports_of_a_process_are_those_it_listens_on() {
        let four = TcpListener::bind("127.0.0.1:0").expect("a port");
        let six = TcpListener::bind("[::1]:0");
        let mut wanted: Vec<u16> = [Some(&four), six.as_ref().ok()].into_iter().flatten().map(port).collect();
        wanted.sort_unstable();
        let all = listeners();
        let user = rustix::process::geteuid().as_raw();
        assert!(all.iter().any(|listener| (listener.port, listener.user) == (port(&four), user)), "{all:?}");
        let own = [std::process::id()];
        let mut ports = Ports::default();
        let found = ports.look(&listeners(), &[(OURS, &own)]);
        // Other tests of this program listen, too.
        let found = &found[&OURS];
        assert!(wanted.iter().all(|port| found.contains(port)), "{wanted:?} in {found:?}");
        let gone = port(&four);
        drop(four);
        let found = ports.look(&listeners(), &[(OURS, &own)]);
        assert!(!found.get(&OURS).is_some_and(|found| found.contains(&gone)));
    }

    fn port(listener: &TcpListener) -> u16 {
        listener.local_addr().expect("bound").port()
    }

    #[test]
    fn somebody_elses_listener_is_sought_only_so_often() {
        let mut ports = Ports::default();
        let foreign = [Listener { socket: u64::MAX, port: 80, user: 0 }];
        for _ in 0..=LOOKS {
            assert_eq!(ports.look(&foreign, &[(OURS, &[])]), HashMap::new());
        }
        assert_eq!(ports.owners[&u64::MAX], Owner::Sought(LOOKS));
        ports.look(&[], &[]);
        assert!(ports.owners.is_empty(), "it is forgotten when it is gone");
    }

    #[test]
    fn a_broken_answer_ends_the_reading() {
        let mut found = Vec::new();
        assert!(take(&[200, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &mut found).expect("no error"));
        assert!(take(&[0; 16], &mut found).expect("no error"), "a length of nothing");
        let error = [20, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255];
        assert_eq!(take(&error, &mut found).expect_err("an error").raw_os_error(), Some(1));
        assert_eq!(found, []);
    }
}
