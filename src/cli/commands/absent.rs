//! What is not there: nothing to stop, nothing to remove. That is no failure, unless it is there in the other
//! scope, which this caller can't change.

use crate::cli::arguments::TargetArguments;
use crate::cli::report::Report;
use crate::engine::failure::Failure;
use crate::engine::registry;
use crate::engine::target::TargetError;
use crate::host::environment;
use crate::model::answer::plan::ChangeAnswer;
use crate::model::manifest::Scope;
use crate::model::name::InstanceName;
use crate::plan::step::Operation;

/// Says that there is nothing to do, as a line or as a document.
pub(crate) fn nothing_to(report: &Report, operation: Operation, name: &InstanceName) {
    if report.is_json() {
        report.document(&ChangeAnswer {
            notices: vec![format!("{name} is not installed")],
            ..ChangeAnswer::of(&operation.to_string(), name.clone(), false)
        });
    } else {
        report.say(format!("{name} is not installed in this scope: there is nothing to do"));
    }
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
