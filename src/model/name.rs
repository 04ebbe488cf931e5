//! The names of instances and components, which become file, unit and service names.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name, in bytes: a unit name may have 255, and suffixes and prefixes need room.
const LONGEST: usize = 63;
const PATTERN: &str = "^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$";
const KEPT: [&str; 3] = ["install", "state", "instances.json"];
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
const UNIT_SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".target",
    ".timer",
    ".mount",
    ".automount",
    ".path",
    ".slice",
    ".scope",
    ".swap",
    ".device",
];

/// The name of an instance: one service of one scope on this host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceName(String);

/// The name of a component: what a package contains, the first part of a version tree's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ComponentName(String);

/// Why a text can't be a name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Something that file names, unit names and service names do not all allow.
    #[error(
        "`{0}` is not a name: use lower-case letters, digits, `.`, `_` and `-`, at most {LONGEST}, with a \
         letter or digit at both ends"
    )]
    Form(String),
    /// A name that the tool or the system keeps for itself.
    #[error("`{0}` is kept by mainstay or by the system: choose another name")]
    Kept(String),
}

fn check(text: &str) -> Result<(), NameError> {
    let bytes = text.as_bytes();
    let outer = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: u8| outer(byte) || matches!(byte, b'.' | b'_' | b'-');
    let well_formed = matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if outer(first) && outer(last))
        && bytes.len() <= LONGEST
        && bytes.iter().copied().all(inner);
    if !well_formed {
        return Err(NameError::Form(text.to_owned()));
    }
    let stem = text.split('.').next().unwrap_or(text);
    let numbered_device = stem.len() == 4
        && (stem.starts_with("com") || stem.starts_with("lpt"))
        && stem.ends_with(|last: char| last.is_ascii_digit());
    let kept = KEPT.contains(&text)
        || DEVICES.contains(&stem)
        || numbered_device
        || UNIT_SUFFIXES.iter().any(|suffix| text.ends_with(suffix));
    if kept { Err(NameError::Kept(text.to_owned())) } else { Ok(()) }
}

macro_rules! name {
    ($type:ident, $schema_name:literal, $description:literal) => {
        impl $type {
            /// Takes a text that obeys the rules of names.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema_name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": PATTERN, "description": $description })
            }
        }
    };
}

name!(InstanceName, "InstanceName", "Lower-case letters, digits, `.`, `_` and `-`, at most 63 of them.");
name!(ComponentName, "ComponentName", "Lower-case letters, digits, `.`, `_` and `-`, at most 63 of them.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_every_system_allows_are_taken() {
        for text in ["a", "e2e", "kici-orchestrator", "a.b_c-1", &"x".repeat(63)] {
            assert!(InstanceName::new(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn names_that_some_system_refuses_are_refused() {
        for text in ["", "-a", "a-", "A", "a b", "a/b", "é", "..", ".a", &"x".repeat(64), "a\0"] {
            assert!(matches!(InstanceName::new(text), Err(NameError::Form(_))), "{text}");
        }
        for text in [
            "install",
            "state",
            "instances.json",
            "con",
            "nul.txt",
            "com1",
            "lpt9.x",
            "x.service",
            "a.socket",
        ] {
            assert!(matches!(InstanceName::new(text), Err(NameError::Kept(_))), "{text}");
        }
    }
}
