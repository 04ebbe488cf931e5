//! Drift: what is on the host, or runs, and is not as it was applied.

use std::fmt;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::effect::Effect;

/// One thing that is not as it was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// What kind of thing.
    pub kind: DriftKind,
    /// Of what: a path, a unit, a variable, an account.
    pub object: String,
    /// What `apply` does about it.
    pub mend: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.object)
    }
}

/// The kinds of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum DriftKind {
    /// The definition is gone.
    DefinitionMissing,
    /// The definition was edited by hand.
    DefinitionEdited,
    /// The definition no longer says whose it is.
    MarkerGone,
    /// The unit was disabled for good.
    Masked,
    /// The service manager goes by a file of the same name elsewhere.
    Shadowed,
    /// The service manager has not read the definition as it is now.
    NotRead,
    /// The unit is not enabled.
    NotEnabled,
    /// The unit is enabled and is not to be.
    Enabled,
    /// The definition of the sockets is gone.
    SocketMissing,
    /// The definition of the sockets was edited by hand.
    SocketEdited,
    /// The socket unit is not enabled.
    SocketNotEnabled,
    /// The service runs, and its sockets are closed.
    SocketClosed,
    /// The user's services end with the last login.
    LingerOff,
    /// The current link leads elsewhere, or nowhere.
    LinkMoved,
    /// The launch settings are gone, or can't be read.
    LaunchMissing,
    /// The launch settings are not those that were applied.
    LaunchEdited,
    /// The copy of mainstay that the definition starts is gone.
    RuntimeMissing,
    /// A version runs that is not the active one.
    RunsOtherVersion,
    /// The program was started with other settings.
    RunsOtherSettings,
    /// The program was started under another definition.
    RunsOtherDefinition,
    /// A variable of the environment file has changed since the start.
    EnvironmentChanged,
    /// A secret has changed since the start.
    SecretChanged,
}

impl DriftKind {
    /// Whether only a new start mends it.
    #[must_use]
    pub fn needs_restart(self) -> bool {
        matches!(
            self,
            Self::SocketClosed
                | Self::RunsOtherVersion
                | Self::RunsOtherSettings
                | Self::RunsOtherDefinition
                | Self::EnvironmentChanged
                | Self::SecretChanged
        )
    }
}

impl fmt::Display for DriftKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::DefinitionMissing => "definition missing",
            Self::DefinitionEdited => "definition edited by hand",
            Self::MarkerGone => "definition without its marker",
            Self::Masked => "unit masked",
            Self::Shadowed => "unit loaded from elsewhere",
            Self::NotRead => "definition not read by systemd",
            Self::NotEnabled => "unit not enabled",
            Self::Enabled => "unit enabled against the manifest",
            Self::SocketMissing => "definition of the sockets missing",
            Self::SocketEdited => "definition of the sockets edited by hand",
            Self::SocketNotEnabled => "socket unit not enabled",
            Self::SocketClosed => "sockets closed",
            Self::LingerOff => "lingering off",
            Self::LinkMoved => "current link moved",
            Self::LaunchMissing => "launch settings missing",
            Self::LaunchEdited => "launch settings changed by hand",
            Self::RuntimeMissing => "copy of mainstay missing",
            Self::RunsOtherVersion => "another version runs",
            Self::RunsOtherSettings => "runs with other settings",
            Self::RunsOtherDefinition => "runs under another definition",
            Self::EnvironmentChanged => "environment changed since the start",
            Self::SecretChanged => "secret changed since the start",
        })
    }
}

/// A setting that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// The field of the manifest.
    pub field: String,
    /// Its value before; nothing where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its value after; nothing where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What it takes until it counts.
    pub takes: Effect,
}

impl fmt::Display for FieldChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let Self { field, before, after, takes } = self;
        write!(formatter, "{field}: {} → {} ({takes})", shown(before), shown(after))
    }
}

/// A file of the user's that changes what the definition says. mainstay leaves it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DropIn {
    /// Where it stands.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// What it sets, as `Section.Key=value`.
    pub sets: Vec<String>,
}

/// A definition as it stands and as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Where it stands.
    pub path: Utf8PathBuf,
    /// What it says; nothing where there is none.
    pub before: Option<String>,
    /// What it is to say; nothing where there is to be none.
    pub after: Option<String>,
}

/// What would change, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What is not as it was applied.
    pub drift: Vec<Drift>,
    /// The settings that change.
    pub fields: Vec<FieldChange>,
    /// The manifest, where it is to say something else, and the definitions that change.
    pub files: Vec<FileChange>,
    /// The user's own files, which stay.
    pub drop_ins: Vec<DropIn>,
}
