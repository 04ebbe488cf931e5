//! The manifest: what a person declares of a service in `mainstay.json`.
//!
//! Every field but `name` and `package.name` has a default; the defaults of the package stand between
//! the manifest and the tool's own.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::address::{HTTP_PATTERN, TCP_PATTERN};
use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::size::Size;
use crate::model::version::Version;

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
#[schemars(title = "mainstay manifest")]
pub struct Manifest {
    /// The address of this schema, for editors. mainstay ignores it.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The instance's name: unique in its scope on a host.
    pub name: InstanceName,
    /// The service manager. Default: systemd where it runs, else mainstay's own supervisor (embedded).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformKind>,
    /// Whether the service belongs to the host or to a user. Default: system for root, else user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What is installed.
    pub package: PackageReference,
    /// How it runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub service: Service,
    /// How one version follows another.
    #[serde(default, skip_serializing_if = "is_default")]
    pub upgrade: Upgrade,
    /// How captured logs are rotated. On systemd the journal keeps them, by its own settings.
    #[serde(default, skip_serializing_if = "is_default")]
    pub logs: Logs,
    /// What only systemd understands.
    #[serde(default, skip_serializing_if = "is_default")]
    pub systemd: Systemd,
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
}

impl PlatformKind {
    /// Every platform, for tables and messages.
    pub const ALL: [Self; 2] = [Self::Systemd, Self::Embedded];

    /// The word that stands in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Embedded => "embedded",
        }
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

/// What is installed: a component, and where its versions come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackageReference {
    /// The component's name. An archive of another component is refused.
    pub name: ComponentName,
    /// The version that is wanted. An upgrade edits it here after the new version has proved itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The digest of that version's archive; another archive is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

/// How the program runs. A package may bring any of these as its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// The program and its arguments, run without a shell. Tokens: `{package} {config} {data} {logs} {run} {deploy}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub command: Option<Vec<String>>,
    /// One sentence for the service manager's lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Variables of the program's environment. Never for secrets: they can be read in the definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<VariableName, String>,
    /// A file of `KEY=value` lines, read again at each start; its values win over `environment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub environment_file: Option<Utf8PathBuf>,
    /// Variables whose values stand in files of their own; they win over all others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<VariableName, Secret>,
    /// The account that runs the program, in system scope. Default: the deploy folder's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = USER_PATTERN))]
    pub user: Option<String>,
    /// Where the program starts. Default: `{data}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// What the program's standard input is: `null` (default), or `open`, a pipe that never ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Stdin>,
    /// Whether the service starts with the host (or with its user). Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<bool>,
    /// Who watches the program: `mainstay` (default), or `native`, the service manager itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision: Option<Supervision>,
    /// When and how often the program is started again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub restart: Restart,
    /// How the program is asked to end.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stop: Stop,
    /// How it shows that it is ready. Default: it stays alive for one second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Ready>,
    /// What it may use.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// How far the program is locked in. Default: `standard` in system scope, `off` in user scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardening: Option<Hardening>,
}

/// What a schema says of the name of an account.
pub const USER_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_.-]{0,31}$";

/// A text that can't name an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` can't name an account: it begins with a letter or `_`, then letters, digits, `_`, `.` and `-`, at most 32 in all"
)]
pub struct UserNameError(String);

/// Refuses what can't name an account.
pub fn check_user(text: &str) -> Result<(), UserNameError> {
    let mut bytes = text.bytes();
    let well_formed = text.len() <= 32
        && bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if well_formed { Ok(()) } else { Err(UserNameError(text.to_owned())) }
}

/// The name of an environment variable: letters, digits and `_`, no digit first. Service managers drop others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariableName(String);

/// A text that can't name an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` can't name an environment variable: use letters, digits and `_`, and no digit first")]
pub struct VariableNameError(String);

impl VariableName {
    /// Takes a text that obeys the rule.
    pub fn new(text: impl Into<String>) -> Result<Self, VariableNameError> {
        let text = text.into();
        let mut bytes = text.bytes();
        let well_formed = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if well_formed { Ok(Self(text)) } else { Err(VariableNameError(text)) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VariableName {
    type Error = VariableNameError;
    fn try_from(text: String) -> Result<Self, VariableNameError> {
        Self::new(text)
    }
}

impl From<VariableName> for String {
    fn from(name: VariableName) -> Self {
        name.0
    }
}

impl std::fmt::Display for VariableName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

impl JsonSchema for VariableName {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VariableName".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
    }
}

/// Where a secret's value stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// A file that holds the value and nothing else (one line feed at its end is dropped).
    #[schemars(with = "String")]
    pub file: Utf8PathBuf,
}

/// What the program reads from its standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Stdin {
    /// The end of a file, at once.
    #[default]
    Null,
    /// A pipe on which nothing ever comes and which never ends.
    Open,
}

/// Who watches the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Supervision {
    /// mainstay's supervisor: readiness, exact back-off, status.
    #[default]
    Mainstay,
    /// The service manager's own, for a program that speaks its protocol (`sd_notify`).
    Native,
}

/// When and how often a program that has ended is started again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restart {
    /// After which ending. Default: `on-failure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<RestartWhen>,
    /// The pauses before the first, second, … restart; the last one goes on. Default: 1s, 5s, 15s, 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub delays: Option<Vec<Span>>,
    /// How many restarts within `window` are made before the service stays down. Default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The time in which restarts are counted. Default: 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
}

/// The endings after which a program is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RestartWhen {
    /// None.
    Never,
    /// A non-zero exit code, a signal, a missed readiness.
    #[default]
    OnFailure,
    /// Any ending that was not asked for.
    Always,
}

/// How a program is asked to end, and how long it may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stop {
    /// The signal that asks. Default: SIGTERM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<StopSignal>,
    /// How long the program may take to drain; then it is killed with all its descendants. Default: 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

/// The signals that programs understand as a request to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum StopSignal {
    /// The usual request.
    #[default]
    Sigterm,
    /// As Ctrl-C.
    Sigint,
    /// As Ctrl-\; some servers (nginx) drain on it.
    Sigquit,
    /// As a closed terminal.
    Sighup,
    /// Whatever the program makes of it.
    Sigusr1,
    /// Whatever the program makes of it.
    Sigusr2,
}

/// How a program shows that it is ready: exactly one of the probes, and how long it may take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ready {
    /// An address that answers with a status from 200 to 299. `{env.NAME}` stands for a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = HTTP_PATTERN))]
    pub http: Option<String>,
    /// A host and port that takes a connection, as in `127.0.0.1:5432`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = TCP_PATTERN))]
    pub tcp: Option<String>,
    /// A command that exits with 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub command: Option<Vec<String>>,
    /// A file that exists and is newer than the program's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The program stays alive for this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// The program says `READY=1` itself (`sd_notify`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<bool>,
    /// How long it may take. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

/// What the program may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Memory, of the program and its descendants. On systemd only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// Open files, each process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// Processes and threads, of the program and its descendants. On systemd only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
}

/// How far the program is locked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Hardening {
    /// Not at all.
    Off,
    /// What hardly any program notices.
    Standard,
    /// What a server without special needs can do without.
    Strict,
}

/// How one version follows another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Upgrade {
    /// How long a new version has to become ready; then the old one is taken back. Default: the readiness timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Span>,
    /// How many versions `upgrade --cleanup` keeps, the active one included. Default: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub keep: Option<u32>,
    /// Commands around the switch, run as the deploy folder's owner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hooks: Hooks,
}

/// Commands around a switch of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hooks {
    /// Run before the old version is stopped; if it fails, nothing has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub before_stop: Option<Vec<String>>,
    /// Run when the new version is ready; if it fails, the old version is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub after_start: Option<Vec<String>>,
}

/// How captured logs are rotated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Logs {
    /// The size at which a log file is put away. Default: 10MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<Size>,
    /// How many put-away files are kept. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
}

/// What only systemd understands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Systemd {
    /// Further settings of the `[Unit]` section, each with its values: `{"After": ["postgresql.service"]}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unit: BTreeMap<String, Vec<String>>,
    /// Further settings of the `[Service]` section, each with its values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub service: BTreeMap<String, Vec<String>>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
