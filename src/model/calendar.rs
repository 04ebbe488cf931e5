//! The times at which a schedule runs a program, as crontab(5) writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const PATTERN: &str = "^\\s*\\S+(\\s+\\S+){4,5}\\s*$";

/// Points in time: minute, hour, day of the month, month, day of the week, and perhaps a time zone. Whoever asks it
/// for the next point says in which zone the host lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Calendar(String);

/// A text that names no points in time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}` names no times: write minute, hour, day, month and weekday, as in `30 3 * * *`, and a time zone if it is not the host's, as in `0 9 * * mon-fri Europe/Vienna` ({reason})"
)]
pub struct CalendarError {
    text: String,
    reason: String,
}

impl Calendar {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names points that come, and come often enough to be waited for: one in four years.
    #[must_use]
    pub fn comes(&self) -> bool {
        self.next(jiff::Timestamp::UNIX_EPOCH, "").is_some()
    }

    /// The first point after another; in UTC, where the text names no zone and none is given. `None`: there is none.
    #[must_use]
    pub fn next(&self, after: jiff::Timestamp, host_zone: &str) -> Option<jiff::Timestamp> {
        let has_zone = self.0.split_ascii_whitespace().count() > 5;
        let text =
            if has_zone || host_zone.is_empty() { self.0.clone() } else { format!("{} {host_zone}", self.0) };
        let crontab = parse(&text).or_else(|_| parse(&self.0)).ok()?;
        crontab.find_next(after).ok().map(|point| point.timestamp())
    }
}

fn parse(text: &str) -> Result<cronexpr::Crontab, cronexpr::Error> {
    let mut options = cronexpr::ParseOptions::default();
    options.fallback_timezone_option = cronexpr::FallbackTimezoneOption::UTC;
    cronexpr::parse_crontab_with(text, options)
}

impl TryFrom<String> for Calendar {
    type Error = CalendarError;
    fn try_from(text: String) -> Result<Self, CalendarError> {
        match parse(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => {
                // The last line points at the place and says what is wrong there.
                let message = error.to_string();
                let last = message.lines().last().unwrap_or_default().trim_start_matches([' ', '^']);
                let reason = last.split(';').next().unwrap_or_default().to_owned();
                Err(CalendarError { text, reason })
            }
        }
    }
}

impl From<Calendar> for String {
    fn from(calendar: Calendar) -> Self {
        calendar.0
    }
}

impl std::fmt::Display for Calendar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

impl JsonSchema for Calendar {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Calendar".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(text: &str, after: &str, zone: &str) -> String {
        let calendar = Calendar::try_from(text.to_owned()).unwrap();
        calendar.next(after.parse().unwrap(), zone).unwrap().to_string()
    }

    #[test]
    fn times_follow_the_zone_that_is_named_or_the_hosts() {
        let after = "2026-01-05T12:00:00Z";
        assert_eq!(next("30 3 * * *", after, ""), "2026-01-06T03:30:00Z");
        assert_eq!(next("30 3 * * *", after, "Europe/Vienna"), "2026-01-06T02:30:00Z");
        assert_eq!(next("30 3 * * * Asia/Tokyo", after, "Europe/Vienna"), "2026-01-05T18:30:00Z");
        assert_eq!(next("0 9 * * mon-fri", "2026-01-09T09:00:00Z", "UTC"), "2026-01-12T09:00:00Z");
        assert_eq!(next("0 0 29 2 *", after, ""), "2028-02-29T00:00:00Z");
        assert_eq!(next("*/15 * * * *", after, "no/where"), "2026-01-05T12:15:00Z");
    }

    #[test]
    fn a_day_that_no_year_has_does_not_come() {
        let comes = |text: &str| Calendar::try_from(text.to_owned()).unwrap().comes();
        assert!(comes("0 0 29 2 *") && comes("* * * * *") && !comes("0 0 30 2 *") && !comes("0 0 31 4,6 *"));
    }

    #[test]
    fn what_names_no_times_is_refused() {
        for wrong in ["", "* * * *", "60 * * * *", "* * * * * * *", "tomorrow", "0 9 * * mon-fri Mars/Base"] {
            assert!(Calendar::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
