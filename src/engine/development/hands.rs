//! Doing what a step says of a service for development. Each can be done twice, and none touches a container or a volume
//! that is not the instance's.

use std::time::{Duration, Instant};

use crate::engine::container::run;
use crate::engine::development::{look, look_at_volume};
use crate::engine::failure::{CallError, StepError};
use crate::engine::question::ask;
use crate::host::command::{self, Manner};
use crate::host::probe::{self, Method, Question, Request};
use crate::model::development::{DevelopmentContainer, DevelopmentReady};
use crate::model::marker::Marker;
use crate::plan::step::DevelopmentVerb;
use crate::platform::compose::query;
use crate::platform::development as asked;
use crate::platform::observed::{Answer, NoAnswer};

/// How long an engine may take to answer a question: its own service may have to begin first.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long one question to a service may take.
const QUESTION: Duration = Duration::from_secs(5);
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(250);
/// How long what is waited for by nothing else has to run.
const SETTLED: Duration = Duration::from_secs(1);
/// How many of the last lines are told of what did not get ready.
const LAST_LINES: usize = 10;

/// Does it.
pub(crate) fn perform(
    of: &Marker,
    container: &DevelopmentContainer,
    verb: &DevelopmentVerb,
) -> Result<(), StepError> {
    match verb {
        DevelopmentVerb::Up => up(of, container),
        DevelopmentVerb::Stop => {
            if look(container)?.is_some_and(|standing| standing.is_of(of) && standing.runs()) {
                run(&asked::stop(container))?;
            }
            Ok(())
        }
        DevelopmentVerb::Exchange => Ok(remove_container(of, container, false)?),
        DevelopmentVerb::Remove { volumes } => Ok(remove(of, container, volumes)?),
    }
}

/// Ends a container in order, which a removal alone would not, and removes it.
fn remove_container(
    of: &Marker,
    container: &DevelopmentContainer,
    with_volumes: bool,
) -> Result<(), CallError> {
    if let Some(standing) = look(container)?.filter(|standing| standing.is_of(of)) {
        if standing.runs() {
            // One that can't be stopped is removed all the same.
            let _ = run(&asked::stop(container));
        }
        run(&asked::remove(container, with_volumes))?;
    }
    Ok(())
}

/// Removes a container that is the instance's, and volumes that are.
pub(super) fn remove(
    of: &Marker,
    container: &DevelopmentContainer,
    volumes: &[String],
) -> Result<(), CallError> {
    remove_container(of, container, true)?;
    for volume in volumes {
        if look_at_volume(container.engine, volume)?.is_some_and(|standing| standing.is_of(of)) {
            run(&asked::remove_volume(container.engine, volume))?;
        }
    }
    Ok(())
}

fn up(of: &Marker, container: &DevelopmentContainer) -> Result<(), StepError> {
    let other = |what: &str, name: &str| {
        StepError::Other(format!("the {what} `{name}` is there, and is not of `{}`", of.name))
    };
    match look(container)? {
        Some(standing) if !standing.is_of(of) => {
            return Err(other("container", &container.container));
        }
        Some(standing) if standing.runs() => {}
        Some(_) => {
            run(&query::start(container.engine, &container.container))?;
        }
        None => {
            for volume in container.volumes.keys() {
                match look_at_volume(container.engine, volume)? {
                    Some(standing) if !standing.is_of(of) => {
                        return Err(other("volume", volume));
                    }
                    Some(_) => {}
                    None => {
                        run(&asked::make_volume(container.engine, of, volume))?;
                    }
                }
            }
            run(&asked::run(of, container))?;
        }
    }
    await_answer(container)
}

/// Waits until a service answers; of one that does not, its last lines are told, since they may go with it.
fn await_answer(container: &DevelopmentContainer) -> Result<(), StepError> {
    let began = Instant::now();
    let within = container.within.duration();
    let mut last;
    loop {
        let standing = look(container)?;
        let ended = standing.as_ref().is_none_or(|standing| !standing.runs() || standing.fails());
        let code = standing.and_then(|standing| standing.exit_code);
        if ended {
            let code = code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
            last = format!("it ended{code}");
            // An engine that starts it again may yet have it run.
            if began.elapsed() > SETTLED {
                break;
            }
        } else {
            match ready(container, began) {
                Ok(()) => return Ok(()),
                Err(reason) => last = reason,
            }
        }
        if began.elapsed() > within {
            last = format!("no answer within {}: {last}", container.within);
            break;
        }
        std::thread::sleep(PAUSE);
    }
    let lines = command::output(
        &asked::last_lines(container, LAST_LINES),
        Manner { limit: Some(PATIENCE), ..Manner::default() },
    );
    let lines = lines.map(|output| output.stdout + &output.stderr).unwrap_or_default();
    Err(StepError::Unanswering {
        service: container.service.to_string(),
        container: container.container.clone(),
        reason: last,
        log: lines
            .lines()
            .rev()
            .take(LAST_LINES)
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect(),
    })
}

fn ready(container: &DevelopmentContainer, began: Instant) -> Result<(), String> {
    match &container.ready {
        DevelopmentReady::Runs if began.elapsed() >= SETTLED => Ok(()),
        DevelopmentReady::Runs => Err("it has only begun".to_owned()),
        // What publishes a port takes connections before anybody listens behind it.
        DevelopmentReady::Tcp(address) => probe::keeps(address, QUESTION),
        DevelopmentReady::Http(address) => {
            probe::ask(&Question::Http(Request::new(Method::Get, address.clone())), QUESTION)
        }
        DevelopmentReady::Command(command) => {
            let argv = query::run_in(container.engine, &container.container, command);
            let read = |answer: Answer<'_>| {
                let said = format!("{}\n{}", answer.stdout.trim(), answer.stderr.trim());
                let said = said.trim().lines().last().unwrap_or_default().to_owned();
                if answer.code == Some(0) {
                    Ok(())
                } else {
                    Err(NoAnswer::Failed { code: answer.code, said })
                }
            };
            ask(&argv, QUESTION, read).map_err(|error| error.to_string())
        }
    }
}
