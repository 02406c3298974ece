//! The words of a filter, and that a block gives the lines that pass one by one.

use proptest::prelude::*;

use super::*;
use crate::{
    event::Timestamp,
    locate::{self, Level},
    process::Stream,
};

mod looks;

const FACTS: Facts = Facts { at: Timestamp(1000), stream: Stream::Out, level: None };

fn facts(_: usize) -> Facts {
    FACTS
}

/// The lines of a text that pass, by the block.
fn found(filter: &Filter, lines: &[&[u8]]) -> Vec<usize> {
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for line in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
        ends.push(5 + u32::try_from(text.len()).unwrap());
    }
    let mut found = vec![7];
    filter.lines(&Block::new(&text, &ends, 5), &facts, &mut found);
    assert_eq!(found.remove(0), 7, "what was there stays");
    found
}

/// Which of these lines pass.
fn passing<'a>(filter: &str, lines: &[&'a str]) -> Vec<&'a str> {
    let filter = Filter::parse(filter).unwrap_or_else(|wrong| panic!("{filter}: {wrong}"));
    let bytes: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    found(&filter, &bytes).into_iter().map(|index| lines[index]).collect()
}

#[test]
fn words_must_occur_and_signed_ones_must_not() {
    let lines = ["GET /api 200", "get /web 404", "[hmr] update", "POST /api 500"];
    assert_eq!(passing("", &lines), lines);
    assert_eq!(passing("get", &lines), ["GET /api 200", "get /web 404"], "small letters find both");
    assert_eq!(passing("GET", &lines), ["GET /api 200"], "a capital finds itself");
    assert_eq!(passing("api -get", &lines), ["POST /api 500"]);
    assert_eq!(passing("-hmr -POST", &lines), ["GET /api 200", "get /web 404"]);
    assert_eq!(passing("\"/api 2\"", &lines), ["GET /api 200"]);
    assert_eq!(passing("/api", &lines), ["GET /api 200", "POST /api 500"], "a path is a word");
    assert_eq!(passing(r"/\b[45]\d\d$/", &lines), ["get /web 404", "POST /api 500"]);
    assert_eq!(passing(r"-/ \d+$/", &lines), ["[hmr] update"]);
    assert_eq!(passing(r"/^(get|post) \/api/", &lines), ["GET /api 200", "POST /api 500"]);
    assert_eq!(passing("[hmr]", &lines), ["[hmr] update"], "a word has no syntax");
}

#[test]
fn what_looks_like_a_key_or_a_sign_and_is_none_is_a_word() {
    let lines = ["http://host", "a - b", "level: high", "x-y", "say \"hi\" //"];
    assert_eq!(passing("http://h", &lines), ["http://host"]);
    assert_eq!(passing("-", &lines), ["a - b", "x-y"]);
    assert_eq!(passing("level:", &lines), ["level: high"]);
    assert_eq!(passing(r#""\"hi\"""#, &lines), ["say \"hi\" //"]);
    assert_eq!(passing("//", &lines), ["http://host", "say \"hi\" //"]);
}

#[test]
fn levels_count_from_one_up() {
    let lines = ["ERROR a", "warn: b", "2026-01-01 INFO c", "d"];
    assert_eq!(passing("level:error", &lines), ["ERROR a"]);
    assert_eq!(passing("level:warning", &lines), ["ERROR a", "warn: b"]);
    assert_eq!(passing("-level:warn", &lines), ["2026-01-01 INFO c", "d"]);
    let filter = Filter::parse("level:error").unwrap();
    assert!(filter.passes(b"nothing says so", &Facts { level: Some(Level::Error), ..FACTS }));
    assert!(filter.passes(b"error", &Facts { level: Some(Level::Warn), ..FACTS }), "the worse one counts");
}

#[test]
fn streams_times_and_processes_are_conditions() {
    let of = |text: &str| Filter::parse(text).unwrap();
    let err = Facts { stream: Stream::Err, ..FACTS };
    assert!(of("stream:err").passes(b"", &err) && !of("stream:err").passes(b"", &FACTS));
    assert!(of("-stream:err").passes(b"", &FACTS) && !of("-stream:err").passes(b"", &err));
    let new = Facts { at: Timestamp::now(), ..FACTS };
    assert!(of("since:1h").passes(b"", &new) && !of("since:1h").passes(b"", &FACTS));
    assert!(of("until:1h").passes(b"", &FACTS) && !of("until:1h").passes(b"", &new));
    assert!(!of("since:1h").admits_times(Timestamp(1), Timestamp(2)));
    assert!(of("since:1h").admits_times(Timestamp(1), Timestamp::now()));
    assert!(!of("until:1h").admits_times(Timestamp::now(), Timestamp::now()));
    assert!(of("process:web").admits("web/dev") && of("process:web/dev").admits("web/dev"));
    assert!(of("process:dev").admits("web/dev") && of("process:dev").admits("dev"));
    assert!(!of("process:web").admits("webshop") && !of("-process:web").admits("web/dev"));
}

#[test]
fn what_is_wrong_is_said_in_one_line_with_its_place() {
    let said = |text: &str| Filter::parse(text).unwrap_err().to_string();
    assert_eq!(said("ä /a(b/"), "filter: unclosed group in /a(b/, character 5");
    assert_eq!(said("x -/[z-a]/").lines().count(), 1);
    assert!(said("x -/[z-a]/").ends_with(", character 6"), "{}", said("x -/[z-a]/"));
    assert_eq!(said("level:bad").split(',').next(), Some("filter: level: has no \"bad\""));
    assert_eq!(said("a \"b"), "filter: a quote is not closed, character 3");
    assert_eq!(said("/a\\nb/"), "filter: a line has no line break in it in /a\\nb/, character 2");
    assert!(said("since:soon").contains("write 10m"));
    assert!(said("/(a{1000}){1000}/").starts_with("filter: "));
    assert_eq!(said(&"é".repeat(2049)), "filter: it is longer than 4096 bytes, character 2049");
    assert!(Filter::parse(&"a ".repeat(32)).is_ok());
    assert_eq!(said(&"a ".repeat(33)), "filter: there are more than 32 words, character 65");
}

#[test]
fn a_match_never_goes_over_the_end_of_a_line() {
    let lines = ["a", "b a", "", "a b"];
    assert_eq!(passing(r"/a\s+b/", &lines), ["a b"]);
    assert_eq!(passing(r"/a[^x]*b/", &lines), ["a b"]);
    assert_eq!(passing(r"/(?s)a.*b/", &lines), ["a b"]);
    assert_eq!(passing(r"/\Aa\z/", &lines), ["a"], "a line is all there is");
    assert_eq!(passing(r"/^$/", &lines), [""]);
    assert_eq!(passing(r"/x*/", &lines), lines);
    assert_eq!(passing(r"/[^a-z ]/", &lines), [""; 0], "no newline is seen");
}

#[test]
fn matches_are_told_with_their_bytes() {
    let filter = Filter::parse("b /a+/ -c").unwrap();
    assert_eq!(filter.matches(b"aab a b", 9), [(2, 3), (6, 7), (0, 2), (4, 5)]);
    assert_eq!(filter.matches(b"aab a b", 3).len(), 3);
    assert_eq!(Filter::parse("/x*/").unwrap().matches(b"abc", 9), []);
}

/// Lines of few letters, so that they match often; also no UTF-8, and none at all.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"a"[..],
        b"b",
        b"B",
        b"ab",
        b" ",
        b"\t",
        b"7",
        b"-",
        b"\xff",
        b"\xc3",
        "é".as_bytes(),
        "É".as_bytes(),
        b"\r",
        b"\0",
        b"error",
        b"Warn",
        b"k",
        "\u{212a}".as_bytes(),
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Every word of the grammar that is about text.
fn term() -> impl Strategy<Value = String> {
    let what = prop::sample::select(vec![
        "a",
        "B",
        "ab",
        "é",
        "É",
        "\"a b\"",
        "k",
        "/a+b/",
        "/a.b/",
        r"/\bA/",
        "/^a/",
        "/b$/",
        r"/\s/",
        "/[^a]/",
        "/(?-u:\\xff)/",
        r"/\Aa/",
        r"/b\z/",
        "/^$/",
        "/x*/",
        "/a|B|7/",
        "/(?i)AB|error/",
        r"/a\s*b/",
        "/(?s)a.*b/",
        r"/\W/",
        r"/\B/",
        "/é./",
        "/a[^7]*7/",
        "level:error",
        "level:warn",
    ]);
    (any::<bool>(), what).prop_map(|(negated, what)| format!("{}{what}", if negated { "-" } else { "" }))
}

/// The same with the `regex` crate, on one line.
fn plainly(term: &str, line: &[u8]) -> bool {
    let (negated, what) = term.strip_prefix('-').map_or((false, term), |rest| (true, rest));
    let is = if let Some(least) = what.strip_prefix("level:") {
        let least = if least == "error" { Level::Error } else { Level::Warn };
        locate::level(line).is_some_and(|level| level <= least)
    } else {
        let regex = match what.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(regex) => regex.to_owned(),
            None => regex::escape(what.trim_matches('"')),
        };
        // Of these none has a capital letter that is not one to look for, but for classes.
        let plain = regex.replace(r"\A", "").replace(r"\W", "").replace(r"\B", "").replace("(?i)AB", "");
        let insensitive = !plain.chars().any(char::is_uppercase);
        let ascii_word = !what.starts_with('/') && what.is_ascii();
        regex::bytes::RegexBuilder::new(&regex)
            .case_insensitive(insensitive)
            .unicode(!ascii_word)
            .multi_line(true)
            .build()
            .unwrap()
            .is_match(line)
    };
    is != negated
}

proptest! {
    #[test]
    fn a_block_gives_the_lines_that_pass_one_by_one(
        lines in prop::collection::vec(line(), 0..40),
        terms in prop::collection::vec(term(), 0..4),
    ) {
        let filter = Filter::parse(&terms.join(" ")).unwrap();
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let simple: Vec<usize> = (0..lines.len())
            .filter(|&index| terms.iter().all(|term| plainly(term, lines[index])))
            .collect();
        prop_assert_eq!(found(&filter, &lines), simple, "{:?}", terms);
        for line in &lines {
            let one = terms.iter().all(|term| plainly(term, line));
            prop_assert_eq!(filter.passes(line, &FACTS), one, "{:?} {:?}", terms, line);
        }
    }
}
