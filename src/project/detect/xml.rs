//! As much of XML as build files need: elements with their text, attributes, line and place. Broken files give what was
//! found up to there.

/// An element.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Element {
    /// Its name without a prefix.
    pub(super) name: String,
    /// The names of those it lies in, the outermost first, joined by `/`.
    pub(super) within: String,
    pub(super) line: usize,
    pub(super) attributes: Vec<(String, String)>,
    /// Its own text, trimmed.
    pub(super) text: String,
}

/// Deeper elements are passed over.
const MAX_DEPTH: usize = 32;
/// How many elements of a file are looked at.
const MAX_ELEMENTS: usize = 50_000;

/// The elements in the order they begin.
pub(super) fn elements(text: &str) -> Vec<Element> {
    let mut found: Vec<Element> = Vec::new();
    // Those that are open, as places in `found`; `None` below the depth.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        if let Some(Some(inner)) = open.last() {
            found[*inner].text.push_str(before.trim());
        }
        line += newlines(before);
        let (skipped, kind) = tag_end(tag);
        let (inside, after) = tag.split_at(skipped);
        match kind {
            Kind::Skipped => {}
            Kind::Text => {
                if let Some(Some(inner)) = open.last() {
                    let inside = inside.trim_start_matches("<![CDATA[").trim_end_matches("]]>");
                    found[*inner].text.push_str(inside.trim());
                }
            }
            Kind::Close => drop(open.pop()),
            Kind::Open { empty } => {
                let known = open.len() < MAX_DEPTH && found.len() < MAX_ELEMENTS;
                if known {
                    let within = open.last().copied().flatten().map(|at| &found[at]);
                    let within = within.map_or(String::new(), |parent| match parent.within.as_str() {
                        "" => parent.name.clone(),
                        above => format!("{above}/{}", parent.name),
                    });
                    found.push(element(inside, within, line));
                }
                if !empty {
                    open.push(known.then(|| found.len() - 1));
                }
            }
        }
        line += newlines(inside);
        rest = after;
    }
    for element in &mut found {
        element.text = plain(&element.text);
    }
    found
}

/// What begins with `<`.
enum Kind {
    Open { empty: bool },
    Close,
    Text,
    Skipped,
}

/// How long what begins `tag` is, and what it is.
fn tag_end(tag: &str) -> (usize, Kind) {
    let until = |end: &str| tag.find(end).map_or(tag.len(), |at| at + end.len());
    match () {
        () if tag.starts_with("<!--") => (until("-->"), Kind::Skipped),
        () if tag.starts_with("<![CDATA[") => (until("]]>"), Kind::Text),
        () if tag.starts_with("<?") => (until("?>"), Kind::Skipped),
        () if tag.starts_with("<!") => (until(">"), Kind::Skipped),
        () if tag.starts_with("</") => (until(">"), Kind::Close),
        () => {
            let mut quote = None;
            for (at, c) in tag.char_indices() {
                match (quote, c) {
                    (Some(mark), _) if c == mark => quote = None,
                    (Some(_), _) => {}
                    (None, '"' | '\'') => quote = Some(c),
                    (None, '>') => return (at + 1, Kind::Open { empty: tag[..at].ends_with('/') }),
                    _ => {}
                }
            }
            (tag.len(), Kind::Skipped)
        }
    }
}

fn element(tag: &str, within: String, line: usize) -> Element {
    let tag = tag.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
    let (name, mut rest) = tag.split_at(tag.find(char::is_whitespace).unwrap_or(tag.len()));
    let mut attributes = Vec::new();
    while let Some((name, value)) = rest.split_once('=') {
        let value = value.trim_start();
        let Some(mark) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else { break };
        let Some((value, after)) = value[1..].split_once(mark) else { break };
        attributes.push((local(name.trim()).to_owned(), plain(value)));
        rest = after;
    }
    Element { name: local(name).to_owned(), within, line, attributes, text: String::new() }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The five characters XML has names for.
fn plain(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

fn newlines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

// === impl Element ===

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
