//! The entry of a container's instance. Containers come and go with their engine; the entry stays, so that an instance is
//! known while its container is stopped, gone, or nobody answers for it.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::model::compose::EngineKind;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform::compose::FILE_NAME;
use crate::platform::{Inexpressible, entry};

/// What the entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Whether it starts with the host or its user.
    pub boot: bool,
    /// In whose engine the container is.
    pub engine: EngineKind,
    /// The container's name.
    pub container: String,
    /// The file that Compose reads.
    pub file: Utf8PathBuf,
}

/// The text of the entry.
pub(in crate::platform) fn render(spec: &LaunchSpec) -> Result<String, Inexpressible> {
    let container = super::text::container(spec)?;
    let said = Entry {
        boot: spec.boot,
        engine: container.engine,
        container: super::text::name(spec, container),
        file: spec.deploy.join(FILE_NAME),
    };
    Ok(entry::text(spec, said))
}

/// What an entry's text says; none if it is not one of a container.
#[must_use]
pub fn read(text: &str) -> Option<Entry> {
    entry::read(text, PlatformKind::Compose).map(|(_, said)| said)
}

/// The marker in an entry's text.
pub(in crate::platform) fn marker(text: &str) -> Option<Marker> {
    entry::read::<Entry>(text, PlatformKind::Compose).map(|(marker, _)| marker)
}
