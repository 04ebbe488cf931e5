//! `run` and `boot`: the supervisor, and its guardians.

use std::io::IsTerminal as _;

use crate::cli::arguments::{BootArguments, RunArguments};
use crate::cli::report::Report;
use crate::cli::surroundings::layout;
use crate::engine::failure::Failure;
use crate::engine::guard::{self, Event, Outcome};
use crate::engine::supervisor::{active_launch, guard_all, guard_one, supervise};
use crate::model::manifest::PlatformKind;

/// `run`
pub(crate) fn run(report: &Report, arguments: &RunArguments) -> Result<u8, Failure> {
    let layout = layout(arguments.scope)?;
    let name = &arguments.name;
    if arguments.detached {
        guard::detach().map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let spec = active_launch(&layout, name)?;
    if arguments.supervise || spec.platform == PlatformKind::Systemd {
        let ending = supervise(&layout, name, arguments.guardian, arguments.echo)?;
        return Ok(ending.exit_code());
    }
    // Embedded: this process is the guardian, and a person at a terminal sees the program's output.
    let echo = !arguments.detached && std::io::stdout().is_terminal();
    let outcome = guard_one(&layout, name, echo, &mut |event| tell(report, event))?;
    Ok(outcome.map_or(0, |outcome| outcome.exit_code()))
}

/// `boot`
pub(crate) fn boot(report: &Report, arguments: &BootArguments) -> Result<u8, Failure> {
    let layout = layout(arguments.scope)?;
    let outcomes = guard_all(&layout, &mut |event| tell(report, event))?;
    if outcomes.is_empty() {
        report.say("no embedded instance of this scope starts at boot");
    }
    Ok(outcomes.iter().map(|(_, outcome)| outcome.exit_code()).max().unwrap_or(0))
}

fn tell(report: &Report, event: &Event) {
    match event {
        Event::Started { name, supervisor } => report.say(format!("{name}: started, process {supervisor}")),
        Event::Adopted { name, supervisor } => {
            report.say(format!("{name}: runs already, process {supervisor}; watched from now on"));
        }
        Event::NotStarted { name, reason } => report.notice(format!("{name}: can't be started: {reason}")),
        Event::Again { name, exit, pause } => {
            report
                .notice(format!("{name}: the supervisor {exit}; started again in {} ms", pause.as_millis()));
        }
        Event::Left { name, processes } => {
            report.notice(format!("{name}: these processes can't be ended: {}", processes.join(", ")));
        }
        Event::Over { name, outcome } => match outcome {
            Outcome::Ended(exit) => report.say(format!("{name}: {exit}")),
            Outcome::Guarded(holder) => report.say(format!("{name}: another guardian has it ({holder})")),
            Outcome::StayedDown { reason } => report.notice(format!("{name}: stays down: {reason}")),
        },
    }
}
