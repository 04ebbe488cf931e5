//! The marker: an instance's identity inside its definition. Markers are the truth of which instances a
//! host has; the index only caches them.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::manifest::{PlatformKind, Scope};
use crate::model::name::{ComponentName, InstanceName};

/// An instance's identity, as its definition carries it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Marker {
    /// The instance.
    pub name: InstanceName,
    /// Its component.
    pub component: ComponentName,
    /// The service manager.
    pub platform: PlatformKind,
    /// To whom it belongs.
    pub scope: Scope,
    /// The deploy folder, absolute.
    #[schemars(with = "String")]
    pub folder: Utf8PathBuf,
}
