//! From the text of a filter to what it asks for.

use super::{
    Wrong,
    filter::{Condition, Filter},
    moment::moment,
    pattern::Pattern,
};
use crate::{event::Timestamp, locate::Level, process::Stream};

/// Bytes of a filter, and words: each costs at most what [`pattern`](super::pattern) allows one.
const LENGTH: usize = 4 << 10;
const WORDS: usize = 32;

/// Reads a filter; times without a date are meant from `now`.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<Filter, Wrong> {
    if text.len() > LENGTH {
        let at = text.char_indices().take_while(|(at, _)| *at < LENGTH).count() + 1;
        return Err(Wrong { what: format!("it is longer than {LENGTH} bytes"), at });
    }
    let mut reader = Reader { text, at: 0 };
    let mut count = 0;
    let mut filter = Filter::default();
    let mut words: Vec<(usize, Pattern)> = Vec::new();
    while let Some(term) = reader.term()? {
        let Term { negated, start, what } = term;
        let wrong = |what: String, before: usize| Wrong { what, at: place(text, start) + before };
        count += 1;
        if count > WORDS {
            return Err(wrong(format!("there are more than {WORDS} words"), 0));
        }
        let (pattern, weight) = match what {
            What::Text(word) => (Pattern::text(&word).map_err(|what| wrong(what, 0))?, word.len()),
            What::Regex(regex) => {
                let pattern = Pattern::regex(&regex)
                    .map_err(|(what, before)| wrong(format!("{what} in /{regex}/"), before + 1))?;
                // Looked for after text, which is found faster than most regexes.
                (pattern, 0)
            }
            What::Key(key, value) => {
                let condition = condition(key, &value, now).map_err(|what| wrong(what, key.len() + 1))?;
                filter.conditions.push((condition, !negated));
                continue;
            }
        };
        if negated { filter.must_not.push(pattern) } else { words.push((weight, pattern)) }
    }
    words.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    filter.must = words.into_iter().map(|(_, pattern)| pattern).collect();
    Ok(filter)
}

/// The number of a character from 1, by the byte it begins at.
fn place(text: &str, at: usize) -> usize {
    text[..at].chars().count() + 1
}

struct Term {
    negated: bool,
    /// Where it begins, after the sign.
    start: usize,
    what: What,
}

enum What {
    Text(String),
    Regex(String),
    Key(&'static str, String),
}

const KEYS: [&str; 5] = ["level", "process", "stream", "since", "until"];

fn condition(key: &str, value: &str, now: Timestamp) -> Result<Condition, String> {
    let told = |words: &str| format!("{key}: has no {value:?}, only {words}");
    Ok(match key {
        "level" => {
            let told = || told("error, warn, info, debug and trace");
            Condition::Level(Level::parse(value.trim_end_matches('s')).ok_or_else(told)?)
        }
        "stream" => Condition::Stream(match value {
            "err" | "stderr" => Stream::Err,
            "out" | "stdout" => Stream::Out,
            _ => return Err(told("out and err")),
        }),
        "process" => Condition::Process(value.to_owned()),
        "since" => Condition::Since(moment(value, now)?),
        _ => Condition::Until(moment(value, now)?),
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

// === impl Reader ===

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn term(&mut self) -> Result<Option<Term>, Wrong> {
        self.at = self.text.len() - self.rest().trim_start().len();
        if self.rest().is_empty() {
            return Ok(None);
        }
        let after_sign = self.rest().strip_prefix('-');
        let negated = after_sign.is_some_and(|rest| rest.starts_with(|next: char| !next.is_whitespace()));
        self.at += usize::from(negated);
        let start = self.at;
        let what = match self.regex() {
            Some(regex) => What::Regex(regex),
            None => self.key()?,
        };
        Ok(Some(Term { negated, start, what }))
    }

    /// `/…/` up to a slash with nothing behind it. Without one it is a path, and a word.
    fn regex(&mut self) -> Option<String> {
        let inner = self.rest().strip_prefix('/')?;
        let (mut regex, mut escaped) = (String::new(), false);
        for (at, next) in inner.char_indices() {
            let ends = inner[at + next.len_utf8()..].chars().next().is_none_or(char::is_whitespace);
            if next == '/' && escaped {
                regex.pop();
            } else if next == '/' && ends && at > 0 {
                self.at += 1 + at + 1;
                return Some(regex);
            }
            regex.push(next);
            escaped = next == '\\' && !escaped;
        }
        None
    }

    fn key(&mut self) -> Result<What, Wrong> {
        let found = KEYS.into_iter().find_map(|key| {
            let value = self.rest().strip_prefix(key)?.strip_prefix(':')?;
            let told = value.chars().next().is_some_and(|next| !next.is_whitespace());
            told.then_some(key)
        });
        if let Some(key) = found {
            self.at += key.len() + 1;
        }
        let text = self.text_or_quoted()?;
        Ok(found.map_or_else(|| What::Text(text.clone()), |key| What::Key(key, text.clone())))
    }

    /// Up to the next blank; in quotes, where `\"` is one, blanks do not count.
    fn text_or_quoted(&mut self) -> Result<String, Wrong> {
        let Some(inner) = self.rest().strip_prefix('"') else {
            let word = self.rest().split(char::is_whitespace).next().unwrap_or_default().to_owned();
            self.at += word.len();
            return Ok(word);
        };
        let (mut quoted, mut escaped) = (String::new(), false);
        for (at, next) in inner.char_indices() {
            if next == '"' && !escaped {
                if quoted.is_empty() {
                    break;
                }
                self.at += 1 + at + 1;
                return Ok(quoted);
            }
            if next == '"' {
                quoted.pop();
            }
            quoted.push(next);
            escaped = next == '\\' && !escaped;
        }
        let what =
            if inner.starts_with('"') { "nothing is in these quotes" } else { "a quote is not closed" };
        Err(Wrong { what: what.to_owned(), at: place(self.text, self.at) })
    }
}
