//! Panics where a test asks for one.

/// The line at which looking for errors panics.
pub(super) const LINE: &str = "planted: looking at this line panics";

/// The line at which removing its escapes panics.
pub(super) const RAW: &[u8] = b"planted: cleaning \x1b[1mthis line panics";

pub(super) fn panic_looking(line: &str) {
    assert!(line != LINE, "planted: looking");
}

pub(super) fn panic_cleaning(line: &[u8]) {
    assert!(line != RAW, "planted: cleaning");
}
