//! What SGR sequences set (ECMA-48 8.3.117, ISO 8613-6 for the long forms of colours).

use super::style::{Colour, Style};

/// Applies the parameters of an SGR sequence. What is not known changes nothing.
pub(super) fn apply(style: &mut Style, parameters: &[u8]) {
    // `38:2::r:g:b` and `38;2;r;g;b` are both in use; the colon form may have an empty colour space.
    let mut groups = parameters.split(|&byte| byte == b';');
    while let Some(group) = groups.next() {
        let mut parts = group.split(|&byte| byte == b':').map(value);
        let code = parts.next().unwrap_or(0);
        let subs: Vec<u16> = parts.collect();
        match code {
            0 => *style = Style::default(),
            1 => style.bold = true,
            2 => style.dim = true,
            3 => style.italic = true,
            4 => style.underline = subs.first() != Some(&0),
            7 => style.reverse = true,
            9 => style.strike = true,
            21 => style.underline = true,
            22 => (style.bold, style.dim) = (false, false),
            23 => style.italic = false,
            24 => style.underline = false,
            27 => style.reverse = false,
            29 => style.strike = false,
            30..=37 => style.fg = palette(code - 30),
            39 => style.fg = None,
            40..=47 => style.bg = palette(code - 40),
            49 => style.bg = None,
            90..=97 => style.fg = palette(code - 90 + 8),
            100..=107 => style.bg = palette(code - 100 + 8),
            38 | 48 | 58 => {
                let colour = if subs.is_empty() {
                    long_colour(&mut groups.by_ref().map(value))
                } else if subs.len() >= 5 {
                    long_colour(&mut [subs[0], subs[2], subs[3], subs[4]].into_iter())
                } else {
                    long_colour(&mut subs.into_iter())
                };
                match code {
                    38 if colour.is_some() => style.fg = colour,
                    48 if colour.is_some() => style.bg = colour,
                    // The colour of underlines is not shown; its numbers are no codes.
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn long_colour(parameters: &mut dyn Iterator<Item = u16>) -> Option<Colour> {
    match parameters.next()? {
        5 => palette(parameters.next()?),
        2 => {
            let [r, g, b] = [parameters.next()?, parameters.next()?, parameters.next()?];
            Some(Colour::Rgb(u8::try_from(r).ok()?, u8::try_from(g).ok()?, u8::try_from(b).ok()?))
        }
        _ => None,
    }
}

fn palette(index: u16) -> Option<Colour> {
    u8::try_from(index).ok().map(Colour::Palette)
}

/// A parameter's number; an empty one is 0, and a foolish one is no code.
fn value(digits: &[u8]) -> u16 {
    digits
        .iter()
        .try_fold(0_u16, |sum, digit| match digit {
            b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u16::from(digit - b'0')),
            _ => None,
        })
        .unwrap_or(u16::MAX)
}
