//! Asking the running supervisor to start a launch beside the one that runs, and to let it take over.

use std::io;
use std::time::{Duration, Instant};

use crate::engine::failure::StepError;
use crate::engine::guard::supervisor_of;
use crate::engine::ready::{not_ready, step_error};
use crate::engine::{Context, switch};
use crate::host::control::Connection;
use crate::model::marker::Marker;
use crate::model::overlap::{Ask, SOCKET, Word};
use crate::model::trial::{Stage, Switch};

/// The pause before a supervisor that is busy is asked again: what ran before the last time still drains.
const AGAIN: Duration = Duration::from_millis(50);

/// How long a supervisor that works may take for its first word. It says that at once, whatever it says.
const FIRST_WORD: Duration = Duration::from_secs(5);

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Overlapped {
    /// The new start has taken over.
    Promoted,
    /// This has to be done in another way, and why.
    Otherwise(String),
    /// The supervisor has ended meanwhile: whoever guards it goes on.
    Lost,
}

/// Has a launch start beside what runs, and take over when it is ready: the one that a pending switch leads to, else
/// the one that is in force. A launch that does not become ready changes nothing, and is an error.
pub(crate) fn overlap(context: &Context<'_>, of: &Marker, within: Duration) -> Result<Overlapped, StepError> {
    let layout = &context.layout;
    let pending = switch::read(layout, &of.name).map_err(step_error)?;
    let pending = pending.filter(|switch| switch.stage == Stage::Pending);
    let open = || opened(context, of);
    let mut connection = match open() {
        Ok(connection) => connection,
        Err(error) => return Ok(Overlapped::Otherwise(format!("no supervisor can be asked ({error})"))),
    };
    let ask = pending.as_ref().map_or(Ask::Restart, |switch| Ask::Switch(Box::new(switch.to.clone())));
    let (until, first) = (Instant::now() + within, Instant::now() + FIRST_WORD);
    let mut heard = false;
    // Who hangs up before he has heard it has said why.
    let _ = connection.say(&ask.line());
    loop {
        let left = if heard { until } else { until.min(first) }.saturating_duration_since(Instant::now());
        // Words that never end are no answer either.
        let line = if left.is_zero() { None } else { connection.next_line(left) };
        let Some(line) = line else {
            if connection.is_closed() {
                break;
            }
            if !heard {
                return Ok(Overlapped::Otherwise("its supervisor does not answer".to_owned()));
            }
            let reason = format!("{} did not take over within {} s", of.name, within.as_secs());
            return Err(not_ready(reason, None, true));
        };
        heard = true;
        match serde_json::from_str(&line) {
            Ok(Word::Starting) => {}
            Ok(Word::Ready) => stay(context, &mut connection, pending.as_ref())?,
            Ok(Word::Promoted) => return Ok(Overlapped::Promoted),
            Ok(Word::Busy) => {
                std::thread::sleep(AGAIN);
                let Ok(again) = open() else { break };
                connection = again;
                let _ = connection.say(&ask.line());
            }
            Ok(Word::Refused(reason)) => return Ok(Overlapped::Otherwise(reason)),
            Ok(Word::Failed { reason, exit }) => {
                let reason = match &pending {
                    Some(switch) => format!("{}, started beside what runs: {reason}", switch.to.tree()),
                    None => format!("the new start was given up, and what runs goes on: {reason}"),
                };
                return Err(not_ready(reason, exit, true));
            }
            Err(error) => return Ok(Overlapped::Otherwise(format!("its word is not understood: {error}"))),
        }
    }
    Ok(Overlapped::Lost)
}

/// A conversation with the running supervisor, and with nobody else: in the folder the service's account may put what
/// it likes.
fn opened(context: &Context<'_>, of: &Marker) -> io::Result<Connection> {
    let connection = Connection::open(&context.layout.run(&of.name, of.platform), SOCKET)?;
    match supervisor_of(&context.layout, &of.name) {
        Some(supervisor) if connection.listener() == Some(supervisor.pid) => Ok(connection),
        _ => Err(io::Error::other("what answers there is not it")),
    }
}

/// The new launch is ready: the link names it from now on. A supervisor that does not hear of it goes by the link.
fn stay(
    context: &Context<'_>,
    connection: &mut Connection,
    pending: Option<&Switch>,
) -> Result<(), StepError> {
    if let Some(switch) = pending {
        switch::make_at_once(&context.layout, switch).map_err(step_error)?;
    }
    let _ = connection.say(&Ask::Promote.line());
    Ok(())
}
