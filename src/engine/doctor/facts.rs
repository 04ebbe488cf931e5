//! What a doctor looks at, collected: no judgement, so that judging needs no machine.

use std::ops::RangeInclusive;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::engine::holders::Holder;
use crate::engine::requirements::Lack;
use crate::model::answer::status::StatusAnswer;
use crate::model::moment::Moment;

/// Everything about one instance on which a verdict can rest.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// How it is, as `status` puts it together.
    pub(crate) status: StatusAnswer,
    /// Whether there is a definition at all.
    pub(crate) defined: bool,
    /// Where the definition of its sockets should be and is not.
    pub(crate) lost_socket: Option<Utf8PathBuf>,
    /// Whether its service manager answers, and why not.
    pub(crate) manager: Result<(), String>,
    /// Whether it is to start at boot, and whether its definition is enabled.
    pub(crate) boot: Option<Enabled>,
    /// The account whose services are to run without a login, where that is not so.
    pub(crate) unlingering: Option<String>,
    /// The copy of this tool that its definition names.
    pub(crate) runtime: Runtime,
    /// The active version tree.
    pub(crate) tree: Tree,
    /// The manifest.
    pub(crate) manifest: Manifest,
    /// The locks that are held, with their holders as far as these are known.
    pub(crate) locks: Vec<Lock>,
    /// The pid file, where it is there.
    pub(crate) pid_file: Option<PidFile>,
    /// Files of Unix sockets of its own at which nobody listens.
    pub(crate) dead_sockets: Vec<Utf8PathBuf>,
    /// Whether anything supervises its processes.
    pub(crate) supervised: bool,
    /// Whether the index knows it.
    pub(crate) indexed: bool,
    /// Its files and folders that others than their owner can change, or that belong to somebody else.
    pub(crate) open: Vec<Open>,
    /// What time it is, and the latest at which a version became active.
    pub(crate) clock: (Moment, Option<Moment>),
    /// Its processes.
    pub(crate) holders: Vec<Holder>,
    /// For how long it has been in its state, as its supervisor has it.
    pub(crate) unchanged_for: Option<Duration>,
    /// How long a stop may take.
    pub(crate) stop_limit: Duration,
    /// Why the next start could not read the environment file or a secret.
    pub(crate) unreadable: Option<String>,
    /// Secrets that other accounts can read.
    pub(crate) open_secrets: Vec<Utf8PathBuf>,
    /// Log files: how large they are and how large they are to be, in bytes.
    pub(crate) logs: Option<(u64, u64)>,
    /// What the host lacks of what its package needs; nothing where that asks for nothing.
    pub(crate) lacks: Option<Vec<Lack>>,
    /// The file systems, each with one of its folders.
    pub(crate) disks: Vec<Disk>,
}

/// Whether an instance is to start at boot, and whether its definition is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Enabled {
    pub(crate) wanted: bool,
    pub(crate) is: bool,
}

/// The copy of this tool that a definition names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runtime {
    /// Where it stands.
    pub(crate) path: Utf8PathBuf,
    /// Whether it is there and can be run.
    pub(crate) runs: bool,
    /// Its version, as its folder's name says.
    pub(crate) version: Option<String>,
    /// The version of this program.
    pub(crate) own: String,
    /// Whether it is another build of the same version.
    pub(crate) other_build: bool,
    /// Whether the supervisor runs another copy than it.
    pub(crate) replaced: bool,
}

/// The active version tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    /// The current link.
    pub(crate) link: Utf8PathBuf,
    /// Where it leads.
    pub(crate) target: Option<String>,
    /// Whether that is a whole tree.
    pub(crate) whole: bool,
    /// Why its launch spec can't be used.
    pub(crate) spec: Result<(), String>,
    /// What its files hold in bytes, least and most, and what its archive had.
    pub(crate) content: Option<(RangeInclusive<u64>, u64)>,
    /// The tree of the version before, where it is there and can't be used.
    pub(crate) damaged_before: Option<String>,
}

/// A file or folder that somebody can change who should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// Its permission bits let others.
    Mode { path: Utf8PathBuf, mode: u32 },
    /// It belongs to this account.
    Owner { path: Utf8PathBuf, uid: u32 },
}

/// The manifest of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Manifest {
    /// There is none in the folder.
    Missing(Utf8PathBuf),
    /// It can't be used.
    Faulty(String),
    /// It can be used.
    Sound {
        /// Whether it says something else than was applied.
        changed: bool,
        /// What it says and probably does not mean.
        doubts: Vec<String>,
    },
}

/// A lock that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) path: Utf8PathBuf,
    /// The number, name and state of its holder.
    pub(crate) holder: Option<(u32, String, char)>,
}

/// A pid file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) path: Utf8PathBuf,
    /// The number in it, if it holds one.
    pub(crate) pid: Option<u32>,
    /// Whether that is the program that runs.
    pub(crate) ours: bool,
    /// The name of the process that has this number.
    pub(crate) process: Option<String>,
    /// The account with whose rights it is removed.
    pub(crate) account: Option<String>,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    /// A folder of the instance on it.
    pub(crate) folder: Utf8PathBuf,
    /// The bytes that an account can still write.
    pub(crate) available: u64,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Whether there is room for no more files, however small.
    pub(crate) no_files: bool,
}
