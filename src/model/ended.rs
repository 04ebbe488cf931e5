//! The record of how a service last ended, as its service manager saw it. It tells a reboot from a crash: a
//! host that goes down in good order, or loses its power, leaves no failure behind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::moment::Moment;

/// The format that this build writes.
pub const FORMAT: u32 = 1;

/// How a service last ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay ending record")]
pub struct Ended {
    /// The format of this file.
    pub format: u32,
    /// The boot of the host in which it ended.
    pub boot_id: String,
    /// When.
    pub at: Moment,
    /// The service manager's word for it: `success`, `exit-code`, `signal`, `watchdog`, `oom-kill`, …
    /// (`$SERVICE_RESULT`, systemd.exec(5)).
    pub result: String,
    /// `exited`, `killed` or `dumped` (`$EXIT_CODE`).
    pub code: String,
    /// The exit code, or the signal's name (`$EXIT_STATUS`).
    pub status: String,
}

impl Ended {
    /// Whether the service failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.result != "success"
    }
}
