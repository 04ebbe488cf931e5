//! The status that a supervisor reports, replaced whole at every change. It is written by the service's own
//! account, so readers take it as a claim: sizes limited, no links followed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::launch::LaunchSpec;
use crate::model::moment::{BootMoment, Moment};
use crate::model::outcome::Outcome;
use crate::model::version::Version;

/// The format that this build writes.
pub const FORMAT: u32 = 1;

/// What a supervisor says of its program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay report")]
pub struct Status {
    /// The format of this file.
    pub format: u32,
    /// Where the program stands.
    pub phase: Phase,
    /// The version tree that was started.
    pub tree: String,
    /// Its version.
    pub version: Version,
    /// The launch that was started ([`LaunchSpec::identity`](crate::model::launch::LaunchSpec::identity)).
    #[serde(default)]
    pub launch: String,
    /// The host's boot in which this was written.
    pub boot_id: String,
    /// The supervisor's own process.
    pub supervisor: ProcessIdentity,
    /// The program's process, while there is one.
    #[serde(default)]
    pub program: Option<ProcessIdentity>,
    /// When the supervisor began.
    pub began: Moment,
    /// When the program was last started.
    #[serde(default)]
    pub started: Option<Moment>,
    /// When the program that runs became ready.
    #[serde(default)]
    pub ready: Option<Moment>,
    /// How often the program ended without being asked to since this supervisor began.
    #[serde(default)]
    pub failures: u32,
    /// The restarts that count against the limit, on the boot clock.
    #[serde(default)]
    pub restarts: Vec<BootMoment>,
    /// When the program is started again, while backing off.
    #[serde(default)]
    pub next_start: Option<Moment>,
    /// The program's last ending.
    #[serde(default)]
    pub last_exit: Option<Exit>,
    /// What that ending meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<Outcome>,
    /// How the questions whether it still works were answered, where they are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthStanding>,
    /// Its runs, where it is run on a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleStanding>,
    /// How far the trial of its version is, where it is on trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialStanding>,
    /// Since when nothing of it could answer, on the boot clock, while that is so: when the program that was up was
    /// asked to end, or had ended. Kept from one supervisor to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<BootMoment>,
    /// For how long nothing of it could answer before this launch was up first under this supervisor, in milliseconds,
    /// where both ends of that time were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<u64>,
    /// Why the last question whether it is ready failed, while that is awaited or where it was in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Whether this launch has been ready since it was made active; nothing: an older build has written this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ever_ready: Option<bool>,
    /// What the manifest lets live on when the program stops (`detach`), as far as it has been left behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detached: Vec<ProcessIdentity>,
    /// Whether the program has ended for good, and its supervisor only lives to tell somebody of it (`onFailure`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub telling: bool,
    /// One sentence for people.
    pub message: String,
}

impl Status {
    /// What a supervisor says of a launch as it begins.
    #[must_use]
    pub fn begun(spec: &LaunchSpec, boot_id: &str, supervisor: ProcessIdentity, began: Moment) -> Self {
        Self {
            format: FORMAT,
            phase: Phase::Starting,
            tree: spec.tree(),
            version: spec.version.clone(),
            launch: spec.identity(),
            boot_id: boot_id.to_owned(),
            supervisor,
            program: None,
            began,
            started: None,
            ready: None,
            failures: 0,
            restarts: Vec::new(),
            next_start: None,
            last_exit: None,
            last_outcome: None,
            health: None,
            schedule: None,
            detached: Vec::new(),
            telling: false,
            trial: None,
            silent_since: None,
            downtime_ms: None,
            ever_ready: None,
            refusal: None,
            message: String::new(),
        }
    }
}

/// How far the trial of a version is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrialStanding {
    /// For how long it has been ready, in whole seconds, as far as that was written down.
    pub ready_seconds: u64,
    /// For how long it has to be, in seconds.
    pub of_seconds: u64,
    /// Whether it has been ready at all in this trial: then it is no longer only its gate that it has to pass.
    #[serde(default)]
    pub was_ready: bool,
    /// Why it has failed, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// When it ended, passed or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Moment>,
}

impl TrialStanding {
    /// Whether it has been ready for long enough.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failed.is_none() && self.ready_seconds >= self.of_seconds
    }
}

/// How the questions whether a program still works were answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthStanding {
    /// How many failed since the last good answer.
    pub failures: u32,
    /// When a good answer came last, as far as it was written down: those that change nothing are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Moment>,
    /// Why the last question failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The runs of a program on a schedule, since its supervisor began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleStanding {
    /// How many runs have begun.
    pub cycles: u64,
    /// How many of them did all that was to be done.
    pub successes: u64,
    /// How many did some of it.
    pub partials: u64,
    /// How many failed.
    pub failures: u64,
    /// How many did not begin because the one before still ran.
    pub skipped: u64,
    /// When the last one began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_start: Option<Moment>,
    /// When the last one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_end: Option<Moment>,
    /// How the last one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<Outcome>,
    /// When the next one begins, while none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Moment>,
}

/// Where a supervised program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Phase {
    /// Started, not yet ready.
    Starting,
    /// Ready.
    Ready,
    /// Between two runs of its schedule; nothing of it runs.
    Sleeping,
    /// Stopped because nobody needed it; the next connection starts it.
    Idle,
    /// Ended; it is started again after a pause.
    BackingOff,
    /// Asked to end.
    Stopping,
    /// Ended because that was asked for.
    Stopped,
    /// Ended for good: a clean end, or failures over the limit.
    Failed,
    /// Ended by itself with success, and the policy does not start it again.
    Completed,
}

impl Phase {
    /// Whether the launch has shown that it works: it is ready, or needs not run at the moment.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Ready | Self::Sleeping | Self::Idle)
    }

    /// Whether it is on its way down, or down already.
    #[must_use]
    pub fn goes_down(self) -> bool {
        self == Self::Stopping || self.is_final()
    }

    /// Whether its supervisor has ended with this.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed | Self::Completed)
    }
}

/// A process: its number alone is used again by the system, its start time with it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProcessIdentity {
    /// The process number.
    pub pid: u32,
    /// When it started, in clock ticks since boot (field 22 of `/proc/PID/stat`, proc(5)).
    pub start_ticks: u64,
}

impl std::fmt::Display for ProcessIdentity {
    /// The form in which one process tells another of itself: `PID:TICKS`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.pid, self.start_ticks)
    }
}

/// A text that does not name a process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name a process: write its number and its start in clock ticks, as in `4711:123456`")]
pub struct ProcessIdentityError(String);

impl std::str::FromStr for ProcessIdentity {
    type Err = ProcessIdentityError;
    fn from_str(text: &str) -> Result<Self, ProcessIdentityError> {
        let parts =
            text.split_once(':').and_then(|(pid, ticks)| Some((pid.parse().ok()?, ticks.parse().ok()?)));
        parts
            .map(|(pid, start_ticks)| Self { pid, start_ticks })
            .ok_or_else(|| ProcessIdentityError(text.to_owned()))
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Exit {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It never became ready in time and was ended.
    NotReady,
    /// It could not be started at all; the status message says why.
    NotStarted,
    /// It failed its health checks too often in a row and was ended.
    Unhealthy,
    /// It used more memory than its limit and was killed.
    OverMemory,
}

impl Exit {
    /// Whether the program says that all went well.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "exited with code {code}"),
            Self::Signal(signal) => write!(formatter, "was ended by signal {signal}"),
            Self::NotReady => formatter.write_str("did not become ready in time"),
            Self::NotStarted => formatter.write_str("could not be started"),
            Self::Unhealthy => formatter.write_str("failed its health checks"),
            Self::OverMemory => formatter.write_str("used more memory than it may"),
        }
    }
}
