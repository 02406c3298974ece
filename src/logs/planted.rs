//! Panics where a test asks for one.

/// The line at which looking for errors panics.
pub(super) const LINE: &str = "planted: looking at this line panics";

/// The line at which removing its escapes panics.
pub(super) const RAW: &[u8] = b"planted: cleaning \x1b[1mthis line panics";

pub(super) fn panic_looking(block: &[u8]) {
    assert!(memchr::memmem::find(block, LINE.as_bytes()).is_none(), "planted: looking");
}

pub(super) fn panic_cleaning(line: &[u8]) {
    assert!(line != RAW, "planted: cleaning");
}
