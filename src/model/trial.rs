//! The switch between two launches, and the trial of the new one. Both are durable, so that whoever is left
//! alive can finish or take back.

use std::fmt;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::model::hook::HookCall;
use crate::model::launch::{self, LaunchSpec};
use crate::model::moment::Moment;
use crate::model::name::ComponentName;
use crate::model::owner::Owner;
use crate::model::upgrade;
use crate::model::version::Version;

/// A switch from one launch to another: of the version tree, of the settings, or both. It lies in the journal of the
/// operation that asked for it, and is gone with it.
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
    /// What becomes of the data between the two.
    #[serde(default, skip_serializing_if = "DataMove::is_nothing")]
    pub data: DataMove,
    /// What the trial needs that goes on when this switch is closed; nothing where the new launch has proved itself
    /// as soon as it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
}

/// The format of a switch that moves data or is watched: what is to be done with it an older build does not know.
pub const FORMAT_WITH_DATA: u32 = 2;

impl Switch {
    /// The format that says what a switch holds, and no newer one: an older build can still take a plain one back.
    #[must_use]
    pub fn format_for(data: &DataMove, watch: Option<&Watch>) -> u32 {
        if data.is_nothing() && watch.is_none() { launch::FORMAT } else { FORMAT_WITH_DATA }
    }

    /// Whether the data of the new launch are closed to the old one, once it has been ready: then it stays.
    #[must_use]
    pub fn is_one_way(&self) -> bool {
        self.data.is_one_way(&self.from, &self.to)
    }
}

impl fmt::Display for Switch {
    /// What is done at the next start, as one line of a preview.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.tree(), self.to.tree());
        if from == to {
            return write!(formatter, "as it starts again, run {to} with the new settings");
        }
        formatter.write_str("as it starts again, ")?;
        for path in &self.data.snapshot {
            write!(formatter, "take a snapshot of {path}, ")?;
        }
        if let Some(tree) = &self.data.restore {
            write!(formatter, "put the data back that {tree} left, ")?;
        }
        if let Some(call) = &self.data.migration {
            let whose = call.rights.as_ref().map(|owner| format!(" as {}", owner.name)).unwrap_or_default();
            write!(
                formatter,
                "run {}: {}{whose} (at most {}), ",
                call.field,
                call.argv.join(" "),
                call.limit
            )?;
        }
        write!(formatter, "switch from {from} to {to}")
    }
}

/// What becomes of the data in a switch, while nothing of the instance runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataMove {
    /// The folders of which a snapshot is taken first, absolute. They are given back from it if the new launch never
    /// becomes ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub snapshot: Vec<Utf8PathBuf>,
    /// The tree at whose end the snapshot was taken to which the data go back, because a person asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<String>,
    /// The command that brings the data from the one version's form to the other's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<HookCall>,
    /// The command that brings them from there to the one version's form again. It is run where no snapshot was taken,
    /// and where the data of a version that was ready are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<HookCall>,
    /// Whose the folders have to be, where root moves them for somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The number of the snapshot that was taken, of what ran before; with it the data can go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<u64>,
}

impl DataMove {
    /// Whether the data stay as they are, and nothing is kept of them.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing brings the data of a launch that has been ready back to the one before.
    #[must_use]
    pub fn is_one_way(&self, from: &LaunchSpec, to: &LaunchSpec) -> bool {
        // With older data put back, what ran before can't go on either.
        self.back.is_none() && (self.restore.is_some() || upgrade::is_one_way(from, to))
    }
}

/// How far a switch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Stage {
    /// The next start makes it.
    Pending,
    /// The data are whole in their snapshot, and are being brought into the new form. Who finds a switch here was not
    /// the one who began it: the data go back, and the old launch runs.
    Moving,
    /// It is made; the new launch has still to prove itself, in this boot of the host.
    Trial {
        /// The boot in which the trial began.
        boot_id: String,
    },
    /// The new launch was ready; only the book-keeping is left.
    Passed,
    /// The next start gives the data back and takes the old launch back: it can't be done while something runs.
    Returning {
        /// Why.
        reason: String,
    },
    /// The old launch is back.
    TakenBack {
        /// Why.
        reason: String,
    },
}

/// What a supervisor has to know of a trial, and what whoever takes a version back needs for it when the command that
/// brought it is long gone. A failure ends the supervisor with [`END_OF_TRIAL`], and the guard's next start takes the
/// launch back: before readiness by the switch, afterwards by this file alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay trial")]
pub struct Trial {
    /// The format of this file.
    pub format: u32,
    /// The tree on trial.
    pub tree: String,
    /// How long it has to become ready.
    pub gate: Span,
    /// The launch on trial ([`LaunchSpec::identity`]).
    #[serde(default)]
    pub launch: String,
    /// How it is watched once it is ready; nothing: readiness is the proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    /// How it ended, where it ended with the old launch. The receipt still has to hear of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<TakenBack>,
}

impl Trial {
    /// The trial of a launch that has just taken the place of another.
    #[must_use]
    pub fn of(to: &LaunchSpec, watch: Option<Watch>) -> Self {
        Self {
            format: launch::FORMAT,
            tree: to.tree(),
            gate: to.gate,
            launch: to.identity(),
            watch,
            taken_back: None,
        }
    }

    /// The text of the trial's file.
    #[must_use]
    pub fn text(&self) -> String {
        // A trial holds a launch spec, words and times, which JSON can always express.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether this is the trial of a launch, and still open.
    #[must_use]
    pub fn is_open_for(&self, spec: &LaunchSpec) -> bool {
        let is_of = self.launch.is_empty() || self.launch == spec.identity();
        self.taken_back.is_none() && self.tree == spec.tree() && is_of
    }

    /// The version on trial, as its tree is called.
    #[must_use]
    pub fn version(&self, component: &ComponentName) -> Option<Version> {
        self.tree.strip_prefix(component.as_str())?.strip_prefix('-')?.parse().ok()
    }
}

/// The trial of a version that has been ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Watch {
    /// For how long the program has to be ready, in all: time in which it is not does not count.
    pub period: Span,
    /// What ran before: the way back.
    pub from: Box<LaunchSpec>,
    /// The files that define the service, as they have to be for what ran before, where they were changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<DefinitionBefore>,
    /// The digest of the archive that brought the version on trial, to know it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The command that brings the data back into the form of what ran before, whichever of the two is older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrate_back: Option<HookCall>,
}

/// A file that defines a service, as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefinitionBefore {
    /// Which.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// What it said; nothing where there was none.
    pub text: Option<String>,
    /// Its permission bits, where they were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Whose it was, where that was not the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

impl DefinitionBefore {
    /// A file whose rights are those of any definition.
    #[must_use]
    pub fn plain(path: Utf8PathBuf, text: Option<String>) -> Self {
        Self { path, text, mode: None, owner: None }
    }

    /// The permission bits with which it comes back.
    #[must_use]
    pub fn mode(&self) -> u32 {
        self.mode.unwrap_or(0o644)
    }
}

/// The end of a trial that was not passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TakenBack {
    /// Why.
    pub reason: String,
    /// When.
    pub at: Moment,
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
