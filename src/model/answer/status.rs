//! `status.v1`: how one instance is.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::answer::package_status::PackageStatus;
use crate::model::compose::EngineKind;
use crate::model::container::Container;
use crate::model::digest::Digest;
use crate::model::drift::DriftKind;
use crate::model::manifest::{Hardening, PlatformKind, Scope};
use crate::model::moment::Moment;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::outcome::Outcome;
use crate::model::receipt::BadVersion;
use crate::model::status::{Exit, HealthStanding, ScheduleStanding};
use crate::model::version::Version;

/// How one instance is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay status")]
pub struct StatusAnswer {
    /// The name of this document's schema: `status.v1`.
    pub schema: String,
    /// The exit code of the command: 0 ready, 10 starting, 11 stopped, 12 failed, 13 unknown.
    pub exit_code: u8,
    /// The instance.
    pub name: InstanceName,
    /// Its component.
    pub component: ComponentName,
    /// The service manager.
    pub platform: PlatformKind,
    /// To whom it belongs.
    pub scope: Scope,
    /// The deploy folder.
    #[schemars(with = "String")]
    pub folder: Utf8PathBuf,
    /// Where it stands.
    pub state: InstanceState,
    /// More about that, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why the supervisor's own word is missing, where all this comes from files and the service manager alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Whose container this host is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The program's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The supervisor's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor_pid: Option<u32>,
    /// When the program was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Moment>,
    /// When it became ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<Moment>,
    /// For how many seconds it has run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    /// The active version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The version that runs, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_version: Option<Version>,
    /// The version to which a rollback goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<Version>,
    /// The versions that are unpacked, those that were active last first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<UnpackedVersion>,
    /// Its restarts.
    pub restarts: Restarts,
    /// How the program last ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<Exit>,
    /// What that ending meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<Outcome>,
    /// How the questions whether it still works were answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthStanding>,
    /// Its runs, where it is run on a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleStanding>,
    /// The trial of the active version, while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialState>,
    /// The version that was taken back, as long as nobody has changed anything since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<BadVersion>,
    /// The memory of all its processes, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Whether it starts at boot.
    pub boot: Boot,
    /// The account that the program runs as, where that is not simply who installed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How far the program is locked in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardening: Option<Hardening>,
    /// What registers it with its platform.
    pub definition: DefinitionState,
    /// What a command has left unfinished, or is just doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationState>,
    /// Whether the running program has not yet seen the last applied settings.
    pub pending_restart: bool,
    /// What is seen at a glance not to be as it was applied; `plan` looks closer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<DriftKind>,
    /// The copy of mainstay that runs it (version and digest), where that is another than the one that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_runtime: Option<String>,
    /// What the running program says of itself, where its package says how it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageStatus>,
    /// Its services for development, where `install --dev` has made some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub development: Vec<DevelopmentStatus>,
}

/// A version that is unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnpackedVersion {
    /// The version.
    pub version: Version,
    /// The digest of the archive that it came from.
    pub digest: Digest,
    /// Whether it is the active one.
    pub active: bool,
    /// When it was last made active, as far as that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activated: Option<Moment>,
    /// Why it was taken back, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<String>,
}

/// How a service for development is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DevelopmentStatus {
    /// The service, as its package calls it.
    pub name: ComponentName,
    /// The container engine.
    pub engine: EngineKind,
    /// Its container.
    pub container: String,
    /// The image.
    pub image: String,
    /// Where it is reached on this host, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The volumes that hold what it keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// Where it stands.
    pub state: DevelopmentState,
    /// More about that, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether its engine starts it at boot.
    pub boot: Boot,
}

/// Where a service for development stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum DevelopmentState {
    /// Its container runs.
    Running,
    /// Its container is there, and does not run.
    Stopped,
    /// There is no such container any more.
    Missing,
    /// Its engine does not say, or the name is another's.
    Unknown,
}

impl std::fmt::Display for DevelopmentState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Missing => "gone",
            Self::Unknown => "unknown",
        })
    }
}

/// The trial of a version that has been ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrialState {
    /// For how long it has been ready, in whole seconds, as far as that was written down.
    pub ready_seconds: u64,
    /// For how long it has to be, in seconds.
    pub of_seconds: u64,
    /// The version that comes back if it fails.
    pub goes_back_to: Version,
    /// Whether a supervisor counts: none does while it is stopped.
    pub counted: bool,
}

/// Where an instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum InstanceState {
    /// It runs and is ready.
    Ready,
    /// It is run on a schedule, and waits for its next run.
    Sleeping,
    /// It was stopped because nobody needed it; the next connection starts it.
    Idle,
    /// It was started and is not ready yet.
    Starting,
    /// It ended and is started again after a pause.
    BackingOff,
    /// It was asked to end and still runs.
    Stopping,
    /// It does not run, and that was asked for or is its success.
    Stopped,
    /// It does not run, because it failed for good.
    Failed,
    /// It is installed; how it is can't be known.
    Unknown,
}

impl InstanceState {
    /// The exit code of `status`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ready | Self::Sleeping | Self::Idle => 0,
            Self::Starting | Self::BackingOff => 10,
            Self::Stopping | Self::Stopped => 11,
            Self::Failed => 12,
            Self::Unknown => 13,
        }
    }

    /// Whether the program's processes are, or may be, there.
    #[must_use]
    pub fn runs(self) -> bool {
        matches!(self, Self::Ready | Self::Starting | Self::Stopping)
    }
}

impl std::fmt::Display for InstanceState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Ready => "running and ready",
            Self::Sleeping => "sleeping until its next run",
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::BackingOff => "backing off",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        })
    }
}

/// How often a program had to be started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restarts {
    /// How often it ended without being asked to since its supervisor, or the service, was started.
    pub failures: u32,
    /// How many restarts count against the limit now.
    pub counted: u32,
    /// How many restarts are allowed within the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// When it is started again, while backing off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_start: Option<Moment>,
}

/// Whether an instance starts with the host, or with its user's login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Boot {
    /// Whether it does; nothing where that can't be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<bool>,
    /// Why, and what would change it.
    pub reason: String,
}

/// What registers an instance with its platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefinitionState {
    /// Where it stands.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// Whether it is no longer as mainstay wrote it.
    pub edited: bool,
    /// Whether the service manager has not read it as it is now.
    pub needs_reload: bool,
    /// Files of the user's that change what it says.
    #[schemars(with = "Vec<String>")]
    pub drop_ins: Vec<Utf8PathBuf>,
}

/// What a command does, or has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OperationState {
    /// A command is at work on the instance.
    UnderWay,
    /// A command died: `mainstay recover` brings its work to an end.
    Unfinished,
}
