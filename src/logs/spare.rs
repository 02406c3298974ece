//! Chunks that have been let go, kept for the next lines: memory that is in use already costs no fault of a page, which would
//! cost more than what is written to it.

use std::sync::Arc;

use super::Chunk;

/// How many are kept: about a megabyte.
const SPARE: usize = 8;

/// See the module.
#[derive(Default)]
pub(super) struct Spare(Vec<Chunk>);

// === impl Spare ===

impl Spare {
    /// An empty chunk with room for a line of `line` bytes, or for many.
    pub(super) fn chunk(&mut self, line: usize) -> Chunk {
        let known = self.0.pop_if(|chunk| chunk.has_room(line));
        known.unwrap_or_else(|| Chunk::with_room(line))
    }

    /// The store needs this one no more. One that a reader holds goes when the reader lets it go.
    pub(super) fn give(&mut self, chunk: Arc<Chunk>) {
        if self.0.len() < SPARE {
            self.0.extend(Arc::into_inner(chunk).and_then(Chunk::reuse));
        }
    }

    /// Gives all of it back.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
