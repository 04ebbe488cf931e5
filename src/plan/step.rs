//! The steps of a plan, each with all that it needs, and their inverses.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::model::development::DevelopmentContainer;
use crate::model::digest::Digest;
use crate::model::drift::Difference;
use crate::model::duration::Span;
use crate::model::history::Event;
use crate::model::hook::HookCall;
use crate::model::launch::LaunchSpec;
use crate::model::marker::Marker;
use crate::model::owner::Owner;
use crate::model::service::Supervision;
use crate::model::trial::{Switch, Trial};
pub use crate::plan::operation::{Operation, Replaced, Room};
use crate::platform::call::Call;
use crate::platform::identity;

pub use self::earlier::Earlier;
pub use self::undo::Undo;

mod earlier;
pub(in crate::plan) mod files;
mod shown;
mod undo;

/// The decided changes of one operation, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What is done.
    pub operation: Operation,
    /// To which instance.
    pub of: Marker,
    /// The journalled steps: if one fails, those before it are undone.
    pub steps: Vec<Planned>,
    /// What follows when the steps stand: a start, the waiting for readiness, the slow removal of what was
    /// put away. A failure here undoes nothing.
    pub after: Vec<Step>,
    /// What makes the host ready before, as sentences: written down and undone on its own.
    #[serde(skip)]
    pub preparation: Vec<String>,
    /// What the person should know beside the steps.
    pub notices: Vec<String>,
    /// What it takes of the disk, and frees.
    #[serde(default)]
    pub room: Room,
    /// Between which versions it goes, where that is no switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaced>,
    /// What changes by it and why, for people.
    #[serde(skip)]
    pub difference: Difference,
}

impl Plan {
    /// An empty plan.
    #[must_use]
    pub fn new(operation: Operation, spec: &LaunchSpec) -> Self {
        let of = identity(spec);
        Self {
            operation,
            of,
            steps: Vec::new(),
            after: Vec::new(),
            preparation: Vec::new(),
            notices: Vec::new(),
            room: Room::default(),
            replaces: None,
            difference: Difference::default(),
        }
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.after.is_empty() && self.preparation.is_empty()
    }

    /// Adds a journalled step with its inverse.
    pub fn push(&mut self, step: Step, undo: Undo) {
        self.steps.push(Planned { step, undo });
    }

    /// Whether the plan writes a file over another one of that path.
    #[must_use]
    pub fn rewrites(&self, path: &Utf8Path) -> bool {
        let writes = |step: &Step| matches!(step, Step::Write { path: written, .. } if written == path);
        self.steps.iter().any(|planned| writes(&planned.step) && planned.undo.steps().iter().any(writes))
    }

    /// Whether something is started beside what runs.
    #[must_use]
    pub fn overlaps(&self) -> bool {
        let steps = self.steps.iter().map(|planned| &planned.step).chain(&self.after);
        steps.into_iter().any(|step| matches!(step, Step::Overlap { .. }))
    }

    /// Whether the switch is made by a restart, and the new launch has to prove itself.
    #[must_use]
    pub fn is_gated(&self) -> bool {
        self.steps.iter().any(|planned| matches!(planned.step, Step::AwaitReady { .. }))
    }

    /// Whether a step up to a place restarts the service without a switch: where it fails, what ran before is back.
    #[must_use]
    pub fn restarts_before(&self, place: usize) -> bool {
        let restarts = |planned: &Planned| {
            matches!(planned.undo, Undo::Restart { .. } | Undo::Restore(..) | Undo::Revive { .. })
        };
        self.steps.iter().take(place + 1).any(restarts)
    }

    /// Whether a container of before mainstay has to come back, where a step up to a place has failed.
    #[must_use]
    pub fn revives(&self, place: usize) -> bool {
        let revives = |planned: &Planned| matches!(planned.undo, Undo::Revive { .. });
        self.steps.iter().take(place + 1).any(revives)
    }

    /// Names the engine in what it is asked, so that it can be typed as it is shown.
    #[must_use]
    pub fn with_engine(mut self, spec: &LaunchSpec) -> Self {
        if let Some(engine) = spec.container.as_ref().map(|container| container.engine) {
            let steps = self.steps.iter_mut().map(|planned| &mut planned.step).chain(&mut self.after);
            for step in steps {
                if let Step::Call { call } = step {
                    call.name_engine(engine);
                }
            }
        }
        self
    }

    /// The switch that the plan makes, with its place among the steps.
    #[must_use]
    pub fn switch(&self) -> Option<(usize, &Switch)> {
        self.steps.iter().enumerate().find_map(|(place, planned)| match &planned.step {
            Step::Switch { switch } => Some((place, &**switch)),
            _ => None,
        })
    }
}

/// A step and its inverse, both decided before anything runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// What is done.
    pub step: Step,
    /// What undoes it. Undoing what was not done, or twice, does no harm.
    pub undo: Undo,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Step {
    /// Make a folder.
    Folder {
        /// Where.
        path: Utf8PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Whose it is, if not the caller's.
        owner: Option<Owner>,
    },
    /// Write a file whole.
    Write {
        /// Where.
        path: Utf8PathBuf,
        /// What.
        text: String,
        /// Its permission bits.
        mode: u32,
        /// Whose it is, if not the caller's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<Owner>,
    },
    /// Bring a manifest from one text to another, if it still says the first: what its owner has written
    /// meanwhile is never lost.
    Edit {
        /// Which.
        path: Utf8PathBuf,
        /// What it says; nothing where there is none.
        before: Option<String>,
        /// What it is to say; nothing where there is to be none.
        after: Option<String>,
        /// Its permission bits, where it is made.
        mode: u32,
        /// With whose rights, if not the caller's.
        rights: Option<Owner>,
        /// Whether it is a failure where that can't be done, and not only worth a notice.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        needed: bool,
    },
    /// Make a folder in a deploy folder, for its owner's eyes alone; or remove it, if it is empty.
    OwnFolder {
        /// Which.
        path: Utf8PathBuf,
        /// Whether it is to be there.
        there: bool,
        /// With whose rights, if not the caller's.
        rights: Option<Owner>,
    },
    /// Add an event to the history; the time without an answer is filled in by who measured it.
    Record {
        /// The history's file.
        path: Utf8PathBuf,
        /// The event.
        event: Event,
    },
    /// Remove a file or link.
    Remove {
        /// Which.
        path: Utf8PathBuf,
    },
    /// Remove a folder if it is empty.
    RemoveFolder {
        /// Which.
        path: Utf8PathBuf,
    },
    /// Point a link.
    Link {
        /// Which.
        path: Utf8PathBuf,
        /// Where to.
        target: Utf8PathBuf,
    },
    /// Rename within a folder's file system: how things are put away.
    Move {
        /// What.
        from: Utf8PathBuf,
        /// Its new name.
        to: Utf8PathBuf,
    },
    /// Lay a copy of this tool where definitions find it.
    Runtime {
        /// This program.
        program: Utf8PathBuf,
        /// The folder of the copy.
        folder: Utf8PathBuf,
    },
    /// Give an archive that was unpacked beside and checked its name.
    Publish {
        /// The archive it came from.
        archive: Utf8PathBuf,
        /// The archive's digest.
        digest: Digest,
        /// Where it was unpacked.
        staging: Utf8PathBuf,
        /// The instance's install folder.
        folder: Utf8PathBuf,
        /// The tree's name.
        tree: String,
        /// Whether it takes the place of one that has the name.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        over: bool,
    },
    /// Give a version that is not ours to unpack a folder of its name, which only says that there is such a version.
    Mark {
        /// The instance's install folder.
        folder: Utf8PathBuf,
        /// The folder's name.
        tree: String,
        /// The program that stands for it.
        program: Utf8PathBuf,
    },
    /// Remove, slowly and for good, what was put away in a folder.
    EmptyTrash {
        /// The folder.
        folder: Utf8PathBuf,
        /// The name that it had, in a folder where others put their things away too; nothing for all.
        entry: Option<String>,
    },
    /// Ask the service manager.
    Call {
        /// What.
        call: Call,
    },
    /// Run a command of the manifest.
    Hook(HookCall),
    /// Write down the switch that the next start makes.
    Switch {
        /// From what to what.
        switch: Box<Switch>,
    },
    /// Make the switch that was written down now, because the service is stopped and stays so.
    MakeSwitch,
    /// Remove the snapshots that a newer one of the same version has taken the place of.
    TidySnapshots {
        /// Their folder.
        folder: Utf8PathBuf,
    },
    /// End a trial that is open, because something else is to be made active.
    EndTrial {
        /// The trial, as it was found.
        trial: Box<Trial>,
    },
    /// Wait until the program of a tree is ready.
    AwaitReady {
        /// The tree.
        tree: String,
        /// The launch.
        launch: String,
        /// Who watches the program.
        supervision: Supervision,
        /// How long.
        within: Span,
    },
    /// Start the new launch beside what runs, and let it take over when it is ready.
    Overlap {
        /// How long that may take.
        within: Span,
        /// What is called where it can't be done.
        otherwise: Vec<Call>,
    },
    /// Close the trial of a switch that has proved itself.
    Settle,
    /// Bring a service for development to where it is to be.
    Development {
        /// Its container.
        container: Box<DevelopmentContainer>,
        /// Where.
        verb: DevelopmentVerb,
    },
}

/// What is done with a service for development. Doing it twice is as good as doing it once, and a container that is not
/// the instance's is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DevelopmentVerb {
    /// It is made where it is not there, started where it does not run, and waited for.
    Up,
    /// It is stopped.
    Stop,
    /// It alone is removed, since another takes its place: all that it holds stays.
    Exchange,
    /// It is removed.
    Remove {
        /// The volumes that go with it.
        volumes: Vec<String>,
    },
}
