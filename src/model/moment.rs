//! Points in time: for people in UTC, and for reckoning on the boot clock, which no one can set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in time for people: seconds resolution is enough, written as `2026-05-08T14:32:07.25Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub jiff::Timestamp);

impl std::fmt::Display for Moment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, formatter)
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time", "description": "A point in time, RFC 3339, in UTC." })
    }
}

/// A point on the clock that runs from the host's boot, sleep included (`CLOCK_BOOTTIME`), in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct BootMoment(pub u64);

/// The present on both clocks: years can pass in a test, and a person may set the one for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// On the boot clock, by which everything is reckoned but the calendar.
    pub boot: BootMoment,
    /// For people, and for the calendar.
    pub wall: Moment,
}

impl Present {
    /// A point of the boot clock as it looks to people now; one that has passed is the present.
    #[must_use]
    pub fn shown(self, point: BootMoment) -> Moment {
        let ahead = jiff::SignedDuration::try_from(point.since(self.boot)).unwrap_or_default();
        Moment(self.wall.0.saturating_add(ahead).unwrap_or(self.wall.0))
    }
}

impl BootMoment {
    /// How long after an earlier point, in milliseconds; zero if it was later.
    #[must_use]
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The point so much later.
    #[must_use]
    pub fn later(self, by: std::time::Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }
}
