//! Services for development beside an instance: what is wanted of them, and how they are found. Only `install --dev`
//! asks for them; the record that it leaves is how every later command knows of them.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::Context;
use crate::engine::failure::{CallError, Failure};
use crate::engine::question::ask;
use crate::engine::resolve::{marker_of, platform_of};
use crate::engine::target::Declared;
use crate::engine::trust::Distrust;
use crate::host::{files, listening, port, random, untrusted};
use crate::model::compose::EngineKind;
use crate::model::contradiction::read_manifest;
use crate::model::development::lines::{Given, with};
use crate::model::development::{DevelopmentContainer, DevelopmentRecord, FORMAT};
use crate::model::environment_file;
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::package::{DevelopmentService, PackageDescription};
use crate::plan::apply::development::RECORD;
use crate::plan::observed::DevelopmentSeen;
use crate::plan::refusal::Refusal;
use crate::plan::wanted::{Beside, Development, Secret, Wanted};
use crate::platform::compose::{query, seen};
use crate::platform::development::{self as asked, Standing};

pub(crate) mod hands;
pub(crate) mod image;
pub(crate) mod removal;
pub(crate) mod standing;

pub use removal::kept;

/// The engines, in the order in which they are looked for: the one that needs no service comes first.
const ENGINES: [EngineKind; 2] = [EngineKind::Podman, EngineKind::Docker];

/// What a manifest and its package make of services for development: the same manifest, with the variables that they
/// give in its environment file, and what is wanted of them.
pub(crate) fn want(
    context: &Context<'_>,
    declared: &Declared,
    description: Option<&PackageDescription>,
) -> Result<(Declared, Development), Failure> {
    let (description, services) = described(declared, description)?;
    let component = &declared.manifest.package.name;
    let declared = &naming_a_file(declared, description)?;
    let named = declared.manifest.service.environment_file.as_ref();
    let named = named.or(description.service.environment_file.as_ref());
    let Some(environment_file) = named.map(|named| declared.deploy.folder.join(named)) else {
        return Err(Failure::Usage(format!(
            "`--dev` needs an environment file for what it makes: name one with `\"service\": {{ \"environmentFile\": \"{component}.env\" }}` in `{}`",
            declared.path
        )));
    };
    let of = &marker_of(declared, context.layout.scope);
    let before = record(&context.layout, &of.name)?;
    if let Some(others) = before.as_ref().filter(|record| record.of.folder != of.folder)
        && let Some(container) = others.containers.first()
    {
        let (name, engine) = (container.container.clone(), container.engine);
        return Err(Refusal::DevelopmentTaken { what: "container", name, engine }.into());
    }
    let engine = match before.as_ref().and_then(|record| record.containers.first()) {
        Some(container) => container.engine,
        None => find(context)?,
    };
    let folder = context.layout.development(&of.name);
    let containers: Vec<DevelopmentContainer> = services
        .iter()
        .map(|service| {
            DevelopmentContainer::of(&of.name, service, engine, folder.join(format!("{}.env", service.0)))
        })
        .collect();
    let left = before.as_ref().map(|record| record.left_by(&containers)).unwrap_or_default();
    let secrets = secrets(&folder, &containers)?;
    let record = DevelopmentRecord {
        format: FORMAT,
        of: of.clone(),
        environment_file: environment_file.clone(),
        containers,
        left,
    };
    let now = given(&record.containers, |container| {
        secrets.get(&container.service).map(|secret| secret.text.clone())
    });
    let earlier = before.as_ref().map(|record| record.containers.as_slice()).unwrap_or_default();
    let earlier = given(earlier, |container| secret(&folder, container).ok().flatten());
    let declared = with_lines(context, declared, environment_file, &earlier, &now)?;
    Ok((declared, Development { record, secrets }))
}

/// What a package says of services for development, refused where they can be of no use.
fn described<'a>(
    declared: &Declared,
    description: Option<&'a PackageDescription>,
) -> Result<(&'a PackageDescription, &'a BTreeMap<ComponentName, DevelopmentService>), Failure> {
    let component = &declared.manifest.package.name;
    let services = description.map(|description| &description.development).filter(|all| !all.is_empty());
    let Some((description, services)) = description.zip(services) else {
        return Err(Failure::Usage(format!(
            "the package of `{component}` describes no services for development (`development` of its mainstay-package.json): leave `--dev` out"
        )));
    };
    if platform_of(declared) == PlatformKind::Compose {
        return Err(Failure::Usage(
            "`--dev` has no meaning on platform `compose`: a container does not reach the loopback address of its host"
                .to_owned(),
        ));
    }
    if let Some(owner) = &declared.deploy.owner {
        // What runs in a container of root's is chosen by whoever chooses the package.
        return Err(Distrust::Setting { setting: "--dev".to_owned(), owner: owner.name.clone() }.into());
    }
    Ok((description, services))
}

/// The secrets of those containers that have one: as they are known, or new ones.
fn secrets(
    folder: &Utf8Path,
    containers: &[DevelopmentContainer],
) -> Result<BTreeMap<ComponentName, Secret>, Failure> {
    let mut secrets = BTreeMap::new();
    for container in containers.iter().filter(|container| container.is_secret()) {
        let known = secret(folder, container)?;
        let is_new = known.is_none();
        let made =
            || random::hex32().map_err(|error| Failure::Usage(format!("no secret can be made: {error}")));
        let text = known.map_or_else(made, Ok)?;
        secrets.insert(container.service.clone(), Secret { text, is_new });
    }
    Ok(secrets)
}

/// Brings the images of the services that are wanted, as far as they are not there.
pub(crate) fn images(context: &Context<'_>, wanted: &Wanted, dry_run: bool) -> Result<(), Failure> {
    let containers = wanted.development.iter().flat_map(|development| &development.record.containers);
    { containers }.try_for_each(|container| image::bring(context, container, dry_run))
}

/// Whether the secrets are still those of which the plan was made: another command may have made some meanwhile, and what
/// a volume is locked with must not be written over.
pub(crate) fn is_current(context: &Context<'_>, wanted: &Wanted) -> Result<bool, Failure> {
    let Some(development) = &wanted.development else { return Ok(true) };
    let folder = context.layout.development(&wanted.spec.name);
    for container in &development.record.containers {
        let Some(planned) = development.secrets.get(&container.service) else { continue };
        let there = secret(&folder, container)?;
        if there.as_ref() != Some(&planned.text).filter(|_| !planned.is_new) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The manifest with an environment file, where it is only made now and says of none.
fn naming_a_file(declared: &Declared, description: &PackageDescription) -> Result<Declared, Failure> {
    let names = declared.manifest.service.environment_file.is_some()
        || description.service.environment_file.is_some();
    if declared.on_disk || declared.given.is_some() || names {
        return Ok(declared.clone());
    }
    // It was read as JSON before.
    let mut made: serde_json::Value = serde_json::from_str(declared.document.text()).unwrap_or_default();
    made["service"]["environmentFile"] = format!("{}.env", declared.manifest.package.name).into();
    let text = serde_json::to_string_pretty(&made).unwrap_or_default() + "\n";
    let (manifest, document) = read_manifest("the manifest made of what was typed", &text)?;
    Ok(Declared { manifest, document, ..declared.clone() })
}

/// The manifest with what is given in its environment file.
fn with_lines(
    context: &Context<'_>,
    declared: &Declared,
    path: Utf8PathBuf,
    before: &[Given],
    now: &[Given],
) -> Result<Declared, Failure> {
    let mut declared = declared.clone();
    let place = declared.beside.iter().position(|file| file.path == path);
    let mut file = if let Some(place) = place {
        declared.beside.remove(place)
    } else {
        let found = untrusted::read(&path, environment_file::LARGEST)?;
        Beside { path, text: found.clone().unwrap_or_default(), before: found, folder: None }
    };
    let (text, kept) = with(&file.text, before, now);
    for name in kept {
        context.notice(format!("{name} is set in `{}` and kept as it is: what runs uses that", file.path));
    }
    file.text = text;
    declared.beside.push(file);
    Ok(declared)
}

fn given(
    containers: &[DevelopmentContainer],
    secret: impl Fn(&DevelopmentContainer) -> Option<String>,
) -> Vec<Given> {
    let of = |container: &DevelopmentContainer| {
        let all = container.given(&secret(container).unwrap_or_default());
        all.into_iter()
            .map(|(name, value)| Given { service: container.service.clone(), name, value })
            .collect::<Vec<_>>()
    };
    containers.iter().flat_map(of).collect()
}

/// Looks for an engine. Of Compose none is needed.
fn find(context: &Context<'_>) -> Result<EngineKind, Failure> {
    let mut reasons = Vec::new();
    for kind in ENGINES {
        match ask(&query::engine_version(kind), hands::PATIENCE, seen::version) {
            Ok(version) => {
                context.notice(format!("found {kind} {version}"));
                return Ok(kind);
            }
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Err(Refusal::NoEngine { reason: reasons.join("; ") }.into())
}

/// The record of an instance, if it has services for development.
pub(crate) fn record(layout: &Layout, name: &InstanceName) -> Result<Option<DevelopmentRecord>, Failure> {
    let path = layout.development(name).join(RECORD);
    // Nobody but its owner may look there, and to others there is nothing to say of it.
    let Some(text) = files::read(&path).ok().flatten() else { return Ok(None) };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| Failure::Damaged { path, reason: error.to_string() })
}

/// The same, where it is of this very instance: another folder may have had its name before, and kept what it holds.
pub(crate) fn record_of(layout: &Layout, of: &Marker) -> Result<Option<DevelopmentRecord>, Failure> {
    Ok(record(layout, &of.name)?.filter(|record| record.of.folder == of.folder))
}

fn secret(folder: &Utf8Path, container: &DevelopmentContainer) -> Result<Option<String>, Failure> {
    let text = files::read(&folder.join(format!("{}.secret", container.service)))?;
    Ok(text.map(|text| text.trim_end().to_owned()).filter(|text| !text.is_empty()))
}

/// Looks at the services for development that are wanted, or that there are.
pub(crate) fn observe(
    context: &Context<'_>,
    of: &Marker,
    wanted: Option<&Wanted>,
) -> Result<Option<DevelopmentSeen>, Failure> {
    let folder = context.layout.development(&of.name);
    let record = record_of(&context.layout, of)?;
    let development = wanted.and_then(|wanted| wanted.development.as_ref());
    let Some(counts) = development.map(|development| &development.record).or(record.as_ref()) else {
        return Ok(None);
    };
    let mut found = DevelopmentSeen::default();
    for container in counts.all() {
        if let Some(standing) = look(container)? {
            found.containers.insert(container.container.clone(), standing);
        }
        for volume in container.volumes.keys() {
            if let Some(standing) = look_at_volume(container.engine, volume)? {
                found.volumes.insert(volume.clone(), standing);
            }
        }
        if let Some(taken) = container.port.map(|port| port.host)
            && listening::is_taken(&format!("127.0.0.1:{taken}"))
        {
            found.ports.insert(taken, port::holder(taken));
        }
    }
    for name in files::list(&folder)?.unwrap_or_default() {
        let path = folder.join(name);
        if let Some(text) = files::read(&path)? {
            found.files.insert(path, text);
        }
    }
    found.record = record;
    Ok(Some(found))
}

/// The container that has the name of a service's.
pub(crate) fn look(container: &DevelopmentContainer) -> Result<Option<Standing>, CallError> {
    ask(&query::container(container.engine, &container.container), hands::PATIENCE, asked::container_seen)
}

fn look_at_volume(engine: EngineKind, volume: &str) -> Result<Option<Standing>, CallError> {
    ask(&asked::volume(engine, volume), hands::PATIENCE, asked::volume_seen)
}
