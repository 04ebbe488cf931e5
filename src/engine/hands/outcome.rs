//! What a new start came to: whether it stays, and for how long nothing answered.

use std::time::Duration;

use super::Hands;
use crate::engine::failure::StepError;
use crate::engine::ready::step_error;
use crate::engine::{log, report, switch};
use crate::host::clock;

impl Hands<'_> {
    /// Takes the time without an answer from the supervisor of a launch that was ready before this looked.
    pub(crate) fn measure(&self, launch: &str) {
        let measured = self.measured(launch);
        self.downtime.set(self.downtime.get().or(measured));
    }

    /// The time without an answer as the supervisors have seen it: from the request to end, or the death, of what was
    /// up before, to the readiness of this launch.
    pub(super) fn measured(&self, launch: &str) -> Option<Duration> {
        let status =
            report::read(&self.context.layout, &self.of.name).filter(|status| status.launch == launch);
        status?.downtime_ms.map(Duration::from_millis)
    }

    /// Closes the switch, unless the guard has taken the new version back in the last moment.
    pub(super) fn settle(&self) -> Result<(), StepError> {
        match switch::settle(&self.context.layout, &self.of.name).map_err(step_error)? {
            None => Ok(()),
            Some(reason) => {
                let since = self.called.get().map_or_else(clock::now, |(_, moment)| moment);
                let log = log::tail(self.context, &self.of, since, 10);
                Err(StepError::NotReady { reason, exit: None, retrying: true, log })
            }
        }
    }
}
