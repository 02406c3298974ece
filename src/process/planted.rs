//! Panics where a test asks for one.

use crate::event::ProcessInfo;

/// The variable that names the place.
pub(super) const PLACE: &str = "PLANTED_PANIC";

/// Panics if this is the place.
pub(super) fn panic_at(info: &ProcessInfo, place: &str) {
    assert!(!info.env.iter().any(|(name, value)| name == PLACE && value == place), "planted: {place}");
}
