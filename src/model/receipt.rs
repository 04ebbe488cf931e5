//! The receipt: what is active, and the last applied manifest.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::json;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::provenance::Provenance;
use crate::model::public_key::PublicKey;
use crate::model::status::Status;
use crate::model::version::Version;

/// The format that this build writes.
pub const FORMAT: u32 = 1;

/// What is active of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay receipt")]
pub struct Receipt {
    /// The format of this file.
    pub format: u32,
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
    /// The versions that were active, oldest first; the last one is. A rollback goes one back.
    pub activations: Vec<Activation>,
    /// The text of the manifest that was last applied.
    pub manifest: String,
    /// Whether mainstay switched lingering on for this user, who had it off.
    #[serde(default)]
    pub lingering_by_us: bool,
    /// Whether the running program has not yet seen the last applied settings.
    #[serde(default)]
    pub pending_restart: bool,
    /// The versions that were taken back: they are not tried again unless somebody asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad: Vec<BadVersion>,
    /// The key with which archives of this instance have to be signed, since one was pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    /// When it was last changed.
    pub changed: Moment,
}

/// A version that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BadVersion {
    /// The version.
    pub version: Version,
    /// The digest of its archive: other bytes of that version are another matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Moment,
}

impl BadVersion {
    /// Whether this is that version, as far as anybody can tell: other bytes under its name are another matter.
    #[must_use]
    pub fn is(&self, version: &Version, digest: Option<&Digest>) -> bool {
        let same_bytes = self.digest.as_ref().zip(digest).is_none_or(|(one, other)| one == other);
        self.version == *version && same_bytes
    }
}

/// A version that was made active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Activation {
    /// The version.
    pub version: Version,
    /// The digest of its archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Where it came from, if an archive was brought for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Provenance>,
    /// When.
    pub at: Moment,
}

impl Receipt {
    /// The text of the receipt's file.
    #[must_use]
    pub fn text(&self) -> String {
        json::text(self)
    }

    /// Whose receipt it is.
    #[must_use]
    pub fn marker(&self) -> Marker {
        Marker {
            name: self.name.clone(),
            component: self.component.clone(),
            platform: self.platform,
            scope: self.scope,
            folder: self.folder.clone(),
        }
    }

    /// The active version.
    #[must_use]
    pub fn active(&self) -> Option<&Activation> {
        self.activations.last()
    }

    /// Whether a supervisor has not seen what was last applied: one that began later has.
    #[must_use]
    pub fn awaits_restart_of(&self, supervisor: &Status) -> bool {
        self.pending_restart && supervisor.began < self.changed
    }

    /// What it says once the version on trial was taken back: the one before is active, and the other is remembered.
    #[must_use]
    pub fn after_take_back(mut self, bad: BadVersion) -> Self {
        if self.active().is_some_and(|active| active.version == bad.version) {
            self.activations.pop();
        }
        self.pending_restart = false;
        self.changed = bad.at;
        self.with_bad(bad)
    }

    /// What it says once a version has proved itself: whatever was held against it is forgotten.
    #[must_use]
    pub fn after_proof(mut self, version: &Version, digest: Option<&Digest>) -> Self {
        self.bad.retain(|bad| !bad.is(version, digest));
        self
    }

    /// The same with a version that is not tried again unless somebody asks.
    #[must_use]
    pub fn with_bad(mut self, bad: BadVersion) -> Self {
        self.bad.retain(|known| !known.is(&bad.version, bad.digest.as_ref()));
        self.bad.push(bad);
        self
    }

    /// What is held against a version, if anything is.
    #[must_use]
    pub fn bad(&self, version: &Version, digest: Option<&Digest>) -> Option<&BadVersion> {
        self.bad.iter().rev().find(|bad| bad.is(version, digest))
    }

    /// The version that was taken back, as long as nobody has changed anything since.
    #[must_use]
    pub fn last_taken_back(&self) -> Option<&BadVersion> {
        self.bad.last().filter(|bad| bad.at >= self.changed)
    }

    /// The version to which a rollback goes: the one that was active before, and still another than the
    /// active one.
    #[must_use]
    pub fn previous(&self) -> Option<&Activation> {
        let active = &self.active()?.version;
        self.activations.iter().rev().find(|activation| activation.version != *active)
    }
}
