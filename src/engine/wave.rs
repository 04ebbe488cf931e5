//! A wave: the instances of one component, in the order in which they come, and the canary's trial between the first
//! and the others.

use std::time::{Duration, Instant};

use crate::engine::failure::Failure;
use crate::engine::target::TargetError;
use crate::engine::{Context, registry, report, switch, trial};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::status::TrialStanding;
use crate::model::version::Version;

/// How often a trial is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a service on trial may be without a supervisor: its guard starts it again.
const LONGEST_GAP: Duration = Duration::from_secs(60);

/// The instances of a component in one scope: the canary first, then by name.
pub fn members(
    layout: &Layout,
    component: &ComponentName,
    canary: Option<&InstanceName>,
) -> Result<(Vec<Marker>, Vec<String>), Failure> {
    let found = registry::instances(layout);
    let (mut members, others): (Vec<Marker>, Vec<Marker>) =
        found.markers.into_iter().partition(|marker| marker.component == *component);
    members.sort_by(|one, other| {
        let comes_later = |marker: &Marker| canary != Some(&marker.name);
        comes_later(one).cmp(&comes_later(other)).then_with(|| one.name.cmp(&other.name))
    });
    match canary {
        Some(canary) if members.first().is_none_or(|first| first.name != *canary) => {
            Err(TargetError::Unknown { name: canary.clone(), candidates: members }.into())
        }
        _ if members.is_empty() => {
            Err(TargetError::NoneOf { component: component.clone(), candidates: others }.into())
        }
        _ => Ok((members, found.notices)),
    }
}

/// Waits until the trial of a version has been passed. `watch` hears how far it is, at each whole second of it.
///
/// The service's own start closes a trial, whichever way it ended; then the receipt says which.
pub fn await_trial(
    context: &Context<'_>,
    name: &InstanceName,
    version: &Version,
    watch: &dyn Fn(&TrialStanding),
) -> Result<(), Failure> {
    let failed = |reason: String| Failure::TakenBack { reason, log: Vec::new() };
    let (mut told, mut seen) = (None, Instant::now());
    loop {
        let trial = switch::read_trial(&context.layout, name)?;
        if let Some(taken_back) = trial.as_ref().and_then(|trial| trial.taken_back.as_ref()) {
            return Err(failed(taken_back.reason.clone()));
        }
        let live = report::live(&context.layout, name);
        if live.is_some() {
            seen = Instant::now();
        }
        match live.and_then(|status| status.trial) {
            Some(TrialStanding { failed: Some(reason), .. }) => return Err(failed(reason)),
            Some(standing) if standing.passed() => return Ok(()),
            Some(standing) if told.replace(standing.ready_seconds) != Some(standing.ready_seconds) => {
                watch(&standing);
            }
            // Without one it had none, or it is over and somebody has closed it.
            None if trial.is_none_or(|trial| trial.watch.is_none()) => {
                return outcome(&context.layout, name, version);
            }
            _ => {}
        }
        if seen.elapsed() > LONGEST_GAP {
            let reason = format!("{name} is on trial, and does not run");
            return Err(Failure::Down { reason, exit: None, log: Vec::new() });
        }
        std::thread::sleep(LOOK);
    }
}

/// How the trial of a version came out that is closed: what was taken back is not active any more.
fn outcome(layout: &Layout, name: &InstanceName, version: &Version) -> Result<(), Failure> {
    let receipt = trial::receipt(layout, name)?;
    let active = receipt.as_ref().and_then(|receipt| receipt.active());
    if active.is_some_and(|active| active.version == *version) {
        return Ok(());
    }
    let bad = receipt.as_ref().and_then(|receipt| receipt.bad(version, None));
    let reason = bad.map_or_else(|| format!("{version} is not active any more"), |bad| bad.reason.clone());
    Err(Failure::TakenBack { reason, log: Vec::new() })
}
