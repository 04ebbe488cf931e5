//! How one version follows another: what a manifest says of it, and what is resolved from that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::duration::Span;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::is_default;
use crate::model::package::{PackageDescription, RollbackBarrier};
use crate::model::rule::Below;
use crate::model::version::Version;

/// For how long a new version has to be ready before it counts as proved, where the manifest doesn't say.
pub const USUAL_TRIAL: Span = Span::seconds(600);
/// How many versions a clean-up keeps, where the manifest doesn't say.
pub const USUAL_KEEP: u32 = 2;

/// How one version follows another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("upgrade"))]
pub struct Upgrade {
    /// How long a new version has to become ready; then the old one is taken back. Default: the readiness timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["2m"]))]
    pub gate: Option<Span>,
    /// For how long a new version is on trial once it is ready: if it crashes or stops answering in that time, the old one is taken back, across a reboot too. Time in which it is not ready does not count; `0s`: readiness is proof enough. Default: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10m", "examples" = ["1h"]))]
    pub trial: Option<Span>,
    /// How many versions `upgrade --cleanup` keeps, the active one included. Default: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000), extend("default" = 2, "examples" = [3]))]
    pub keep: Option<u32>,
    /// Versions that `upgrade --cleanup` never removes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["0.3.0"]]))]
    pub pins: Vec<Version>,
    /// Folders of which a snapshot is taken before the switch to another version, while the service stands. They go back by themselves only if that version never becomes ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)), extend("default" = [], "examples" = [["{data}"]]))]
    pub data: Vec<String>,
    /// Whether the old version can work with the data that `hooks.migrate` leaves. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub migrate_compatible: Option<bool>,
    /// Commands around the switch, run as the deploy folder's owner.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "beforeStop": ["{deploy}/backup.sh"] }]))]
    pub hooks: Hooks,
}

/// Commands around a switch of versions. They find `MAINSTAY_NAME`, `MAINSTAY_FROM_VERSION`, `MAINSTAY_TO_VERSION`, `MAINSTAY_FROM_PACKAGE`, `MAINSTAY_TO_PACKAGE` and `MAINSTAY_DATA` in their environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hooks {
    /// Run before the old version is stopped; if it fails, nothing has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{deploy}/backup.sh"]]))]
    pub before_stop: Option<Vec<String>>,
    /// Run between the end of the old version and the start of the new one: brings the data into the new form. If it fails, the data and the old version come back. Needs `upgrade.data`, `migrateBack` or `migrateCompatible`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "migrate"]]))]
    pub migrate: Option<Vec<String>>,
    /// Run on the way back to an older version, with the newer one's program: brings the data into the old form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "migrate", "--down"]]))]
    pub migrate_back: Option<Vec<String>>,
    /// Run when the new version is ready; if it fails, the old version is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/orchestrator", "warm-up"]]))]
    pub after_start: Option<Vec<String>>,
    /// How long each of them may take. Default: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10m", "examples" = ["1h"]))]
    pub timeout: Option<Span>,
}

/// What is resolved of it beside gate, keep and hooks, for a launch spec. None of it changes how a program runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpgradePolicy {
    /// For how long a version has to be ready before it counts as proved; nothing: readiness is proof enough.
    pub trial: Span,
    /// The folders of which snapshots are taken, tokens unexpanded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<String>,
    /// Versions that a clean-up leaves alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Version>,
    /// Whether an old version can work with migrated data.
    #[serde(default, skip_serializing_if = "is_default")]
    pub migrate_compatible: bool,
    /// From which versions on this version's data can be read, as its package says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier: Option<RollbackBarrier>,
}

impl Default for UpgradePolicy {
    /// That of a launch which was written before there were trials.
    fn default() -> Self {
        Self {
            trial: Span::seconds(0),
            data: Vec::new(),
            pins: Vec::new(),
            migrate_compatible: false,
            barrier: None,
        }
    }
}

impl UpgradePolicy {
    /// Lays the manifest over the tool's own, and takes the package's barrier.
    #[must_use]
    pub fn resolve(upgrade: &Upgrade, package: Option<&PackageDescription>) -> Self {
        Self {
            trial: upgrade.trial.unwrap_or(USUAL_TRIAL),
            data: upgrade.data.clone(),
            pins: upgrade.pins.clone(),
            migrate_compatible: upgrade.migrate_compatible.unwrap_or(false),
            barrier: package.and_then(|package| package.rollback.clone()),
        }
    }
}

/// Whether the data that a version leaves can't be worked with by the one before it, and nothing brings them back:
/// once it has been ready, only a person can decide to go back, with the older data.
#[must_use]
pub fn is_one_way(from: &LaunchSpec, to: &LaunchSpec) -> bool {
    let newer = to.version.order(&from.version) != Some(std::cmp::Ordering::Less);
    if from.tree() == to.tree() || !newer || to.hooks.migrate_back.is_some() {
        return false;
    }
    let closed = to.upgrade.barrier.as_ref().is_some_and(|barrier| !barrier.lets(&from.version));
    closed || (to.hooks.migrate.is_some() && !to.upgrade.migrate_compatible)
}
