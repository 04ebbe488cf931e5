//! What goes into the state machine, and what comes out of it.

use std::time::Duration;

use crate::model::status::Exit;
use crate::supervise::ending::Ending;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The supervisor is there; the program can be started.
    Begin,
    /// Nothing answers yet where the program is to answer.
    PortFree,
    /// Something answers already, though the program is not started.
    PortTaken,
    /// The program's process is there.
    Started,
    /// There is no process, and why.
    StartFailed(String),
    /// The program showed that it is ready, or said so.
    ProbeOk,
    /// It did not, and why.
    ProbeFailed(String),
    /// It asked for so much more time to become ready.
    Extend(Duration),
    /// It ended.
    Exited(Exit),
    /// It is to be stopped. Asked again, nothing changes.
    Stop,
    /// It is to be killed without waiting.
    Force,
    /// Nothing is left of it, but for what can't be killed.
    Cleared {
        /// The names and numbers of what is left.
        left: Vec<String>,
    },
    /// Time went by.
    Tick,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask whether something answers already; say [`Input::PortFree`] or [`Input::PortTaken`].
    CheckPort,
    /// Start the program; say [`Input::Started`] or [`Input::StartFailed`].
    Start,
    /// Ask whether it is ready; say [`Input::ProbeOk`] or [`Input::ProbeFailed`].
    Probe,
    /// Ask the program to end, by its stop signal.
    AskToEnd,
    /// Kill it and all its descendants; say [`Input::Cleared`].
    KillAll,
    /// The standing has changed.
    Report,
    /// The supervisor ends.
    End(Ending),
}
