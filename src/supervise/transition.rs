//! What goes into the state machine, and what comes out of it.

use std::time::Duration;

use crate::model::event_line::EventKind;
use crate::model::launch::LaunchSpec;
use crate::model::status::Exit;
use crate::model::trial::Trial;
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
    /// It showed that it still works, or said so.
    Healthy,
    /// It did not, and why.
    Unhealthy(String),
    /// Somebody needs it.
    Needed,
    /// Nobody needs it.
    NotNeeded,
    /// A connection waits on one of the sockets that are held for it.
    Wake,
    /// A file that it depends on has changed; which.
    Changed(String),
    /// It uses more memory than it may; how much, for people.
    OverMemory(String),
    /// The launch as it stands now. `None`: it is what it was, or can't be read.
    Launch(Option<Box<LaunchSpec>>),
    /// Another start of the program, of this launch and with this trial, has become ready and taken its place.
    Promoted(Box<LaunchSpec>, Option<Box<Trial>>),
    /// The reconcile command has ended, or could not be started, and why.
    Reconciled(Result<(), String>),
    /// The hook that asks the program to end has failed, and why.
    HookFailed(String),
    /// It ended.
    Exited(Exit),
    /// It is to be stopped. Asked again, nothing changes.
    Stop,
    /// It is to be killed without waiting.
    Force,
    /// Nothing is left of it, but for what can't be killed and what is to live on.
    Cleared {
        /// The names and numbers of what can't be killed.
        left: Vec<String>,
        /// Likewise of what is to live on.
        spared: Vec<String>,
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
    /// Ask whether it still works; say [`Input::Healthy`] or [`Input::Unhealthy`].
    AskHealth,
    /// Ask whether somebody needs it; say [`Input::Needed`] or [`Input::NotNeeded`].
    AskNeed,
    /// Read the launch again; say [`Input::Launch`].
    ReadLaunch,
    /// Run the reconcile command; say [`Input::Reconciled`].
    Reconcile,
    /// Ask the program to end: by its hook if it has one (say [`Input::HookFailed`] if that fails), else by its stop
    /// signal.
    AskToEnd,
    /// Send the stop signal to the program, or to the reconcile command that runs in its place.
    Signal,
    /// Kill it and all its descendants; say [`Input::Cleared`].
    KillAll,
    /// The standing has changed.
    Report,
    /// Tell somebody of the ending that the standing holds.
    Alert,
    /// Keep what happened for the history; the standing holds the details.
    Remember(EventKind),
    /// The supervisor ends.
    End(Ending),
}
