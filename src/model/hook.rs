//! A hook: a command of the manifest, with all that is needed to run it when its manifest is no longer at hand.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::duration::Span;
use crate::model::owner::Owner;

/// How long a hook may take where the manifest doesn't say.
pub const USUAL_LIMIT: Span = Span::seconds(600);

/// A command of the manifest, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookCall {
    /// The field that holds it, as in `upgrade.hooks.migrate`.
    pub field: String,
    /// The program and its arguments, tokens expanded.
    pub argv: Vec<String>,
    /// Its environment, nothing else.
    pub environment: BTreeMap<String, String>,
    /// Where it starts, absolute.
    #[schemars(with = "String")]
    pub folder: Utf8PathBuf,
    /// With whose rights, if not those of the process that runs it.
    #[serde(default)]
    pub rights: Option<Owner>,
    /// How long it may take; then it is ended, with all that it started.
    #[serde(default = "usual_limit")]
    pub limit: Span,
}

fn usual_limit() -> Span {
    USUAL_LIMIT
}
