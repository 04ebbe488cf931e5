//! The entry of an instance whose manager keeps no file of it: `definition.json`, beside what else is known of the
//! instance. One envelope for all such platforms; what each says in it is its own.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::json;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform::{identity, stamp};

/// The beginning of the line that holds the digest of all others.
const HASH: &str = "\"hash\": ";
/// The format that this build writes.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Entry<Body> {
    format: u32,
    hash: String,
    marker: Marker,
    #[serde(flatten)]
    body: Body,
}

/// The text of an entry.
pub(super) fn text<Body: Serialize>(spec: &LaunchSpec, body: Body) -> String {
    let entry = Entry { format: FORMAT, hash: stamp::BLANK.to_owned(), marker: identity(spec), body };
    stamp::press(&json::text(&entry), HASH)
}

/// What an entry's text says; none if it is another platform's, whose entries stand at the same place.
pub(super) fn read<Body: DeserializeOwned>(text: &str, platform: PlatformKind) -> Option<(Marker, Body)> {
    let Entry { marker, body, .. } = serde_json::from_str::<Entry<Body>>(text).ok()?;
    (marker.platform == platform).then_some((marker, body))
}

/// Whether nobody has edited an entry's text.
pub(super) fn untouched(text: &str) -> bool {
    stamp::fits(text, HASH)
}
