//! `text.v1`, `render.v1`, `schemas.v1` and `recover.v1`: small answers.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::form::Form;
use crate::model::name::InstanceName;

/// A text for another program: completions, a manual page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay text")]
pub struct TextAnswer {
    /// The name of this document's schema: `text.v1`.
    pub schema: String,
    /// What it is of.
    pub of: String,
    /// The text.
    pub text: String,
}

/// The definition that a manifest makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay render")]
pub struct RenderAnswer {
    /// The name of this document's schema: `render.v1`.
    pub schema: String,
    /// The instance.
    pub name: InstanceName,
    /// The platform, or the tool in whose words it is.
    pub platform: Form,
    /// Where the definition stands when the instance is installed.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// What it says.
    pub text: String,
    /// What has systemd hold the sockets, beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket: Option<RenderedFile>,
    /// The units of Quadlet's volumes, beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<RenderedFile>,
}

/// A file beside a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenderedFile {
    /// Where it stands when the instance is installed.
    #[schemars(with = "String")]
    pub path: Utf8PathBuf,
    /// What it says.
    pub text: String,
}

/// The published schemas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay schemas")]
pub struct SchemasAnswer {
    /// The name of this document's schema: `schemas.v1`.
    pub schema: String,
    /// The schemas.
    pub schemas: Vec<SchemaName>,
}

/// One published schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchemaName {
    /// Its name, with its version.
    pub name: String,
    /// Where it can be fetched.
    pub address: String,
}

/// What recovery found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "mainstay recover")]
pub struct RecoverAnswer {
    /// The name of this document's schema: `recover.v1`.
    pub schema: String,
    /// How many operations were brought to an end.
    pub recovered: usize,
}
