//! What is not there: nothing to stop, nothing to remove. That is no failure, unless it is there in the other
//! scope, which this caller can't change.

use crate::cli::arguments::TargetArguments;
use crate::cli::report::Report;
use crate::cli::surroundings::layouts_to_list;
use crate::engine::failure::Failure;
use crate::engine::registry;
use crate::engine::target::{TargetError, all};
use crate::host::environment;
use crate::model::answer::plan::ChangeAnswer;
use crate::model::manifest::Scope;
use crate::model::name::InstanceName;
use crate::model::nearest::nearest;
use crate::plan::step::Operation;

/// How many instances are named to somebody who named another: a line's worth.
const MOST_NAMED: usize = 8;

/// Says that there is nothing to do, as a line or as a document. A name that is nowhere may be a slip of the finger,
/// and must not read like success.
pub(crate) fn nothing_to(
    report: &Report,
    operation: Operation,
    name: &InstanceName,
    typed: &TargetArguments,
) -> Result<(), Failure> {
    let known: Vec<InstanceName> =
        all(&layouts_to_list(typed.scope)?).0.into_iter().map(|marker| marker.name).collect();
    let meant = meant(name, &known).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    if report.is_json() {
        report.document(&ChangeAnswer {
            notices: vec![format!("{name} is not installed{meant}")],
            ..ChangeAnswer::of(&operation.to_string(), name.clone(), false)
        });
        return Ok(());
    }
    if typed.name.is_none() {
        // By its manifest it is known, though not installed.
        report.say(format!("{name} is not installed in this scope: there is nothing to do"));
        return Ok(());
    }
    report.notice(format!("no instance is called `{name}`, and nothing was done{meant}"));
    if !known.is_empty() {
        let known: Vec<&str> = known.iter().take(MOST_NAMED).map(InstanceName::as_str).collect();
        report.say(format!("  installed here: {}", known.join(", ")));
    }
    Ok(())
}

/// The instance that was probably meant by a name that is none's.
pub(crate) fn meant<'a>(name: &InstanceName, known: &'a [InstanceName]) -> Option<&'a str> {
    nearest(name.as_str(), known.iter().map(InstanceName::as_str)).filter(|meant| *meant != name.as_str())
}

/// Refuses where the instance is one of the other scope and nobody said which scope is meant.
pub(crate) fn guard_other_scope(typed: &TargetArguments, name: &InstanceName) -> Result<(), Failure> {
    if typed.scope.typed().is_some() {
        return Ok(());
    }
    let scope = match environment::callers_scope() {
        Scope::System => Scope::User,
        Scope::User => Scope::System,
    };
    match registry::find(&environment::layout(scope)?, name) {
        Ok(_) => Err(TargetError::OtherScope { name: name.clone(), scope }.into()),
        Err(_) => Ok(()),
    }
}
