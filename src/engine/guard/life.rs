//! Where one instance under guard stands, and the processes of its life.

use camino::Utf8Path;

use crate::engine::guard::Outcome;
use crate::host::identity::{self, ProcessHandle};
use crate::host::process::{self, Input, Particulars, Sink, Start};
use crate::host::signal::Signal;
use crate::model::moment::BootMoment;
use crate::model::status::{Exit, Phase, ProcessIdentity};
use crate::model::trial::{END_OF_TRIAL, SETUP_FAILED};

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

/// What the end of a supervisor was. Where the system tells a death by a code like any other (`deaths_are_told` false), the
/// supervisor's own last word decides: one that was not at an end had died, and one that had said nothing was hindered.
pub(super) fn judged(exit: Exit, said: Option<Phase>, deaths_are_told: bool) -> Exit {
    let Exit::Code(code) = exit else { return exit };
    let own = [END_OF_TRIAL, SETUP_FAILED].map(i32::from);
    if deaths_are_told || own.contains(&code) {
        return exit;
    }
    match said {
        Some(Phase::Stopped | Phase::Completed | Phase::Failed) => exit,
        Some(_) => Exit::Signal(Signal::KILL.as_raw()),
        // What ends processes from outside gives 1, and what breaks them a number that no supervisor ends with.
        None if code != 1 && u8::try_from(code).is_ok() => exit,
        None => Exit::Code(SETUP_FAILED.into()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_that_was_killed_is_started_again_also_where_deaths_are_codes() {
        let again = |code, said, told| starts_again(judged(Exit::Code(code), said, told));
        // As taskkill ends a process, an abort, and a fault of memory.
        for code in [1, 0xC000_0409_u32.cast_signed(), 0xC000_0005_u32.cast_signed()] {
            for phase in [Phase::Starting, Phase::Ready] {
                assert!(again(code, Some(phase), false), "{code} {phase:?}");
            }
            assert_eq!(judged(Exit::Code(code), None, false), Exit::Code(SETUP_FAILED.into()), "{code}");
            assert!(!again(code, Some(Phase::Ready), true), "{code}");
        }
        for (code, phase) in
            [(0, Phase::Stopped), (0, Phase::Completed), (1, Phase::Failed), (7, Phase::Failed)]
        {
            assert!(!again(code, Some(phase), false), "{code} {phase:?}");
        }
        // It had no time to say anything, and decided all the same.
        assert_eq!(judged(Exit::Code(3), None, false), Exit::Code(3));
        assert!(again(END_OF_TRIAL.into(), Some(Phase::Failed), false));
    }
}
