//! Text attributes as small numbers.

use std::collections::HashMap;

/// A colour as SGR names it (ECMA-48 8.3.117, ISO 8613-6 for the long forms).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Colour {
    /// One of the 256 of the palette; 0..=15 are the terminal's own.
    Palette(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// What SGR has set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Style {
    /// Text colour.
    pub fg: Option<Colour>,
    /// Background colour.
    pub bg: Option<Colour>,
    /// SGR 1.
    pub bold: bool,
    /// SGR 2.
    pub dim: bool,
    /// SGR 3.
    pub italic: bool,
    /// SGR 4 and 21.
    pub underline: bool,
    /// SGR 7.
    pub reverse: bool,
    /// SGR 9.
    pub strike: bool,
}

/// The number of a [`Style`] in a [`StyleTable`]. 0 is plain text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct StyleId(pub u16);

/// A coloured part of a line: bytes from its start, end exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// First byte after.
    pub end: u32,
    /// How it looks.
    pub style: StyleId,
}

/// Every style met so far. Bounded: when a program that paints rainbows has used its room up, more of its shades are shown
/// plain, while the 16 colours of everybody else still have room.
#[derive(Clone, Debug)]
pub struct StyleTable {
    styles: Vec<Style>,
    numbers: HashMap<Style, StyleId>,
}

/// How many styles are told apart.
const LIMIT: usize = 4096;

/// Of these, how many are for styles of the terminal's own 16 colours.
const RESERVED: usize = 1024;

// === impl Style ===

impl Style {
    /// Only colours of the terminal's own 16.
    fn is_plain_palette(&self) -> bool {
        let plain = |colour: Option<Colour>| matches!(colour, None | Some(Colour::Palette(0..=15)));
        plain(self.fg) && plain(self.bg)
    }

    /// The same without colours beyond those.
    fn without_shades(&self) -> Self {
        let plain =
            |colour: Option<Colour>| colour.filter(|colour| matches!(colour, Colour::Palette(0..=15)));
        Self { fg: plain(self.fg), bg: plain(self.bg), ..*self }
    }
}

// === impl StyleTable ===

impl StyleTable {
    /// The number of a style that has one, or, when there is no room, of the nearest one told apart for sure.
    pub fn find(&self, style: &Style) -> Option<StyleId> {
        let known = |style: &Style| self.numbers.get(style).copied();
        known(style).or_else(|| {
            let full = self.styles.len() >= if style.is_plain_palette() { LIMIT } else { LIMIT - RESERVED };
            full.then(|| known(&style.without_shades()).unwrap_or_default())
        })
    }

    /// The number of a style, which gets one if there is room.
    pub fn number(&mut self, style: Style) -> StyleId {
        if let Some(id) = self.find(&style) {
            return id;
        }
        let id = StyleId(u16::try_from(self.styles.len()).unwrap_or_default());
        self.styles.push(style);
        self.numbers.insert(style, id);
        id
    }

    /// Styles with their numbers, from number `from` on.
    pub fn since(&self, from: usize) -> impl Iterator<Item = (StyleId, &Style)> {
        self.styles
            .iter()
            .enumerate()
            .skip(from)
            .map(|(index, style)| (StyleId(u16::try_from(index).unwrap_or_default()), style))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.styles.len()
    }

    /// Never: plain text is always there.
    pub fn is_empty(&self) -> bool {
        self.styles.is_empty()
    }
}

impl Default for StyleTable {
    fn default() -> Self {
        let plain = Style::default();
        Self { styles: vec![plain], numbers: HashMap::from([(plain, StyleId(0))]) }
    }
}
