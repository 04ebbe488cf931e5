//! A service as launchd has it.

use crate::model::status::Exit;

/// A service that launchd has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Its state in launchd's words: `running`, `not running`, `waiting`, `spawn scheduled`, …
    pub state: String,
    /// The file that it was made of.
    pub path: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// How often it was started.
    pub runs: Option<u64>,
    /// How its last process ended.
    pub last_exit: Option<Exit>,
    /// The digest of the definition by which its process is started.
    pub definition: Option<String>,
}

impl Job {
    /// Whether its process runs, or is about to.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.pid.is_some() || self.is_coming()
    }

    /// Whether it is about to be started.
    #[must_use]
    pub fn is_coming(&self) -> bool {
        self.pid.is_none()
            && matches!(self.state.as_str(), "spawn scheduled" | "spawning" | "xpcproxy" | "running")
    }

    /// Whether it was made of another text than that of its file.
    #[must_use]
    pub fn is_stale(&self, definition: Option<&str>) -> bool {
        definition.is_some() && self.definition.as_deref() != definition
    }
}
