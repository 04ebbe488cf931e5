//! What a guardian is given to guard, and what it tells.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::request::request_file;
use crate::host::holder::Holder;
use crate::host::process::Credentials;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::socket::Socket;
use crate::model::status::{Exit, ProcessIdentity};

/// An instance to guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The instance.
    pub name: InstanceName,
    /// What starts its supervisor: a program, absolute, and its arguments. [`GUARDIAN_OPTION`] and its value are
    /// added.
    pub command: Vec<String>,
    /// The lock of its guardian.
    pub lock: Utf8PathBuf,
    /// Where commands leave what they want of its guardian.
    pub request: Utf8PathBuf,
    /// The status of its supervisor.
    pub status: Utf8PathBuf,
}

impl Entry {
    /// An instance where a layout has it.
    #[must_use]
    pub fn of(layout: &Layout, name: &InstanceName, command: Vec<String>) -> Self {
        Self {
            name: name.clone(),
            command,
            lock: layout.guardian_lock(name),
            request: request_file(layout, name),
            status: layout.status(name),
        }
    }
}

/// What is to be done before a supervisor is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtStart {
    /// Start it.
    Start {
        /// The longest time that a stop of this launch takes by itself.
        stop_limit: Duration,
        /// The sockets that are held for it.
        sockets: Vec<Socket>,
        /// Whose rights make Unix sockets, if not this process's own.
        account: Option<Credentials>,
    },
    /// Run this first, and ask for the launch when it has ended: it takes long, and other instances must not wait for it.
    First {
        /// A program, absolute, and its arguments.
        command: Vec<String>,
    },
    /// There is nothing whole to start.
    StayDown {
        /// Why.
        reason: String,
    },
    /// It can't be known now what there is to start; that may pass.
    Later {
        /// Why.
        reason: String,
    },
}

/// What a guardian leaves to whoever runs it.
pub trait Hooks {
    /// Called before each start of a supervisor, while nothing of the instance runs: the place of the switch.
    fn at_start(&mut self, name: &InstanceName) -> AtStart;
    /// Called where a command came first, when it has ended well: what there is to start now.
    fn launch(&mut self, name: &InstanceName) -> AtStart;
    /// Called where such a command was ended: nothing that it started may run on.
    fn abandon(&mut self, name: &InstanceName);
    /// The sockets of the launch that is in force, and whose rights make them, where that can be told.
    fn sockets(&mut self, name: &InstanceName) -> Option<(Vec<Socket>, Option<Credentials>)>;
    /// What an instance is guarded with that a command wants to have started.
    fn entry(&mut self, name: &InstanceName) -> Entry;
    /// Called when something happened.
    fn observe(&mut self, event: &Event);
}

/// What happened to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its supervisor was started.
    Started {
        /// The instance.
        name: InstanceName,
        /// The supervisor.
        supervisor: ProcessIdentity,
    },
    /// Its supervisor was running already, without a guardian.
    Adopted {
        /// The instance.
        name: InstanceName,
        /// The supervisor.
        supervisor: ProcessIdentity,
    },
    /// Its supervisor can't be started.
    NotStarted {
        /// The instance.
        name: InstanceName,
        /// Why.
        reason: String,
    },
    /// Its supervisor ended, and is started again.
    Again {
        /// The instance.
        name: InstanceName,
        /// How it ended.
        exit: Exit,
        /// After this pause.
        pause: Duration,
    },
    /// Processes of a dead supervisor that can't be killed.
    Left {
        /// The instance.
        name: InstanceName,
        /// Their names and numbers.
        processes: Vec<String>,
    },
    /// It is done with.
    Over {
        /// The instance.
        name: InstanceName,
        /// How.
        outcome: Outcome,
    },
}

/// How the guarding of an instance ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its supervisor ended for good.
    Ended(Exit),
    /// Another guardian has it.
    Guarded(Holder),
    /// There was nothing whole to start.
    StayedDown {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// The exit code of a guardian of this instance alone. That another one guards it is what was wanted.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Ended(Exit::Code(code)) => u8::try_from(*code).unwrap_or(1),
            Self::Ended(Exit::Signal(signal)) => {
                u8::try_from(*signal).ok().and_then(|signal| signal.checked_add(128)).unwrap_or(1)
            }
            Self::Ended(Exit::NotReady | Exit::NotStarted | Exit::Unhealthy | Exit::OverMemory)
            | Self::StayedDown { .. } => 1,
            Self::Guarded(_) => 0,
        }
    }
}
