//! The definition of an embedded instance, for mainstay's own guardian: `definition.json`.

use serde::{Deserialize, Serialize};

use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform::{Inexpressible, identity, stamp};

/// The beginning of the line that holds the digest of all others.
pub(super) const HASH: &str = "\"hash\": ";
/// The format that this build writes.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    format: u32,
    hash: String,
    marker: Marker,
    boot: bool,
}

/// The text of the definition.
pub(super) fn render(spec: &LaunchSpec) -> Result<String, Inexpressible> {
    let entry =
        Entry { format: FORMAT, hash: stamp::BLANK.to_owned(), marker: identity(spec), boot: spec.boot };
    let text = serde_json::to_string_pretty(&entry)
        .map_err(|error| Inexpressible::new("definition.json", error.to_string()))?;
    Ok(stamp::press(&format!("{text}\n"), HASH))
}

/// The marker in the text of a definition.
pub(super) fn read(text: &str) -> Option<Marker> {
    let marker = serde_json::from_str::<Entry>(text).ok()?.marker;
    // A container's entry stands at the same place.
    (marker.platform == PlatformKind::Embedded).then_some(marker)
}

/// Whether the instance starts with the host or its user, as its definition says.
#[must_use]
pub fn starts_at_boot(text: &str) -> Option<bool> {
    serde_json::from_str::<Entry>(text).ok().map(|entry| entry.boot)
}
