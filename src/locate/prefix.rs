//! What stands before a tool's own line: the time, the name of the process, the bar of a frame.

/// A line without its prefixes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Peeled<'a> {
    /// The name of the process whose line it is, empty when none is given.
    pub(super) tag: &'a [u8],
    /// The byte at which the line proper starts.
    pub(super) start: usize,
}

/// Takes times and process names off the front of a line, at most four of them. Looks at bytes, so that a line need not
/// be known to be UTF-8 yet; `start` never parts a character.
pub(super) fn peel(text: &[u8]) -> Peeled<'_> {
    let mut peeled = Peeled { tag: b"", start: 0 };
    for _ in 0..4 {
        let rest = &text[peeled.start..];
        let Some(first) = rest.first().copied() else { break };
        // A time in brackets begins with a digit, too.
        let digit = if first == b'[' { rest.get(1) } else { Some(&first) };
        let time = if digit.is_some_and(u8::is_ascii_digit) { time(rest) } else { None };
        if let Some(length) = time {
            peeled.start += length;
        } else if let Some((name, length)) = name(rest, first) {
            if peeled.tag.is_empty() {
                peeled.tag = name;
            }
            peeled.start += length;
        } else if let Some(length) = bar(rest, first) {
            peeled.start += length;
        } else {
            break;
        }
    }
    peeled
}

/// The length of a time at the front, with the blank behind it: `10:20:30 `, `[10:20:30] `, `7:59:20 AM `,
/// `2024-11-02T23:59:07.123Z `, `2024/11/02 23:59:07 `, `[2024-11-02 23:59:07,123] `.
fn time(bytes: &[u8]) -> Option<usize> {
    let bracket = bytes[0] == b'[';
    let mut at = usize::from(bracket);
    if let Some(length) = date(&bytes[at..]) {
        at += length;
        at += usize::from(matches!(bytes.get(at), Some(b'T' | b' ')));
    }
    at += clock(&bytes[at..])?;
    if bracket {
        if bytes.get(at) != Some(&b']') {
            return None;
        }
        at += 1;
    }
    if bytes.get(at) != Some(&b' ') {
        return None;
    }
    let half = matches!(bytes.get(at + 1..at + 4), Some(b"AM " | b"PM " | b"am " | b"pm "));
    Some(at + if half { 4 } else { 1 })
}

/// How many digits stand at the front.
pub(super) fn digits(bytes: &[u8]) -> usize {
    // Most rows are short; of a long one the rest is looked at in larger steps.
    let short = bytes.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    if short < 8 {
        return short;
    }
    let mut at = short;
    while let Some(part) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>)
        && are_digits(*part)
    {
        at += 16;
    }
    at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether all of these are digits.
fn are_digits<const N: usize>(bytes: [u8; N]) -> bool {
    bytes.iter().fold(true, |all, byte| all & byte.is_ascii_digit())
}

fn date(bytes: &[u8]) -> Option<usize> {
    let [a, b, c, d, one @ (b'-' | b'/'), e, f, other, g, h, ..] = *bytes else { return None };
    (one == other && are_digits([a, b, c, d, e, f, g, h])).then_some(10)
}

fn clock(bytes: &[u8]) -> Option<usize> {
    let mut at = match *bytes {
        [a, b':', c, d, b':', e, f, ..] if are_digits([a, c, d, e, f]) => 7,
        [a, b, b':', c, d, b':', e, f, ..] if are_digits([a, b, c, d, e, f]) => 8,
        _ => return None,
    };
    let next = bytes.get(at);
    if next.is_some_and(u8::is_ascii_digit) {
        return None;
    }
    if matches!(next, Some(b'.' | b',')) {
        let fraction = digits(&bytes[at + 1..]);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    match bytes.get(at) {
        Some(b'Z') => at += 1,
        Some(b'+' | b'-') => {
            let zone =
                bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
            at += 1 + zone;
        }
        _ => {}
    }
    Some(at)
}

/// Names in brackets that are a tool's or a level, not a process's: as numbers.
const TOOLS: &[u64] = &[
    number(b"ts"),
    number(b"hmr"),
    number(b"log"),
    number(b"tsc"),
    number(b"tsl"),
    number(b"vue"),
    number(b"crit"),
    number(b"info"),
    number(b"jest"),
    number(b"next"),
    number(b"nuxt"),
    number(b"sass"),
    number(b"vite"),
    number(b"warn"),
    number(b"alert"),
    number(b"astro"),
    number(b"babel"),
    number(b"cause"),
    number(b"debug"),
    number(b"emerg"),
    number(b"error"),
    number(b"fatal"),
    number(b"nitro"),
    number(b"trace"),
    number(b"errors"),
    number(b"eslint"),
    number(b"notice"),
    number(b"plugin"),
    number(b"rollup"),
    number(b"vitest"),
    number(b"esbuild"),
    number(b"nodemon"),
    number(b"postcss"),
    number(b"verbose"),
    number(b"warning"),
    number(b"webpack"),
    number(b"commonjs"),
    number(b"critical"),
];

/// The same, each in the first free place from that of its [`slot`] on; 0 is free.
const TOOL_SLOTS: [u64; 128] = {
    let (mut slots, mut at) = ([0; 128], 0);
    while at < TOOLS.len() {
        let mut place = slot(TOOLS[at]);
        while slots[place] != 0 {
            place = (place + 1) % 128;
        }
        slots[place] = TOOLS[at];
        at += 1;
    }
    slots
};

const fn slot(number: u64) -> usize {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57) as usize
}

fn is_tool(number: u64) -> bool {
    let mut place = slot(number);
    while TOOL_SLOTS[place] != 0 {
        if TOOL_SLOTS[place] == number {
            return true;
        }
        place = (place + 1) % 128;
    }
    false
}

/// A word of at most eight bytes as a number.
const fn number(word: &[u8]) -> u64 {
    let (mut number, mut at) = (0, 0);
    while at < word.len() {
        number = number << 8 | word[at] as u64;
        at += 1;
    }
    number
}

/// The name of a process at the front, and the length of its prefix: `[web] `, `app-1  | `, `web:dev: `,
/// `apps/web dev: `.
fn name(text: &[u8], first: u8) -> Option<(&[u8], usize)> {
    if first == b'[' {
        return bracketed(text);
    }
    if !(first.is_ascii_alphanumeric() || first == b'@' || first == b'_') {
        return None;
    }
    let word = word(&text[..text.len().min(64)]);
    let (name, rest) = text.split_at(word);
    match rest.first()? {
        b' ' => spaced(text, name, rest),
        b':' => task(text, name, rest),
        _ => None,
    }
}

/// `[web] `.
fn bracketed(text: &[u8]) -> Option<(&[u8], usize)> {
    let (mut end, mut lower, mut shaped) = (1, 0_u64, true);
    loop {
        let byte = *text.get(end).filter(|_| end < 64)?;
        if byte == b']' {
            break;
        }
        lower = lower << 8 | u64::from(byte.to_ascii_lowercase());
        shaped &= byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b'@' | b' ')
            || !byte.is_ascii();
        end += 1;
    }
    let name = &text[1..end];
    // `[web]` alone is an empty line of that process.
    let length = match text.get(end + 1) {
        Some(b' ') => end + 2,
        None => end + 1,
        _ => return None,
    };
    let shaped = shaped
        && match name {
            [] => false,
            [one] => one.is_ascii_digit() || one.is_ascii_lowercase(),
            _ if name.len() > 7 && name.starts_with(b"plugin ") => false,
            _ if name.len() > 8 => !name.eq_ignore_ascii_case(b"optimizer"),
            _ => !is_tool(lower),
        };
    shaped.then_some((name, length))
}

/// The bytes of a name.
const NAMED: [bool; 256] = {
    let (mut named, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        named[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@');
        byte += 1;
    }
    named
};

/// How many bytes at the front a name can have.
fn word(text: &[u8]) -> usize {
    let digits = digits(text);
    digits + text[digits..].iter().take_while(|byte| NAMED[usize::from(**byte)]).count()
}

/// `app-1  | ` and pnpm's `apps/web dev: `.
fn spaced<'a>(text: &'a [u8], name: &'a [u8], rest: &'a [u8]) -> Option<(&'a [u8], usize)> {
    // Most lines begin with a word, and there is nothing to it.
    if rest.get(1).is_some_and(|next| !matches!(next, b' ' | b'|')) && name != b"." && !name.contains(&b'/') {
        return None;
    }
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let behind = &rest[blanks..];
    // A row of digits before a bar is the gutter of a code frame.
    if let Some(body) = behind.strip_prefix(b"| ").or_else(|| (behind == b"|").then_some(b"")) {
        let gutter = name.iter().all(u8::is_ascii_digit);
        return (!gutter).then(|| (name, text.len() - body.len()));
    }
    if blanks != 1 || name.ends_with(b"/") || !(name == b"." || name.contains(&b'/')) {
        return None;
    }
    let script = behind
        .iter()
        .take(32)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':'))
        .count();
    let script = behind[..script].strip_suffix(b":")?;
    let known = script.first().is_some_and(u8::is_ascii_lowercase) && !is_trouble(script);
    let shaped = known && behind.get(script.len() + 1) == Some(&b' ') && !has_extension(name);
    shaped.then(|| (name, name.len() + 1 + script.len() + 2))
}

/// turbo's `web:dev: `.
fn task<'a>(text: &'a [u8], name: &'a [u8], rest: &'a [u8]) -> Option<(&'a [u8], usize)> {
    let script = rest[1..]
        .iter()
        .take(32)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        .count();
    let task = &rest[1..=script];
    let shaped = task.first().is_some_and(u8::is_ascii_lowercase)
        && rest[1 + script..].starts_with(b": ")
        && !name.contains(&b'.')
        && !is_trouble(name)
        && !is_trouble(task)
        && !name.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let end = name.len() + 1 + script;
    shaped.then(|| (&text[..end], end + 2))
}

fn is_trouble(word: &[u8]) -> bool {
    matches!(
        word,
        b"error"
            | b"warning"
            | b"note"
            | b"fatal"
            | b"panic"
            | b"info"
            | b"hint"
            | b"help"
            | b"npm"
            | b"node"
    )
}

fn has_extension(name: &[u8]) -> bool {
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    let dots = last.iter().take_while(|byte| **byte == b'.').count();
    last[dots..].contains(&b'.')
}

/// The bar that frames a block: `│ `, and `  | ` of Python's exception groups.
fn bar(text: &[u8], first: u8) -> Option<usize> {
    const LINE: &[u8] = "│ ".as_bytes();
    if !matches!(first, b' ' | b'|' | b'+' | 0xe2) {
        return None;
    }
    let blanks = text.iter().take_while(|byte| **byte == b' ').count();
    let trimmed = &text[blanks..];
    if let Some(body) = trimmed.strip_prefix(b"| ") {
        // Behind the gutter of a code frame stands code; of interest are only the lines of a traceback.
        let said = body.trim_ascii_start();
        let known = said.starts_with(b"File \"")
            || said.starts_with(b"Traceback (")
            || (body.first().is_some_and(u8::is_ascii_alphabetic)
                && memchr::memmem::find(body, b": ").is_some());
        return (known && blanks > 0).then_some(blanks + 2);
    }
    if trimmed.starts_with(b"+ Exception Group Traceback (") {
        return Some(blanks + 2);
    }
    (blanks == 0 && text.starts_with(LINE)).then_some(LINE.len())
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
#[test]
fn names_of_tools_are_not_of_processes() {
    let name = |text: &[u8]| bracketed(text).map(|(name, _)| name.to_vec());
    for tool in [
        "[vite] x",
        "[ERROR] x",
        "[warn] x",
        "[commonjs] x",
        "[Optimizer] x",
        "[plugin a] x",
        "[] x",
        "[A] x",
    ] {
        assert_eq!(name(tool.as_bytes()), None, "{tool}");
    }
    for process in ["web", "vitex", "a", "1", "app-1", "optimizers"] {
        let line = format!("[{process}] x");
        assert_eq!(name(line.as_bytes()), Some(process.as_bytes().to_vec()));
    }
}
