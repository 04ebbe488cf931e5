//! Where one instance under guard stands, and the processes of its life.

use camino::Utf8Path;

use crate::engine::guard::Outcome;
use crate::host::identity::{self, ProcessHandle};
use crate::host::process::{self, Input, Particulars, Sink, Start};
use crate::host::signal::Signal;
use crate::model::moment::BootMoment;
use crate::model::status::{Exit, ProcessIdentity};
use crate::model::trial::END_OF_TRIAL;

#[derive(Debug)]
pub(super) enum Life {
    /// No supervisor; one is started then.
    Waiting {
        until: BootMoment,
    },
    Running {
        supervisor: ProcessIdentity,
        since: BootMoment,
        adopted: Option<ProcessHandle>,
    },
    /// No supervisor yet; what has to be done before its start takes longer.
    Preparing {
        child: ProcessIdentity,
    },
    Over(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Run,
    Stop,
    Restart,
}

/// Starts a process of the guardian's own, with its input empty and its outputs.
pub(super) fn start_process(
    arguments: &[String],
    particulars: &Particulars<'_>,
) -> std::io::Result<ProcessIdentity> {
    let program = arguments.first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let start = Start {
        program: Utf8Path::new(program),
        arguments,
        environment: None,
        folder: None,
        account: None,
        leads_group: true,
        input: Input::Null,
        output: Sink::Inherit,
        error: Sink::Inherit,
    };
    let child = process::start_with(&start, particulars)?;
    let unknown = ProcessIdentity { pid: child.pid, start_ticks: 0 };
    Ok(identity::identity_of(child.pid).unwrap_or(unknown))
}

/// Whether a supervisor that ended so is started again: after a trial that failed, for then the version before
/// is to run, and after any signal but those that ask a process to end. A supervisor that ends by itself has
/// decided.
pub(super) fn starts_again(exit: Exit) -> bool {
    let asking = [Signal::TERM, Signal::INT, Signal::HUP, Signal::PIPE].map(Signal::as_raw);
    match exit {
        Exit::Code(code) => code == i32::from(END_OF_TRIAL),
        Exit::Signal(signal) => !asking.contains(&signal),
        Exit::NotReady | Exit::NotStarted | Exit::Unhealthy | Exit::OverMemory => false,
    }
}
