//! Points in time as users write them.

use jiff::{Span, ToSpan, Zoned, civil, tz::TimeZone};

use crate::event::Timestamp;

/// `10m` (s, m, h, d, w ago), `14:30` or `14:30:15` (the last time it was that late), `2026-11-23`, `2026-11-23T14:30`
/// here, or with an offset (`…T14:30:00Z`).
///
/// # Errors
/// What is understood, worded for the user.
pub fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    read(text, now, &TimeZone::system())
        .ok_or_else(|| format!("{text:?} is no time: write 10m, 14:30, 2026-11-23 or 2026-11-23T14:30"))
}

fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let instant = jiff::Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
    let here = instant.to_zoned(zone.clone());
    if let Some(span) = ago(text) {
        return told(&here.checked_sub(span).ok()?);
    }
    if let Ok(exact) = text.parse::<jiff::Timestamp>() {
        return told(&exact.to_zoned(zone.clone()));
    }
    // `10` alone would be an hour, and the date of a time that has one would be passed over.
    if text.contains(':')
        && !text.contains(['-', 'T'])
        && let Ok(time) = text.parse::<civil::Time>()
    {
        let today = here.date().to_datetime(time).to_zoned(zone.clone()).ok()?;
        let past = if today > here { today.checked_sub(1.day()).ok()? } else { today };
        return told(&past);
    }
    told(&text.parse::<civil::DateTime>().ok()?.to_zoned(zone.clone()).ok()?)
}

fn ago(text: &str) -> Option<Span> {
    let (number, unit) = text.split_at(text.find(|next: char| !next.is_ascii_digit())?);
    let number: i64 = number.parse().ok()?;
    let span = Span::new();
    match unit {
        "s" => span.try_seconds(number),
        "m" | "min" => span.try_minutes(number),
        "h" => span.try_hours(number),
        "d" => span.try_days(number),
        "w" => span.try_weeks(number),
        _ => return None,
    }
    .ok()
}

fn told(at: &Zoned) -> Option<Timestamp> {
    u64::try_from(at.timestamp().as_millisecond()).ok().map(Timestamp)
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    /// 2026-11-23 23:15 in Berlin.
    const NOW: Timestamp = Timestamp(1_795_472_100_000);

    #[test]
    fn times_are_meant_from_now_and_in_the_past() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let at = |text: &str| {
            let at = read(text, NOW, &zone)?;
            let at = jiff::Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
            Some(at.to_zoned(zone.clone()).strftime("%F %T").to_string())
        };
        for (text, expected) in [
            ("0s", "2026-11-23 23:15:00"),
            ("90s", "2026-11-23 23:13:30"),
            ("10m", "2026-11-23 23:05:00"),
            ("25h", "2026-11-22 22:15:00"),
            ("1w", "2026-11-16 23:15:00"),
            ("14:30", "2026-11-23 14:30:00"),
            ("23:15:00", "2026-11-23 23:15:00"),
            ("23:16", "2026-11-22 23:16:00"),
            ("2026-11-01", "2026-11-01 00:00:00"),
            ("2026-11-01T08:05", "2026-11-01 08:05:00"),
            ("2026-11-01T08:05:00Z", "2026-11-01 09:05:00"),
        ] {
            assert_eq!(at(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "10", "m", "10 m", "25:00", "soon", "-5m", "99999999999999999999s", "9999999999w"] {
            assert_eq!(at(text), None, "{text}");
        }
        assert!(moment("soon", NOW).unwrap_err().contains("write 10m"));
    }
}
