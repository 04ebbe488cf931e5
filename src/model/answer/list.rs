//! `list.v1`: the instances of this host.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::answer::status::InstanceState;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::name::{ComponentName, InstanceName};
use crate::model::version::Version;

/// The instances of this host that the caller may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay list")]
pub struct ListAnswer {
    /// The name of this document's schema: `list.v1`.
    pub schema: String,
    /// The instances, in order of scope and name.
    pub instances: Vec<Listed>,
    /// What could not be read, as sentences.
    pub notices: Vec<String>,
}

/// One instance in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The instance.
    pub name: InstanceName,
    /// Its component.
    pub component: ComponentName,
    /// Where it stands.
    pub state: InstanceState,
    /// Whether the active version is on trial: if it fails, the one before comes back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_trial: bool,
    /// The active version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The service manager.
    pub platform: PlatformKind,
    /// To whom it belongs.
    pub scope: Scope,
    /// The user whose it is, in a list of all users' instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The deploy folder.
    #[schemars(with = "String")]
    pub folder: Utf8PathBuf,
    /// Whether its definition is gone, masked, or says no longer whose it is: `apply` writes it anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undefined: bool,
    /// The copy of mainstay that runs it (version and digest), where that is another than the one that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_runtime: Option<String>,
}
