//! `status`: one screen, and the exit code by state.

mod fields;
mod notes;
mod screen;

use std::time::{Duration, Instant, SystemTime};

use anstyle::Style;
use screen::screen;

use crate::cli::arguments::StatusArguments;
use crate::cli::commands::watching::{self, Watched};
use crate::cli::report::{Report, style};
use crate::cli::surroundings::target_to_see;
use crate::engine::failure::Failure;
use crate::engine::manager::HostManager;
use crate::engine::target::Target;
use crate::engine::{status as assemble, view};
use crate::host::{clock, files};
use crate::model::answer::status::{InstanceState, StatusAnswer};
use crate::model::marker::Marker;
use crate::model::package::ValueForm;

/// `status`
pub(crate) fn status(report: &Report, arguments: &StatusArguments) -> Result<u8, Failure> {
    let target = target_to_see(report, &arguments.target)?;
    let of = target.installed()?;
    let manager = HostManager::new(target.layout.clone());
    if arguments.watch {
        // Where asking is a need that keeps it awake, whoever only watches does not ask.
        let asks = !view::wakes(&target.layout, of);
        return Ok(watching::watch(report, &Instance { manager: &manager, target: &target, of, asks }));
    }
    let status = look(&manager, &target, of, true);
    if report.is_json() {
        report.document(&status);
    } else {
        for line in screen(&status, clock::now(), report.columns()) {
            report.line(line);
        }
    }
    Ok(status.exit_code)
}

fn look(manager: &HostManager, target: &Target, of: &Marker, asks: bool) -> StatusAnswer {
    let mut status = assemble::status(manager, &target.layout, of);
    if asks {
        view::add(&target.layout, of, &mut status);
    }
    status
}

/// An instance that is watched.
struct Instance<'a> {
    manager: &'a HostManager,
    target: &'a Target,
    of: &'a Marker,
    asks: bool,
}

impl Watched for Instance<'_> {
    type Answer = StatusAnswer;
    type Traces = [Option<SystemTime>; 3];

    fn look(&self) -> StatusAnswer {
        look(self.manager, self.target, self.of, self.asks)
    }

    /// The clock alone is no change, nor is a number of the program's that goes up and down.
    fn compared(&self, answer: &StatusAnswer) -> StatusAnswer {
        let mut compared = answer.clone();
        (compared.uptime_seconds, compared.memory) = (None, None);
        if let Some(package) = &mut compared.package {
            package.fields.retain(|field| matches!(field.form, ValueForm::Text | ValueForm::YesNo));
        }
        compared
    }

    fn screen(&self, answer: &StatusAnswer, looked: Instant, columns: Option<usize>) -> Vec<String> {
        let mut now = answer.clone();
        now.uptime_seconds = answer.uptime_seconds.map(|uptime| uptime + looked.elapsed().as_secs());
        screen(&now, clock::now(), columns)
    }

    fn traces(&self) -> Self::Traces {
        let (layout, name) = (&self.target.layout, &self.of.name);
        [layout.status(name), layout.receipt(name), layout.journal(name)].map(|path| files::changed(&path))
    }

    fn pause(&self) -> Duration {
        // After this long the service manager is asked again, whatever the files say.
        Duration::from_secs(5)
    }

    fn exit_code(&self, answer: &StatusAnswer) -> u8 {
        answer.exit_code
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
