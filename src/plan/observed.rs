//! What was observed of an instance before deciding: the only thing that `engine` hands to `plan` beside
//! what is wanted.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::digest::Digest;
use crate::model::drift::DropIn;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::name::InstanceName;
use crate::model::receipt::Receipt;
use crate::model::started::Started;
use crate::model::trial::Trial;
use crate::model::version::Version;
use crate::plan::reference::Reference;

pub use self::development::DevelopmentSeen;

mod development;

/// An instance as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, independent of the others")]
pub struct Observed {
    /// What was last recorded.
    pub receipt: Option<Receipt>,
    /// The definition's text on disk.
    pub definition: Option<String>,
    /// The text on disk of what has systemd hold the sockets, if it is ours.
    pub socket: Option<String>,
    /// A unit of that name which is not ours, wherever it is on the load path.
    pub foreign_socket: Option<String>,
    /// What Compose reads of it, if that is ours.
    pub compose: Option<String>,
    /// The launch that its container is of.
    pub container_launch: Option<String>,
    /// The marker in its definition.
    pub marker: Option<Marker>,
    /// Whether the folder in the marker still holds a manifest of this instance.
    pub anchored: bool,
    /// The other platform on which an instance of this name is defined.
    pub other_platform: Option<PlatformKind>,
    /// A definition of this name elsewhere on the service manager's load path, which is not ours.
    pub foreign: Option<String>,
    /// Whether its unit was disabled for good: in the place of its file is a link to nowhere, or nothing in it.
    pub masked: bool,
    /// Whether the definition says no longer whose it is, and starts our supervisor all the same.
    pub unmarked: bool,
    /// Whether the service manager has not read the definition as it is now.
    pub needs_reload: bool,
    /// How the unit of its sockets stands, as systemd says.
    pub sockets: Option<SocketSeen>,
    /// The user's own files that change what the definition says.
    pub drop_ins: Vec<DropIn>,
    /// Whether the service runs, and what.
    pub running: Running,
    /// Whether it is down because it failed; a person has not stopped it.
    pub failed: bool,
    /// Whether what runs is ready, or on its way.
    pub readiness: Readiness,
    /// Whether its supervisor is from before what was last applied to it or to mainstay, which only a fresh one brings
    /// in.
    pub outdated: bool,
    /// Whether it starts with the host, as the service manager says.
    pub enabled: bool,
    /// Whether the user's services start without a login; nothing in system scope.
    pub lingering: Option<bool>,
    /// The launch of which its supervisor says that it has never been ready, if it says so.
    pub unproven: Option<String>,
    /// The trial that is open: of the version that is active, beyond its gate.
    pub trial: Option<Trial>,
    /// The tree that the current link names.
    pub link: Option<String>,
    /// The version trees.
    pub trees: Vec<Tree>,
    /// The launch specs, by tree.
    pub specs: BTreeMap<String, LaunchSpec>,
    /// The texts of launch specs that can't be read, by tree.
    pub spoiled: BTreeMap<String, String>,
    /// The launch that the manifest makes which was last applied, where that is the version that is wanted.
    pub applied: Option<LaunchSpec>,
    /// The launch that runs, as its supervisor says.
    pub running_launch: Option<String>,
    /// What it was started with, as its supervisor says.
    pub started: Option<Started>,
    /// The variables that it would be started with from files now, mixed with that start's salt.
    pub given: Option<BTreeMap<String, Digest>>,
    /// The values of the last start that became ready, mixed with the same salt; nothing where they are not kept.
    pub kept: Option<BTreeMap<String, Digest>>,
    /// Why the next start could not read the environment file or a secret, where it could not.
    pub unreadable: Option<String>,
    /// The build that the instance's runtime link names.
    pub runtime: Option<String>,
    /// Whether that copy of mainstay is not there.
    pub runtime_gone: bool,
    /// Which of the paths that the instance would use are there.
    pub present: BTreeSet<Utf8PathBuf>,
    /// Trees that a running process uses: by its executable, its folder or its arguments.
    pub in_use: BTreeSet<String>,
    /// What was found at the paths of which a snapshot is wanted.
    pub data: BTreeMap<Utf8PathBuf, DataSeen>,
    /// The snapshots that are there, where another version is wanted.
    pub kept_data: Vec<SnapshotSeen>,
    /// The room for another one, in bytes, if that can be known.
    pub snapshot_room: Option<u64>,
    /// What else may need version trees, where that was asked: before anything of them is removed.
    pub references: Vec<Reference>,
    /// The trees of which there are snapshots of data.
    pub snapshots: BTreeSet<String>,
    /// What was fetched in part so long ago that nobody goes on with it.
    pub stale_downloads: Vec<String>,
    /// The copies of mainstay that no instance of the scope and no process needs any more.
    pub unused_runtimes: Vec<String>,
    /// Its services for development, where it has some or is to have them.
    pub development: Option<DevelopmentSeen>,
}

/// How the unit of an instance's sockets stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketSeen {
    /// Whether the sockets are opened at boot.
    pub at_boot: bool,
    /// Whether systemd has not read it as it is now.
    pub needs_reload: bool,
    /// Whether it listens.
    pub listens: bool,
    /// The files that change it.
    pub drop_ins: Vec<Utf8PathBuf>,
}

/// What was found at a path of which a snapshot is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSeen {
    /// Nothing.
    Missing,
    /// Something of which none can be taken.
    Unusable(String),
    /// Data.
    There {
        /// How much, in bytes.
        bytes: u64,
        /// Whether the file system keeps a copy without storing it twice.
        cloned: bool,
    },
}

/// A snapshot on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotSeen {
    /// The tree that wrote its data.
    pub tree: String,
    /// Its number: the greatest is the newest.
    pub number: u64,
    /// When it was taken.
    pub at: Moment,
    /// How much it holds, in bytes.
    pub bytes: u64,
}

/// A version tree on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The digest of the archive it came from, if it is whole.
    pub whole: Option<Digest>,
}

/// Whether what runs is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// It is, as far as anybody knows.
    #[default]
    Ready,
    /// Not yet.
    Coming,
    /// It has failed, and is tried again.
    Failing,
    /// It is on its way down, or down already and its supervisor about to go.
    Ending,
}

/// Whether a service runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Running {
    /// The service manager did not say.
    #[default]
    Unknown,
    /// It does not.
    No,
    /// It does not, but processes of it that its dead guard has left do.
    Remains,
    /// It does, starting and backing off included; the tree if the supervisor says.
    Yes(Option<String>),
}

impl Observed {
    /// The whole tree of a version.
    #[must_use]
    pub fn whole_tree(&self, name: &str) -> Option<&Tree> {
        self.trees.iter().find(|tree| tree.name == name && tree.whole.is_some())
    }

    /// The tree that the service runs from, if its supervisor says. It is in use also where no process shows
    /// it, as that of a script: its executable is the interpreter.
    #[must_use]
    pub fn running_tree(&self) -> Option<&str> {
        match &self.running {
            Running::Yes(tree) => tree.as_deref(),
            Running::No | Running::Remains | Running::Unknown => None,
        }
    }

    /// Whether anything runs from a tree, or may.
    #[must_use]
    pub fn uses(&self, tree: &str) -> bool {
        self.in_use.contains(tree)
            || self.running_tree() == Some(tree)
            || (self.runs() && self.link.as_deref() == Some(tree))
    }

    /// Whether a path is there.
    #[must_use]
    pub fn has(&self, path: &Utf8Path) -> bool {
        self.present.contains(path)
    }

    /// Whether its definition is there and says whose it is.
    #[must_use]
    pub fn is_defined(&self, name: &InstanceName) -> bool {
        self.marker.as_ref().is_some_and(|marker| marker.name == *name)
    }

    /// Whether it is installed without a definition that says so: it is gone, masked, or without its marker.
    #[must_use]
    pub fn is_undefined(&self, name: &InstanceName) -> bool {
        self.receipt.is_some() && !self.is_defined(name)
    }

    /// Whether sockets of it may be open: their definition is there, or it is gone and the launch has some.
    #[must_use]
    pub fn has_sockets(&self, spec: &LaunchSpec) -> bool {
        let lost = self.foreign_socket.is_none() && spec.platform == PlatformKind::Systemd;
        self.socket.is_some() || (lost && !spec.sockets.is_empty())
    }

    /// Where somebody else's definition stands in the place of the one that is gone.
    #[must_use]
    pub fn replaced_by(&self, name: &InstanceName, place: &Utf8Path) -> Option<String> {
        let strange = self.definition.is_some() && !self.masked && !self.unmarked;
        (self.is_undefined(name) && strange).then(|| place.to_string())
    }

    /// Whether the service runs, as far as anybody knows.
    #[must_use]
    pub fn runs(&self) -> bool {
        matches!(self.running, Running::Yes(_))
    }
}
