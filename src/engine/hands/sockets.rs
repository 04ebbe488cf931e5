//! What a service's sockets need of an operation: to be closed with it, to be opened anew, and to be handed from the
//! old start to the new one.

use std::time::{Duration, Instant};

use super::{GLANCE, Hands};
use crate::engine::failure::StepError;
use crate::engine::guard::guardian_of;
use crate::engine::overlap::{Overlapped, overlap};
use crate::engine::ready::step_error;
use crate::engine::supervisor::active_launch;
use crate::engine::switch;
use crate::host::files;
use crate::model::manifest::PlatformKind;
use crate::model::trial::Stage;
use crate::plan::step::Plan;
use crate::platform::call::Call;
use crate::platform::calls::{self, Sockets};

/// How long a guardian may take to start anew after the death of a supervisor: its pauses, and a sweep.
const TAKING_UP: Duration = Duration::from_secs(5);

impl Hands<'_> {
    /// Opens sockets anew that systemd may have opened by a definition that no longer counts: at a start between the
    /// death of a command and its recovery.
    pub(crate) fn renew_sockets(&self, plan: &Plan, forward: bool) -> Result<(), StepError> {
        let (layout, name) = (&self.context.layout, &self.of.name);
        if self.of.platform != PlatformKind::Systemd || !plan.rewrites(&layout.socket_definition(name)) {
            return Ok(());
        }
        if forward {
            // On trial, one more start would take it back.
            switch::pass(layout, name).map_err(step_error)?;
        }
        match active_launch(layout, name) {
            Ok(spec) if self.context.manager.seen(&self.of).is_ok_and(|seen| seen.state.runs()) => {
                self.as_far_as_it_runs(self.restarted_from(&spec, true, Sockets::Along))
            }
            _ => self.call(&calls::close_sockets(&self.of)),
        }
    }

    /// Whether systemd holds sockets for the service.
    pub(super) fn sockets(&self) -> Sockets {
        let path = self.context.layout.socket_definition(&self.of.name);
        let held = self.of.platform == PlatformKind::Systemd
            && files::facts(&path).is_ok_and(|facts| facts.is_some());
        Sockets::if_any(held)
    }

    /// Whether a switch was made by the start that follows the death of a supervisor. A guardian that lives makes that
    /// start by itself, and a restart that is asked for while it does would take the version back.
    fn is_taken_up(&self) -> Result<bool, StepError> {
        let (layout, name) = (&self.context.layout, &self.of.name);
        let until = Instant::now() + TAKING_UP;
        loop {
            let found = switch::read(layout, name).map_err(step_error)?;
            let Some(found) = found else { return Ok(false) };
            if found.stage != Stage::Pending {
                return Ok(true);
            }
            if Instant::now() >= until || guardian_of(layout, name).is_none() {
                return Ok(false);
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Starts beside what runs, or else restarts.
    pub(super) fn overlap(&self, within: Duration, otherwise: &[Call]) -> Result<(), StepError> {
        let name = &self.of.name;
        let reason = match overlap(self.context, &self.of, within)? {
            Overlapped::Promoted => {
                // The same supervisor goes on, and nothing was ever without an answer.
                self.before.set(None);
                self.called.set(None);
                self.downtime.set(Some(Duration::ZERO));
                return Ok(());
            }
            Overlapped::Otherwise(reason) => reason,
            Overlapped::Lost => {
                if self.is_taken_up()? {
                    return Ok(());
                }
                "its supervisor ended meanwhile".to_owned()
            }
        };
        self.context.notice(format!("{name} is restarted in the usual way: {reason}"));
        otherwise.iter().try_for_each(|call| self.call(call))
    }
}
