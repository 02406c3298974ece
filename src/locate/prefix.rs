//! What stands before a tool's own line: the time, the name of the process, the bar of a frame.

/// A line without its prefixes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Peeled<'a> {
    /// The name of the process whose line it is, empty when none is given.
    pub(super) tag: &'a str,
    /// The byte at which the line proper starts.
    pub(super) start: usize,
}

/// Takes times and process names off the front of a line, at most four of them.
pub(super) fn peel(text: &str) -> Peeled<'_> {
    let mut peeled = Peeled { tag: "", start: 0 };
    for _ in 0..4 {
        let rest = &text[peeled.start..];
        let Some(first) = rest.bytes().next() else { break };
        let time = if first.is_ascii_digit() || first == b'[' { time(rest) } else { None };
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
fn time(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
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
    for half in [" AM ", " PM ", " am ", " pm "] {
        if text[at..].starts_with(half) {
            return Some(at + 4);
        }
    }
    Some(at + 1)
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn date(bytes: &[u8]) -> Option<usize> {
    let separator = *bytes.get(4)?;
    let shaped = digits(bytes) == 4
        && matches!(separator, b'-' | b'/')
        && bytes.len() >= 10
        && digits(&bytes[5..7]) == 2
        && bytes[7] == separator
        && digits(&bytes[8..10]) == 2;
    shaped.then_some(10)
}

fn clock(bytes: &[u8]) -> Option<usize> {
    let hours = digits(bytes);
    if !(1..=2).contains(&hours) || bytes.get(hours) != Some(&b':') {
        return None;
    }
    let minutes = hours + 1;
    if digits(&bytes[minutes..]) != 2
        || bytes.get(minutes + 2) != Some(&b':')
        || digits(&bytes[minutes + 3..]) != 2
    {
        return None;
    }
    let mut at = minutes + 5;
    if matches!(bytes.get(at), Some(b'.' | b',')) {
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

/// Names in brackets that are a tool's or a level, not a process's.
const NOT_NAMES: &[&str] = &[
    "vite",
    "nodemon",
    "webpack",
    "rollup",
    "astro",
    "next",
    "nuxt",
    "nitro",
    "hmr",
    "plugin",
    "commonjs",
    "tsl",
    "esbuild",
    "error",
    "warn",
    "warning",
    "info",
    "debug",
    "trace",
    "fatal",
    "notice",
    "critical",
    "verbose",
    "log",
    "babel",
    "eslint",
    "emerg",
    "alert",
    "crit",
    "cause",
    "errors",
    "ts",
    "tsc",
    "sass",
    "postcss",
    "vitest",
    "jest",
    "optimizer",
    "vue",
];

/// The name of a process at the front, and the length of its prefix: `[web] `, `app-1  | `, `web:dev: `,
/// `apps/web dev: `.
fn name(text: &str, first: u8) -> Option<(&str, usize)> {
    if first == b'[' {
        let end = text.bytes().take(64).position(|byte| byte == b']')?;
        let name = &text[1..end];
        let shaped = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-./:@ ".contains(&byte) || !byte.is_ascii())
            && !name.starts_with("plugin ")
            && !NOT_NAMES.iter().any(|other| name.eq_ignore_ascii_case(other))
            && (name.len() > 1
                || name.as_bytes()[0].is_ascii_digit()
                || name.as_bytes()[0].is_ascii_lowercase());
        // `[web]` alone is an empty line of that process.
        return match text.as_bytes().get(end + 1) {
            Some(b' ') if shaped => Some((name, end + 2)),
            None if shaped => Some((name, end + 1)),
            _ => None,
        };
    }
    if !(first.is_ascii_alphanumeric() || first == b'@' || first == b'_') {
        return None;
    }
    let word = text
        .bytes()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-./@".contains(byte))
        .count();
    let name = &text[..word];
    let rest = &text[word..];
    match rest.as_bytes().first()? {
        b' ' => {
            let blanks = rest.bytes().take_while(|byte| *byte == b' ').count();
            let behind = &rest[blanks..];
            // A row of digits before a bar is the gutter of a code frame.
            if let Some(body) = behind.strip_prefix("| ").or_else(|| (behind == "|").then_some("")) {
                let gutter = name.bytes().all(|byte| byte.is_ascii_digit());
                return (!gutter).then(|| (name, text.len() - body.len()));
            }
            // pnpm: `apps/web dev: `.
            if blanks == 1 && (name.contains('/') || name == ".") && !name.ends_with('/') {
                let script = behind
                    .bytes()
                    .take(32)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-:".contains(byte))
                    .count();
                let script = behind[..script].strip_suffix(':')?;
                let known = script.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
                    && !is_trouble(script);
                if known
                    && behind[script.len() + 1..].starts_with(' ')
                    && !name.contains(':')
                    && !has_extension(name)
                {
                    return Some((name, word + 1 + script.len() + 2));
                }
            }
            None
        }
        // turbo: `web:dev: `.
        b':' => {
            let script = rest[1..]
                .bytes()
                .take(32)
                .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
                .count();
            let task = &rest[1..=script];
            let shaped = task.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
                && rest[1 + script..].starts_with(": ")
                && !name.contains('.')
                && !is_trouble(name)
                && !is_trouble(task)
                && !name.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
            shaped.then(|| (&text[..word + 1 + script], word + 1 + script + 2))
        }
        _ => None,
    }
}

fn is_trouble(word: &str) -> bool {
    matches!(
        word,
        "error" | "warning" | "note" | "fatal" | "panic" | "info" | "hint" | "help" | "npm" | "node"
    )
}

fn has_extension(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|last| last.trim_start_matches('.').contains('.'))
}

/// The bar that frames a block: `│ `, and `  | ` of Python's exception groups.
fn bar(text: &str, first: u8) -> Option<usize> {
    if !matches!(first, b' ' | b'|' | b'+' | 0xe2) {
        return None;
    }
    let trimmed = text.trim_start_matches(' ');
    let blanks = text.len() - trimmed.len();
    if let Some(body) = trimmed.strip_prefix("| ") {
        // Behind the gutter of a code frame stands code; of interest are only the lines of a traceback.
        let known = body.trim_start().starts_with("File \"")
            || body.trim_start().starts_with("Traceback (")
            || (!body.starts_with(' ')
                && body.contains(": ")
                && body.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()));
        return (known && blanks > 0).then(|| blanks + 2);
    }
    if trimmed.starts_with("+ Exception Group Traceback (") {
        return Some(blanks + 2);
    }
    (blanks == 0).then(|| text.strip_prefix("│ ").map(|body| text.len() - body.len())).flatten()
}
