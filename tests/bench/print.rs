//! Prints lines as fast as a pipe takes them: the child of everything that is measured about lines.

use std::io::{Stdout, stdout};

/// The first argument of such a process; then `blocks` or `lines`, and how many lines.
pub const ARGUMENT: &str = "--print";

/// How much is written at a time, except line by line.
const BLOCK: usize = 64 << 10;

/// Bytes of a line, with its newline.
pub const LINE: usize = 100;

/// What dev servers print all day; zeros make way for digits of the line's number, so that no two lines are the same.
const LINES: [&str; 4] = [
    "12:00:00.000 [vite] (client) hmr update /src/components/panels/Panel0000000000.tsx (x22), 3 modules",
    "[2026-11-23T12:00:00.000Z] GET /api/v2/users/0000000000/orders?page=3&sort=date 200 in 11 ms - 8 kB",
    "\u{20}INFO  api  request 0000000000 done: 3 queries, 0.7 ms in the database, 2 cache hits, session kept.",
    "webpack: [0000000000] cached modules 1.41 MiB (javascript) 28.3 KiB (runtime) ./src/pages/index.jsx",
];

/// The command, for a shell.
pub fn command(how: &str, lines: usize) -> String {
    let program = std::env::current_exe().unwrap();
    format!("'{}' {ARGUMENT} {how} {lines}", program.display())
}

/// Does what [`command`] says.
pub fn run(arguments: &[String]) {
    let [how, lines] = arguments else { panic!("two arguments: {arguments:?}") };
    let block = if how == "lines" { LINE } else { BLOCK };
    let (mut room, out) = (Vec::with_capacity(BLOCK + LINE), stdout());
    print(lines.parse().unwrap(), |line| {
        room.extend_from_slice(line);
        if room.len() >= block {
            write(&out, &room[..block]);
            room.copy_within(block.., 0);
            room.truncate(room.len() - block);
        }
    });
    write(&out, &room);
}

/// Not through the standard library's buffer, which copies, and looks for newlines.
fn write(out: &Stdout, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        bytes = &bytes[rustix::io::write(out, bytes).unwrap()..];
    }
}

/// The same lines as one text.
pub fn text(lines: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines * LINE);
    print(lines, |line| text.extend_from_slice(line));
    text
}

fn print(lines: usize, mut to: impl FnMut(&[u8; LINE])) {
    let mut kinds = LINES.map(Kind::new);
    for number in 0..lines {
        let kind = &mut kinds[number % LINES.len()];
        kind.count();
        to(&kind.line);
    }
}

/// One of the lines, and where its number is.
struct Kind {
    line: [u8; LINE],
    digits: usize,
}

// === impl Kind ===

impl Kind {
    fn new(text: &str) -> Self {
        let digits = text.find("0000000000").unwrap();
        let mut line = [b'\n'; LINE];
        line[..LINE - 1].copy_from_slice(text.as_bytes());
        Self { line, digits }
    }

    fn count(&mut self) {
        for digit in self.line[self.digits..self.digits + 10].iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
    }
}
