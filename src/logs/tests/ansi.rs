//! What becomes of escapes: by example, and against the parser of a terminal.

use proptest::prelude::*;
use vte::{Params, Parser, Perform};

use super::*;
use crate::logs::chunk::Extras;

fn clean(line: &str) -> (String, Vec<(u32, u32, Style)>) {
    let (mut text, mut extras, mut styles) = (Vec::new(), Extras::default(), Arc::default());
    Cleaner::default().clean(line.as_bytes(), &mut text, &mut extras, &mut styles);
    let look = |id: StyleId| *styles.since(0).find(|(known, _)| *known == id).expect("a known style").1;
    let spans = extras.spans.iter().map(|span| (span.start, span.end, look(span.style))).collect();
    (String::from_utf8(text).expect("UTF-8"), spans)
}

fn fg(colour: Colour) -> Style {
    Style { fg: Some(colour), ..Style::default() }
}

#[test]
fn colours_become_spans_and_everything_else_goes() {
    let red = fg(Colour::Palette(1));
    assert_eq!(clean("a\x1b[31mred\x1b[0m b"), ("ared b".to_owned(), vec![(1, 4, red)]));
    assert_eq!(clean("\x1b[38;5;208mx").1, [(0, 1, fg(Colour::Palette(208)))]);
    assert_eq!(clean("\x1b[38;2;1;2;3mx").1, [(0, 1, fg(Colour::Rgb(1, 2, 3)))]);
    assert_eq!(clean("\x1b[38:2::1:2:3mx").1, [(0, 1, fg(Colour::Rgb(1, 2, 3)))]);
    assert_eq!(clean("\x1b[1;91mx\x1b[22my").1.len(), 2);
    assert_eq!(clean("\x1b]8;;file:///x\x1b\\link\x1b]8;;\x07!"), ("link!".to_owned(), vec![]));
    assert_eq!(clean("\x1b[2K\x1b[1Gx\x1b(By\x1b[?25lz"), ("xyz".to_owned(), vec![]));
    assert_eq!(
        clean("cut \x1b[31"),
        ("cut ".to_owned(), vec![]),
        "an unfinished sequence ends with its line"
    );
    assert_eq!(clean("cut \x1b]0;title"), ("cut ".to_owned(), vec![]));
    assert_eq!(clean("\x1b[999999999999mx"), ("x".to_owned(), vec![]));
}

#[test]
fn a_progress_line_keeps_its_last_state() {
    assert_eq!(clean("10%\r50%\r100%").0, "100%");
    assert_eq!(clean("done\r").0, "done");
    assert_eq!(clean("done\r\r\x1b[0m").0, "done", "nothing is printed after the return");
    assert_eq!(clean("\x1b[31mabc\rde"), ("de".to_owned(), vec![(0, 2, fg(Colour::Palette(1)))]));
    assert_eq!(clean("ab\x08c").0, "ac");
    assert_eq!(
        clean("é\x08e\x08\x08\x08x").0,
        "x",
        "a backspace takes a whole character, and stops at the start"
    );
}

#[test]
fn a_colour_stays_on_until_it_is_switched_off() {
    let (mut cleaner, mut styles) = (Cleaner::default(), Arc::default());
    let mut extras = Extras::default();
    for line in ["\x1b[32mfirst", "second", "\x1b[0mthird"] {
        cleaner.clean(line.as_bytes(), &mut Vec::new(), &mut extras, &mut styles);
    }
    assert_eq!(extras.spans.iter().map(|span| span.end).collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn a_link_is_kept_with_the_text_it_is_on() {
    let links = |line: &str| {
        let (mut text, mut extras) = (Vec::new(), Extras::default());
        Cleaner::default().clean(line.as_bytes(), &mut text, &mut extras, &mut Arc::default());
        extras.links
    };
    let link = |start, end, url: &str| (start, end, url.to_owned());
    assert_eq!(links("a \x1b]8;;file:///x\x1b\\link\x1b]8;;\x07!"), [link(2, 6, "file:///x")]);
    assert_eq!(
        links("\x1b]8;id=1;http://a/;b\x07x"),
        [link(0, 1, "http://a/;b")],
        "to the end of its line at the latest"
    );
    assert_eq!(links("\x1b]8;;u\x07a\x1b]8;;v\x07b"), [link(0, 1, "u"), link(1, 2, "v")]);
    assert_eq!(links("\x1b]8;;u\x07\x1b]8;;\x07b"), [], "on no text");
    assert_eq!(links("\x1b]8;;u\x07old\rnew"), [link(0, 3, "u")]);
    assert_eq!(links("\x1b]8;;u\x07ab\x08\x08\x1b]8;;\x07c"), []);
    assert_eq!(links("\x1b]8;;http://cut"), []);
    let long = format!("\x1b]8;;{}\x07x", "u".repeat(5000));
    assert_eq!(links(&long), [], "an address has a length");
    assert_eq!(links(&"\x1b]8;;u\x07x".repeat(1000)).len(), 64);
}

#[test]
fn what_sets_no_colour_is_not_taken_for_one() {
    assert_eq!(clean("\x1b[>4;2mx\x1b[?31my\x1b[1 mz").1, []);
    assert_eq!(clean("\x1b[58;5;1mx\x1b[58:2::1:1:1my").1, [], "the colour of an underline");
    assert_eq!(clean("\x1b[31ma\x1b[31mb").1, [(0, 2, fg(Colour::Palette(1)))], "neighbours are one");
}

/// A line as a terminal without columns has it after the last byte.
#[derive(Default)]
struct Terminal {
    cells: Vec<(char, Style, usize)>,
    style: Style,
    /// Number of the present link in `urls`, from 1.
    link: usize,
    urls: Vec<String>,
    /// A carriage return came, nothing was printed since, and so many backspaces.
    returned: Option<usize>,
}

impl Terminal {
    fn put(&mut self, character: char) {
        if self.returned.take().is_some() {
            self.cells.clear();
        }
        self.cells.push((character, self.style, self.link));
    }

    fn settle(&mut self) {
        for _ in 0..self.returned.take().unwrap_or_default() {
            self.cells.pop();
        }
    }

    /// Text, coloured parts and links.
    #[allow(clippy::type_complexity)]
    fn line(mut self) -> (String, Vec<(u32, u32, Style)>, Vec<(u32, u32, String)>) {
        self.settle();
        let (mut text, mut spans, mut links) = (String::new(), Vec::<(u32, u32, Style)>::new(), Vec::new());
        let mut linked = 0;
        for (character, style, link) in self.cells {
            let start = u32::try_from(text.len()).unwrap();
            text.push(character);
            let end = u32::try_from(text.len()).unwrap();
            match spans.last_mut() {
                Some(last) if last.1 == start && last.2 == style => last.1 = end,
                _ if style != Style::default() => spans.push((start, end, style)),
                _ => {}
            }
            if link != linked && link > 0 {
                links.push((start, end, self.urls[link - 1].clone()));
            } else if link > 0 {
                links.last_mut().expect("begun").1 = end;
            }
            linked = link;
        }
        (text, spans, links)
    }
}

impl Perform for Terminal {
    fn print(&mut self, character: char) {
        self.put(character);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => {
                self.settle();
                self.returned = Some(0);
            }
            8 => match &mut self.returned {
                Some(backspaces) => *backspaces += 1,
                None => drop(self.cells.pop()),
            },
            _ => self.put(char::from(byte)),
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        if let [b"8", _, url @ ..] = params
            && !url.is_empty()
        {
            self.link = 0;
            let url = url.join(&b';');
            if !url.is_empty() {
                self.urls.push(String::from_utf8(url).unwrap());
                self.link = self.urls.len();
            }
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if action != 'm' || !intermediates.is_empty() || ignore {
            return;
        }
        let mut groups = params.iter();
        let byte = |value: u16| u8::try_from(value).ok();
        while let Some(group) = groups.next() {
            let style = &mut self.style;
            match (group[0], &group[1..]) {
                (0, _) => *style = Style::default(),
                (1, _) => style.bold = true,
                (2, _) => style.dim = true,
                (3, _) => style.italic = true,
                (4, [0, ..]) | (24, _) => style.underline = false,
                (4 | 21, _) => style.underline = true,
                (7, _) => style.reverse = true,
                (9, _) => style.strike = true,
                (22, _) => (style.bold, style.dim) = (false, false),
                (23, _) => style.italic = false,
                (27, _) => style.reverse = false,
                (29, _) => style.strike = false,
                (code @ (30..=37 | 90..=97), _) => {
                    style.fg = byte(code % 10 + code / 90 * 8).map(Colour::Palette);
                }
                (code @ (40..=47 | 100..=107), _) => {
                    style.bg = byte(code % 10 + code / 100 * 8).map(Colour::Palette);
                }
                (39, _) => style.fg = None,
                (49, _) => style.bg = None,
                (code @ (38 | 48 | 58), subs) => {
                    let mut next = || groups.next().map(|group| group[0]);
                    let numbers = match subs {
                        [] => match next() {
                            Some(5) => vec![5, next().unwrap_or(999)],
                            Some(2) => {
                                let [r, g, b] =
                                    [next(), next(), next()].map(|channel| channel.unwrap_or(999));
                                vec![2, r, g, b]
                            }
                            _ => vec![],
                        },
                        [kind, _, r, g, b, ..] => vec![*kind, *r, *g, *b],
                        few => few.to_vec(),
                    };
                    let colour = match numbers[..] {
                        [5, index, ..] => byte(index).map(Colour::Palette),
                        [2, r, g, b] => (|| Some(Colour::Rgb(byte(r)?, byte(g)?, byte(b)?)))(),
                        _ => None,
                    };
                    match code {
                        38 => style.fg = colour.or(style.fg),
                        48 => style.bg = colour.or(style.bg),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}

/// What a line is made of. A control byte in the middle of a sequence, which a terminal obeys and goes on with the sequence,
/// is left out: here it ends the sequence. So is a byte over 0x7e there, which a terminal passes over.
fn piece() -> impl Strategy<Value = String> {
    let colour = prop_oneof![
        (0..120_u16).prop_map(|code| code.to_string()),
        (0..300_u16).prop_map(|index| format!("38;5;{index}")),
        (0..300_u16, 0..300_u16).prop_map(|(r, b)| format!("48;2;{r};7;{b}")),
        (0..300_u16).prop_map(|r| format!("38:2::{r}:1:2")),
        Just("58:5:1".to_owned()),
        "[0-9:]{0,6}",
    ];
    prop_oneof![
        4 => "[a-zé€🙂 ]{0,5}",
        2 => Just("\r".to_owned()),
        2 => Just("\x08".to_owned()),
        1 => "[\t\x07\x0b]",
        4 => prop::collection::vec(colour, 0..4).prop_map(|codes| format!("\x1b[{}m", codes.join(";"))),
        2 => "\x1b\\[[0-9;:<=>?]{0,8}[ -/]{0,2}[@-~]",
        2 => "\x1b\\[[0-9;]{0,3}[\x18\x1a]",
        2 => "\x1b\\[[0-9;]{0,3}\x1b\\[1m",
        1 => "\x1b[ -/]{0,2}[0-OQ-WYZ\\\\`-~]",
        1 => "\x1b\\][0-9a-z;]{0,8}(\x07|\x1b\\\\|\x18|\x1a)",
        2 => "\x1b\\]8;[a-z=]{0,3};[a-z:/;]{0,6}(\x07|\x1b\\\\)",
        1 => "\x1b\\]8;;\x07",
        1 => "\x1b\\]8;;u\x1b\\[3m",
        1 => "\x1b[PX^_][a-z0-9;]{0,6}\x1b\\\\",
    ]
}

proptest! {
    #[test]
    fn cleaning_never_panics_and_spans_are_apart(line in prop::collection::vec(prop_oneof![
        Just(0x1b_u8), Just(b'['), Just(b']'), Just(b'm'), Just(b';'), Just(b'3'), Just(b'\r'), Just(8), Just(7), any::<u8>()
    ], 0..80)) {
        let (mut text, mut extras, mut styles) = (Vec::new(), Extras::default(), Arc::default());
        Cleaner::default().clean(&line, &mut text, &mut extras, &mut styles);
        let spans = extras.spans;
        let mut end = 0;
        for span in &spans {
            prop_assert!(end <= span.start && span.start < span.end && span.end as usize <= text.len(), "{:?} in {}", spans, text.len());
            end = span.end;
        }
        prop_assert!(text.len() <= line.len());
    }

    #[test]
    fn plain_text_is_kept_to_the_byte(line in "[ -~äöü€]{0,60}") {
        prop_assert_eq!(Cleaner::plain(line.as_bytes()), line.into_bytes());
    }

    /// The crate `vte` is the parser of a terminal: what it would show of a line is what is kept of it.
    #[test]
    fn a_line_is_what_a_terminal_shows(pieces in prop::collection::vec(piece(), 0..14), end in prop_oneof![
        4 => Just(""), 1 => Just("\x1b"), 1 => Just("\x1b[3"), 1 => Just("\x1b]8;;u"), 1 => Just("\x1bPabc"), 1 => Just("\r")
    ]) {
        let line = pieces.concat() + end;
        let (mut parser, mut terminal) = (Parser::new(), Terminal::default());
        parser.advance(&mut terminal, line.as_bytes());
        let (mut text, mut extras, mut styles) = (Vec::new(), Extras::default(), Arc::default());
        Cleaner::default().clean(line.as_bytes(), &mut text, &mut extras, &mut styles);
        let look = |id: StyleId| *styles.since(0).find(|(known, _)| *known == id).expect("a known style").1;
        let spans: Vec<_> = extras.spans.iter().map(|span| (span.start, span.end, look(span.style))).collect();
        prop_assert_eq!((String::from_utf8(text).unwrap(), spans, extras.links), terminal.line(), "{:?}", line);
    }
}
