//! Start, stop and restart, through the service manager.

use crate::engine::execute::{Done, execute};
use crate::engine::failure::Failure;
use crate::engine::operation::exclusively;
use crate::engine::remove::active;
use crate::engine::{Context, strays};
use crate::model::marker::Marker;
use crate::plan::lifecycle::{restart, start, stop};
use crate::plan::step::{Operation, Plan};

/// Decides, and does.
pub fn lifecycle(
    context: &Context<'_>,
    of: &Marker,
    operation: Operation,
    dry_run: bool,
) -> Result<(Plan, Option<Done>), Failure> {
    let decide = || -> Result<Plan, Failure> {
        let (spec, observed) = active(context, of)?;
        Ok(match operation {
            Operation::Start => start(&spec, &observed),
            Operation::Stop => stop(&spec, &observed),
            _ => restart(&spec),
        })
    };
    if dry_run {
        return Ok((decide()?, None));
    }
    exclusively(context, of, || {
        let plan = decide()?;
        let done = execute(context, &plan, of, None)?;
        if operation == Operation::Stop {
            strays::name_what_is_left(context, &of.name);
        }
        Ok((plan, Some(done)))
    })
}
