//! The package description: `mainstay-package.json` at the root of an archive.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::manifest::{Service, is_default};
use crate::model::name::ComponentName;
use crate::model::variable::VariableName;
use crate::model::version::Version;

pub use self::condition::{Condition, Setting};
pub use self::development::{DevelopmentPort, DevelopmentService, DevelopmentWait};
pub use self::image::PackageImage;
pub use self::meaning::VariableMeaning;
pub use self::preparation::{Preparation, PreparationKind, Rights};
pub use self::question::{AnswerValue, Choice, Generate, Question, QuestionKind};
pub use self::requirement::{Access, Host, Requirement, RequirementKind, Severity};
pub use self::view::{StatusView, ValueForm, ViewField};

pub mod condition;
pub mod development;
pub mod image;
pub mod meaning;
pub mod preparation;
pub mod question;
pub mod requirement;
pub mod view;

/// The name of the description's file at the root of a package.
pub const FILE_NAME: &str = "mainstay-package.json";

/// Where the description's schema is published.
pub const SCHEMA_ADDRESS: &str =
    "https://raw.githubusercontent.com/mainstay-dev/mainstay/main/schema/package.v1.json";

/// What a vendor says of a package: what it is, and how its program runs unless the user wants otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay package description")]
pub struct PackageDescription {
    /// The address of this schema, for editors. mainstay ignores it.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [SCHEMA_ADDRESS]))]
    pub schema: Option<String>,
    /// The component's name.
    #[schemars(extend("examples" = ["orchestrator"]))]
    pub component: ComponentName,
    /// The version of this package.
    #[schemars(extend("examples" = ["0.3.0"]))]
    pub version: Version,
    /// Default settings of the service.
    #[serde(default)]
    #[schemars(extend("default" = {}, "examples" = [{ "command": ["{package}/bin/orchestrator"] }]))]
    pub service: Service,
    /// From which versions on the data can be read that this version writes, where that is not all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "oldest": "0.3.0" }]))]
    pub rollback: Option<RollbackBarrier>,
    /// The package's own lines of `status`: what is asked of the running program, and how its answer is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "http": "http://127.0.0.1:{env.PORT}/health", "fields": [{ "label": "Agents", "pointer": "/agents/connected", "as": "number" }] }]))]
    pub status: Option<StatusView>,
    /// What the host must have, and how it is made ready.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = {}, "examples" = [{ "checks": [{ "kind": "command", "name": "git", "version": "2.30", "why": "it fetches repositories" }] }]))]
    pub host: Host,
    /// What is asked of the person who installs it, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [[{ "id": "port", "kind": "number", "ask": "On which port?", "default": 4000, "variable": "PORT" }]]))]
    pub questions: Vec<Question>,
    /// The image that holds the same, for those who run it as a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "name": "quay.io/acme/orchestrator", "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }]))]
    pub image: Option<PackageImage>,
    /// What the variables of the program mean, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "PORT": { "describe": "The port on which agents connect.", "default": "4000" } }]))]
    pub environment: BTreeMap<VariableName, VariableMeaning>,
    /// Services that are wanted beside it while somebody develops, by name. `mainstay install --dev` starts them; no other command does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "postgres": { "image": "docker.io/library/postgres:18-trixie", "port": { "host": 15432, "inside": 5432 } } }]))]
    pub development: BTreeMap<ComponentName, DevelopmentService>,
}

/// How far back one can go once a version has run: an older one could not read its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollbackBarrier {
    /// The oldest version that can work with the data which this one leaves.
    #[schemars(extend("examples" = ["0.3.0"]))]
    pub oldest: Version,
    /// Why, for whoever is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["0.3.0 introduced the new table layout"]))]
    pub reason: Option<String>,
}

impl RollbackBarrier {
    /// Whether a version can work with these data. Of one without an order to the oldest nobody knows, so it counts
    /// as one that can't.
    #[must_use]
    pub fn lets(&self, version: &Version) -> bool {
        *version == self.oldest || version.order(&self.oldest).is_some_and(std::cmp::Ordering::is_ge)
    }
}
