//! Memory that goes back to the system when it is let go.
//!
//! An allocator keeps what is freed, because it hands out small pieces of what it got: one small block that lives on
//! holds the pages around it (figures: doc/performance.md). What is kept in rings therefore gets pages of its own.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use memmap2::MmapMut;

/// Below this a segment is a block of the allocator: a mapping takes whole pages, and the system has only so many.
const SMALL: usize = 16 << 10;

/// Bytes. A page of a large segment takes memory from when something is written to it.
pub struct Segment(Bytes);

enum Bytes {
    Mapped(MmapMut),
    Small(Box<[u8]>),
}

// === impl Segment ===

impl Segment {
    /// A segment of `size` bytes, which are all 0.
    pub fn new(size: usize) -> Self {
        // When the system has no more mappings to give, the allocator is as good as it always was.
        let mapped = if size < SMALL { None } else { MmapMut::map_anon(size).ok() };
        Self(mapped.map_or_else(|| Bytes::Small(vec![0; size].into_boxed_slice()), Bytes::Mapped))
    }
}

impl Deref for Segment {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Mapped(map) => map,
            Bytes::Small(block) => block,
        }
    }
}

impl DerefMut for Segment {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Bytes::Mapped(map) => map,
            Bytes::Small(block) => block,
        }
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({} bytes)", self.len())
    }
}
