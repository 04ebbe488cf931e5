//! What a guardian has to say, in words.

use crate::cli::report::Report;
use crate::engine::guard::{Event, Outcome};
use crate::host::{clock, files};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;

/// Writes down what a guardian without a terminal has to say, beside the program's log.
pub(super) fn chronicle(layout: &Layout, name: &InstanceName, event: &Event) {
    let (Said::Usual(said) | Said::Notable(said)) = said(event);
    let path = layout.logs(name).join("guardian.log");
    // One that can't be written hinders nothing.
    let _ = files::append(&path, &format!("{} {said}\n", clock::now()), 0o644);
}

/// Something that a guardian says.
enum Said {
    Usual(String),
    Notable(String),
}

/// Says it at a terminal.
pub(super) fn tell(report: &Report, event: &Event) {
    match said(event) {
        Said::Usual(said) => report.say(said),
        Said::Notable(said) => {
            // What happens again is told again.
            report.forget_notes();
            report.notice(said);
        }
    }
}

fn said(event: &Event) -> Said {
    match event {
        Event::Started { name, supervisor } => Said::Usual(format!("{name}: started, process {supervisor}")),
        Event::Adopted { name, supervisor } => {
            Said::Usual(format!("{name}: runs already, process {supervisor}; watched from now on"))
        }
        Event::NotStarted { name, reason } => Said::Notable(format!("{name}: can't be started: {reason}")),
        Event::Again { name, exit, pause } => {
            Said::Notable(format!("{name}: the supervisor {exit}; started again in {} ms", pause.as_millis()))
        }
        Event::Left { name, processes } => {
            Said::Notable(format!("{name}: these processes can't be ended: {}", processes.join(", ")))
        }
        Event::Over { name, outcome } => match outcome {
            Outcome::Ended(exit) => Said::Usual(format!("{name}: {exit}")),
            Outcome::Guarded(holder) => {
                Said::Usual(format!("{name} runs already: process {holder} guards it"))
            }
            Outcome::StayedDown { reason } => Said::Notable(format!("{name}: stays down: {reason}")),
        },
    }
}
