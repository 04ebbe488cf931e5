//! The entry of a container's instance: `definition.json`. Containers come and go with their engine; the entry
//! stays, so that an instance is known while its container is stopped, gone, or nobody answers for it.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::model::compose::EngineKind;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform::compose::FILE_NAME;
use crate::platform::{Inexpressible, identity, stamp};

/// The beginning of the line that holds the digest of all others.
pub(in crate::platform) const HASH: &str = "\"hash\": ";
/// The format that this build writes.
const FORMAT: u32 = 1;

/// What the entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    format: u32,
    hash: String,
    marker: Marker,
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
    let entry = Entry {
        format: FORMAT,
        hash: stamp::BLANK.to_owned(),
        marker: identity(spec),
        boot: spec.boot,
        engine: container.engine,
        container: super::text::name(spec, container),
        file: spec.deploy.join(FILE_NAME),
    };
    let text = serde_json::to_string_pretty(&entry)
        .map_err(|error| Inexpressible::new("definition.json", error.to_string()))?;
    Ok(stamp::press(&format!("{text}\n"), HASH))
}

/// What an entry's text says; none if it is not one of a container.
#[must_use]
pub fn read(text: &str) -> Option<Entry> {
    let entry: Entry = serde_json::from_str(text).ok()?;
    (entry.marker.platform == PlatformKind::Compose).then_some(entry)
}

/// The marker in an entry's text.
pub(in crate::platform) fn marker(text: &str) -> Option<Marker> {
    read(text).map(|entry| entry.marker)
}
