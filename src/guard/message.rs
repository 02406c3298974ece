//! What host and guard say to each other, as bytes. Pure.
//!
//! A frame is its length (4 bytes, little-endian, itself not counted), a tag, and fields: numbers little-endian, texts and
//! lists with their length before them. Both ends are one program, so there is no version.

use std::time::Duration;

use super::bytes::{In, Out};
use crate::event::{Exit, Survivor};

/// What a frame may have, in bytes: a command line is shorter (execve(2) takes 2 MiB by default).
pub(super) const MAX_FRAME: usize = 16 << 20;

/// From the host to the guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// The first one, and only once.
    Start(Box<Start>),
    /// Asks the tree to end, and kills what is left of it after the grace. Again: only sooner.
    Stop {
        /// The signal that asks.
        signal: i32,
        /// What the tree gets to end by itself.
        grace: Duration,
    },
    /// Kills at once.
    Kill,
}

/// What is to be started and how it is ended. Descriptors travel beside it: the child's standard input or its terminal,
/// then what the guard reads when the host is gone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Start {
    /// Program and arguments. A program without a slash is looked for on the child's `PATH`.
    pub argv: Vec<Vec<u8>>,
    /// Added to the guard's own environment.
    pub env: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where it runs.
    pub cwd: Vec<u8>,
    /// The signal that asks it to end when the host is gone.
    pub signal: i32,
    /// The grace it gets then.
    pub grace: Duration,
    /// The descriptor is a terminal: it becomes the controlling one of a session of its own.
    pub terminal: bool,
    /// The tree lives on when the host is gone.
    pub detach: bool,
    /// Names of programs that are spared.
    pub leave: Vec<Vec<u8>>,
    /// A file to remove when nothing is left; empty for none.
    pub record: Vec<u8>,
    /// The limits of open files the child gets, soft and hard.
    pub nofile: Option<(u64, u64)>,
}

/// From the guard to the host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// The program runs.
    Started {
        /// Its process id, which is its group's too.
        pid: u32,
    },
    /// It could not be started. The guard ends.
    NotStarted {
        /// The error of the operating system.
        errno: i32,
        /// What failed.
        at: Step,
    },
    /// The leader ended.
    Exited(Exit),
    /// What lives on after the leader changed.
    Left(Vec<Survivor>),
    /// The grace is over: what is left is being killed.
    Killing,
    /// Nothing is left but what is spared. The guard ends.
    Empty,
}

/// What can fail in a start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Making the process.
    Fork,
    /// Entering its directory.
    Directory,
    /// Running its program.
    Program,
    /// Taking its terminal.
    Terminal,
}

/// Cuts a stream into messages; holds what has come of the next one.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
}

/// The bytes are no message of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a message between host and guard")]
pub struct Malformed;

// === impl Order ===

impl Order {
    /// As a frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Out::default();
        match self {
            Self::Start(start) => {
                out.byte(0);
                out.list(&start.argv, |out, text| out.text(text));
                out.list(&start.env, |out, (name, value)| {
                    out.text(name);
                    out.text(value);
                });
                out.text(&start.cwd);
                out.number(start.signal);
                out.time(start.grace);
                out.byte(start.terminal.into());
                out.byte(start.detach.into());
                out.list(&start.leave, |out, text| out.text(text));
                out.text(&start.record);
                out.list(start.nofile.as_slice(), |out, (soft, hard)| {
                    out.long(*soft);
                    out.long(*hard);
                });
            }
            Self::Stop { signal, grace } => {
                out.byte(1);
                out.number(*signal);
                out.time(*grace);
            }
            Self::Kill => out.byte(2),
        }
        out.frame()
    }

    /// From a frame without its length.
    pub(super) fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let mut from = In(frame);
        let order = match from.byte()? {
            0 => Self::Start(Box::new(Start {
                argv: from.list(In::text)?,
                env: from.list(|from| Ok((from.text()?, from.text()?)))?,
                cwd: from.text()?,
                signal: from.number()?,
                grace: from.time()?,
                terminal: from.byte()? != 0,
                detach: from.byte()? != 0,
                leave: from.list(In::text)?,
                record: from.text()?,
                nofile: from.list(|from| Ok((from.long()?, from.long()?)))?.pop(),
            })),
            1 => Self::Stop { signal: from.number()?, grace: from.time()? },
            2 => Self::Kill,
            _ => return Err(Malformed),
        };
        from.end(order)
    }
}

// === impl News ===

impl News {
    /// As a frame.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Out::default();
        match self {
            Self::Started { pid } => {
                out.byte(0);
                out.word(*pid);
            }
            Self::NotStarted { errno, at } => {
                out.byte(1);
                out.number(*errno);
                out.byte(at.as_byte());
            }
            Self::Exited(exit) => {
                out.byte(2);
                let (kind, value) = match exit {
                    Exit::Code(code) => (0, *code),
                    Exit::Signal(signal) => (1, *signal),
                    Exit::NotStarted => (2, 0),
                };
                out.byte(kind);
                out.number(value);
            }
            Self::Left(left) => {
                out.byte(3);
                out.list(left, |out, survivor| {
                    out.word(survivor.pid);
                    out.text(survivor.name.as_bytes());
                    out.byte(survivor.exempt.into());
                });
            }
            Self::Killing => out.byte(4),
            Self::Empty => out.byte(5),
        }
        out.frame()
    }

    fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        let mut from = In(frame);
        let news = match from.byte()? {
            0 => Self::Started { pid: from.word()? },
            1 => Self::NotStarted { errno: from.number()?, at: Step::from_byte(from.byte()?)? },
            2 => Self::Exited(match (from.byte()?, from.number()?) {
                (0, code) => Exit::Code(code),
                (1, signal) => Exit::Signal(signal),
                (2, 0) => Exit::NotStarted,
                _ => return Err(Malformed),
            }),
            3 => Self::Left(from.list(|from| {
                let (pid, name) = (from.word()?, from.text()?);
                let name = String::from_utf8_lossy(&name).into_owned();
                Ok(Survivor { pid, name, exempt: from.byte()? != 0 })
            })?),
            4 => Self::Killing,
            5 => Self::Empty,
            _ => return Err(Malformed),
        };
        from.end(news)
    }
}

// === impl Step ===

impl Step {
    const ALL: [Self; 4] = [Self::Fork, Self::Directory, Self::Program, Self::Terminal];

    pub(super) fn as_byte(self) -> u8 {
        match self {
            Self::Fork => 0,
            Self::Directory => 1,
            Self::Program => 2,
            Self::Terminal => 3,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|step| step.as_byte() == byte).ok_or(Malformed)
    }
}

// === impl Reader ===

impl Reader {
    /// More of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message of the guard, once it is whole.
    ///
    /// # Errors
    /// [`Malformed`]: nothing after it can be understood either.
    pub fn news(&mut self) -> Result<Option<News>, Malformed> {
        self.next(News::decode)
    }

    /// The next message of the host.
    pub(super) fn order(&mut self) -> Result<Option<Order>, Malformed> {
        self.next(Order::decode)
    }

    fn next<T>(&mut self, decode: impl Fn(&[u8]) -> Result<T, Malformed>) -> Result<Option<T>, Malformed> {
        let Some((length, rest)) = self.bytes.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_FRAME {
            return Err(Malformed);
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        let message = decode(frame)?;
        self.bytes.drain(..4 + length);
        Ok(Some(message))
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..30)
    }

    fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(text(), 0..5)
    }

    fn start() -> impl Strategy<Value = Order> {
        let what = (texts(), prop::collection::vec((text(), text()), 0..5), text(), any::<i32>());
        let how = (any::<u32>(), any::<[bool; 2]>(), texts(), text(), any::<Option<(u64, u64)>>());
        (what, how).prop_map(
            |((argv, env, cwd, signal), (grace, [terminal, detach], leave, record, nofile))| {
                let grace = Duration::from_millis(grace.into());
                let start = Start { argv, env, cwd, signal, grace, terminal, detach, leave, record, nofile };
                Order::Start(Box::new(start))
            },
        )
    }

    fn orders() -> impl Strategy<Value = Vec<Order>> {
        let stop = (any::<i32>(), any::<u32>())
            .prop_map(|(signal, grace)| Order::Stop { signal, grace: Duration::from_millis(grace.into()) });
        prop::collection::vec(prop_oneof![start(), stop, Just(Order::Kill)], 0..6)
    }

    fn news() -> impl Strategy<Value = Vec<News>> {
        let exit = prop_oneof![any::<i32>().prop_map(Exit::Code), any::<i32>().prop_map(Exit::Signal)];
        let survivor = (any::<u32>(), any::<String>(), any::<bool>())
            .prop_map(|(pid, name, exempt)| Survivor { pid, name, exempt });
        let one = prop_oneof![
            any::<u32>().prop_map(|pid| News::Started { pid }),
            (any::<i32>(), 0..4_usize).prop_map(|(errno, at)| News::NotStarted { errno, at: Step::ALL[at] }),
            exit.prop_map(News::Exited),
            prop::collection::vec(survivor, 0..4).prop_map(News::Left),
            Just(News::Killing),
            Just(News::Empty),
        ];
        prop::collection::vec(one, 0..6)
    }

    /// Cut in pieces of this size, as a socket may.
    fn read<T>(bytes: &[u8], size: usize, next: impl Fn(&mut Reader) -> Option<T>) -> Vec<T> {
        let mut reader = Reader::default();
        let mut read = Vec::new();
        for piece in bytes.chunks(size) {
            reader.push(piece);
            read.extend(std::iter::from_fn(|| next(&mut reader)));
        }
        assert!(reader.bytes.is_empty(), "nothing is left over");
        read
    }

    proptest! {
        #[test]
        fn what_is_said_is_what_is_heard(orders in orders(), news in news(), size in 1..40_usize) {
            let bytes: Vec<u8> = orders.iter().flat_map(Order::encode).collect();
            prop_assert_eq!(read(&bytes, size, |reader| reader.order().expect("an order")), orders);
            let bytes: Vec<u8> = news.iter().flat_map(News::encode).collect();
            prop_assert_eq!(read(&bytes, size, |reader| reader.news().expect("news")), news);
        }

        #[test]
        fn any_bytes_are_refused_or_understood(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.order() {}
            while let Ok(Some(_)) = reader.news() {}
        }
    }

    #[test]
    fn a_frame_that_claims_too_much_is_refused_before_it_has_come() {
        let mut reader = Reader::default();
        reader.push(&u32::MAX.to_le_bytes());
        assert_eq!(reader.order(), Err(Malformed));
    }
}
