//! The switch between two launches, and the trial of the new one. Both are durable, so that whoever is left
//! alive can finish or take back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::duration::Span;
use crate::model::launch::LaunchSpec;

/// A switch from one launch to another: of the version tree, of the settings, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Switch {
    /// The format of this file.
    pub format: u32,
    /// What ran before: the way back.
    pub from: LaunchSpec,
    /// What is to run.
    pub to: LaunchSpec,
    /// How far it is.
    pub stage: Stage,
}

/// How far a switch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Stage {
    /// The next start makes it.
    Pending,
    /// It is made; the new launch has still to prove itself, in this boot of the host.
    Trial {
        /// The boot in which the trial began.
        boot_id: String,
    },
    /// The new launch was ready; only the book-keeping is left.
    Passed,
    /// The old launch is back.
    TakenBack {
        /// Why.
        reason: String,
    },
}

/// What a supervisor has to know of a trial: a failure before readiness ends it with
/// [`END_OF_TRIAL`], and the guard takes the launch back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trial {
    /// The format of this file.
    pub format: u32,
    /// The tree on trial.
    pub tree: String,
    /// How long it has to become ready.
    pub gate: Span,
}

/// The exit code with which a supervisor says that the launch on trial failed. A program's own 190 leaves as 191.
pub const END_OF_TRIAL: u8 = 190;
/// What becomes of a program's own 190.
pub const PROGRAM_190: u8 = 191;
/// The exit code with which a supervisor says that it could not do its work, for want of room, descriptors or an
/// account: whoever guards it tries again. A program's own 192 leaves as 193.
pub const SETUP_FAILED: u8 = 192;
/// What becomes of a program's own 192.
pub const PROGRAM_192: u8 = 193;
