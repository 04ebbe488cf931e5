//! Adoption: what becomes of each line of a definition that somebody else wrote, and what there was before, so that it
//! can come back.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::json;
use crate::model::trial::DefinitionBefore;

/// One line of a definition that is adopted, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdoptedLine {
    /// The file.
    #[schemars(with = "String")]
    pub file: Utf8PathBuf,
    /// The line in it, from 1; 0 where the file has no lines of its own.
    pub line: usize,
    /// The setting, as it is called there. This is what `--leave-out` takes.
    pub key: String,
    /// Its value, continued lines joined.
    pub value: String,
    /// What became of it.
    pub fate: Fate,
    /// The field of the manifest to which it was carried over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why, or what is different now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Fate {
    /// A field of the manifest says it now.
    Carried,
    /// It is so by default.
    Same,
    /// It stays in its own file, which counts for the new definition too.
    Stays,
    /// It can't be carried over.
    Refused,
    /// It can't be carried over, and is left out because a person said so.
    LeftOut,
}

impl AdoptedLine {
    /// The line, carried over to a field of the manifest.
    #[must_use]
    pub fn carried(self, field: impl Into<String>) -> Self {
        Self { fate: Fate::Carried, field: Some(field.into()), note: None, ..self }
    }

    /// The line, which says what is so anyway, and why it is.
    #[must_use]
    pub fn same(self, note: impl Into<String>) -> Self {
        Self { fate: Fate::Same, field: None, note: Some(note.into()), ..self }
    }

    /// The line, which stays in its file.
    #[must_use]
    pub fn stays(self) -> Self {
        Self { fate: Fate::Stays, field: None, note: None, ..self }
    }

    /// The line, which can't be carried over, and why.
    #[must_use]
    pub fn refused(self, note: impl Into<String>) -> Self {
        Self { fate: Fate::Refused, field: None, note: Some(note.into()), ..self }
    }

    /// The line with a word on what is different.
    #[must_use]
    pub fn noting(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// The place, as in messages.
    #[must_use]
    pub fn place(&self) -> String {
        if self.line == 0 { self.file.to_string() } else { format!("{}:{}", self.file, self.line) }
    }
}

/// The format of [`Before`] and [`Attempt`].
pub const FORMAT: u32 = 1;

/// The service as it was before mainstay: what brings it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay service before its adoption")]
pub struct Before {
    /// The format of this file.
    pub format: u32,
    /// What it is called by its own manager, as in `nginx.service`.
    pub service: String,
    /// The files that defined it and were changed, as they were.
    pub files: Vec<DefinitionBefore>,
    /// The commands that let it count again, once its files are back: nothing is started by them.
    pub reread: Vec<Vec<String>>,
    /// The commands that start it again, with as little downtime as there can be.
    pub back: Vec<Vec<String>>,
    /// Whether it started with the host.
    pub enabled: bool,
    /// Whether it ran.
    pub ran: bool,
    /// Where the first of its files was put, whole and with its rights, where that is not in `files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub aside: Option<Utf8PathBuf>,
}

/// An adoption under way: what whoever is left alive needs to bring back what ran before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay adoption under way")]
pub struct Attempt {
    /// The format of this file.
    pub format: u32,
    /// The way back.
    pub before: Before,
    /// The launch that has still to prove itself.
    pub launch: String,
    /// How far it is.
    pub stage: AttemptStage,
}

/// How far an adoption is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum AttemptStage {
    /// The new definition has not been started.
    Pending,
    /// It has been, and has still to become ready.
    Tried,
    /// What ran before is back.
    TakenBack {
        /// Why.
        reason: String,
    },
}

impl Before {
    /// The text of its file.
    #[must_use]
    pub fn text(&self) -> String {
        json::text(self)
    }
}

impl Attempt {
    /// The text of its file.
    #[must_use]
    pub fn text(&self) -> String {
        json::text(self)
    }
}
