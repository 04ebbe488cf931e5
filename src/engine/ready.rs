//! Waiting until a launch is ready, or will not be.

use std::time::{Duration, Instant};

use crate::engine::failure::{Failure, StepError};
use crate::engine::manager::{Seen, State};
use crate::engine::supervisor::active_launch;
use crate::engine::{Context, adoption, container, report, switch};
use crate::host::files;
use crate::model::launch::{LaunchSpec, Probe};
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::service::Supervision;
use crate::model::status::{Exit, Phase, ProcessIdentity, Status};
use crate::model::trial::Stage;

/// How often the report is looked at: a local file, and every millisecond here is one of downtime shown.
const GLANCE: Duration = Duration::from_millis(5);
/// How often the service manager is asked, which is a process each time.
const QUESTION: Duration = Duration::from_millis(400);
/// How long somebody waits before they want to know for what.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is awaited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited<'a> {
    /// The launch.
    pub(crate) launch: &'a str,
    /// Its tree, for messages.
    pub(crate) tree: &'a str,
    /// Who watches the program.
    pub(crate) supervision: Supervision,
    /// How long.
    pub(crate) within: Duration,
    /// The supervisor that ran before: what it said counts no more.
    pub(crate) before: Option<ProcessIdentity>,
    /// When it was asked for; what was started earlier is not it.
    pub(crate) since: Option<Moment>,
}

/// Waits until the launch is ready. An error says why it is not, and whether something goes on trying.
pub(crate) fn await_ready(context: &Context<'_>, of: &Marker, awaited: Awaited<'_>) -> Result<(), StepError> {
    if of.platform == PlatformKind::Compose {
        return container::ready::await_ready(context, of, awaited);
    }
    let mut began = Instant::now();
    let mut asked = Instant::now();
    let mut silent_answers = 0;
    let mut told = false;
    let mut explained = false;
    let mut alive = None;
    loop {
        let status = report::read(&context.layout, &of.name)
            .filter(|status| Some(status.supervisor) != awaited.before);
        if let Some(verdict) = status.as_ref().and_then(|status| verdict(status, awaited)) {
            return verdict;
        }
        if let Some(reason) = taken_back(context, of, status.as_ref())? {
            return Err(not_ready(reason, status.and_then(|status| status.last_exit), true));
        }
        if switch::is_moving(&context.layout, &of.name) {
            // What moves data has limits of its own; the program's time begins afterwards.
            if !told && began.elapsed() > QUESTION {
                told = true;
                context.notice("the data are being moved, which may take a while");
            }
            if !told {
                std::thread::sleep(GLANCE);
                continue;
            }
            (began, silent_answers) = (Instant::now(), 0);
        }
        let refusal = status.as_ref().filter(|status| status.launch == awaited.launch);
        let refusal = refusal.and_then(|status| status.refusal.as_deref());
        if let Some(refusal) = refusal.filter(|_| !explained && began.elapsed() > PATIENCE) {
            explained = true;
            context.notice(format!("{} is not ready yet: {refusal}", awaited.tree));
        }
        if began.elapsed() > awaited.within {
            let mut reason = format!("{} was not ready within {} s", awaited.tree, awaited.within.as_secs());
            if let Some(refusal) = refusal {
                reason = format!("{reason} ({refusal})");
            }
            return Err(not_ready(reason, status.and_then(|status| status.last_exit), true));
        }
        if asked.elapsed() > QUESTION {
            asked = Instant::now();
            if let Ok(seen) = context.manager.seen(of) {
                if awaited.supervision == Supervision::Native && seen.state == State::Active {
                    // Nothing else says of a native program which launch it is.
                    if let Some(reason) = given_up(context, of, awaited.launch)? {
                        return Err(not_ready(reason, seen.last_exit, true));
                    }
                    let since = match alive {
                        Some((pid, since)) if pid == seen.main_pid => since,
                        // Another process: its life begins anew.
                        _ => Instant::now(),
                    };
                    alive = Some((seen.main_pid, since));
                    if since.elapsed() >= trial_of_life(context, of, awaited.tree) {
                        return Ok(());
                    }
                } else {
                    alive = None;
                    if managers_word(context, of, awaited, &seen) {
                        if let Some(reason) = given_up(context, of, awaited.launch)? {
                            return Err(not_ready(reason, seen.last_exit, true));
                        }
                        let path = context.layout.status(&of.name);
                        context.notice(format!(
                            "it is ready, says systemd; its supervisor can't write `{path}`: is the disk full?"
                        ));
                        return Ok(());
                    }
                }
                // Between two processes of a restart nothing runs for a moment: one answer proves nothing.
                silent_answers = if seen.state.runs() { 0 } else { silent_answers + 1 };
                if silent_answers > 1 {
                    let reason = format!("the service manager does not run {}", of.name);
                    return Err(not_ready(reason, seen.last_exit, false));
                }
            }
        }
        std::thread::sleep(GLANCE);
    }
}

/// Whether systemd says that the launch is ready, and its supervisor can't. A unit is active from the moment at which
/// its supervisor has said so, and that has written its report before, or could not.
fn managers_word(context: &Context<'_>, of: &Marker, awaited: Awaited<'_>, seen: &Seen) -> bool {
    let by_systemd = of.platform == PlatformKind::Systemd && awaited.supervision == Supervision::Mainstay;
    let Some(pid) = seen.main_pid.filter(|_| by_systemd && seen.state == State::Active) else { return false };
    let is_new = awaited.before.is_none_or(|before| before.pid != pid)
        && awaited.since.is_none_or(|since| seen.started.is_some_and(|started| started >= since));
    let has_reported =
        || report::read(&context.layout, &of.name).is_some_and(|status| status.supervisor.pid == pid);
    let is_it =
        || active_launch(&context.layout, &of.name).is_ok_and(|spec| spec.identity() == awaited.launch);
    is_new && !has_reported() && is_it()
}

fn verdict(status: &Status, awaited: Awaited<'_>) -> Option<Result<(), StepError>> {
    // One that was asked to end says nothing of its launch: after a restart another start of it follows, and who was
    // stopped for good is missed by its manager.
    if status.launch != awaited.launch || matches!(status.phase, Phase::Stopping | Phase::Stopped) {
        return None;
    }
    let ended = status.phase.is_final();
    match status.phase {
        phase if phase.is_up() => Some(Ok(())),
        _ if ended || status.failures > 0 => {
            Some(Err(not_ready(unready(status, awaited.tree), status.last_exit, !ended)))
        }
        _ => None,
    }
}

/// Why a launch is not ready. Of a program that was never started there is no log: only the supervisor can say
/// what is wrong with it.
fn unready(status: &Status, tree: &str) -> String {
    match status.last_exit {
        Some(Exit::NotStarted) if !status.message.is_empty() => {
            let message = match status.phase {
                // What comes last is when it is tried again.
                Phase::BackingOff => status.message.rsplit_once("; ").map(|(what, _)| what),
                _ => None,
            };
            format!("{tree}: {}", message.unwrap_or(&status.message))
        }
        exit => ended_early(tree, exit, status.refusal.as_deref()),
    }
}

/// What there is to say of a launch that ended before it was ready, and of what it was asked last.
pub(crate) fn ended_early(tree: &str, exit: Option<Exit>, refusal: Option<&str>) -> String {
    match exit {
        Some(Exit::NotReady) => {
            let why = refusal.map(|refusal| format!(" ({refusal})")).unwrap_or_default();
            format!("{tree} {}{why}", Exit::NotReady)
        }
        Some(exit) => format!("{tree} {exit} before it was ready"),
        None => format!("{tree} ended before it was ready"),
    }
}

/// Why the guard has taken this launch back, if it has.
fn given_up(context: &Context<'_>, of: &Marker, launch: &str) -> Result<Option<String>, StepError> {
    let found = switch::read(&context.layout, &of.name).map_err(step_error)?;
    Ok(found.and_then(|found| match found.stage {
        Stage::TakenBack { reason } if found.to.identity() == launch => Some(reason),
        _ => None,
    }))
}

/// How long a native program has to stay alive to count as ready: to systemd it does as soon as it is started,
/// unless it speaks for itself.
fn trial_of_life(context: &Context<'_>, of: &Marker, tree: &str) -> Duration {
    let text = files::read(&context.layout.launch(&of.name, tree)).ok().flatten();
    let spec = text.and_then(|text| serde_json::from_str::<LaunchSpec>(&text).ok());
    match spec.map(|spec| spec.ready.probe) {
        Some(Probe::Delay(delay)) => delay.duration(),
        _ => Duration::ZERO,
    }
}

/// Whether the guard has taken the launch back and the old one has come to a verdict of its own.
fn taken_back(
    context: &Context<'_>,
    of: &Marker,
    status: Option<&Status>,
) -> Result<Option<String>, StepError> {
    if let Some(reason) = adoption::taken_back(&context.layout, &of.name) {
        return Ok(Some(reason));
    }
    let found = switch::read(&context.layout, &of.name).map_err(step_error)?;
    let Some(found) = found else { return Ok(None) };
    let (Stage::TakenBack { reason } | Stage::Returning { reason }) = &found.stage else { return Ok(None) };
    let old = found.from.identity();
    let settled = status.is_some_and(|status| {
        status.launch == old && (status.phase.is_up() || status.failures > 0 || status.phase == Phase::Failed)
    });
    Ok(settled.then(|| reason.clone()))
}

pub(crate) fn not_ready(reason: String, exit: Option<Exit>, retrying: bool) -> StepError {
    StepError::NotReady { reason, exit, retrying, log: Vec::new() }
}

/// The errors of switching, as the steps that use it have them.
pub(crate) fn step_error(failure: Failure) -> StepError {
    match failure {
        Failure::File(error) => StepError::File(error),
        Failure::Lock(error) => StepError::Lock(error),
        Failure::Killed => StepError::Killed,
        other => StepError::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::clock;

    #[test]
    fn who_was_asked_to_end_says_nothing_of_the_launch() {
        let awaited = Awaited {
            launch: "launch",
            tree: "server-1.0.0",
            supervision: Supervision::Mainstay,
            within: Duration::ZERO,
            before: None,
            since: None,
        };
        let said = |phase: Phase, failures: u32| {
            let text = serde_json::json!({
                "format": 1, "phase": phase, "tree": "server-1.0.0", "version": "1.0.0", "launch": "launch",
                "bootId": "", "supervisor": { "pid": 1, "startTicks": 1 }, "began": clock::now(),
                "failures": failures, "message": "",
            });
            verdict(&serde_json::from_value(text).unwrap(), awaited).map(|verdict| verdict.is_ok())
        };
        assert_eq!([said(Phase::Ready, 0), said(Phase::Idle, 3)], [Some(true); 2]);
        assert_eq!(
            [said(Phase::Failed, 0), said(Phase::Completed, 0), said(Phase::BackingOff, 1)],
            [Some(false); 3]
        );
        assert_eq!([said(Phase::Starting, 0), said(Phase::Stopping, 1), said(Phase::Stopped, 1)], [None; 3]);
    }
}
