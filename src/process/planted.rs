//! Panics where a test asks for one.

use crate::event::ProcessInfo;

/// The variable that names the places, with commas between them.
pub(super) const PLACE: &str = "PLANTED_PANIC";

/// Panics if this is one of the places.
pub(super) fn panic_at(info: &ProcessInfo, place: &str) {
    let is_it = |value: &str| value.split(',').any(|planted| planted == place);
    assert!(!info.env.iter().any(|(name, value)| name == PLACE && is_it(value)), "planted: {place}");
}
