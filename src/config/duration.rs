//! Times: text with a unit, or a number where the key says `_ms`.

use std::time::Duration;

use super::{
    raw::RawValue,
    setting::{Rule, Setting, quote},
};

// === impl Setting for Duration ===

impl Setting for Duration {
    /// Text carries its unit, `"5s"`; a bare number is only understood where the key says `_ms`.
    fn read(raw: &RawValue, rule: &Rule, key: &str) -> Result<Self, String> {
        let millis = match raw {
            // Nothing is nothing in every unit.
            RawValue::Integer(number) if *number == 0 || key.ends_with("_ms") => Some(*number),
            RawValue::Integer(number) => {
                return Err(format!("needs a unit: \"{number}s\" or \"{number}ms\""));
            }
            RawValue::Text(text) => parse_duration(text),
            _ => None,
        };
        let millis = millis.ok_or_else(|| format!("must be a time like \"5s\" or \"50ms\", not {raw}"))?;
        let millis = rule.admit(millis, raw, show_duration)?;
        u64::try_from(millis).map(Self::from_millis).map_err(|_| format!("must not be negative, not {raw}"))
    }

    fn show(&self, key: &str) -> Option<String> {
        let millis = i64::try_from(self.as_millis()).unwrap_or(i64::MAX);
        Some(if key.ends_with("_ms") { millis.to_string() } else { quote(&show_duration(millis)) })
    }

    fn spellings(key: &'static str) -> Vec<String> {
        match key.strip_suffix("_ms") {
            Some(plain) => vec![key.to_owned(), plain.to_owned()],
            None => vec![key.to_owned(), format!("{key}_ms")],
        }
    }
}

/// Milliseconds in `5s`, `50ms`, `1.5s`, `2m`, `1h`.
fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let (whole, part) = number.trim_end().split_once('.').unwrap_or((number.trim_end(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(factor)?;
    let part = match part {
        "" => 0,
        _ => part.parse::<i64>().ok()? * factor / 10_i64.pow(u32::try_from(part.len()).ok()?),
    };
    whole.checked_add(part)
}

/// The inverse, in the largest unit that needs no fraction.
fn show_duration(millis: i64) -> String {
    match millis {
        0 => "0s".to_owned(),
        _ if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        _ if millis % 60_000 == 0 => format!("{}m", millis / 60_000),
        _ if millis % 1000 == 0 => format!("{}s", millis / 1000),
        _ => format!("{millis}ms"),
    }
}
