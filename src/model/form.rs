//! In whose words a definition is printed: those of a platform, or of a tool that mainstay installs nothing by.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::manifest::PlatformKind;

/// In whose words a definition is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Form {
    /// A platform's own.
    Platform(PlatformKind),
    /// A tool's, which runs it without mainstay.
    Printed(Printed),
}

/// A tool that mainstay prints definitions for, and installs nothing by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Printed {
    /// Podman's Quadlet: systemd runs the container of platform `compose`.
    Quadlet,
}

impl Form {
    /// The words that can be typed.
    pub fn all() -> impl Iterator<Item = Self> {
        PlatformKind::ALL.into_iter().map(Self::Platform).chain([Self::Printed(Printed::Quadlet)])
    }

    /// The platform whose launch it is.
    #[must_use]
    pub fn platform(self) -> PlatformKind {
        match self {
            Self::Platform(kind) => kind,
            Self::Printed(Printed::Quadlet) => PlatformKind::Compose,
        }
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform(kind) => kind.as_str(),
            Self::Printed(Printed::Quadlet) => "quadlet",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
