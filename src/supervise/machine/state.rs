//! The states of a program's life.

use crate::model::moment::BootMoment;
use crate::model::status::Exit;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Before everything.
    New,
    /// Between two runs of a schedule.
    Sleeping,
    /// A turn of a schedule has come, and the launch is read again.
    Rereading,
    /// The reconcile command runs before the program does.
    Reconciling,
    /// It is asked whether something answers already.
    Checking,
    /// The process is being made.
    Launching,
    Starting {
        since: BootMoment,
        until: BootMoment,
        next_probe: Option<BootMoment>,
    },
    Ready,
    /// It was asked to end.
    Draining {
        until: BootMoment,
        then: Then,
    },
    /// What is left of it is being killed.
    Killing {
        then: Then,
    },
    BackingOff {
        until: BootMoment,
    },
    /// Nobody needs it; its sockets are held.
    Idle,
    Over,
}

/// What follows when nothing is left of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The supervisor ends, because that was asked for.
    Stopped,
    /// Likewise, and it was asked for twice.
    Forced,
    /// The policy decides.
    Ended { exit: Exit, was_ready: bool },
    /// It is started anew, which does not count.
    Renewed,
    /// It rests until somebody needs it.
    Idle,
}
