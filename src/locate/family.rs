//! The tables of recognisers, one per tool family, and what they agree on: which paths are a project's own,
//! and how a printed path is read.

mod beam;
mod c;
mod dotnet;
mod generic;
mod go;
mod javascript;
mod jvm;
mod php;
mod python;
mod ruby;
mod rust;
mod scripting;
mod style;
mod typescript;
mod web;

use super::{
    rule::{Act, Compiled, Rule},
    shape::Shape,
};
use std::{borrow::Cow, sync::LazyLock};

/// All tables, in order of priority. What is specific to a tool comes before what many print; the generic
/// grammar is last.
const TABLES: &[&[Rule]] = &[
    generic::NOISE,
    python::RULES,
    rust::RULES,
    jvm::RULES,
    javascript::RULES,
    web::RULES,
    typescript::RULES,
    dotnet::RULES,
    ruby::RULES,
    php::RULES,
    beam::RULES,
    scripting::RULES,
    style::RULES,
    go::RULES,
    c::RULES,
    javascript::THROWN,
    generic::RULES,
];

/// Every rule, in order of priority.
pub(super) fn rules() -> &'static [Compiled] {
    &index().rules
}

/// The rules worth a look for a text that starts, after blanks, with this byte. Where the line has no shape
/// at all only those that ask for none are left, which is mostly nobody.
pub(super) fn candidates(first: u8, shape: Shape) -> impl Iterator<Item = &'static Compiled> {
    let index = index();
    let list = if shape == Shape::NONE { &index.shapeless } else { &index.shaped };
    list[usize::from(first)].iter().map(|number| &index.rules[usize::from(*number)])
}

/// Whether any rule but that of headings may match a text that begins, after blanks, with `trimmed` and has these
/// shapes. Only the first bytes are compared, so a few texts pass that no rule matches; none fails that one matches.
pub(super) fn may_match(trimmed: &[u8], shape: Shape) -> bool {
    let index = index();
    if shape.meets(index.open) || index.open_all.iter().any(|needs| shape.has(*needs)) {
        return true;
    }
    let [first, second, ..] = *trimmed else { return false };
    // Nearly no line gets past this.
    if !index.pairs.has(first, second) {
        return false;
    }
    let front = Front::of(trimmed);
    let bucket = &index.beginnings[bucket(first, second)];
    bucket.iter().any(|(start, needs)| front.starts_with(*start) && shape.has(*needs))
}

/// The rules by the first byte they accept.
struct Index {
    rules: Vec<Compiled>,
    shaped: Vec<Vec<u16>>,
    shapeless: Vec<Vec<u16>>,
    /// What rules need that accept any beginning, or one of a byte, where that is one shape; that of headings is left
    /// out.
    open: Shape,
    /// The same where it is several shapes together, none of which is enough alone.
    open_all: Vec<Shape>,
    /// The beginnings of the others, each with what its rule needs, by their first two bytes.
    beginnings: Vec<Vec<(Front, Shape)>>,
    /// Those two bytes.
    pairs: Pairs,
}

/// How many lists the beginnings are in.
const BUCKETS: usize = 1024;

/// Where beginnings with these first two bytes are.
fn bucket(first: u8, second: u8) -> usize {
    (usize::from(first) << 2 ^ usize::from(second)) % BUCKETS
}

/// A set of pairs of bytes: a bit for each.
struct Pairs(Box<[u64; 1 << 10]>);

// === impl Pairs ===

impl Pairs {
    fn place(first: u8, second: u8) -> (usize, u64) {
        (usize::from(first) << 2 | usize::from(second >> 6), 1 << (second & 63))
    }

    fn add(&mut self, first: u8, second: u8) {
        let (at, bit) = Self::place(first, second);
        self.0[at] |= bit;
    }

    fn has(&self, first: u8, second: u8) -> bool {
        let (at, bit) = Self::place(first, second);
        self.0[at] & bit != 0
    }
}

/// Up to eight bytes at the front of a text, and which of them count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Front {
    bytes: u64,
    mask: u64,
}

// === impl Front ===

impl Front {
    fn of(text: &[u8]) -> Self {
        if let Some(front) = text.first_chunk::<8>() {
            return Self { bytes: u64::from_le_bytes(*front), mask: u64::MAX };
        }
        let mut front = [0; 8];
        front[..text.len()].copy_from_slice(text);
        let mask = (1 << (8 * text.len())) - 1;
        Self { bytes: u64::from_le_bytes(front), mask }
    }

    fn starts_with(self, start: Self) -> bool {
        // A text is no shorter than its beginning: no beginning has a zero byte.
        self.bytes & start.mask == start.bytes
    }
}

fn index() -> &'static Index {
    static INDEX: LazyLock<Index> = LazyLock::new(|| {
        let rules: Vec<_> = TABLES.iter().copied().flatten().map(Compiled::new).collect();
        let mut index = Index {
            rules,
            shaped: vec![Vec::new(); 256],
            shapeless: vec![Vec::new(); 256],
            open: Shape::NONE,
            open_all: Vec::new(),
            beginnings: vec![Vec::new(); BUCKETS],
            pairs: Pairs(Box::new([0; 1 << 10])),
        };
        for Rule { needs, starts, act, .. } in TABLES.iter().copied().flatten() {
            let open = starts.is_empty() || starts.iter().any(|start| start.len() == 1);
            if open && *act != Act::Heading {
                if needs.is_one() {
                    index.open = index.open | *needs;
                } else {
                    index.open_all.push(*needs);
                }
            }
            for start in starts.iter().map(|start| start.as_bytes()) {
                if let [first, second, ..] = start {
                    index.pairs.add(*first, *second);
                    index.beginnings[bucket(*first, *second)].push((Front::of(start), *needs));
                }
            }
        }
        let open = index.open;
        index.open_all.retain(|needs| !needs.meets(open));
        for (number, compiled) in (0_u16..).zip(&index.rules) {
            for first in 0..=255_u8 {
                let starts = compiled.rule.starts;
                if !starts.is_empty() && !starts.iter().any(|start| start.as_bytes()[0] == first) {
                    continue;
                }
                index.shaped[usize::from(first)].push(number);
                if compiled.rule.needs == Shape::NONE {
                    index.shapeless[usize::from(first)].push(number);
                }
            }
        }
        index
    });
    &INDEX
}

/// Whose file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The project's.
    User,
    /// A dependency's or the language's.
    Library,
}

/// Whose file a path names. Frames of the project are better places for an error than those of a library.
pub(super) fn kind(path: &str) -> Kind {
    const LIBRARY: &[&str] = &[
        "node_modules/",
        "site-packages/",
        "dist-packages/",
        "/lib/python",
        "/rustc/",
        "/.cargo/registry/",
        "/.rustup/",
        "/usr/lib/",
        "/usr/local/go/",
        "/go/pkg/mod/",
        "/usr/share/",
        "/gems/",
        "/rubygems/",
        "/vendor/bundle/",
        "/.yarn/",
        "/.pnpm/",
        "/deps/phoenix",
        "webpack/bootstrap",
        "webpack/runtime",
        "internal/modules/",
        "/libexec/",
        "/opt/homebrew/",
        "/nix/store/",
        "/proc/self/",
    ];
    if LIBRARY.iter().any(|part| path.contains(part)) { Kind::Library } else { Kind::User }
}

/// A path as it is meant: a file URL decoded, a bundler's scheme and a query taken off, a Java package put
/// before its file. `None` for what names no file.
pub(super) fn path(printed: &str, package: Option<&str>) -> Option<String> {
    let mut rest = printed.trim_matches(['"', '\'', '`']);
    let mut decoded = Cow::Borrowed(rest);
    if let Some(url) = rest.strip_prefix("file://") {
        let path = url.strip_prefix("localhost").unwrap_or(url);
        // `file:///C:/x` names `C:/x`.
        let drive = path.as_bytes().get(2) == Some(&b':');
        decoded = decode(if drive { &path[1..] } else { path });
    } else {
        for scheme in
            ["webpack-internal:///", "webpack:///", "turbopack:///[project]/", "rsc://React/Server/"]
        {
            rest = rest.strip_prefix(scheme).unwrap_or(rest);
        }
        for layer in ["(rsc)/", "(ssr)/", "(app-pages-browser)/", "(action-browser)/", "(middleware)/"] {
            rest = rest.strip_prefix(layer).unwrap_or(rest);
        }
        if rest.len() != decoded.len() {
            decoded = Cow::Borrowed(rest);
        }
    }
    let path = decoded.split_once('?').map_or(&*decoded, |(path, _)| path);
    let foreign = path.is_empty()
        || path.starts_with('<')
        || path.starts_with("node:")
        || path.starts_with("//")
        || path.ends_with('/')
        || path.contains("://")
        || path.starts_with("/rustc/");
    if foreign {
        return None;
    }
    let Some(package) = package else { return Some(path.to_owned()) };
    let mut folders: Vec<&str> = package.split('.').collect();
    // The last two are class and method.
    folders.truncate(folders.len().saturating_sub(2));
    folders.push(path);
    Some(folders.join("/"))
}

/// Decodes `%20` and its like; what is no escape stays.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match escape.filter(|_| bytes[at] == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}
