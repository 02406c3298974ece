//! What stands in a file: records one after the other, each a header of 48 bytes and what that says of its length. Pure.
//!
//! The header, little-endian: magic (4), kind (1), flags (1), number of cut lines (2), process (4), run (8), time (8), number
//! of the first line (8), lines (4), bytes that follow (4), check of all that (4). What follows lines is the table of cut
//! lines (12 bytes each: number, length) and the text as printed; what follows another header is JSON.
//!
//! A record is whole if its header's check is right, its bytes are all there, and the text has as many lines as the header
//! says and ends with one. A file ends at the first record that is not whole: at a kill that is the last one.

use std::ops::Range;

use memchr::memchr_iter;

use super::{Begin, Lines, Name};
use crate::{
    event::{ProcessId, RunId, Seq, Timestamp},
    process::Stream,
};

/// Bytes of a header.
pub(super) const HEADER: usize = 48;

/// Changes when an older program could not read a file.
pub(super) const VERSION: u32 = 1;

const MAGIC: [u8; 4] = *b"BRH1";

/// Bytes of an entry of the table of cut lines.
const CUT: usize = 12;

const STDERR: u8 = 1;
const AFTER_EXIT: u8 = 2;

/// What a record is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The first of a file: whose it is ([`FileHead`]).
    File = 1,
    /// What a process is called and which of its starts this is ([`ProcessHead`]); before its first line in a file.
    Process = 2,
    /// Lines.
    Lines = 3,
}

/// See above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    flags: u8,
    cuts: u16,
    pub(super) process: ProcessId,
    pub(super) run: RunId,
    pub(super) at: Timestamp,
    pub(super) first: Seq,
    pub(super) count: u32,
    length: u32,
}

/// The text of a [`Kind::File`].
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct FileHead {
    pub(super) version: u32,
    /// The project.
    pub(super) root: String,
    pub(super) session: String,
    /// Which file of the session this is, from 1.
    pub(super) number: u32,
}

/// The text of a [`Kind::Process`].
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct ProcessHead {
    #[serde(flatten)]
    pub(super) name: Name,
    /// Which start of the process the run is, from 1.
    pub(super) number: u32,
}

/// A record to be written, which stands among others in one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// Where it stands.
    pub(super) range: Range<usize>,
    pub(super) lines: u32,
    /// The process it names: repeated at the start of each file.
    pub(super) names: Option<ProcessId>,
}

/// A record that was read: its header and where its text stands.
pub(super) struct Found<'a> {
    pub(super) header: Header,
    pub(super) cut: Vec<(u32, u64)>,
    pub(super) text: &'a [u8],
    /// Bytes of all of it.
    pub(super) size: usize,
}

// === impl Header ===

impl Header {
    fn blank(kind: Kind) -> Self {
        Self {
            kind,
            flags: 0,
            cuts: 0,
            process: ProcessId(0),
            run: RunId(0),
            at: Timestamp(0),
            first: Seq(0),
            count: 0,
            length: 0,
        }
    }

    pub(super) fn stream(&self) -> Stream {
        if self.flags & STDERR != 0 { Stream::Err } else { Stream::Out }
    }

    pub(super) fn after_exit(&self) -> bool {
        self.flags & AFTER_EXIT != 0
    }

    fn encode(&self, to: &mut Vec<u8>) {
        let start = to.len();
        to.extend(MAGIC);
        to.extend([self.kind as u8, self.flags]);
        to.extend(self.cuts.to_le_bytes());
        to.extend(self.process.0.to_le_bytes());
        to.extend(self.run.0.to_le_bytes());
        to.extend(self.at.0.to_le_bytes());
        to.extend(self.first.0.to_le_bytes());
        to.extend(self.count.to_le_bytes());
        to.extend(self.length.to_le_bytes());
        let sum = check(&to[start..]);
        to.extend(sum.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.first_chunk()?;
        let (said, sum) = bytes.split_last_chunk::<4>()?;
        if said[..4] != MAGIC || check(said) != u32::from_le_bytes(*sum) {
            return None;
        }
        let mut rest = &said[4..];
        let [kind, flags] = take(&mut rest)?;
        Some(Self {
            kind: [Kind::File, Kind::Process, Kind::Lines].into_iter().find(|it| *it as u8 == kind)?,
            flags,
            cuts: u16::from_le_bytes(take(&mut rest)?),
            process: ProcessId(u32::from_le_bytes(take(&mut rest)?)),
            run: RunId(u64::from_le_bytes(take(&mut rest)?)),
            at: Timestamp(u64::from_le_bytes(take(&mut rest)?)),
            first: Seq(u64::from_le_bytes(take(&mut rest)?)),
            count: u32::from_le_bytes(take(&mut rest)?),
            length: u32::from_le_bytes(take(&mut rest)?),
        })
    }
}

/// FNV-1a: enough to tell a header from what is none.
pub(super) fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

/// A length or a number that a header can say. Batches are far shorter.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

// === impl Lines ===

impl Lines<'_> {
    /// Bytes of its record, at most.
    pub(super) fn size(&self) -> usize {
        HEADER + self.cut.len() * CUT + self.text.len() + 1
    }
}

// === impl Piece ===

impl Piece {
    /// Appends the record of these lines.
    pub(super) fn lines(lines: &Lines<'_>, to: &mut Vec<u8>) -> Self {
        let Lines { process, run, stream, at, first, mut count, text, cut, after_exit } = *lines;
        // Never not so; and a record of it would end the file for its reader.
        let ended = text.last() == Some(&b'\n');
        count += u32::from(!ended);
        debug_assert_eq!(length(memchr_iter(b'\n', text).count()) + u32::from(!ended), count, "of {first:?}");
        let cut = &cut[..cut.len().min(usize::from(u16::MAX))];
        let err = if stream == Stream::Err { STDERR } else { 0 };
        let header = Header {
            flags: err | if after_exit { AFTER_EXIT } else { 0 },
            cuts: u16::try_from(cut.len()).unwrap_or_default(),
            process,
            run,
            at,
            first,
            count,
            length: length(cut.len() * CUT + text.len() + usize::from(!ended)),
            ..Header::blank(Kind::Lines)
        };
        let start = to.len();
        header.encode(to);
        for (line, bytes) in cut {
            to.extend(line.to_le_bytes());
            to.extend(bytes.to_le_bytes());
        }
        to.extend_from_slice(text);
        if !ended {
            to.push(b'\n');
        }
        Self { range: start..to.len(), lines: count, names: None }
    }

    /// Appends the record that names a process.
    pub(super) fn process(begin: &Begin, to: &mut Vec<u8>) -> Self {
        let Begin { process, run, number, at, ref info } = *begin;
        let name = Name { name: info.name.clone(), package: info.package.clone() };
        let header = Header { process, run, at, ..Header::blank(Kind::Process) };
        Self { names: Some(process), ..Self::json(header, &ProcessHead { name, number }, to) }
    }

    /// Appends the first record of a file.
    pub(super) fn file(head: &FileHead, to: &mut Vec<u8>) -> Self {
        Self::json(Header::blank(Kind::File), head, to)
    }

    fn json(header: Header, value: &impl serde::Serialize, to: &mut Vec<u8>) -> Self {
        let mut text = serde_json::to_vec(value).expect("text and numbers are always JSON");
        // Kept readable for whoever looks at a file.
        text.push(b'\n');
        let start = to.len();
        Header { count: 1, length: length(text.len()), ..header }.encode(to);
        to.extend(text);
        Self { range: start..to.len(), lines: 0, names: None }
    }

    pub(super) fn size(&self) -> u64 {
        self.range.len() as u64
    }
}

// === impl Found ===

impl<'a> Found<'a> {
    /// The record `bytes` begin with, if it is whole.
    pub(super) fn at(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::decode(bytes)?;
        let size = HEADER.checked_add(usize::try_from(header.length).ok()?)?;
        let body = bytes.get(HEADER..size)?;
        let (table, text) = body.split_at_checked(usize::from(header.cuts) * CUT)?;
        let whole = text.last() == Some(&b'\n')
            && memchr_iter(b'\n', text).count() == usize::try_from(header.count).ok()?;
        if !whole {
            return None;
        }
        let entry = |mut entry: &[u8]| {
            let line = u32::from_le_bytes(take(&mut entry)?);
            Some((line, u64::from_le_bytes(take(&mut entry)?)))
        };
        let cut = table.chunks_exact(CUT).filter_map(entry).collect();
        Some(Self { header, cut, text, size })
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    fn record() -> Vec<u8> {
        let lines = Lines {
            process: ProcessId(7),
            run: RunId(1 << 40),
            stream: Stream::Err,
            at: Timestamp(1_732_400_000_123),
            first: Seq(99),
            count: 2,
            text: b"\x1b[31mone\x1b[0m\n\xff\xfe\n",
            cut: &[(1, 5 << 20)],
            after_exit: true,
        };
        let mut bytes = Vec::new();
        let piece = Piece::lines(&lines, &mut bytes);
        assert_eq!((piece.range, piece.lines), (0..bytes.len(), 2));
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        let written = record();
        let found = Found::at(&written).expect("it is whole");
        assert_eq!(found.text, b"\x1b[31mone\x1b[0m\n\xff\xfe\n");
        assert_eq!((found.size, found.cut), (written.len(), vec![(1, 5 << 20)]));
        let Header { kind, process, run, at, first, count, .. } = found.header;
        assert_eq!((kind, process, run), (Kind::Lines, ProcessId(7), RunId(1 << 40)));
        assert_eq!((at, first, count), (Timestamp(1_732_400_000_123), Seq(99), 2));
        assert_eq!((found.header.stream(), found.header.after_exit()), (Stream::Err, true));
    }

    #[test]
    fn a_torn_or_changed_record_is_none() {
        let whole = record();
        for end in 0..whole.len() {
            assert!(Found::at(&whole[..end]).is_none(), "torn after {end} bytes");
        }
        for at in 0..HEADER {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(Found::at(&changed).is_none(), "byte {at} of the header changed");
        }
        // A machine that lost its power may leave zeros where the text was to be.
        let mut zeros = whole.clone();
        zeros[HEADER + CUT..].fill(0);
        assert!(Found::at(&zeros).is_none());
    }
}
