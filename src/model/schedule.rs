//! Programs that are run again and again instead of running on.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::calendar::Calendar;
use crate::model::duration::Span;
use crate::model::rule::Below;

/// When the program is run: once per `every`, or at the times of `calendar`. In between nothing of it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("service.schedule"))]
pub struct Schedule {
    /// The time from one run's start to the next: from a minute to a day. The first run is at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1h"]))]
    pub every: Option<Span>,
    /// The times of the runs, as crontab(5) writes them: minute, hour, day, month, weekday, and a time zone if it is not the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["30 3 * * *", "0 9 * * mon-fri Europe/Vienna"]))]
    pub calendar: Option<Calendar>,
    /// Each run begins up to so much later, so that many hosts do not do the same at the same moment. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["5m"]))]
    pub jitter: Option<Span>,
    /// A second command that sets right what drifted, run before every so-many-th run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{ "command": ["{package}/bin/sync", "--reconcile"], "everyCycles": 24 }]))]
    pub reconcile: Option<Reconcile>,
}

/// A command that runs before some of a schedule's runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reconcile {
    /// The command, run as the program is. If it fails, the run takes place all the same, and is partial at best.
    #[schemars(length(min = 1), extend("examples" = [["{package}/bin/sync", "--reconcile"]]))]
    pub command: Vec<String>,
    /// Before every so-many-th run: 1 is before each.
    #[schemars(range(min = 1, max = 1_000_000), extend("examples" = [24]))]
    pub every_cycles: u32,
}

impl Reconcile {
    /// How long the command may take: as long as the longest `every`. One that takes longer hangs.
    pub const LIMIT: Duration = Duration::from_secs(86_400);
}
