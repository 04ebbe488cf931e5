//! From a manifest, and what a package says, to the launch that is wanted.

use camino::Utf8PathBuf;

use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::engine::{Context, manager, runtimes, trust};
use crate::host::{account, clock, container, environment};
use crate::model::compose::ContainerSpec;
use crate::model::contradiction::refuse_contradictions;
use crate::model::digest::Digest;
use crate::model::image::ImageName;
use crate::model::launch::{Circumstances, LaunchSpec};
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::operating_system::OperatingSystem;
use crate::model::package::PackageDescription;
use crate::model::position::Segment;
use crate::model::version::Version;
use crate::model::watched::Watched;
use crate::package::tree;
use crate::plan::apply::instance_folders;
use crate::plan::refusal::Refusal;
use crate::plan::wanted::{Archive, ManifestText, Runtime, Standing, Wanted, Wishes};
use crate::platform;

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
        return Err(Refusal::NotHere { platform, usual: default_platform(declared.manifest.scope) }.into());
    }
    let mut spec = launch(declared, description.as_ref(), version.clone(), platform, context.layout.scope)?;
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
            brought: declared.given.is_some(),
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
pub(crate) fn launch(
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
    declared.manifest.platform.unwrap_or_else(|| default_platform(declared.manifest.scope))
}

/// The identity of the instance that a manifest makes on this host.
pub(crate) fn marker_of(declared: &Declared, scope: Scope) -> Marker {
    Marker {
        name: declared.manifest.name.clone(),
        component: declared.manifest.package.name.clone(),
        platform: platform_of(declared),
        scope,
        folder: declared.deploy.folder.clone(),
    }
}

/// The platform of this host for a scope, by default the caller's: launchd on macOS, services of the host and tasks of users
/// on Windows, systemd where it runs, else our own. In a container that is our own, unless a systemd has booted the container
/// itself.
#[must_use]
pub fn default_platform(scope: Option<Scope>) -> PlatformKind {
    match environment::operating_system() {
        OperatingSystem::MacOs => PlatformKind::Launchd,
        OperatingSystem::Windows => match scope.unwrap_or_else(environment::callers_scope) {
            Scope::System => PlatformKind::Windows,
            Scope::User => PlatformKind::Task,
        },
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

/// The paths whose presence decides about steps of a plan.
pub(crate) fn paths(wanted: &Wanted) -> Vec<Utf8PathBuf> {
    let mut paths: Vec<Utf8PathBuf> = instance_folders(wanted).into_iter().map(|(path, ..)| path).collect();
    paths.push(wanted.layout.runtime_file(&wanted.runtime.build));
    paths.push(wanted.layout.refused_values(&wanted.spec.name));
    paths
}
