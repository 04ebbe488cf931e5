//! Whether a host is ready for what is to run on it: what it lacks, and what prepares it. Looked at before anything is
//! changed; under the lock the host is prepared, and looked at again.

use crate::engine::Context;
use crate::engine::failure::Failure;
use crate::engine::preparation::{self, Pending};
use crate::engine::recover::is_journalled;
use crate::engine::requirements::{self, Lack};
use crate::engine::target::Declared;
use crate::model::package::{Host, Preparation, PreparationKind, Requirement, RequirementKind, Severity};
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::Wanted;
use crate::platform::identity;

/// What stands between a host and a launch.
pub(crate) struct Readying {
    checks: Vec<Requirement>,
    steps: Vec<Preparation>,
    pending: Vec<Pending>,
    runs: bool,
    refuses: bool,
}

impl Readying {
    /// Looks, and adds what is to be told to the plan. Refuses what the package says can't work, unless a preparation
    /// comes first.
    pub(crate) fn look(
        context: &Context<'_>,
        declared: &Declared,
        wanted: &Wanted,
        host: Host,
        plan: &mut Plan,
    ) -> Result<Self, Failure> {
        let (layout, spec, wishes) = (&context.layout, &wanted.spec, &wanted.wishes);
        let asks_port = host.checks.iter().any(|check| check.kind == RequirementKind::Port);
        let runs = asks_port && context.manager.seen(&identity(spec)).is_ok_and(|seen| seen.state.runs());
        // A way back is never refused, and what changes nothing needs nothing.
        let changes = match plan.operation {
            Operation::Install | Operation::Upgrade => !plan.is_empty(),
            Operation::Apply => plan.switch().is_some(),
            _ => false,
        };
        let pending =
            preparation::pending(layout, spec, &wanted.beside, &host.prepare, declared.deploy.owner.as_ref());
        let readying = Self {
            checks: host.checks,
            steps: host.prepare,
            pending,
            runs,
            refuses: changes && !wishes.unchecked,
        };
        let concerned = wishes.prepare || matches!(plan.operation, Operation::Install | Operation::Upgrade);
        if concerned {
            readying.tell(plan, wishes.prepare);
        }
        if wishes.prepare {
            let doable = readying.pending.iter().filter(|pending| pending.doable);
            plan.preparation = doable.map(|step| format!("prepare: {step}")).collect();
        }
        let lacks = readying.lacks(wanted);
        if plan.preparation.is_empty() {
            plan.notices.extend(readying.judged(wanted, lacks)?);
        } else {
            plan.notices.extend(lacks.iter().map(|lack| format!("before it is prepared, {lack}")));
        }
        Ok(readying)
    }

    /// What is to be prepared and is not.
    fn tell(&self, plan: &mut Plan, prepares: bool) {
        let by_hand = |pending: &&Pending| !prepares || !pending.doable;
        // Of what is only printed nobody knows whether it was done: it is told once.
        let once = |pending: &&Pending| {
            plan.operation == Operation::Install || prepares || pending.kind() != PreparationKind::Print
        };
        let left: Vec<&Pending> = self.pending.iter().filter(once).filter(by_hand).collect();
        let doable = left.iter().any(|pending| pending.doable);
        let mut told = Vec::new();
        for pending in left {
            let commands =
                pending.commands().iter().map(|command| format!("`{command}`")).collect::<Vec<_>>();
            let by = if pending.doable || commands.is_empty() {
                String::new()
            } else {
                format!("; by hand: {}", commands.join(", then "))
            };
            told.push(format!("the host is not prepared: {pending}{by}"));
        }
        if doable {
            told.push(
                "`mainstay install --prepare` does what of this is safe, after it was confirmed".to_owned(),
            );
        }
        plan.notices.extend(told);
    }

    fn lacks(&self, wanted: &Wanted) -> Vec<Lack> {
        requirements::lacks(&wanted.layout, &wanted.spec, &wanted.beside, &self.checks, self.runs)
    }

    /// What is only told of what is lacking, where nothing of it is refused.
    fn judged(&self, wanted: &Wanted, lacks: Vec<Lack>) -> Result<Vec<String>, Failure> {
        let (refused, told): (Vec<Lack>, Vec<Lack>) =
            lacks.into_iter().partition(|lack| self.refuses && lack.severity == Severity::Refuse);
        if refused.is_empty() {
            return Ok(told.iter().map(|lack| format!("this host may not do: {lack}")).collect());
        }
        let can_be_prepared = self.pending.iter().any(|pending| pending.doable);
        let component = wanted.spec.component.clone();
        Err(Failure::HostLacks { component, lacks: refused, can_be_prepared })
    }

    /// Whether the host is prepared as far as it was when it was looked at: what a killed command had prepared may have
    /// been taken back since.
    pub(crate) fn is_current(&self, context: &Context<'_>, declared: &Declared, wanted: &Wanted) -> bool {
        let owner = declared.deploy.owner.as_ref();
        preparation::pending(&context.layout, &wanted.spec, &wanted.beside, &self.steps, owner)
            == self.pending
    }

    /// Prepares the host, and refuses what it lacks then. What follows makes use of it; if that fails and is undone, so is
    /// what was prepared.
    pub(crate) fn around<T>(
        &self,
        context: &Context<'_>,
        wanted: &Wanted,
        plan: &Plan,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (layout, name) = (&context.layout, &wanted.spec.name);
        let outcome = self.carry_out(context, wanted, plan).and_then(|()| work());
        match &outcome {
            Ok(_) => told(context, preparation::keep(layout, name).map(|()| Vec::new())),
            // The next command does both.
            Err(Failure::Killed) => {}
            Err(_) if is_journalled(context, name).unwrap_or(true) => {}
            Err(_) => {
                let settled = preparation::settle(layout, name);
                told(context, settled.map(|settled| settled.map(|(_, left)| left).unwrap_or_default()));
            }
        }
        outcome
    }

    /// Prepares the host, and refuses what it lacks then.
    fn carry_out(&self, context: &Context<'_>, wanted: &Wanted, plan: &Plan) -> Result<(), Failure> {
        if plan.preparation.is_empty() {
            return Ok(());
        }
        preparation::carry_out(context, wanted, &self.pending)?;
        let judged = self.judged(wanted, self.lacks(wanted)).map_err(|failure| match failure {
            // It was done, and did not help.
            Failure::HostLacks { component, lacks, .. } => {
                Failure::HostLacks { component, lacks, can_be_prepared: false }
            }
            failure => failure,
        });
        for told in judged? {
            context.notice(told);
        }
        Ok(())
    }
}

/// Tells what is left of a preparation. That it could not be written down is no failure of what was done on it: the next
/// command does it.
fn told(context: &Context<'_>, outcome: Result<Vec<String>, Failure>) {
    match outcome {
        Ok(left) => left.into_iter().for_each(|left| context.notice(left)),
        Err(failure) => context.notice(format!("what was prepared is looked at again later: {failure}")),
    }
}
