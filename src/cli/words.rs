//! Lengths of time, sizes and points in time, in the words of people; and the words of programs, made harmless.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use crate::model::moment::Moment;
use crate::model::size::Size;

/// A length of time, with its two largest units: `2h 5m`, `45s`, `120ms`.
pub(crate) fn duration(length: Duration) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let seconds = length.as_secs();
    let Some(largest) = UNITS.iter().position(|(_, unit)| seconds >= *unit) else {
        return format!("{}ms", length.as_millis());
    };
    let mut rest = seconds;
    let mut words = Vec::new();
    for (name, unit) in UNITS.into_iter().skip(largest).take(2) {
        if rest >= unit {
            words.push(format!("{}{name}", rest / unit));
        }
        rest %= unit;
    }
    words.join(" ")
}

/// How long something has run, to the unit that matters: `42s`, `5m 3s`, `2h 5m`, `3d 0h 12m`.
pub(crate) fn uptime(length: Duration) -> String {
    let seconds = length.as_secs();
    let (minutes, hours, days) = (seconds / 60 % 60, seconds / 3_600 % 24, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m {}s", seconds % 60),
        3_600..86_400 => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h {minutes}m"),
    }
}

/// A number of bytes: `12.3 MiB`, `800 B`.
pub(crate) fn size(bytes: u64) -> String {
    Size::new(bytes).about()
}

/// How far off a point in time is: `in 12s`, `now`.
pub(crate) fn until(moment: Moment, now: Moment) -> String {
    let left = moment.0.duration_since(now.0);
    match u64::try_from(left.as_secs()) {
        Ok(seconds) if seconds > 0 => format!("in {}", duration(Duration::from_secs(seconds))),
        _ => "now".to_owned(),
    }
}

/// How long ago a point in time was: `12s ago`, `just now`.
pub(crate) fn since(moment: Moment, now: Moment) -> String {
    let past = now.0.duration_since(moment.0);
    match u64::try_from(past.as_secs()) {
        Ok(seconds) if seconds > 0 => format!("{} ago", duration(Duration::from_secs(seconds))),
        _ => "just now".to_owned(),
    }
}

/// A text in which digests are as short as they are in plans.
pub(crate) fn with_short_digests(text: &str) -> String {
    /// How many digits a digest has, and how many of them tell it from others.
    const WHOLE: usize = 64;
    const SHORT: usize = 12;
    let short = |word: &str| {
        let digits = word.trim_end_matches(['.', ',', ';', ')']);
        let is_digest = digits.len() == WHOLE && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest { format!("{}…{}", &digits[..SHORT], &word[WHOLE..]) } else { word.to_owned() }
    };
    text.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// A text of somebody else's for a terminal: what would move its cursor, change its colours or its title stands
/// there to be read, as in `\x1b[31m`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let speaks_to_it = |next: char| next.is_control() && next != '\t';
    if !text.contains(speaks_to_it) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for next in text.chars() {
        if speaks_to_it(next) {
            // A text takes all that is written into it.
            let _ = write!(shown, "\\x{:02x}", u32::from(next));
        } else {
            shown.push(next);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_to_a_terminal_is_made_visible() {
        assert_eq!(visible("größer\tals"), "größer\tals");
        assert_eq!(visible("\x1b[31mred\x1b]0;title\x07\r"), r"\x1b[31mred\x1b]0;title\x07\x0d");
        assert_eq!(visible("one\u{9b}2Jbyte\x7f"), r"one\x9b2Jbyte\x7f");
    }

    #[test]
    fn digests_are_short_and_other_words_whole() {
        let digest = "822e9d5ff45b588f5af388f3ae17a4cd4d0d1b93d04220ee92956e941e7b8d9d";
        let text = format!("`a.tgz` is not signed; its sha256 is {digest}, and {digest}0 is none");
        let short = format!("`a.tgz` is not signed; its sha256 is 822e9d5ff45b…, and {digest}0 is none");
        assert_eq!(with_short_digests(&text), short);
    }

    #[test]
    fn durations_have_two_units() {
        for (milliseconds, words) in [
            (0, "0ms"),
            (120, "120ms"),
            (45_000, "45s"),
            (60_000, "1m"),
            (7_500_000, "2h 5m"),
            (3_601_000, "1h"),
            (90_000_000, "1d 1h"),
            (31_536_000_000, "365d"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), words);
        }
    }

    #[test]
    fn uptimes_have_all_that_matters() {
        for (seconds, words) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 0s"),
            (3_599, "59m 59s"),
            (3_600, "1h 0m"),
            (86_399, "23h 59m"),
            (86_400, "1d 0h 0m"),
            (266_700, "3d 2h 5m"),
        ] {
            assert_eq!(uptime(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn sizes_have_one_decimal() {
        for (bytes, words) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (12_900_000, "12.3 MiB"), (1 << 40, "1.0 TiB")]
        {
            assert_eq!(size(bytes), words);
        }
    }
}
