//! Lengths of time, sizes and truth values, as systemd.time(7) and systemd.syntax(7) have them.

use crate::model::duration::Span;
use crate::model::size::Size;

const UNITS: [(&[&str], f64); 9] = [
    (&["usec", "us", "µs", "μs"], 0.001),
    (&["msec", "ms"], 1.0),
    (&["seconds", "second", "sec", "s"], 1_000.0),
    (&["minutes", "minute", "min", "m"], 60_000.0),
    (&["hours", "hour", "hr", "h"], 3_600_000.0),
    (&["days", "day", "d"], 86_400_000.0),
    (&["weeks", "week", "w"], 604_800_000.0),
    (&["months", "month", "M"], 2_629_800_000.0),
    (&["years", "year", "y"], 31_557_600_000.0),
];

/// The longest time that is taken, in milliseconds: a thousand years.
const LONGEST: f64 = 31_557_600_000_000.0;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So long.
    Of(Span),
    /// Without an end.
    Infinite,
}

/// Reads a length of time; a bare number counts seconds.
pub(super) fn length(text: &str) -> Option<Length> {
    let text = text.trim();
    if text == "infinity" {
        return Some(Length::Infinite);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|next: char| !next.is_ascii_digit() && next != '.').unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().ok()?;
        let after = rest[end..].trim_start();
        let end = after
            .find(|next: char| next.is_ascii_digit() || next.is_ascii_whitespace())
            .unwrap_or(after.len());
        let unit = &after[..end];
        let factor =
            if unit.is_empty() { 1_000.0 } else { UNITS.iter().find(|(names, _)| names.contains(&unit))?.1 };
        total += number * factor;
        rest = after[end..].trim_start();
    }
    if text.is_empty() || !(0.0..=LONGEST).contains(&total) {
        return None;
    }
    // Ours counts milliseconds: what is shorter is the shortest.
    let least = if total > 0.0 { 1.0_f64 } else { 0.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between nothing and the longest time, which fits"
    )]
    let milliseconds = total.round().max(least) as u64;
    Some(Length::Of(Span::milliseconds(milliseconds)))
}

/// A number of bytes, with the suffixes of powers of 1024.
pub(super) fn size(text: &str) -> Option<Size> {
    let text = text.trim();
    let (number, power) = match text.char_indices().last()? {
        (_, last) if last.is_ascii_digit() => (text, 0),
        (at, last) => (text[..at].trim_end(), "BKMGTPE".find(last)?),
    };
    let number: u64 = number.parse().ok()?;
    let factor = 1024_u64.checked_pow(u32::try_from(power).ok()?)?;
    number.checked_mul(factor).map(Size::new)
}

/// A truth value.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, milliseconds) in [
            ("5", 5_000),
            ("5min 20s", 320_000),
            ("1.5h", 5_400_000),
            ("100ms", 100),
            ("2 weeks", 1_209_600_000),
            ("1us", 1),
            ("0", 0),
            ("1M", 2_629_800_000),
            ("1m30", 90_000),
        ] {
            assert_eq!(length(text), Some(Length::Of(Span::milliseconds(milliseconds))), "{text}");
        }
        assert_eq!(length("infinity"), Some(Length::Infinite));
        for wrong in ["", "s", "5x", "-1", "1..2s", "99999999999999999999y", "é", "5 é"] {
            assert_eq!(length(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_and_truth_values_are_read() {
        assert_eq!(size("512M"), Some(Size::new(512 << 20)));
        assert_eq!(size("1024"), Some(Size::new(1024)));
        assert_eq!(size("4 G"), Some(Size::new(4 << 30)));
        for wrong in ["", "infinity", "10%", "1.5G", "99999999999E", "é"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
        assert_eq!((truth("Yes"), truth("off"), truth("maybe")), (Some(true), Some(false), None));
    }
}
