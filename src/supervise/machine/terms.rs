//! What of a launch the state machine goes by. A schedule adopts new terms at the beginning of a turn.

use std::time::Duration;

use crate::model::idle::Idle;
use crate::model::launch::{LaunchSpec, Probe, RestartPolicy};
use crate::model::outcome::ExitCodes;

#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) restart: RestartPolicy,
    pub(super) probe: Probe,
    /// How long the program may take to become ready.
    pub(super) ready_limit: Duration,
    /// How long it may take to end.
    pub(super) stop_limit: Duration,
    pub(super) exit_codes: ExitCodes,
    pub(super) idle: Option<Idle>,
    /// Whether sockets are held for it: then something answers before the program does.
    pub(super) sockets: bool,
}

impl Terms {
    pub(super) fn of(spec: &LaunchSpec) -> Self {
        Self {
            restart: spec.restart.clone(),
            probe: spec.ready.probe.clone(),
            ready_limit: spec.ready.timeout.duration(),
            stop_limit: spec.stop.timeout.duration(),
            exit_codes: spec.exit_codes.clone(),
            idle: spec.idle.clone(),
            sockets: !spec.sockets.is_empty(),
        }
    }

    /// Whether it is asked again and again until it is ready.
    pub(super) fn asks(&self) -> bool {
        !matches!(self.probe, Probe::Delay(_) | Probe::Notify)
    }

    /// Whether a program's own answer can only be told from another's if nothing answers before it runs.
    pub(super) fn checks_the_port(&self) -> bool {
        matches!(self.probe, Probe::Http(_) | Probe::Tcp(_)) && !self.sockets
    }
}
