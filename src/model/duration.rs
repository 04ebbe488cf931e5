//! Durations as people write them in a manifest: `250ms`, `30s`, `5m`, `1h30m`, `7d`.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const PATTERN: &str = "^([0-9]{1,12}(ms|s|m|h|d))+$";
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A length of time with a resolution of a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

/// A text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a duration: write a number and a unit (ms, s, m, h, d), as in `30s` or `1h30m`")]
pub struct SpanError(String);

impl Span {
    /// So many milliseconds.
    #[must_use]
    pub const fn milliseconds(count: u64) -> Self {
        Self(Duration::from_millis(count))
    }

    /// This length and another after it.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// So many seconds.
    #[must_use]
    pub const fn seconds(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    /// The same length of time as the standard library has it.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl std::str::FromStr for Span {
    type Err = SpanError;
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let refused = || SpanError(text.to_owned());
        let mut rest = text;
        let mut total = 0_u64;
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|next: char| next.is_ascii_digit()).len();
            let (number, after) = rest.split_at(digits);
            let unit_length =
                after.len() - after.trim_start_matches(|next: char| next.is_ascii_lowercase()).len();
            let (unit, after) = after.split_at(unit_length);
            let number: u64 = number.parse().map_err(|_| refused())?;
            let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refused)?;
            total =
                number.checked_mul(*factor).and_then(|part| total.checked_add(part)).ok_or_else(refused)?;
            rest = after;
        }
        if text.is_empty() { Err(refused()) } else { Ok(Self::milliseconds(total)) }
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;
    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    /// The shortest text that is read back as the same length.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if rest == 0 {
            return formatter.write_str("0s");
        }
        for (name, factor) in UNITS {
            let count = rest / factor;
            if count > 0 {
                write!(formatter, "{count}{name}")?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": PATTERN,
            "description": "A duration: numbers with the units ms, s, m, h, d.", "examples": ["30s", "1h30m"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, milliseconds) in
            [("250ms", 250), ("30s", 30_000), ("1h30m", 5_400_000), ("7d", 604_800_000), ("0s", 0)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span, Span::milliseconds(milliseconds));
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        assert_eq!(Span::seconds(90).to_string(), "1m30s");
        for text in ["", "30", "s", "1x", "-1s", "1.5s", "1 s", "99999999999999999999d", "999999999999d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
