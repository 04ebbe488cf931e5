//! The definition that a manifest makes, for any platform, installed or not.

use crate::engine::failure::Failure;
use crate::engine::manager;
use crate::engine::prepare::{self, platform_of};
use crate::engine::status::active_version;
use crate::engine::target::{Target, TargetError};
use crate::host::environment;
use crate::model::answer::small::{RenderAnswer, RenderedSocket};
use crate::model::launch::tree_name;
use crate::model::manifest::PlatformKind;
use crate::model::operating_system::OperatingSystem;
use crate::model::version::Version;
use crate::platform::{self, Facts};

/// Renders the definition of an instance, for its own platform or another.
pub fn render(target: &Target, wanted: Option<PlatformKind>, facts: &Facts) -> Result<RenderAnswer, Failure> {
    let declared = target.manifest.as_ref().ok_or_else(|| {
        let folder = target.marker.as_ref().map(|marker| marker.folder.clone()).unwrap_or_default();
        TargetError::NoManifest(folder)
    })?;
    let here = &target.layout;
    let package = &declared.manifest.package;
    // A definition does not depend on the version; where one is active, its package's defaults count.
    let active = target.marker.as_ref().and_then(|marker| active_version(here, marker));
    let version = active.or_else(|| package.version.clone()).unwrap_or_else(Version::unknown);
    let tree = here.tree(&target.name, &tree_name(&package.name, &version));
    let description = prepare::description_in(&tree)?;
    let platform = wanted.unwrap_or_else(|| platform_of(declared));
    let spec = prepare::resolve(declared, description.as_ref(), version, platform, here.scope)?;
    // What is at home on another system is shown as it would be there.
    let elsewhere = OperatingSystem::of(platform).filter(|_| !manager::is_there(platform));
    let layout = match elsewhere {
        Some(system) => &environment::layout_on(here.scope, system)?,
        None => here,
    };
    let definition = platform::definition(&spec, layout, facts)?;
    let (path, text) = match definition.compose {
        Some(compose) => (compose.path, compose.text),
        None => (definition.path, definition.text),
    };
    Ok(RenderAnswer {
        schema: "render.v1".to_owned(),
        name: target.name.clone(),
        platform,
        path,
        text,
        socket: definition.socket.map(|socket| RenderedSocket { path: socket.path, text: socket.text }),
    })
}
