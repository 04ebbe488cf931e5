//! The package description: `mainstay-package.json` at the root of an archive.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::manifest::Service;
use crate::model::name::ComponentName;
use crate::model::version::Version;

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
