//! From a manifest and an archive to what is wanted, resolved.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::event::Event;
use crate::engine::failure::Failure;
use crate::engine::source::opened::Opened;
use crate::engine::target::Declared;
use crate::engine::{Context, manager, runtimes, space, trust};
use crate::host::files::FileError;
use crate::host::{account, clock, container, environment, files};
use crate::model::compose::ContainerSpec;
use crate::model::contradiction::{read_package_description, refuse_contradictions};
use crate::model::digest::Digest;
use crate::model::image::ImageName;
use crate::model::launch::{Circumstances, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::operating_system::OperatingSystem;
use crate::model::package::{self, PackageDescription};
use crate::model::position::Segment;
use crate::model::version::Version;
use crate::model::watched::Watched;
use crate::package::limits::Limits;
use crate::package::measure;
use crate::package::share::Manner;
use crate::package::signature::Vouched;
use crate::package::tree::{self, Complete, Staging};
use crate::package::unpack::{self, Flushing, Unpacked};
use crate::plan::apply::instance_folders;
use crate::plan::operation::Room;
use crate::plan::refusal::Refusal;
use crate::plan::wanted::{Archive, ManifestText, Runtime, Standing, Wanted, Wishes};
use crate::platform;

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
    crate::package::version::from_file_name(component, name)
        .map_err(|error| Failure::NoVersion(error.to_string()))
}

/// What decides the resolved launch beside the manifest.
#[derive(Debug)]
pub(crate) struct Aim {
    /// The version.
    pub(crate) version: Version,
    /// What the package says.
    pub(crate) description: Option<PackageDescription>,
    /// The archive that brings it.
    pub(crate) archive: Option<Archive>,
    /// What the person allows or asks.
    pub(crate) wishes: Wishes,
    /// Whether the version is edited into the manifest.
    pub(crate) edits_version: bool,
    /// What was found of a program that somebody else brought.
    pub(crate) standing: Option<Standing>,
    /// The container, with the image that was brought for it.
    pub(crate) container: Option<ContainerSpec>,
}

/// Resolves what is wanted.
pub(crate) fn wanted(context: &Context<'_>, declared: &Declared, aim: Aim) -> Result<Wanted, Failure> {
    let Aim { version, description, archive, wishes, edits_version, standing, container } = aim;
    let deploy = &declared.deploy;
    let platform = platform_of(declared);
    if !manager::is_there(platform) {
        return Err(Refusal::NotHere { platform, usual: default_platform() }.into());
    }
    let mut spec = resolve(declared, description.as_ref(), version.clone(), platform, context.layout.scope)?;
    spec.container = container;
    trust::guard(deploy, &declared.manifest, &spec, &context.layout.run(&spec.name, platform))?;
    let account = match &spec.user {
        // What the account of a Windows service may write is said when the service is registered: before that, some of
        // those accounts do not exist.
        Some(user) if platform != PlatformKind::Windows => {
            Some(account::by_name(user)?).filter(|account| account.uid != context.caller.uid)
        }
        _ => None,
    };
    let definition = platform::definition(&spec, &context.layout, &context.facts)?;
    let text = declared.document.text().to_owned();
    let tree = context.layout.tree(&spec.name, &spec.tree());
    let digest = archive
        .as_ref()
        .map(|archive| archive.digest)
        .or_else(|| tree::read_complete(&tree).map(|whole| whole.digest))
        .filter(|_| spec.source.has_trees());
    let image = spec.container.as_ref().map(|container| &container.wanted.image);
    let edited = if edits_version { edit(declared, &version, digest, image) } else { text.clone() };
    let program = context.program.clone();
    let build = runtimes::build_of(&program)?;
    Ok(Wanted {
        spec,
        definition,
        layout: context.layout.clone(),
        manifest: ManifestText {
            path: declared.path.clone(),
            on_disk: match &declared.given {
                Some(given) => given.before.clone(),
                None => declared.on_disk.then_some(text),
            },
            text: edited,
        },
        archive,
        public_key: declared.manifest.package.public_key.clone(),
        runtime: Runtime { program, build },
        account,
        owner: deploy.owner.clone(),
        caller: context.caller.clone(),
        now: clock::now(),
        wishes,
        standing,
        beside: declared.beside.clone(),
        makes_deploy: declared.given.as_ref().is_some_and(|given| given.folder_is_new),
        development: None,
    })
}

/// Resolves the launch that a manifest makes.
pub(crate) fn resolve(
    declared: &Declared,
    description: Option<&PackageDescription>,
    version: Version,
    platform: PlatformKind,
    scope: Scope,
) -> Result<LaunchSpec, Failure> {
    let deploy = &declared.deploy;
    let circumstances = Circumstances {
        platform,
        scope,
        deploy: deploy.folder.clone(),
        version,
        owner: deploy.owner.as_ref().map(|owner| owner.name.clone()),
    };
    let mut spec = LaunchSpec::resolve(&declared.manifest, description, circumstances)?;
    // Only what is decided now can contradict the rest: the form was checked when it was read.
    let mut decided = declared.manifest.clone();
    decided.platform = Some(platform);
    decided.scope = Some(scope);
    refuse_contradictions(&decided, &declared.document)?;
    // Root's own files are read by root for another account's program; everybody else's are readable to it. What is
    // read only once can't be seen to change, so root's program that wants to see it reads the files itself.
    let watches = spec.user.is_none() && spec.restart_on_change.contains(&Watched::Environment);
    let by_root = match platform {
        PlatformKind::Systemd => !watches,
        PlatformKind::Embedded => spec.user.is_some(),
        _ => false,
    };
    spec.credentials = by_root
        && scope == Scope::System
        && deploy.owner.is_none()
        && (spec.environment_file.is_some() || !spec.secrets.is_empty());
    if spec.has_credentials() && declared.manifest.service.restart_on_change.is_none() {
        // systemd hands them over once: what the package would like can't be had, what the manifest says is refused.
        spec.restart_on_change.retain(|watched| *watched != Watched::Environment);
    }
    Ok(spec)
}

/// The platform of a manifest on this host.
#[must_use]
pub fn platform_of(declared: &Declared) -> PlatformKind {
    declared.manifest.platform.unwrap_or_else(default_platform)
}

/// The platform of this host: launchd on macOS, services or, without an administrator's rights, tasks on Windows, systemd
/// where it runs, else our own. In a container that is our own, unless a systemd
/// has booted the container itself.
#[must_use]
pub fn default_platform() -> PlatformKind {
    match environment::operating_system() {
        OperatingSystem::MacOs => PlatformKind::Launchd,
        OperatingSystem::Windows if environment::callers_scope() == Scope::System => PlatformKind::Windows,
        OperatingSystem::Windows => PlatformKind::Task,
        _ if container::booted_by_systemd() => PlatformKind::Systemd,
        OperatingSystem::Linux => PlatformKind::Embedded,
    }
}

/// The manifest with the version, and the digest if it names one, edited in; every other byte is kept.
fn edit(declared: &Declared, version: &Version, digest: Option<Digest>, image: Option<&ImageName>) -> String {
    let package = |key: &str| [Segment::from("package"), Segment::from(key)];
    let mut text = declared.document.text().to_owned();
    if let Some(image) = image {
        let path = [Segment::from("compose"), Segment::from("image")];
        text = declared.document.replace(&path, image.as_str()).unwrap_or(text);
        if declared.manifest.package.version.is_none() {
            return text;
        }
        let again = crate::model::document::Document::parse(declared.path.as_str(), &text);
        return again
            .ok()
            .and_then(|document| document.replace(&package("version"), version.as_str()))
            .unwrap_or(text);
    }
    if declared.manifest.package.version.as_ref().is_none_or(|written| written == version) {
        return text;
    }
    let Some(text) = declared.document.replace(&package("version"), version.as_str()) else { return text };
    let Some(digest) = digest.filter(|_| declared.manifest.package.sha256.is_some()) else { return text };
    let again = crate::model::document::Document::parse(declared.path.as_str(), &text);
    again.ok().and_then(|document| document.replace(&package("sha256"), &digest.to_string())).unwrap_or(text)
}

/// The description in a version tree, if its package brought one.
pub(crate) fn description_in(tree: &Utf8Path) -> Result<Option<PackageDescription>, Failure> {
    let path = tree.join(package::FILE_NAME);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    let (description, _) = read_package_description(path.as_str(), &text)?;
    Ok(Some(description))
}

/// The paths whose presence decides about steps of a plan.
pub(crate) fn paths(wanted: &Wanted) -> Vec<Utf8PathBuf> {
    let mut paths: Vec<Utf8PathBuf> = instance_folders(wanted).into_iter().map(|(path, ..)| path).collect();
    paths.push(wanted.layout.runtime_file(&wanted.runtime.build));
    paths.push(wanted.layout.refused_values(&wanted.spec.name));
    paths
}
