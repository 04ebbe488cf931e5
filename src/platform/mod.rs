//! Platforms: translators between launch specs and the service managers' texts and tools. A launch spec
//! becomes the text of a definition and the calls that make it count; what a tool answers becomes values.
//!
//! Nothing here has an effect, reads the environment or a clock: each translator runs on any system, so
//! that a unit can be looked at on a machine that has no systemd.
//!
//! A text either reaches the program unchanged or is refused, with the reason ([`Inexpressible`]).

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;

pub mod adoption;
pub mod call;
pub mod calls;
pub mod command_line;
pub mod compose;
pub mod development;
pub mod embedded;
mod entry;
pub mod exec_start;
pub mod journal;
mod lacks;
pub mod launchd;
pub mod observed;
mod properties;
pub mod quadlet;
pub mod query;
mod refusal;
mod stamp;
pub mod systemd;
pub mod task;
pub mod windows;
mod xml;

/// What a definition's text depends on besides the launch spec and the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The version of systemd that is to read the text: settings that it does not know are left out.
    pub systemd_version: u32,
    /// The home folder of the account that runs the program, if it has one: it stays visible to the service.
    pub home: Option<Utf8PathBuf>,
    /// Who installs it, by the number that Windows has for an account; nothing where this is another system.
    pub account: Option<String>,
}

/// What registers an instance with its platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Where it stands.
    pub path: Utf8PathBuf,
    /// What it says.
    pub text: String,
    /// Its permission bits.
    pub mode: u32,
    /// What has systemd hold its sockets, where it has any; a file beside it.
    pub socket: Option<SocketDefinition>,
    /// What Compose reads, for a container; in the deploy folder.
    pub compose: Option<ComposeDefinition>,
}

/// What Compose reads of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposeDefinition {
    /// Where it stands.
    pub path: Utf8PathBuf,
    /// What it says.
    pub text: String,
}

/// What has systemd hold the sockets of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketDefinition {
    /// Where it stands.
    pub path: Utf8PathBuf,
    /// What it says.
    pub text: String,
}

/// A setting that the platform has no words for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{setting}` can't be expressed: {reason}")]
pub struct Inexpressible {
    /// The setting, as the manifest names it, or the path that stands in the way.
    pub setting: String,
    /// Why not, and where there is a way, which.
    pub reason: String,
}

impl Inexpressible {
    fn new(setting: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { setting: setting.into(), reason: reason.into() }
    }
}

/// The definition of a launch, for its own platform.
pub fn definition(spec: &LaunchSpec, layout: &Layout, facts: &Facts) -> Result<Definition, Inexpressible> {
    Ok(Definition {
        path: layout.definition(&spec.name, spec.platform),
        text: match spec.platform {
            PlatformKind::Compose => compose::entry::render(spec)?,
            _ => render(spec.platform, spec, layout, facts)?,
        },
        mode: 0o644,
        socket: match spec.platform {
            PlatformKind::Systemd => systemd::socket::render(spec)?
                .map(|text| SocketDefinition { path: layout.socket_definition(&spec.name), text }),
            _ => None,
        },
        compose: match spec.platform {
            PlatformKind::Compose => Some(ComposeDefinition {
                path: spec.deploy.join(compose::FILE_NAME),
                text: compose::text::render(spec, layout)?,
            }),
            _ => None,
        },
    })
}

/// The text of a definition, for any platform and on any system.
pub fn render(
    kind: PlatformKind,
    spec: &LaunchSpec,
    layout: &Layout,
    facts: &Facts,
) -> Result<String, Inexpressible> {
    lacks::refuse(kind, spec, layout)?;
    if kind != PlatformKind::Compose && layout.is_of_windows() {
        windows::words::refuse(spec, layout)?;
    }
    match kind {
        PlatformKind::Systemd => systemd::unit::render(spec, layout, facts),
        PlatformKind::Embedded => Ok(embedded::render(spec)),
        PlatformKind::Compose => compose::text::render(spec, layout),
        PlatformKind::Launchd => launchd::render(spec, layout),
        PlatformKind::Windows => windows::render(spec, layout),
        PlatformKind::Task => task::render(spec, layout, facts.account.as_deref()),
    }
}

/// The identity that a definition's text carries; none if it is not one of ours.
///
/// Most texts that are looked at are other people's, and are told by one search.
#[must_use]
pub fn marker(kind: PlatformKind, text: &str) -> Option<Marker> {
    match kind {
        PlatformKind::Systemd => systemd::marker::read(text),
        PlatformKind::Embedded => embedded::marker(text),
        PlatformKind::Compose => compose::entry::marker(text),
        PlatformKind::Launchd => launchd::marker(text),
        PlatformKind::Windows => windows::marker(text),
        PlatformKind::Task => task::marker(text),
    }
}

/// Whether the text is as mainstay wrote it: no one has edited it since.
#[must_use]
pub fn untouched(kind: PlatformKind, text: &str) -> bool {
    match kind {
        PlatformKind::Systemd => stamp::fits(text, systemd::marker::HASH),
        PlatformKind::Embedded | PlatformKind::Compose | PlatformKind::Windows => entry::untouched(text),
        PlatformKind::Launchd => launchd::untouched(text),
        PlatformKind::Task => task::untouched(text),
    }
}

/// What of a definition's text counts for what runs under it, as a short digest: all else counts as soon as the service
/// manager has read it.
#[must_use]
pub fn running_part(kind: PlatformKind, text: &str) -> String {
    match kind {
        PlatformKind::Systemd => systemd::reading::running_part(text),
        // A guardian starts what the launch says, and Compose compares what it made with what it reads.
        PlatformKind::Launchd => launchd::digest(text),
        _ => String::new(),
    }
}

/// The identity of a launch's instance.
#[must_use]
pub fn identity(spec: &LaunchSpec) -> Marker {
    Marker {
        name: spec.name.clone(),
        component: spec.component.clone(),
        platform: spec.platform,
        scope: spec.scope,
        folder: spec.deploy.clone(),
    }
}
