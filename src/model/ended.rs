//! The record of how a service last ended, as its service manager saw it. It tells a reboot from a crash: a
//! host that goes down in good order, or loses its power, leaves no failure behind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::moment::Moment;
use crate::model::status::{Phase, Status};
use crate::model::trial::{END_OF_TRIAL, SETUP_FAILED};

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

    /// Whether the service manager leaves it at that: the main process has exited by itself, with a code after which
    /// it is not started again (`Restart=on-abnormal` and `RestartForceExitStatus=` of its unit, systemd.service(5)).
    #[must_use]
    pub fn is_left_at_that(&self) -> bool {
        let anew = [END_OF_TRIAL, SETUP_FAILED].map(|code| code.to_string());
        let as_usual = matches!(self.result.as_str(), "success" | "exit-code");
        as_usual && self.code == "exited" && !anew.contains(&self.status)
    }

    /// Whether a report says that what ended here ended for good. A report that was there before, of an earlier life
    /// or an earlier boot, says nothing of this one: `earlier` is the ending before this.
    #[must_use]
    pub fn is_for_good(&self, report: &Status, earlier: Option<&Self>) -> bool {
        let of_this_life = earlier.is_none_or(|earlier| {
            if earlier.boot_id == self.boot_id {
                report.began >= earlier.at
            } else {
                report.boot_id != earlier.boot_id
            }
        });
        self.is_left_at_that() && of_this_life && matches!(report.phase, Phase::Failed | Phase::Completed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "2026-05-08T12:00:00Z";
    const LATER: &str = "2026-05-08T12:00:05Z";

    fn ended(boot_id: &str, at: &str, result: &str, code: &str, status: &str) -> Ended {
        let [boot_id, result, code, status] = [boot_id, result, code, status].map(str::to_owned);
        Ended { format: FORMAT, boot_id, at: Moment(at.parse().unwrap()), result, code, status }
    }

    fn report(phase: &str, began: &str, boot_id: &str) -> Status {
        serde_json::from_value(serde_json::json!({
            "format": 1, "phase": phase, "tree": "orders@1.0.0", "version": "1.0.0", "bootId": boot_id,
            "supervisor": {"pid": 7, "startTicks": 1}, "began": began, "message": "",
        }))
        .unwrap()
    }

    #[test]
    fn only_an_exit_after_which_it_is_not_started_again_is_for_good() {
        for (result, code, status, phase, for_good) in [
            ("success", "exited", "0", "completed", true),
            ("exit-code", "exited", "3", "failed", true),
            ("success", "exited", "0", "stopped", false),
            ("exit-code", "exited", "190", "failed", false),
            ("exit-code", "exited", "192", "completed", false),
            ("signal", "killed", "KILL", "failed", false),
            ("watchdog", "dumped", "ABRT", "failed", false),
            ("timeout", "exited", "0", "completed", false),
            ("exit-code", "", "", "completed", false),
        ] {
            let ended = ended("one", LATER, result, code, status);
            let found = ended.is_for_good(&report(phase, NOON, "one"), None);
            assert_eq!(found, for_good, "{result} {code} {status} {phase}");
        }
    }

    #[test]
    fn a_report_of_an_earlier_life_or_boot_says_nothing_of_this_one() {
        let now = ended("two", LATER, "exit-code", "exited", "3");
        for (boot_id, at, began, reported, for_good) in [
            ("two", NOON, LATER, "two", true),
            ("two", NOON, "2026-05-08T11:59:59Z", "two", false),
            ("one", NOON, "2026-05-08T11:59:59Z", "one", false),
            // The clock was set back by the boot.
            ("one", NOON, "2026-05-08T11:59:59Z", "two", true),
        ] {
            let earlier = ended(boot_id, at, "success", "exited", "0");
            let found = now.is_for_good(&report("failed", began, reported), Some(&earlier));
            assert_eq!(found, for_good, "{boot_id} {at} {began} {reported}");
        }
    }
}
