//! The version of a package: any short word, ordered only where both are semantic versions.

use std::cmp::Ordering;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const LONGEST: usize = 64;
const PATTERN: &str = "^[0-9A-Za-z][0-9A-Za-z._+~-]{0,63}$";

/// The version of a package. It names a folder, so its alphabet is small.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// A text that can't be a version.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a version: it begins with a letter or digit, then letters, digits and `.` `_` `+` `~` `-`, \
     at most {LONGEST} in all"
)]
pub struct VersionError(String);

impl Version {
    /// Takes a text that obeys the rules of versions.
    pub fn new(text: impl Into<String>) -> Result<Self, VersionError> {
        let text = text.into();
        let mut bytes = text.bytes();
        let well_formed = text.len() <= LONGEST
            && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"._+~-".contains(&byte));
        if well_formed { Ok(Self(text)) } else { Err(VersionError(text)) }
    }

    /// The version of what nothing is known of.
    #[must_use]
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// The version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The order of two versions, where there is one: only between two semantic versions. Build
    /// metadata does not count (<https://semver.org/#spec-item-10>).
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        let ours = semver::Version::parse(&self.0).ok()?;
        let theirs = semver::Version::parse(&other.0).ok()?;
        Some(ours.cmp_precedence(&theirs))
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;
    fn try_from(text: String) -> Result<Self, VersionError> {
        Self::new(text)
    }
}

impl std::str::FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::new(text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": PATTERN,
            "description": "A version: letters, digits and `.` `_` `+` `~` `-`. Two semantic versions are compared; others are not.",
            "examples": ["1.4.2", "2026.11"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semantic_versions_are_ordered_and_others_are_not() {
        let version = |text: &str| Version::new(text).unwrap();
        assert_eq!(version("0.9.0").order(&version("0.10.0")), Some(Ordering::Less));
        assert_eq!(version("1.0.0+a").order(&version("1.0.0+b")), Some(Ordering::Equal));
        assert_eq!(version("1.0.0-rc.1").order(&version("1.0.0")), Some(Ordering::Less));
        assert_eq!(version("2026.11").order(&version("2026.12")), None);
    }

    #[test]
    fn texts_that_are_no_folder_name_are_refused() {
        for text in ["", ".1", "-1", "1/2", "1 2", "..", "é", &"1".repeat(65)] {
            assert!(Version::new(text).is_err(), "{text}");
        }
    }
}
