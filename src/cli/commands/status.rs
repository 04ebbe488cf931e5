//! `status`: one screen, and the exit code by state.

mod screen;

use std::time::{Duration, Instant};

use anstyle::Style;
use screen::screen;

use crate::cli::arguments::StatusArguments;
use crate::cli::report::{Report, style};
use crate::cli::surroundings::target_to_see;
use crate::engine::failure::Failure;
use crate::engine::manager::HostManager;
use crate::engine::status as assemble;
use crate::engine::target::Target;
use crate::host::{clock, files};
use crate::model::answer::status::InstanceState;
use crate::model::marker::Marker;

/// The pause between two looks at the files that change with the state.
const LOOK: Duration = Duration::from_millis(250);
/// After this long the service manager is asked again, whatever the files say.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// `status`
pub(crate) fn status(report: &Report, arguments: &StatusArguments) -> Result<u8, Failure> {
    let target = target_to_see(report, &arguments.target)?;
    let of = target.installed()?;
    let manager = HostManager::new(target.layout.clone());
    if arguments.watch {
        return watch(report, &manager, &target, of);
    }
    let status = assemble::status(&manager, &target.layout, of);
    if report.is_json() {
        report.document(&status);
    } else {
        for line in screen(&status, clock::now()) {
            report.line(line);
        }
    }
    Ok(status.exit_code)
}

/// Shows the status at every change, until a signal ends this program.
fn watch(report: &Report, manager: &HostManager, target: &Target, of: &Marker) -> Result<u8, Failure> {
    let mut shown = None;
    loop {
        let status = assemble::status(manager, &target.layout, of);
        // The clock alone is no change.
        let mut compared = status.clone();
        (compared.uptime_seconds, compared.memory) = (None, None);
        let changed = shown.as_ref() != Some(&compared);
        if report.is_json() {
            if changed {
                report.document_line(&status);
            }
        } else if report.is_watched() {
            // Home, then each line to its end, then what is below: nothing flickers.
            report.redraw(&(screen(&status, clock::now()).join("\x1b[K\n") + "\x1b[K\n"));
        } else if changed {
            for line in screen(&status, clock::now()) {
                report.line(line);
            }
            report.line("");
        }
        if report.is_closed() {
            return Ok(status.exit_code);
        }
        shown = Some(compared);
        await_change(target, of);
    }
}

fn await_change(target: &Target, of: &Marker) {
    let layout = &target.layout;
    let paths = [layout.status(&of.name), layout.receipt(&of.name), layout.journal(&of.name)];
    let look = || paths.each_ref().map(|path| files::changed(path));
    let (before, deadline) = (look(), Instant::now() + ASK_AGAIN);
    while Instant::now() < deadline && look() == before {
        std::thread::sleep(LOOK);
    }
}

/// The style of a state.
pub(crate) fn style_of(state: InstanceState) -> Style {
    match state {
        InstanceState::Ready | InstanceState::Sleeping | InstanceState::Idle => style::GOOD,
        InstanceState::Failed => style::BAD,
        InstanceState::Stopped => style::FAINT,
        InstanceState::Starting
        | InstanceState::BackingOff
        | InstanceState::Stopping
        | InstanceState::Unknown => style::DOUBTFUL,
    }
}
