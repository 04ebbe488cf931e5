//! launchd, asked by launchctl(1): the course says what, and here it is done.

use std::time::{Duration, Instant};

use crate::engine::failure::CallError;
use crate::engine::guard;
use crate::engine::manager::{PATIENCE, Seen, State, Taken};
use crate::engine::supervisor::active_launch;
use crate::host::command::{self, Manner, Output};
use crate::host::{account, environment, files};
use crate::model::launch::LaunchSpec;
use crate::model::layout::{Layout, label};
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::platform::call::Call;
use crate::platform::launchd::course::{Course, Goal, Heard, Move, Strange, Subject, Trouble};
use crate::platform::launchd::printed::{self, Job, Printed};
use crate::platform::launchd::{definition_of, runs_at_load};
use crate::platform::observed::Answer;

/// The longest that launchd takes to let go of a service and to take it again, beside its end.
const LONGEST: Duration = Duration::from_secs(120);

/// Has a service stand as it is wanted.
pub(super) fn perform(layout: &Layout, of: &Marker, goal: Goal) -> Result<(), CallError> {
    let subject = subject(layout, of)?;
    if matches!(goal, Goal::Start | Goal::Restart) {
        // A start leaves what runs as it is.
        let concerns = |job: &Job| goal == Goal::Restart || job.pid.is_none();
        let has_another = |job: Job| concerns(&job) && job.is_stale(subject.definition.as_deref());
        if job(&subject)?.is_some_and(has_another) {
            return beside(of, goal, &subject);
        }
    }
    follow(layout, of, goal, subject)
}

/// The same where launchd has to let go of a definition and take another: in a process that goes on if this one dies.
fn beside(of: &Marker, goal: Goal, subject: &Subject) -> Result<(), CallError> {
    let failed = |reason: String| CallError::Failed { call: told(of, goal), reason };
    let program = environment::own_program().map_err(|error| failed(error.to_string()))?;
    let scope = format!("--{}", of.scope);
    let words = [program.as_str(), "run", "--name", of.name.as_str(), &scope, "--anew"];
    // A limit gives it a group of its own, so that what ends this command at a terminal does not reach it.
    let limit = Some(subject.stop_limit.duration() * 2 + LONGEST);
    let output = command::output(&words.map(str::to_owned), Manner { limit, ..Manner::default() })
        .map_err(|error| failed(error.to_string()))?;
    match output.code {
        Some(0) => Ok(()),
        _ => Err(failed(output.stderr.trim().trim_start_matches("error: ").to_owned())),
    }
}

/// See [`crate::engine::manager::take_anew`].
pub(super) fn take_anew(layout: &Layout, of: &Marker) -> Result<(), CallError> {
    follow(layout, of, Goal::Restart, subject(layout, of)?)
}

/// Has what somebody else has defined stand as it is wanted.
pub(super) fn perform_strange(
    layout: &Layout,
    of: &Marker,
    goal: Goal,
    strange: &Strange,
) -> Result<(), CallError> {
    follow(layout, of, goal, subject_of(of, strange))
}

/// Whether such a service runs, and whether it starts by itself.
pub(super) fn strange(of: &Marker, strange: &Strange) -> Result<(bool, bool), CallError> {
    let subject = subject_of(of, strange);
    let runs = job(&subject)?.is_some_and(|job| job.runs());
    // Of somebody else's file it is not asked whether it says so.
    Ok((runs, is_enabled(&subject)?))
}

fn subject_of(of: &Marker, strange: &Strange) -> Subject {
    Subject {
        label: strange.label.clone(),
        file: strange.file.clone(),
        domains: domains(of.scope),
        definition: None,
        at_boot: true,
        stop_limit: LaunchSpec::bare(of).stop_limit(),
    }
}

fn domains(scope: Scope) -> Vec<String> {
    match scope {
        Scope::System => vec!["system".to_owned()],
        Scope::User => ["gui", "user"].map(|kind| format!("{kind}/{}", account::effective_uid())).to_vec(),
    }
}

fn told(of: &Marker, goal: Goal) -> String {
    Call::Launchd { of: of.clone(), goal, strange: None }.to_string()
}

fn follow(layout: &Layout, of: &Marker, goal: Goal, subject: Subject) -> Result<(), CallError> {
    let began = Instant::now();
    let mut course = Course::new(subject, goal);
    let mut answered: Option<std::io::Result<Output>> = None;
    let mut asked = None;
    loop {
        let heard = match (&answered, asked) {
            (Some(Ok(output)), _) => Heard::Answer(answer(output)),
            (Some(Err(_)), _) => Heard::Silence,
            (None, Some(there)) => Heard::Asked(there),
            (None, None) => Heard::Nothing,
        };
        let next = course.next(heard, began.elapsed());
        (answered, asked) = (None, None);
        match next {
            Move::Launchctl(words, limit) => answered = Some(launchctl(&words, limit)?),
            Move::Ask(pid) => {
                // Who can't be asked is killed in the end, which frees it as well.
                asked = Some(guard::ask_to_come_again(layout, &of.name, pid).unwrap_or(false));
            }
            Move::Pause(pause) => std::thread::sleep(pause),
            Move::Done => return Ok(()),
            Move::Failed(trouble @ Trouble::NoDomain { .. }) => return Err(unavailable(trouble.to_string())),
            Move::Failed(trouble) => {
                return Err(CallError::Failed { call: told(of, goal), reason: trouble.to_string() });
            }
        }
    }
}

/// How launchd sees an instance.
pub(super) fn seen(layout: &Layout, of: &Marker) -> Result<Seen, CallError> {
    let subject = subject(layout, of)?;
    let mut seen = Seen { at_boot: starts_by_itself(&subject)?, ..Seen::default() };
    let Some(job) = job(&subject)? else { return Ok(seen) };
    seen.state = match job.last_exit {
        _ if job.pid.is_some() => State::Active,
        _ if job.is_coming() => State::Starting,
        Some(exit) if !exit.success() => State::Failed,
        _ => State::Inactive,
    };
    seen.main_pid = job.pid;
    seen.last_exit = job.last_exit;
    seen.needs_reload = job.is_stale(subject.definition.as_deref());
    seen.fragment = job.path.map(Into::into);
    Ok(seen)
}

/// Whether launchd has something else of an instance's label.
pub(super) fn taken(layout: &Layout, of: &Marker) -> Result<Taken, CallError> {
    let subject = subject(layout, of)?;
    let strange = job(&subject)?.filter(|job| job.definition.is_none());
    let place = strange.and_then(|job| job.path).filter(|path| *path != subject.file);
    Ok(Taken { definition: place, ..Taken::default() })
}

fn job(subject: &Subject) -> Result<Option<Job>, CallError> {
    for domain in &subject.domains {
        let words = ["print".to_owned(), format!("{domain}/{}", subject.label)];
        let output = launchctl(&words, PATIENCE)?.map_err(|error| unavailable(error.to_string()))?;
        match printed::service(answer(&output)) {
            Printed::Job(job) => return Ok(Some(job)),
            Printed::NoService | Printed::NoDomain => {}
            Printed::Unknown { said, .. } => return Err(unavailable(said)),
        }
    }
    Ok(None)
}

/// Whether the file lets it start by itself, and nobody has said otherwise to launchd.
fn starts_by_itself(subject: &Subject) -> Result<bool, CallError> {
    if subject.definition.is_none() || !subject.at_boot {
        return Ok(false);
    }
    is_enabled(subject)
}

/// Whether nobody has told launchd not to start it.
fn is_enabled(subject: &Subject) -> Result<bool, CallError> {
    for domain in &subject.domains {
        let words = ["print-disabled".to_owned(), domain.clone()];
        let output = launchctl(&words, PATIENCE)?.map_err(|error| unavailable(error.to_string()))?;
        if let Some(disabled) = printed::is_disabled(answer(&output), &subject.label) {
            return Ok(!disabled);
        }
    }
    Ok(true)
}

fn subject(layout: &Layout, of: &Marker) -> Result<Subject, CallError> {
    let file = layout.definition(&of.name, PlatformKind::Launchd);
    let text = files::read(&file).map_err(|error| unavailable(error.to_string()))?;
    let spec = active_launch(layout, &of.name).unwrap_or_else(|_| LaunchSpec::bare(of));
    Ok(Subject {
        label: label(&of.name),
        file,
        domains: domains(of.scope),
        definition: text.as_deref().and_then(definition_of),
        at_boot: text.as_deref().is_none_or(runs_at_load),
        stop_limit: spec.stop_limit(),
    })
}

/// Runs launchctl. The inner error says that it took too long.
fn launchctl(words: &[String], limit: Duration) -> Result<std::io::Result<Output>, CallError> {
    let argv: Vec<String> = std::iter::once("launchctl".to_owned()).chain(words.iter().cloned()).collect();
    match command::output(&argv, Manner { limit: Some(limit), ..Manner::default() }) {
        Err(error) if error.kind() != std::io::ErrorKind::TimedOut => Err(unavailable(error.to_string())),
        output => Ok(output),
    }
}

fn answer(output: &Output) -> Answer<'_> {
    Answer { code: output.code, stdout: &output.stdout, stderr: &output.stderr }
}

fn unavailable(reason: String) -> CallError {
    CallError::Unavailable { manager: "launchctl".to_owned(), reason }
}
