//! The properties of a unit, as `systemctl show` prints them.

use std::collections::BTreeMap;

use crate::model::moment::Moment;
use crate::platform::observed::{NoAnswer, unreadable};

/// The lines of `systemctl show`: `Key=value`.
pub(super) struct Properties<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Properties<'a> {
    /// The properties in the text.
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.lines().filter_map(|line| line.split_once('=')).collect())
    }

    /// A value; none if it is empty.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied().filter(|value| !value.is_empty())
    }

    /// A value as text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(str::to_owned)
    }

    /// A number.
    pub(super) fn number<N: std::str::FromStr>(&self, key: &str) -> Result<Option<N>, NoAnswer> {
        let Some(text) = self.get(key).filter(|text| *text != "[not set]") else { return Ok(None) };
        text.parse().map(Some).map_err(|_| unreadable(format!("`{key}` is `{text}`")))
    }

    /// A word of a closed list, as `serde` names them.
    pub(super) fn word<W: serde::de::DeserializeOwned>(&self, key: &str) -> Result<W, NoAnswer> {
        let text = self.get(key).unwrap_or_default();
        serde_json::from_value(text.into()).map_err(|_| unreadable(format!("`{key}` is `{text}`")))
    }

    /// A point in time as `--timestamp=us+utc` prints it: `Fri 2025-11-21 00:32:11.123456 UTC`.
    pub(super) fn moment(&self, key: &str) -> Result<Option<Moment>, NoAnswer> {
        let Some(text) = self.get(key).filter(|text| *text != "n/a") else { return Ok(None) };
        let parsed = text
            .strip_suffix(" UTC")
            .and_then(|rest| rest.split_once(' '))
            .and_then(|(_, moment)| moment.parse::<jiff::civil::DateTime>().ok())
            .and_then(|moment| jiff::tz::Offset::UTC.to_timestamp(moment).ok());
        parsed.map(|moment| Some(Moment(moment))).ok_or_else(|| unreadable(format!("`{key}` is `{text}`")))
    }
}
