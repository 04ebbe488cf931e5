//! What is wanted of an instance, resolved.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::development::DevelopmentRecord;
use crate::model::digest::Digest;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::moment::Moment;
use crate::model::name::ComponentName;
use crate::model::owner::Owner;
use crate::model::public_key::PublicKey;
use crate::model::version::Version;
use crate::platform::Definition;

/// All that a plan for one instance needs beside what was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The launch.
    pub spec: LaunchSpec,
    /// Its definition.
    pub definition: Definition,
    /// Where everything stands.
    pub layout: Layout,
    /// The manifest's path, text, and text after the operation, which differs where a version is edited in.
    pub manifest: ManifestText,
    /// The archive that brings the version, if one was given.
    pub archive: Option<Archive>,
    /// The key that the manifest pins.
    pub public_key: Option<PublicKey>,
    /// This program and the name of its build.
    pub runtime: Runtime,
    /// The account that runs the program, where that is not the caller.
    pub account: Option<Owner>,
    /// The account that owns the deploy folder, where that is not the caller.
    pub owner: Option<Owner>,
    /// The caller, for history and lingering.
    pub caller: Owner,
    /// The time.
    pub now: Moment,
    /// What the person allows or asks beside.
    pub wishes: Wishes,
    /// What was found of a program that somebody else brought; nothing for one of an archive.
    pub standing: Option<Standing>,
    /// Files of the deploy folder that come with the operation.
    pub beside: Vec<Beside>,
    /// Whether the deploy folder has to be made.
    pub makes_deploy: bool,
    /// The services for development that are to run beside it; nothing where nobody asks for any.
    pub development: Option<Development>,
}

/// Services for development.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Development {
    /// What is written down of them.
    pub record: DevelopmentRecord,
    /// Their secrets.
    pub secrets: BTreeMap<ComponentName, Secret>,
}

/// A secret that was made for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// What it is.
    pub text: String,
    /// Whether it is made just now, and opens nothing that was there before.
    pub is_new: bool,
}

/// A file of the deploy folder that comes with an operation, for the eyes of its owner alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Its path.
    pub path: Utf8PathBuf,
    /// What it says; nothing where there is none.
    pub before: Option<String>,
    /// What it is to say.
    pub text: String,
    /// The folder that has to be made for it.
    pub folder: Option<Utf8PathBuf>,
}

impl Beside {
    /// What a file of that path is to say, where it comes with the operation.
    #[must_use]
    pub fn coming<'a>(files: &'a [Self], path: &Utf8Path) -> Option<&'a str> {
        files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }
}

/// A program that stands where a package manager or its user has put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The real file.
    pub program: Utf8PathBuf,
    /// The version to which the active launch leads now, which is not the one of which it was recorded where the
    /// program was replaced since.
    pub before: Option<Version>,
    /// Whether the program is restarted also where nothing has changed.
    pub restart: bool,
    /// What the person should know of it.
    pub notices: Vec<String>,
}

/// The manifest as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestText {
    /// Its path.
    pub path: Utf8PathBuf,
    /// The text on disk; nothing where `install` makes the manifest.
    pub on_disk: Option<String>,
    /// The text to apply.
    pub text: String,
    /// Whether it came with the command (`--manifest`), and has not been in its place: then that has to come about.
    pub brought: bool,
}

/// An archive that was unpacked beside and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Where it is: a path, or an address without secrets.
    pub path: Utf8PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// The key whose signature it bears, where one was asked for.
    pub signed_by: Option<PublicKey>,
    /// Whether that signature says that the manifest's key is to be trusted from now on.
    pub introduces_key: bool,
    /// Where it was unpacked.
    pub staging: Utf8PathBuf,
}

/// This tool's own copy for definitions to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// This program.
    pub program: Utf8PathBuf,
    /// The name of its build: version and digest.
    pub build: String,
}

/// What the person allows or asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line, independent of the others"
)]
pub struct Wishes {
    /// Overwrite the tree of that version; allow an older version.
    pub force: bool,
    /// Try a version again that was taken back.
    pub try_again: bool,
    /// Move the name from another folder to this one.
    pub take_over: bool,
    /// Leave a stopped or new service stopped.
    pub no_start: bool,
    /// Leave the running program as it is until its next start.
    pub no_restart: bool,
    /// Put back the data that the older version left.
    pub restore_data: bool,
    /// Go back to an older version, whether it can work with the data or not.
    pub any_data: bool,
    /// Go on where the host lacks what the package needs.
    pub unchecked: bool,
    /// Make the host ready before.
    pub prepare: bool,
    /// Run the package's services for development beside it.
    pub development: bool,
}
