//! The screenshot in README.md is what a user sees. `UPDATE=1 cargo test --test it readme` writes it anew.

use std::fs;

use regex::Regex;

use crate::support::{nvim::Nvim, repo, shop};

const BEGIN: &str = "<!-- screenshot: dev, then ]e and <CR> -->\n```text\n";
const END: &str = "```\n<!-- /screenshot -->";

/// What differs from run to run: clocks, how long the server took, and the bars of the last seconds. The time beside a line, drawn where the second
/// changes, is left out, because it changes at another line each time.
fn steady(screen: &str) -> String {
    let replace =
        |text: &str, pattern: &str, by: &str| Regex::new(pattern).unwrap().replace_all(text, by).into_owned();
    let text = replace(screen, r"(?m)^\d\d:\d\d:\d\d ", "         ");
    let text = replace(&text, r"\b\d\d:\d\d:\d\d\b", "12:01:07");
    let text = replace(&text, r"(?m)[▁▂▃▅▇ ]+$", "");
    replace(&text, r"ready in \d+ ms", "ready in 12 ms")
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

#[test]
fn the_screenshot_is_what_a_user_sees() {
    let nvim = Nvim::start(shop());
    // The name without its directory, which is another one on each machine.
    nvim.command(r"set statusline=%t laststatus=2 shortmess+=F");
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "page reload");
    nvim.wait_until("the error in the bar", |nvim| nvim.screen().contains("1 error"));
    nvim.keys("gg]e");
    nvim.wait_until("the headline", |nvim| nvim.text_at_cursor().contains("Internal server error"));
    nvim.keys("<CR>");
    nvim.wait_until("the source", |nvim| nvim.buffer().ends_with("coupon.js"));
    nvim.wait_until("a screen that is whole and rests", |nvim| {
        let screen = nvim.screen();
        screen.contains("Math.round") && screen.contains("● dev") && screen.contains("brummer: dev: ") && {
            nvim.command("redraw!");
            nvim.screen() == screen
        }
    });
    let shot = steady(&nvim.screen());

    let path = repo().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let begin = readme.find(BEGIN).expect("README.md has the marker") + BEGIN.len();
    let end = begin + readme[begin..].find(END).expect("README.md has the end marker");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{}{shot}{}", &readme[..begin], &readme[end..])).unwrap();
    } else {
        assert_eq!(readme[begin..end], shot, "UPDATE=1 cargo test --test it readme writes it anew");
    }
}
