//! The web addresses that a run prints.

use std::sync::Arc;

use super::Part;
use crate::{
    event::{Seq, Url},
    locate::urls,
};

/// Addresses told of one run. What it prints after them is not looked at.
const URLS: usize = 20;

/// See the module.
#[derive(Default)]
pub(super) struct Addresses {
    /// Of the present run, each once.
    urls: Vec<Url>,
}

// === impl Addresses ===

impl Addresses {
    /// A new run begins.
    pub(super) fn begin(&mut self) {
        self.urls.clear();
    }

    /// Looks for addresses in lines: those in the text, and those behind it. Returns whether there is a new one.
    pub(super) fn look(&mut self, part: &Part) -> bool {
        let before = self.urls.len();
        if before == URLS {
            return false;
        }
        let text = part.block();
        for found in urls(text) {
            if let Ok(url) = std::str::from_utf8(&text[found.clone()]) {
                let line = || memchr::memchr_iter(b'\n', &text[..found.start]).count() as u64;
                self.add(url, || Seq(part.first.0 + line()));
            }
        }
        if part.chunk.has_links() {
            for (index, seq) in part.lines.clone().zip(part.first.0..) {
                for (_, _, url) in part.chunk.links(index) {
                    if urls(url.as_bytes()).next() == Some(0..url.len()) {
                        self.add(url, || Seq(seq));
                    }
                }
            }
        }
        self.urls.len() > before
    }

    fn add(&mut self, url: &str, seq: impl FnOnce() -> Seq) {
        if self.urls.len() < URLS && !self.urls.iter().any(|known| &*known.url == url) {
            self.urls.push(Url { seq: seq(), url: url.into() });
        }
    }

    /// All addresses of the run.
    pub(super) fn urls(&self) -> Arc<[Url]> {
        self.urls.as_slice().into()
    }
}
