//! The manifest: what a person declares of a service in `mainstay.json`.
//!
//! Every field but `name` and `package.name` has a default; the defaults of the package stand between
//! the manifest and the tool's own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::compose::Compose;
use crate::model::name::InstanceName;
use crate::model::rule::Below;
pub use crate::model::service::{
    Hardening, Limits, Ready, Restart, RestartWhen, Secret, Service, Stdin, Stop, StopSignal, Supervision,
};
use crate::model::size::Size;
pub use crate::model::source::{Download, PackageReference, PackageSource};
pub use crate::model::upgrade::{Hooks, Upgrade};
pub use crate::model::variable::{VariableName, VariableNameError};

/// The name of the manifest's file in a deploy folder.
pub const FILE_NAME: &str = "mainstay.json";
/// The ending of a manifest that shares its folder with another: `<component>.mainstay.json`.
pub const SHARED_SUFFIX: &str = ".mainstay.json";
/// Where the manifest's schema is published.
pub const SCHEMA_ADDRESS: &str =
    "https://raw.githubusercontent.com/mainstay-dev/mainstay/main/schema/manifest.v1.json";

/// A service, declared: `mainstay.json` in a deploy folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay manifest", transform = Below(""))]
pub struct Manifest {
    /// The address of this schema, for editors. mainstay ignores it.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [SCHEMA_ADDRESS]))]
    pub schema: Option<String>,
    /// The instance's name: unique in its scope on a host.
    #[schemars(extend("examples" = ["e2e"]))]
    pub name: InstanceName,
    /// The service manager. Default: launchd on macOS, systemd where it runs, else mainstay's own supervisor (embedded).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["systemd"]))]
    pub platform: Option<PlatformKind>,
    /// Whether the service belongs to the host or to a user. Default: system for root, else user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["system"]))]
    pub scope: Option<Scope>,
    /// What is installed.
    #[schemars(extend("examples" = [{ "name": "orchestrator", "version": "0.3.0" }]))]
    pub package: PackageReference,
    /// How it runs.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "command": ["{package}/bin/orchestrator", "--config", "{config}/orchestrator.toml"] }]))]
    pub service: Service,
    /// How one version follows another.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "gate": "2m", "trial": "1h", "keep": 3 }]))]
    pub upgrade: Upgrade,
    /// How captured logs are rotated. On systemd the journal keeps them, by its own settings.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "maxSize": "50MiB", "keep": 5 }]))]
    pub logs: Logs,
    /// What only systemd understands.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "unit": { "After": ["postgresql.service"] } }]))]
    pub systemd: Systemd,
    /// The container that runs, on platform `compose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "image": "quay.io/acme/orchestrator:0.3.0", "ports": ["127.0.0.1:4000:4000"] }]))]
    pub compose: Option<Compose>,
}

impl Manifest {
    /// Whether mainstay unpacks the versions: not where a package manager, a user or a container engine brings them.
    #[must_use]
    pub fn has_trees(&self) -> bool {
        self.compose.is_none() && self.package.source.has_trees()
    }
}

/// A service manager that mainstay speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum PlatformKind {
    /// systemd, in system or user scope.
    Systemd,
    /// mainstay's own guardian and supervisor, where there is no service manager.
    Embedded,
    /// A container of Docker's or Podman's, by Compose.
    Compose,
    /// launchd of macOS: a daemon in system scope, an agent in user scope.
    Launchd,
    /// A service of Windows, which an administrator installs.
    Windows,
    /// A task of Windows, which starts when its user logs in, and needs no administrator.
    Task,
}

impl PlatformKind {
    /// Every platform, for tables and messages.
    pub const ALL: [Self; 6] =
        [Self::Systemd, Self::Embedded, Self::Compose, Self::Launchd, Self::Windows, Self::Task];

    /// The word that stands in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Embedded => "embedded",
            Self::Compose => "compose",
            Self::Launchd => "launchd",
            Self::Windows => "windows",
            Self::Task => "task",
        }
    }

    /// Whether a guardian of mainstay's own starts the supervisor and acts on its ending; on Windows the service manager
    /// starts that guardian.
    #[must_use]
    pub fn is_guarded(self) -> bool {
        matches!(self, Self::Embedded | Self::Windows | Self::Task)
    }

    /// Whether mainstay itself keeps the program's output and its endings: whoever starts the supervisor knows only that it
    /// runs.
    #[must_use]
    pub fn keeps_logs(self) -> bool {
        self.is_guarded() || self == Self::Launchd
    }
}

impl std::fmt::Display for PlatformKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// To whom a service belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Scope {
    /// The host: installed by root, started at boot.
    System,
    /// One user: installed without root.
    User,
}

impl Scope {
    /// The word that stands in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// How captured logs are rotated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Logs {
    /// The size at which a log file is put away. Default: 10MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10MiB", "examples" = ["50MiB"]))]
    pub max_size: Option<Size>,
    /// How many put-away files are kept. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000), extend("default" = 3, "examples" = [5]))]
    pub keep: Option<u32>,
    /// A regular expression whose group `level` finds the level in a line. Default: JSON fields, syslog prefixes, usual words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = LEVEL_PATTERN), extend("examples" = ["^\\S+ \\[(?<level>\\w+)\\]"]))]
    pub level: Option<String>,
}

/// What a schema says of the expression that finds a line's level.
pub const LEVEL_PATTERN: &str = "\\(\\?P?<level>";

/// Refuses an expression that finds no level.
pub fn check_level(text: &str) -> Result<(), String> {
    let example = "write one with a group of this name, as in `^\\S+ \\[(?<level>\\w+)\\]`";
    match regex_lite::Regex::new(text) {
        Err(error) => Err(format!("`{text}` is no regular expression: {error}; {example}")),
        Ok(expression) if expression.capture_names().flatten().any(|name| name == "level") => Ok(()),
        Ok(_) => Err(format!("`{text}` has no group `level`: {example}")),
    }
}

/// What only systemd understands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Systemd {
    /// Further settings of the `[Unit]` section, each with its values: `{"After": ["postgresql.service"]}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "After": ["postgresql.service"] }]))]
    pub unit: BTreeMap<String, Vec<String>>,
    /// Further settings of the `[Service]` section, each with its values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "LimitCORE": ["infinity"] }]))]
    pub service: BTreeMap<String, Vec<String>>,
}

/// Whether a value says nothing, so that it need not be written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
