//! A kept line's colours as escapes again (ECMA-48 8.3.117, SGR), as its program could have printed it.

use std::fmt::Write;

use crate::logs::{Colour, Span, Style, StyleId};

/// The text with its spans painted. Bytes that are no UTF-8 are replaced.
pub(super) fn painted(text: &[u8], spans: &[Span], style: impl Fn(StyleId) -> Style) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for span in spans {
        let (start, end) = (span.start as usize, (span.end as usize).min(text.len()));
        if start < done || end <= start {
            continue;
        }
        out.push_str(&String::from_utf8_lossy(&text[done..start]));
        begin(&mut out, &style(span.style));
        out.push_str(&String::from_utf8_lossy(&text[start..end]));
        out.push_str("\x1b[0m");
        done = end;
    }
    out.push_str(&String::from_utf8_lossy(&text[done..]));
    out
}

fn begin(out: &mut String, style: &Style) {
    let &Style { fg, bg, bold, dim, italic, underline, reverse, strike } = style;
    out.push_str("\x1b[0");
    let attributes =
        [(bold, ";1"), (dim, ";2"), (italic, ";3"), (underline, ";4"), (reverse, ";7"), (strike, ";9")];
    for (_, code) in attributes.iter().filter(|(set, _)| *set) {
        out.push_str(code);
    }
    for (colour, code) in [(fg, 38), (bg, 48)] {
        // Writing to a string does not fail.
        match colour {
            Some(Colour::Palette(index)) => write!(out, ";{code};5;{index}").unwrap_or_default(),
            Some(Colour::Rgb(r, g, b)) => write!(out, ";{code};2;{r};{g};{b}").unwrap_or_default(),
            None => {}
        }
    }
    out.push('m');
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn colours_become_escapes_around_their_bytes() {
        let red = Style { fg: Some(Colour::Palette(1)), bold: true, ..Style::default() };
        let sky = Style { bg: Some(Colour::Rgb(1, 2, 3)), ..Style::default() };
        let style = |id: StyleId| if id == StyleId(1) { red } else { sky };
        let span = |start, end, style| Span { start, end, style: StyleId(style) };
        let text = painted("an ä error".as_bytes(), &[span(3, 5, 1), span(6, 99, 2)], style);
        assert_eq!(text, "an \x1b[0;1;38;5;1mä\x1b[0m \x1b[0;48;2;1;2;3merror\x1b[0m");
        assert_eq!(painted(b"plain \xff", &[], style), "plain \u{fffd}");
    }
}
