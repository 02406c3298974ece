//! Two chunks that become one.

use super::*;
use crate::logs::Chunk;

#[test]
fn lines_that_are_put_together_keep_their_colours_and_links() {
    let lines: [&[u8]; 5] = [
        b"plain",
        b"\x1b[31mred\x1b[0m and \x1b[1mbold",
        b"\x1b[0m\x1b]8;;http://a/\x07one\x1b]8;;\x07 \x1b]8;;http://b/\x07two",
        b"",
        b"\x1b[32mgreen\x1b]8;;http://c/\x07three",
    ];
    let told = |chunk: &Chunk| -> Vec<_> {
        let links =
            |at| chunk.links(at).map(|(start, end, url)| (start, end, url.to_owned())).collect::<Vec<_>>();
        (0..chunk.len()).map(|at| (chunk.text(at).to_owned(), chunk.spans(at).to_vec(), links(at))).collect()
    };
    for at in 0..=lines.len() {
        let mut styles = Arc::default();
        let whole = Chunk::of_lines(&[&lines[..at], &[b"\x1b[0m"], &lines[at..]].concat(), &mut styles);
        let mut first = Chunk::of_lines(&[&lines[..at], &[b"\x1b[0m"]].concat(), &mut styles);
        first.absorb(&Chunk::of_lines(&lines[at..], &mut styles));
        assert_eq!(told(&first), told(&whole), "at {at}");
        assert_eq!(first.cost(0..first.len()), whole.cost(0..whole.len()), "at {at}");
    }
}
