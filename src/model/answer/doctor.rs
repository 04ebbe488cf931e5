//! `doctor.v1`: what is wrong with instances, and what mends it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::manifest::{PlatformKind, Scope};
use crate::model::name::InstanceName;

/// What is wrong with instances, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay doctor")]
pub struct DoctorAnswer {
    /// The name of this document's schema: `doctor.v1`.
    pub schema: String,
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// The instances that were examined, as they are now.
    pub instances: Vec<Examined>,
    /// What was mended, with `--fix`.
    pub mended: Vec<String>,
    /// What could not be mended, and why.
    pub failed: Vec<String>,
}

/// One instance that was examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Examined {
    /// The instance.
    pub name: InstanceName,
    /// The service manager.
    pub platform: PlatformKind,
    /// To whom it belongs.
    pub scope: Scope,
    /// What was found, one of each check.
    pub findings: Vec<Finding>,
}

/// What one check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, as a sentence.
    pub message: String,
    /// What the person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What `--fix` does about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Verdict {
    /// As it should be.
    Sound,
    /// It works, and somebody should look at it.
    Doubtful,
    /// It does not work, or will not.
    Wrong,
}

/// A check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Check {
    /// How the service is.
    Service,
    /// What registers the instance with its platform.
    Definition,
    /// Whether it starts when it is to.
    Boot,
    /// The copy of this tool that runs it.
    Runtime,
    /// The active version.
    Version,
    /// The manifest in the deploy folder.
    Manifest,
    /// Operations that were left unfinished.
    Operation,
    /// Locks.
    Locks,
    /// The index of instances.
    Index,
    /// The supervisor's report.
    Report,
    /// The pid file.
    PidFile,
    /// Unix sockets.
    Sockets,
    /// Its processes.
    Processes,
    /// Who can change its files.
    Permissions,
    /// Its secrets.
    Secrets,
    /// Its log files.
    Logs,
    /// The file systems that it stands on.
    Disk,
    /// The host's clock.
    Clock,
    /// What its package needs of the host.
    Host,
    /// Its services for development.
    Development,
}
