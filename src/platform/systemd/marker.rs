//! The marker in a unit: `X-` settings, which systemd skips without a word (systemd.unit(5)).

use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;

/// The beginning of the line that holds the digest of all others.
pub(in crate::platform) const HASH: &str = "X-Mainstay-Hash=";

const COMPONENT: &str = "X-Mainstay-Component=";
const INSTANCE: &str = "X-Mainstay-Instance=";
const SCOPE: &str = "X-Mainstay-Scope=";
const FOLDER: &str = "X-Mainstay-InstanceDir=";

/// The marker in the text of a unit.
pub(in crate::platform) fn read(text: &str) -> Option<Marker> {
    // Most units are not ours: one search tells.
    let from = text.find(COMPONENT)?;
    let (mut component, mut name, mut scope, mut folder) = (None, None, None, None);
    for line in text[from..].lines().take_while(|line| line.starts_with("X-Mainstay-")) {
        if let Some(value) = line.strip_prefix(COMPONENT) {
            component = value.parse().ok();
        } else if let Some(value) = line.strip_prefix(INSTANCE) {
            name = value.parse().ok();
        } else if let Some(value) = line.strip_prefix(SCOPE) {
            scope = [Scope::System, Scope::User].into_iter().find(|scope| scope.as_str() == value);
        } else if let Some(value) = line.strip_prefix(FOLDER) {
            folder = serde_json::from_str(value).ok();
        }
    }
    Some(Marker {
        name: name?,
        component: component?,
        platform: PlatformKind::Systemd,
        scope: scope?,
        folder: folder?,
    })
}
