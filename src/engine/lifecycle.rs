//! Start, stop and restart, through the service manager. A restart that the manager does not bring about is made
//! by a stop and a fresh start; and of one that does not come about either, the error says what holds the service.
//! Nothing is ever killed by its name.

use crate::engine::execute::{Done, execute};
use crate::engine::failure::{CallError, Failure};
use crate::engine::operation::exclusively;
use crate::engine::variables::readable::unreadable;
use crate::engine::{Context, active, development, holders, report, strays};
use crate::host::identity;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::status::ProcessIdentity;
use crate::plan::lifecycle::{afresh, guard_restart, restart, start, stop};
use crate::plan::step::{Operation, Plan, Step};
use crate::plan::undefined;

/// Decides, and does.
pub fn lifecycle(
    context: &Context<'_>,
    of: &Marker,
    operation: Operation,
    dry_run: bool,
) -> Result<(Plan, Option<Done>), Failure> {
    let decide = || -> Result<Plan, Failure> {
        let (spec, mut observed) = active::observed(context, of)?;
        observed.unreadable = unreadable(&spec, &[]);
        // An engine that does not answer keeps nobody from a stop; and whether the program can do without, it says itself.
        observed.development = match development::observe(context, of, None) {
            Err(_) if operation == Operation::Stop => None,
            Err(failure @ Failure::Call(CallError::Unavailable { .. })) => {
                context.notice(format!("the services for development are left as they are: {failure}"));
                None
            }
            found => found?,
        };
        undefined::guard(&spec, &context.layout, &observed, operation != Operation::Stop)?;
        Ok(match operation {
            Operation::Start => start(&spec, &observed),
            Operation::Stop => stop(&spec, &observed),
            _ => {
                guard_restart(&spec, &observed)?;
                restart(&spec, &observed)
            }
        })
    };
    if dry_run {
        return Ok((decide()?, None));
    }
    exclusively(context, of, || {
        let plan = decide()?;
        let outcome = match operation {
            Operation::Restart => restarted(context, of, &plan),
            _ => execute(context, &plan, of, None),
        };
        let done = outcome.map_err(|failure| held(context, of, operation, failure))?;
        if operation == Operation::Stop {
            if context.manager.seen(of).is_ok_and(|seen| seen.state.runs() || seen.remains) {
                let reason = format!("{} was stopped, and something of it still runs", of.name);
                return Err(held(context, of, operation, Failure::Held { reason, holders: Vec::new() }));
            }
            strays::name_what_is_left(context, &of.name);
        }
        Ok((plan, Some(done)))
    })
}

/// Which processes an instance has, or had last: after a restart they are others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Life {
    supervisor: Option<ProcessIdentity>,
    program: Option<ProcessIdentity>,
    /// The main process, as the manager has it, and its start: of a native program nobody else knows.
    main: Option<(u32, Option<Moment>)>,
}

impl Life {
    fn of(context: &Context<'_>, of: &Marker) -> Self {
        let reported = report::read(&context.layout, &of.name);
        let seen = context.manager.seen(of).ok();
        Self {
            supervisor: reported.as_ref().map(|status| status.supervisor),
            program: reported.as_ref().and_then(|status| status.program),
            main: seen.and_then(|seen| Some((seen.main_pid?, seen.started))),
        }
    }

    /// Whether something has begun since an earlier look. Where nothing ran before, whatever runs has.
    fn is_newer_than(self, earlier: Self) -> bool {
        let newer = |now: Option<ProcessIdentity>, then| now.is_some() && now != then;
        newer(self.supervisor, earlier.supervisor)
            || newer(self.program, earlier.program)
            || (self.main.is_some() && self.main != earlier.main)
    }

    fn runs(self) -> bool {
        self.main.is_some() || [self.supervisor, self.program].into_iter().flatten().any(identity::runs)
    }
}

fn restarted(context: &Context<'_>, of: &Marker, plan: &Plan) -> Result<Done, Failure> {
    // What the program needs comes first: where that fails, nothing of the program was touched, and it runs on.
    let needed = |step: &Step| matches!(step, Step::Development { .. });
    let (ahead, after): (Vec<Step>, Vec<Step>) = plan.after.iter().cloned().partition(needed);
    if !ahead.is_empty() {
        execute(context, &Plan { after: ahead, ..plan.clone() }, of, None)?;
    }
    let plan = &Plan { after, ..plan.clone() };
    let before = Life::of(context, of);
    let reason = match execute(context, plan, of, None) {
        Ok(done) if Life::of(context, of).is_newer_than(before) => return Ok(done),
        Ok(_) => "the processes are still those of before".to_owned(),
        // Without a manager there is none for a fresh start either; a program that was started again and does
        // not get ready fails by itself, and would fail afresh.
        Err(failure @ (Failure::Call(CallError::Unavailable { .. }) | Failure::Killed)) => {
            return Err(failure);
        }
        Err(failure) if Life::of(context, of).is_newer_than(before) => return Err(failure),
        // What runs goes on, where a new start beside it has failed: it is not given up for one that fails.
        Err(failure @ Failure::NotReady { beside: true, .. }) => return Err(failure),
        Err(failure) => failure.to_string(),
    };
    context.notice(format!("{} was not restarted ({reason}): it is stopped and started afresh", of.name));
    let (spec, _) = active::observed(context, of)?;
    let before = Life::of(context, of);
    let outcome = execute(context, &afresh(&spec), of, None);
    if !before.runs() || Life::of(context, of).is_newer_than(before) {
        return outcome;
    }
    let name = &of.name;
    let reason = match outcome {
        Ok(_) => format!("{name} still has the processes of before"),
        Err(failure) => format!("{name} still has the processes of before: {failure}"),
    };
    Err(Failure::Held { reason, holders: Vec::new() })
}

/// A stop that did not come about, told with what holds the service.
fn held(context: &Context<'_>, of: &Marker, operation: Operation, failure: Failure) -> Failure {
    let reason = match &failure {
        Failure::Held { reason, .. } => reason.clone(),
        Failure::Call(CallError::Failed { .. }) if operation != Operation::Start => failure.to_string(),
        _ => return failure,
    };
    let holders = holders::holders(&context.layout, of).iter().map(ToString::to_string).collect();
    Failure::Held { reason, holders }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_processes_are_a_restart() {
        let process = |start_ticks| Some(ProcessIdentity { pid: 811, start_ticks });
        let nothing = Life { supervisor: None, program: None, main: None };
        let supervised = Life { supervisor: process(1), program: process(2), main: Some((811, None)) };
        assert!(!supervised.is_newer_than(supervised) && supervised.is_newer_than(nothing));
        assert!(!nothing.is_newer_than(supervised), "one that has ended was not restarted");
        // The same number at another time is another process; one of both is enough.
        assert!(Life { program: process(3), ..supervised }.is_newer_than(supervised));
        assert!(Life { supervisor: process(3), ..supervised }.is_newer_than(supervised));
        // Between its runs a program has no process.
        assert!(!Life { program: None, ..supervised }.is_newer_than(supervised));
        let at = |second| Some((811, Some(Moment(jiff::Timestamp::from_second(second).unwrap()))));
        let native = |second| Life { main: at(second), ..nothing };
        assert!(native(2).is_newer_than(native(1)) && !native(1).is_newer_than(native(1)));
    }
}
