//! `recover`: for people, and for the service managers at each start and end.

use crate::cli::arguments::RecoverArguments;
use crate::cli::failure::told;
use crate::cli::report::Report;
use crate::cli::surroundings::{layout, with_context};
use crate::engine::adopt::at_stop as adoption_at_stop;
use crate::engine::failure::Failure;
use crate::engine::manager::HostManager;
use crate::engine::obstacle::Clear;
use crate::engine::recover::{Recovered, recover_instance, unfinished};
use crate::engine::sockets;
use crate::engine::switch::{self, AtStart, Means};
use crate::host::{clock, environment};
use crate::model::answer::small::RecoverAnswer;
use crate::model::ended::{self, Ended};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;

/// `recover`
pub(crate) fn recover(report: &Report, arguments: &RecoverArguments) -> Result<u8, Failure> {
    let layout = layout(arguments.target.scope)?;
    if let Some(name) = &arguments.target.name {
        if arguments.at_start {
            return Ok(at_start(report, &layout, name));
        }
        if arguments.at_stop {
            return Ok(at_stop(report, &layout, name));
        }
    }
    let names = match &arguments.target.name {
        Some(name) => vec![name.clone()],
        None => unfinished(&layout)?,
    };
    if names.is_empty() {
        report.line("nothing to recover");
    }
    let mut recovered = 0;
    for name in names {
        let outcome = with_context(report, layout.clone(), |context| recover_instance(context, &name))?;
        recovered += usize::from(outcome != Recovered::Nothing);
        let told = match outcome {
            Recovered::Nothing => format!("{name}: nothing to recover"),
            Recovered::Finished => format!("{name}: what was left unfinished is finished"),
            Recovered::Undone => format!("{name}: what was left unfinished is undone"),
        };
        report.done(told);
    }
    if report.is_json() {
        report.document(&RecoverAnswer { schema: "recover.v1".to_owned(), recovered });
    }
    Ok(0)
}

/// The end of a service is over, whatever can be recorded of it.
fn at_stop(report: &Report, layout: &Layout, name: &InstanceName) -> u8 {
    let word = |name| environment::variable(name).unwrap_or_default();
    let ended = Ended {
        format: ended::FORMAT,
        boot_id: environment::boot_id(),
        at: clock::now(),
        result: word("SERVICE_RESULT"),
        code: word("EXIT_CODE"),
        status: word("EXIT_STATUS"),
    };
    let earlier = switch::last_end(layout, name);
    if let Err(failure) = switch::at_stop(layout, name, &ended) {
        report.say(format!("how the service ended could not be recorded: {failure}"));
    }
    let manager = HostManager::new(layout.clone());
    match adoption_at_stop(layout, name, &ended, &manager) {
        Ok(Some(reason)) => report.say(format!("{reason}: what ran before mainstay is back")),
        Ok(None) => {}
        Err(failure) => report.say(format!("what ran before could not be brought back: {failure}")),
    }
    match sockets::close_after_the_end(layout, name, &ended, earlier.as_ref()) {
        Ok(true) => report.say("its sockets are closed: it stays down until it is started by hand"),
        Ok(false) => {}
        Err(failure) => report.say(format!("its sockets could not be closed: {failure}")),
    }
    0
}

/// A start goes on whatever is found here, as long as there is a tree to start: a supervisor with no program
/// is worth less than a program with no switch. Only over data that are neither the old nor the new ones nothing may
/// start.
fn at_start(report: &Report, layout: &Layout, name: &InstanceName) -> u8 {
    let manager = HostManager::new(layout.clone());
    let say = |line: &str| report.say(line);
    match switch::at_start(layout, name, &Means { manager: &manager, obstacle: &Clear, say: &say }) {
        Ok(AtStart::Unchanged) => {}
        Ok(AtStart::Switched(tree)) => report.say(format!("switched to {tree}")),
        Ok(AtStart::Again(tree)) => report.say(format!("{tree} is still on trial after a reboot")),
        Ok(AtStart::Passed(tree)) => report.say(format!("{tree} has been ready and stays")),
        Ok(AtStart::TakenBack { tree, reason }) => report.say(format!("{reason}: {tree} is back")),
        Ok(AtStart::Mended(tree)) => {
            report.say(format!("the current link led nowhere and leads to {tree} now"));
        }
        Err(failure @ (Failure::DataAway { .. } | Failure::Newer { .. })) => return told(report, &failure),
        Err(failure) => report.say(format!("the switch could not be looked at: {failure}")),
    }
    0
}
