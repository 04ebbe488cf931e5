//! The definition of an embedded instance, for mainstay's own guardian: its entry.

use serde::{Deserialize, Serialize};

use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform::entry;

#[derive(Serialize, Deserialize)]
struct Said {
    boot: bool,
}

/// The text of the definition.
pub(super) fn render(spec: &LaunchSpec) -> String {
    entry::text(spec, Said { boot: spec.boot })
}

fn read(text: &str) -> Option<(Marker, Said)> {
    entry::read(text, PlatformKind::Embedded)
}

/// The marker in the text of a definition.
pub(super) fn marker(text: &str) -> Option<Marker> {
    read(text).map(|(marker, _)| marker)
}

/// Whether the instance starts with the host or its user, as its definition says.
#[must_use]
pub fn starts_at_boot(text: &str) -> Option<bool> {
    read(text).map(|(_, said)| said.boot)
}
