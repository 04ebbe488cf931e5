//! The definition that a manifest makes, for any platform, installed or not.

use crate::engine::failure::Failure;
use crate::engine::resolve::{self, platform_of};
use crate::engine::target::{Target, TargetError};
use crate::engine::{active, manager, peek};
use crate::host::{environment, untrusted};
use crate::model::answer::small::{RenderAnswer, RenderedFile};
use crate::model::environment_file;
use crate::model::form::{Form, Printed};
use crate::model::launch::{LaunchSpec, tree_name};
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::operating_system::OperatingSystem;
use crate::model::version::Version;
use crate::platform::{self, Facts, quadlet};

/// Renders the definition of an instance, for its own platform or another, or for a tool that runs it without mainstay.
pub fn render(target: &Target, wanted: Option<Form>, facts: &Facts) -> Result<RenderAnswer, Failure> {
    let declared = target.manifest.as_ref().ok_or_else(|| {
        let folder = target.marker.as_ref().map(|marker| marker.folder.clone()).unwrap_or_default();
        TargetError::NoManifest(folder)
    })?;
    let here = &target.layout;
    let package = &declared.manifest.package;
    // A definition does not depend on the version; where one is active, its package's defaults count.
    let active = target.marker.as_ref().and_then(|marker| active::version(here, marker));
    let version = active.or_else(|| package.version.clone()).unwrap_or_else(Version::unknown);
    let tree = here.tree(&target.name, &tree_name(&package.name, &version));
    let description = peek::description_in(&tree)?;
    let form = wanted.unwrap_or_else(|| Form::Platform(platform_of(declared)));
    let platform = form.platform();
    let mut spec = resolve::launch(declared, description.as_ref(), version, platform, here.scope)?;
    pin(target, &mut spec);
    // What is at home on another system is shown as it would be there.
    let at_home = match form {
        Form::Platform(kind) => kind,
        Form::Printed(Printed::Quadlet) => PlatformKind::Systemd,
    };
    let elsewhere = OperatingSystem::of(at_home).filter(|_| !manager::is_there(at_home));
    let layout = match elsewhere {
        Some(system) => &environment::layout_on(here.scope, system)?,
        None => here,
    };
    let files = match form {
        Form::Platform(_) => definition(&spec, layout, facts)?,
        Form::Printed(Printed::Quadlet) => units(&spec, layout)?,
    };
    let RenderedFile { path, text } = files.definition;
    Ok(RenderAnswer {
        schema: "render.v1".to_owned(),
        name: target.name.clone(),
        platform: form,
        path,
        text,
        socket: files.socket,
        volumes: files.volumes,
    })
}

/// What is printed.
struct Files {
    definition: RenderedFile,
    socket: Option<RenderedFile>,
    volumes: Vec<RenderedFile>,
}

fn definition(spec: &LaunchSpec, layout: &Layout, facts: &Facts) -> Result<Files, Failure> {
    let found = platform::definition(spec, layout, facts)?;
    let (path, text) = match found.compose {
        Some(compose) => (compose.path, compose.text),
        None => (found.path, found.text),
    };
    let socket = found.socket.map(|socket| RenderedFile { path: socket.path, text: socket.text });
    Ok(Files { definition: RenderedFile { path, text }, socket, volumes: Vec::new() })
}

fn units(spec: &LaunchSpec, layout: &Layout) -> Result<Files, Failure> {
    if let Some(path) = &spec.environment_file
        && let Ok(Some(text)) = untrusted::read(path, environment_file::LARGEST)
    {
        // What is wrong in it, or can't be read here, is found where it is read.
        if let Ok(variables) = environment_file::parse(&text) {
            quadlet::reads_alike(spec, &text, &variables)?;
        }
    }
    let (unit, volumes) = quadlet::render(spec, layout)?;
    let shown = |file: quadlet::QuadletFile| RenderedFile { path: file.path, text: file.text };
    Ok(Files { definition: shown(unit), socket: None, volumes: volumes.into_iter().map(shown).collect() })
}

/// Names the image by the bytes that run, where the instance is installed and the manifest still means them.
fn pin(target: &Target, spec: &mut LaunchSpec) {
    let Some(container) = &mut spec.container else { return };
    let active = target.marker.as_ref().and_then(|marker| active::launch(&target.layout, marker));
    if let Some(active) = active.and_then(|active| active.container)
        && active.wanted.image == container.wanted.image
    {
        container.pinned = active.pinned;
        container.engine = active.engine;
    }
}
