//! What is wanted of a container: which image, in whose engine. The image is brought before anything is decided, as
//! an archive is unpacked before.

use crate::engine::Context;
use crate::engine::change::Request;
use crate::engine::container::image::{Image, bring};
use crate::engine::container::{brought, entry, find, strangers};
use crate::engine::failure::Failure;
use crate::engine::observe::read_specs;
use crate::engine::resolve::Aim;
use crate::engine::source::{Proof, Source};
use crate::engine::target::Declared;
use crate::engine::trust::Distrust;
use crate::model::compose::{Compose, ContainerSpec, EngineKind};
use crate::model::image::ImageName;
use crate::model::launch::tree_name;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::receipt::Receipt;
use crate::model::version::Version;
use crate::plan::refusal::Refusal;
use crate::plan::step::Operation;

/// The aim of an operation on a container.
pub(crate) fn aim(
    context: &Context<'_>,
    declared: &Declared,
    compose: &Compose,
    request: &Request,
    receipt: Option<&Receipt>,
) -> Result<Aim, Failure> {
    guard(declared, request)?;
    let of = marker(context, declared);
    let engine = engine(context, compose, &of, request)?;
    let image = image(context, engine, declared, compose, request, receipt)?;
    let manifest = &declared.manifest;
    let typed = request.version.as_ref().filter(|_| !is_back(request));
    if let (Some(typed), Some(tag)) = (typed, image.name.tag())
        && request.source.is_archive()
        && typed.as_str() != tag
    {
        return Err(Failure::OtherArchive(format!("the image is tagged `{tag}`, not `{typed}`")));
    }
    let version = manifest
        .package
        .version
        .clone()
        .filter(|_| image.name.tag().is_none())
        .or_else(|| image.name.version())
        .unwrap_or_else(Version::unknown);
    // The manifest follows what was typed; what was written in it stays as it was written.
    let edits_version = image.name != compose.image
        && request.operation != Operation::Apply
        && (request.operation != Operation::Install || request.source.is_archive() || typed.is_some());
    let name = if edits_version { image.name } else { compose.image.clone() };
    if let Some(doubt) = doubt(&name).filter(|_| request.operation == Operation::Install && receipt.is_none())
    {
        context.notice(format!("{doubt}: what runs is pinned as `{}`", image.pinned));
    }
    Ok(Aim {
        version,
        description: None,
        archive: None,
        wishes: request.wishes,
        edits_version,
        standing: None,
        container: Some(ContainerSpec {
            wanted: Compose { image: name, ..compose.clone() },
            pinned: image.pinned,
            engine,
        }),
    })
}

/// Why a name may mean other bytes tomorrow.
fn doubt(name: &ImageName) -> Option<String> {
    match (name.digest(), name.tag()) {
        (Some(_), _) => None,
        (None, None | Some("latest")) => Some(format!(
            "`compose.image` is `{}:latest`, which every publication moves, and names no digest",
            name.repository()
        )),
        (None, Some(_)) => {
            Some("`compose.image` names no digest, so other bytes may have that name tomorrow".to_owned())
        }
    }
}

/// Whether it goes to a version that was there.
fn is_back(request: &Request) -> bool {
    request.operation == Operation::Rollback || request.unpacked
}

fn marker(context: &Context<'_>, declared: &Declared) -> Marker {
    Marker {
        name: declared.manifest.name.clone(),
        component: declared.manifest.package.name.clone(),
        platform: PlatformKind::Compose,
        scope: context.layout.scope,
        folder: declared.deploy.folder.clone(),
    }
}

fn guard(declared: &Declared, request: &Request) -> Result<(), Failure> {
    if let Some(owner) = &declared.deploy.owner {
        // Whoever may write what Compose reads may have any folder of the host seen in a container of root's.
        let setting = "\"platform\": \"compose\"".to_owned();
        return Err(Distrust::Setting { setting, owner: owner.name.clone() }.into());
    }
    if request.proof != Proof::default() {
        return Err(Failure::Usage(
            "on platform `compose` an image is proved by its digest: write it into `compose.image`"
                .to_owned(),
        ));
    }
    if matches!(request.source, Source::Input | Source::Address(_)) {
        return Err(Failure::Usage(
            "on platform `compose` an image comes from its registry, or from a file: `--from image.tar`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// The engine of an instance: the one that has its container, else the one that is wanted, else one that answers.
fn engine(
    context: &Context<'_>,
    compose: &Compose,
    of: &Marker,
    request: &Request,
) -> Result<EngineKind, Failure> {
    let known = entry(&context.layout, of).map(|entry| entry.engine);
    if let (Some(known), Some(wanted)) = (known, compose.engine)
        && known != wanted
    {
        return Err(Failure::Usage(format!(
            "the container of `{}` is {known}'s, and `compose.engine` says `{wanted}`: `mainstay uninstall`, then install it again",
            of.name
        )));
    }
    let engine = if let Some(known) = known {
        known
    } else {
        let found = find(compose.engine)?;
        context.notice(format!("found {found}"));
        found.kind
    };
    let strangers = strangers(engine, &of.name, of)?;
    if let Some(stranger) = strangers.first().filter(|_| !request.wishes.take_over) {
        let definition = format!("container {}", stranger.get(..12).unwrap_or(stranger));
        return Err(Refusal::NotOurs { name: of.name.clone(), definition }.into());
    }
    Ok(engine)
}

fn image(
    context: &Context<'_>,
    engine: EngineKind,
    declared: &Declared,
    compose: &Compose,
    request: &Request,
    receipt: Option<&Receipt>,
) -> Result<Image, Failure> {
    let fetch = |name: &ImageName, anew| bring(context, engine, name, (anew, request.dry_run));
    if is_back(request) {
        return earlier(context, engine, declared, request, receipt);
    }
    if let Source::File(path) = &request.source {
        return brought::image(context, engine, declared, (path, &compose.image), request);
    }
    if let Some(version) = &request.version {
        let name =
            compose.image.with_tag(version.as_str()).map_err(|error| Failure::Usage(error.to_string()))?;
        if compose.image.tag() == name.tag() {
            return fetch(&compose.image, false);
        }
        return fetch(&name, false);
    }
    let upgrades = request.operation == Operation::Upgrade;
    let active = active(context, declared, receipt)?;
    let stays = active.as_ref().is_some_and(|active| active.wanted.image == compose.image);
    if upgrades && stays && compose.image.digest().is_some() {
        return Err(Failure::Usage(format!(
            "`{}` runs already: say what to upgrade to with `--version`, `--from image.tar` or `--rollback`, or write another `compose.image`",
            compose.image
        )));
    }
    // What runs is not exchanged because a tag was moved meanwhile, unless that is asked for.
    if let Some(active) = active.filter(|_| stays && !upgrades) {
        return Ok(Image { name: compose.image.clone(), pinned: active.pinned });
    }
    fetch(&compose.image, upgrades)
}

/// The container of the active launch.
fn active(
    context: &Context<'_>,
    declared: &Declared,
    receipt: Option<&Receipt>,
) -> Result<Option<ContainerSpec>, Failure> {
    let Some(active) = receipt.and_then(Receipt::active) else { return Ok(None) };
    let manifest = &declared.manifest;
    let mut specs = read_specs(&context.layout.launches(&manifest.name))?;
    Ok(specs.remove(&tree_name(&manifest.package.name, &active.version)).and_then(|spec| spec.container))
}

/// The image of a version that was there.
fn earlier(
    context: &Context<'_>,
    engine: EngineKind,
    declared: &Declared,
    request: &Request,
    receipt: Option<&Receipt>,
) -> Result<Image, Failure> {
    let manifest = &declared.manifest;
    let previous = || receipt.and_then(Receipt::previous).map(|previous| previous.version.clone());
    let typed = request.version.clone().filter(|_| request.unpacked);
    let version = typed.or_else(previous).ok_or_else(|| Refusal::NoPrevious(manifest.name.clone()))?;
    let tree = tree_name(&manifest.package.name, &version);
    let mut specs = read_specs(&context.layout.launches(&manifest.name))?;
    let Some(container) = specs.remove(&tree).and_then(|spec| spec.container) else {
        return Err(
            Refusal::NoTree { installed: true, component: manifest.package.name.clone(), version }.into()
        );
    };
    // Back to these bytes, whatever has their name by now.
    let name = ImageName::new(container.pinned.as_str()).unwrap_or(container.wanted.image);
    if super::image::look(engine, &container.pinned)?.is_some() {
        return Ok(Image { name, pinned: container.pinned });
    }
    // Somebody has tidied up: what was pinned by its digest can be fetched again.
    let Some(again) = Some(name).filter(|name| name.digest().is_some()) else {
        return Err(Failure::OtherArchive(format!(
            "the image of version {version}, `{}`, is not there any more: load it with `--from image.tar`",
            container.pinned
        )));
    };
    bring(context, engine, &again, (false, request.dry_run))
}
