//! Levels and addresses.

use crate::locate::{Level, MAX_URL, level, urls};

#[test]
fn a_level_stands_where_loggers_put_it() {
    for (line, want) in [
        ("12:01:07 [ERROR] no", Some(Level::Error)),
        ("[error] no", Some(Level::Error)),
        ("error: no", Some(Level::Error)),
        ("2026-11-23 12:01:07,123 WARNING root: x", Some(Level::Warn)),
        ("warn  - something", Some(Level::Warn)),
        ("INFO[0000] started", Some(Level::Info)),
        ("time=\"x\" level=debug msg=y", Some(Level::Debug)),
        ("ts=1 level=\"trace\" msg=y", Some(Level::Trace)),
        ("<info> x", Some(Level::Info)),
        ("[W] x", Some(Level::Warn)),
        ("{\"level\":30,\"msg\":\"error: no\"}", Some(Level::Info)),
        ("{\"msg\":\"x\",\"level\":\"WARN\"}", Some(Level::Warn)),
        ("  {\"severity\": \"ERROR\"}", Some(Level::Error)),
        ("{\"msg\":\"error: no\"}", None),
        ("no error so far", None),
        ("src/error.ts ok", None),
        ("error_handler: ready", None),
        ("compiled with 2 errors", None),
        (
            "a long line whose only word of that kind, ERROR, stands too far right to be a level",
            Some(Level::Error),
        ),
        ("a line so long that the only word of that kind stands to the right of byte 64: ERROR", None),
        ("", None),
    ] {
        assert_eq!(level(line.as_bytes()), want, "{line}");
    }
    assert_eq!(level(b"\xff\xfe ERROR"), Some(Level::Error));
    for one in Level::ALL {
        assert_eq!(Level::parse(one.name()), Some(one));
    }
}

fn found(text: &str) -> Vec<&str> {
    urls(text.as_bytes()).map(|range| &text[range]).collect()
}

#[test]
fn an_address_ends_before_the_sentence_does() {
    for (text, want) in [
        ("  ➜  Local:   http://localhost:5173/", "http://localhost:5173/"),
        ("see https://x.dev/a?b=c#d.", "https://x.dev/a?b=c#d"),
        ("(see http://x.dev/a_(b))", "http://x.dev/a_(b)"),
        ("listening on http://[::1]:3000, ready", "http://[::1]:3000"),
        ("\"url\":\"https://x.dev/a\",", "https://x.dev/a"),
        ("<https://x.dev>", "https://x.dev"),
        ("HTTP://X.dev/ü/漢字 end", "HTTP://X.dev/ü/漢字"),
        ("'http://x.dev/'", "http://x.dev/"),
        ("**http://0.0.0.0:8000**", "http://0.0.0.0:8000"),
    ] {
        assert_eq!(found(text), [want], "{text}");
    }
    assert_eq!(found("http://a.b, https://c.d\nhttp://e.f"), ["http://a.b", "https://c.d", "http://e.f"]);
}

#[test]
fn what_is_no_address_is_none() {
    for text in
        ["http://", "http:// x", "xhttp://a.b", "git+https://a.b", "file:///a", "ws://a", "http:///a", "://"]
    {
        assert_eq!(found(text), [""; 0], "{text}");
    }
    assert_eq!(found(&format!("http://a.b/{}", "x".repeat(MAX_URL))), [""; 0]);
    assert_eq!(urls(b"http://a.b/\xff c").count(), 0);
}

#[test]
fn many_brackets_at_the_end_cost_little() {
    // Each bracket that goes is counted again; an address is bounded, and so is that.
    let text = format!("http://a.b/{} ", ")".repeat(1 << 20));
    assert_eq!(urls(text.as_bytes()).count(), 0);
}
