//! What stays resident after lines were let go: chunks of the allocator's blocks, and chunks in segments. Each row is a process
//! of its own. Other allocators: `LD_PRELOAD=libmimalloc.so.2 cargo bench --bench memory`.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]
#![allow(missing_docs, unreachable_pub)]

use std::{collections::VecDeque, env, fs, process::Command, thread, time::Duration};

use brummer::resource::Segment;

const MB: usize = 1 << 20;

/// Text of a chunk, and what is kept about each of its lines.
const TEXT: usize = 64 << 10;
const LINE: usize = 40;

const KINDS: [&str; 3] = ["blocks that grow", "blocks of full size", "segments"];

/// Lists as they grow, lists with all room at once, or one segment made of the lists when they are full.
enum Chunk {
    Blocks { text: Vec<u8>, lines: Vec<[u8; LINE]> },
    Sealed(Segment),
}

struct Ring {
    kind: usize,
    chunks: VecDeque<Chunk>,
    /// Small things that live on between the chunks, as headlines do.
    small: Vec<String>,
    lines: usize,
}

fn main() {
    let Some(kind) = env::args().nth(1).and_then(|kind| kind.parse().ok()) else {
        println!(
            "{:<24} {:>8} {:>8} {:>8} {:>8} {:>8}",
            "resident MB, of 400 MB", "before", "full", "half", "4 %", "none"
        );
        for kind in 0..KINDS.len() {
            let row = Command::new(env::current_exe().unwrap()).arg(kind.to_string()).output().unwrap();
            print!("{}", String::from_utf8_lossy(&row.stdout));
        }
        return;
    };
    let before = resident();
    // The store's writer wanders between the runtime's threads, and so do its blocks.
    let mut ring = Ring { kind, chunks: VecDeque::new(), small: Vec::new(), lines: 0 };
    for _ in 0..16 {
        ring = thread::spawn(move || ring.filled(50 * MB, 400 * MB)).join().unwrap();
    }
    let full = resident();
    let left = [200, 16, 0].map(|keep| {
        ring.evict(keep * MB);
        // What is measured: what an allocator has given back a second later.
        thread::sleep(Duration::from_secs(1));
        resident()
    });
    let [half, few, none] = left;
    println!("{:<24} {before:>8} {full:>8} {half:>8} {few:>8} {none:>8}", KINDS[kind]);
}

fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096 / MB
}

// === impl Ring ===

impl Ring {
    /// Takes so many bytes of lines in, and keeps as many as it may.
    fn filled(mut self, bytes: usize, keep: usize) -> Self {
        let end = self.lines + bytes / 100;
        while self.lines < end {
            let full = self.kind > 0;
            let mut text = Vec::with_capacity(if full { TEXT + 200 } else { 0 });
            let mut lines = Vec::with_capacity(if full { 1024 } else { 0 });
            while text.len() < TEXT {
                text.extend(std::iter::repeat_n(b'x', 20 + self.lines % 90));
                lines.push([7; LINE]);
                self.lines += 1;
                if self.lines.is_multiple_of(500) {
                    self.small.push(format!("headline {} of something", self.lines));
                    if self.small.len() > 500 {
                        self.small.swap_remove(self.lines / 500 * 7 % 500);
                    }
                }
            }
            self.chunks.push_back(match self.kind {
                2 => {
                    let mut bytes = Segment::new(text.len() + lines.len() * LINE);
                    let (head, tail) = bytes.split_at_mut(text.len());
                    head.copy_from_slice(&text);
                    tail.copy_from_slice(lines.as_flattened());
                    Chunk::Sealed(bytes)
                }
                _ => Chunk::Blocks { text, lines },
            });
            self.evict(keep);
        }
        self
    }

    fn evict(&mut self, keep: usize) {
        let mut bytes: usize = self.chunks.iter().map(Chunk::bytes).sum();
        while bytes > keep {
            bytes -= self.chunks.pop_front().as_ref().map_or(bytes, Chunk::bytes);
        }
    }
}

// === impl Chunk ===

impl Chunk {
    fn bytes(&self) -> usize {
        match self {
            Self::Blocks { text, lines } => text.len() + lines.len() * LINE,
            Self::Sealed(segment) => segment.len(),
        }
    }
}
