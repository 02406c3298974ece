//! How fast frames follow each other: as fast as a screen while little comes, slower in a flood and while the editor has
//! enough to do, and slowest in a flood while the user types.

use std::time::Duration;

use crate::event::{Health, Pressure};

/// Frames begin at least this far apart: 60 a second.
const INTERVAL: Duration = Duration::from_millis(16);

/// The same while much is printed, the editor is slow to answer, the model is not well or memory is short: 30 a second.
const SLOW_INTERVAL: Duration = Duration::from_millis(33);

/// The same while much is printed and the user types: what nobody can read that fast does not delay a key. So few frames
/// that fewer than one key in a hundred meets one.
const TYPING_INTERVAL: Duration = Duration::from_millis(150);

/// An editor that has taken this long over a frame is slow. One that takes longer than half an interval is left alone for
/// as long again, up to [`LONGEST`]: frames take at most half of its time.
const SLOW_ANSWER: Duration = Duration::from_millis(8);

/// See [`SLOW_ANSWER`]. A prompt may have been open for minutes.
const LONGEST: Duration = Duration::from_millis(50);

/// Where more lines than this have come since the frame before, sent or left out, it is a flood. What a window shows of one
/// is little, and yet each frame of it keeps the editor from answering a key for a moment.
const MANY_LINES: u64 = 100;

/// How far apart frames begin, after one before which so many lines had come and that was answered after `took`, perhaps by
/// an editor in which somebody was `typing`.
pub(super) fn interval(
    model: Health,
    memory: Pressure,
    lines: u64,
    took: Duration,
    typing: bool,
) -> Duration {
    let short = model >= Health::Degraded || memory >= Pressure::Warning;
    let flood = lines > MANY_LINES;
    let least = if flood && typing {
        TYPING_INTERVAL
    } else if short || flood || took > SLOW_ANSWER {
        SLOW_INTERVAL
    } else {
        INTERVAL
    };
    least.max(2 * took.min(LONGEST))
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn frames_are_slower_while_the_model_is_unwell_or_memory_is_short() {
        for model in [Health::Healthy, Health::Degraded, Health::Failing, Health::Failed] {
            for memory in [Pressure::Normal, Pressure::Warning, Pressure::Critical] {
                let well = (model, memory) == (Health::Healthy, Pressure::Normal);
                let interval = interval(model, memory, 1, Duration::ZERO, false);
                assert_eq!(interval == INTERVAL, well, "{model:?}, {memory:?}");
            }
        }
    }

    #[test]
    fn frames_are_slower_in_a_flood_and_while_the_editor_is_slow() {
        let ms = Duration::from_millis;
        let after = |lines, took| interval(Health::Healthy, Pressure::Normal, lines, took, false);
        assert_eq!(after(MANY_LINES, SLOW_ANSWER), INTERVAL);
        assert_eq!(after(MANY_LINES + 1, ms(1)), SLOW_INTERVAL);
        assert_eq!(after(1, ms(9)), SLOW_INTERVAL);
        assert_eq!(after(1, ms(40)), ms(80), "half of the editor's time is its own");
        assert_eq!(after(1, Duration::from_secs(600)), 2 * LONGEST, "a prompt says nothing of its speed");
    }

    #[test]
    fn of_a_flood_few_frames_are_sent_to_one_who_types() {
        let after = |lines| interval(Health::Healthy, Pressure::Normal, lines, Duration::ZERO, true);
        assert_eq!((after(MANY_LINES), after(MANY_LINES + 1)), (INTERVAL, TYPING_INTERVAL));
    }
}
