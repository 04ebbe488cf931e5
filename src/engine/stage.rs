//! An archive, unpacked in a folder in which it can later be given the name of its version.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::event::Event;
use crate::engine::failure::Failure;
use crate::engine::source::opened::Opened;
use crate::engine::target::Declared;
use crate::engine::{Context, space};
use crate::host::files::FileError;
use crate::host::{account, files};
use crate::model::contradiction::read_package_description;
use crate::model::digest::Digest;
use crate::model::layout::Layout;
use crate::model::package;
use crate::model::version::Version;
use crate::package::limits::Limits;
use crate::package::measure;
use crate::package::share::Manner;
use crate::package::signature::Vouched;
use crate::package::tree::{self, Complete, Staging};
use crate::package::unpack::{self, Flushing, Unpacked};
use crate::plan::operation::Room;
use crate::plan::wanted::Archive;

/// With how many trees a new one is compared.
const MOST_TREES: usize = 4;

/// An archive, unpacked beside and checked.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Where it came from.
    pub(crate) archive: Utf8PathBuf,
    /// What was found in it.
    pub(crate) unpacked: Unpacked,
    /// Where it lies.
    pub(crate) staging: Staging,
    /// Who vouches for it, where that was asked, and whether with a word for the manifest's key.
    pub(crate) signed: Option<(Vouched, bool)>,
    /// What it takes of the disk.
    pub(crate) room: Room,
}

impl Stage {
    /// What a plan goes by.
    pub(crate) fn to_archive(&self) -> Archive {
        Archive {
            path: self.archive.clone(),
            digest: self.unpacked.digest,
            signed_by: self.signed.as_ref().map(|(vouched, _)| vouched.by.clone()),
            introduces_key: self.signed.as_ref().is_some_and(|(_, introduces)| *introduces),
            staging: self.staging.path().to_owned(),
        }
    }

    /// What publishes it.
    pub(crate) fn into_parts(self) -> (Staging, Complete) {
        let complete = self.unpacked.complete();
        (self.staging, complete)
    }
}

/// Unpacks an archive into a folder in which it can later be given its name.
pub(crate) fn stage(
    context: &Context<'_>,
    declared: &Declared,
    opened: &Opened,
    folder: &Utf8Path,
    expected: Option<Digest>,
) -> Result<Stage, Failure> {
    let archive = &opened.shown;
    let failed = |source| FileError { action: "open", path: archive.clone(), source };
    let mut file = opened.file.try_clone().map_err(failed)?;
    let dry_run = folder != context.layout.install(&declared.manifest.name);
    space::guard_archive(context, declared, &mut file, archive, dry_run)?;
    let made = files::create_folder(folder, 0o755, None)?;
    let trees = trees_like(&context.layout, declared);
    let trees: Vec<&Utf8Path> = trees.iter().map(Utf8PathBuf::as_path).collect();
    let is_root = runs_as_root(declared);
    // Only a link takes the place of what was written.
    let flushing = if trees.is_empty() || is_root { Flushing::Early } else { Flushing::Late };
    let outcome = unpack_in(context, (file, archive), folder, expected, flushing).and_then(|mut stage| {
        let takes = measure::takes([stage.staging.path()]).ok();
        let shared = match (is_root, dry_run) {
            (true, true) => 0,
            (true, false) => stage.staging.share(&trees, Manner::Clone)?.bytes,
            (false, true) => stage.staging.share(&trees, Manner::Look)?.bytes,
            (false, false) => stage.staging.share(&trees, Manner::Link)?.bytes,
        };
        let takes = takes.map(|takes| takes.saturating_sub(shared));
        stage.room = Room { takes, shared: Some(shared), frees: None };
        Ok(stage)
    });
    if outcome.is_err() && made {
        // What was made for this archive goes with it; why it was refused matters more than whether that works.
        let _ = files::remove_empty_folder(folder);
    }
    outcome
}

fn unpack_in(
    context: &Context<'_>,
    (file, archive): (std::fs::File, &Utf8Path),
    folder: &Utf8Path,
    expected: Option<Digest>,
    flushing: Flushing,
) -> Result<Stage, Failure> {
    let staging = tree::stage(folder, "incoming")?;
    let mut progress = |progress: unpack::Progress| {
        context.tell(Event::Unpacking {
            archive: archive.to_owned(),
            read: progress.read,
            total: progress.size,
        });
    };
    let (into, limits) = (staging.path(), Limits::default());
    let mut unpacked = unpack::unpack_file(file, archive, into, expected, &limits, &mut progress, flushing)?;
    if unpacked.description.is_some() {
        // What is only read can still ask for what must not be: a name that leads elsewhere, rights in the wrong place.
        let text = files::read(&into.join(package::FILE_NAME))?.unwrap_or_default();
        let shown = format!("{archive}: {}", package::FILE_NAME);
        unpacked.description = Some(read_package_description(&shown, &text)?.0);
    }
    Ok(Stage { archive: archive.to_owned(), unpacked, staging, signed: None, room: Room::default() })
}

/// Whether the program will have root's rights: no mode keeps it from writing a file.
fn runs_as_root(declared: &Declared) -> bool {
    let user = declared.manifest.service.user.as_ref();
    account::effective_uid() == 0
        && declared.deploy.owner.is_none()
        && user.is_none_or(|user| account::by_name(user).is_ok_and(|account| account.uid == 0))
}

/// The whole trees of an instance with which a new one may share files: the active one first and then the newest. Two
/// instances share nothing.
fn trees_like(layout: &Layout, declared: &Declared) -> Vec<Utf8PathBuf> {
    let (name, component) = (&declared.manifest.name, &declared.manifest.package.name);
    let active = files::read_pointer(&layout.current(name, component)).ok().flatten();
    let mut trees = tree::versions(&layout.install(name), component).unwrap_or_default();
    trees.retain(|tree| tree.complete.is_some());
    trees.reverse();
    let mut trees: Vec<Utf8PathBuf> = trees.into_iter().map(|tree| tree.path).collect();
    trees.sort_by_key(|path| path.file_name() != active.as_deref());
    trees.truncate(MOST_TREES);
    trees
}

/// The version that an archive brings: what was typed, what the package says, or what its file is called.
pub(crate) fn version_of(
    declared: &Declared,
    stage: &Stage,
    typed: Option<&Version>,
) -> Result<Version, Failure> {
    let component = &declared.manifest.package.name;
    if let Some(description) = &stage.unpacked.description {
        if description.component != *component {
            return Err(Failure::OtherArchive(format!(
                "`{}` is a package of `{}`, not of `{component}`",
                stage.archive, description.component
            )));
        }
        if let Some(typed) = typed.filter(|typed| **typed != description.version) {
            return Err(Failure::OtherArchive(format!(
                "`{}` holds version {}, not {typed}",
                stage.archive, description.version
            )));
        }
        return Ok(description.version.clone());
    }
    if let Some(typed) = typed {
        return Ok(typed.clone());
    }
    let name = stage.archive.file_name().unwrap_or_default();
    crate::package::version::from_file_name(component, name).map_err(Failure::NoVersion)
}
