//! What an operation is for, and what it takes of the disk.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::version::Version;

/// What an operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Operation {
    /// A new instance.
    Install,
    /// A service that somebody else has defined, made mainstay's.
    Adopt,
    /// Changed settings.
    Apply,
    /// Another version.
    Upgrade,
    /// The version before.
    Rollback,
    /// Old versions removed.
    Cleanup,
    /// A version tree rebuilt from its archive.
    Repair,
    /// The instance removed.
    Uninstall,
    /// Started.
    Start,
    /// Stopped.
    Stop,
    /// Stopped and started.
    Restart,
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Install => "install",
            Self::Adopt => "adopt",
            Self::Apply => "apply",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Cleanup => "clean-up",
            Self::Repair => "repair",
            Self::Uninstall => "uninstall",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        })
    }
}

/// What an operation takes of the disk, and frees, in bytes, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// What it takes.
    pub takes: Option<u64>,
    /// What of that is stored already, as a part of another version.
    pub shared: Option<u64>,
    /// What it frees.
    pub frees: Option<u64>,
}

/// The versions of a container that is exchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// That of the one that runs.
    pub from: Version,
    /// That of the one that is to run.
    pub to: Version,
}
