//! The trial of a version that has been ready, as the service's own start sees it: it goes on, it is over, or the
//! version before comes back. Every step of that can be done twice, so whoever dies in between is followed by another.

use std::time::{Duration, SystemTime};

use camino::Utf8PathBuf;

use super::{AtStart, Means, at_stop, data, last_end, mend, point, read, read_trial};
use crate::engine::failure::Failure;
use crate::engine::obstacle::{Fate, Point};
use crate::engine::{report, trial};
use crate::host::lock;
use crate::host::{clock, environment, files};
use crate::model::duration::Span;
use crate::model::ended::{self, Ended};
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::status::TrialStanding;
use crate::model::trial::{END_OF_TRIAL, Stage, Switch, TakenBack, Trial, Watch};
use crate::package::tree;
use crate::platform::{calls, identity};

/// What a service manager says of an end that is the program's own fault, though no supervisor could say so.
const BAD_ENDS: [&str; 3] = ["watchdog", "oom-kill", "core-dump"];

/// What a start does where no switch is written down.
pub(super) fn at_start(layout: &Layout, name: &InstanceName, means: &Means<'_>) -> Result<AtStart, Failure> {
    let Some(mut trial) = read_trial(layout, name)? else { return mend(layout, name) };
    let Some(watch) = trial.watch.clone() else {
        // It was only a gate, of a switch that is gone.
        files::remove(&layout.trial(name))?;
        return mend(layout, name);
    };
    if trial.taken_back.is_none() {
        let standing = standing(layout, name, &trial);
        if standing.as_ref().is_some_and(TrialStanding::passed) {
            account(layout, name, means)?;
            return mend(layout, name);
        }
        let Some(reason) = failure(layout, name, &trial) else {
            if !is_active(layout, &trial, &watch)? {
                // Nobody counts it: something else was made active without a word of it.
                files::remove(&layout.trial(name))?;
            }
            return mend(layout, name);
        };
        // Where its token can't be read, the next start tries again.
        if tree::look(&layout.tree(name, &watch.from.tree()))?.is_none() {
            // There is nothing to go back to: what runs is left to its restart policy.
            files::remove(&layout.trial(name))?;
            return mend(layout, name);
        }
        let at = standing.and_then(|standing| standing.ended).unwrap_or_else(clock::now);
        trial.taken_back = Some(TakenBack { reason, at });
        // From here on it is decided, whoever has to carry it out.
        write(layout, name, &trial)?;
        met(means, 0)?;
    }
    let Some(taken_back) = &trial.taken_back else { return mend(layout, name) };
    let came_back = go_back(layout, &watch, means)?;
    trial::record_take_back(layout, name, &trial)?;
    met(means, 3)?;
    account(layout, name, means)?;
    if came_back {
        return Ok(AtStart::TakenBack { tree: watch.from.tree(), reason: taken_back.reason.clone() });
    }
    mend(layout, name)
}

/// Brings back what ran before a watched version. Says whether anything was left to do.
pub(crate) fn go_back(layout: &Layout, watch: &Watch, means: &Means<'_>) -> Result<bool, Failure> {
    let from = &watch.from;
    if is_in_force(layout, from)? {
        return Ok(false);
    }
    for before in &watch.definitions {
        match &before.text {
            Some(text) => files::write(&before.path, text, 0o644, None)?,
            None => {
                files::remove(&before.path)?;
            }
        }
    }
    met(means, 1)?;
    if !watch.definitions.is_empty() {
        for call in calls::after_definition_written(&identity(from)) {
            // What systemd does not read now it reads at the next occasion; the old version can run meanwhile.
            let _ = means.manager.call(&call);
        }
    }
    if let Some(call) = &watch.migrate_back {
        // The data are kept. What can't be brought back by that is for a person to mend; what was on trial failed.
        match data::migrate_back(layout, from, call, means) {
            Err(Failure::Killed) => return Err(Failure::Killed),
            Err(failure) => (means.say)(&format!("the data could not be brought back: {failure}")),
            Ok(()) => {}
        }
    }
    // The link comes last: until it leads back, all of this is done again.
    point(layout, from)?;
    met(means, 2)?;
    Ok(true)
}

/// Why the trial of a launch has failed since it was opened, if it has. A supervisor that was killed and a host that
/// lost its power say nothing against it.
#[must_use]
pub(super) fn failure(layout: &Layout, name: &InstanceName, trial: &Trial) -> Option<String> {
    let tree = &trial.tree;
    let standing = standing(layout, name, trial);
    if let Some(standing) = &standing {
        if standing.passed() {
            return None;
        }
        if let Some(reason) = &standing.failed {
            let [ready, of] = [standing.ready_seconds, standing.of_seconds].map(Span::seconds);
            return Some(format!(
                "{tree} failed in its trial: {reason} (it had been ready for {ready} of {of})"
            ));
        }
    }
    let opened = files::changed(&layout.trial(name))?;
    let ended = last_end(layout, name).filter(|ended| SystemTime::from(ended.at.0) >= opened)?;
    if ended.status == END_OF_TRIAL.to_string() {
        return Some(format!("{tree} failed in its trial"));
    }
    let is_bad = BAD_ENDS.contains(&ended.result.as_str());
    is_bad.then(|| format!("{tree} failed in its trial: its service ended with `{}`", ended.result))
}

/// The same for a version whose switch is still open: nothing if it has not been ready yet.
#[must_use]
pub(super) fn failed_after_readiness(layout: &Layout, switch: &Switch) -> Option<String> {
    let name = &switch.to.name;
    let trial = Trial::of(&switch.to, Some(switch.watch.clone()?));
    let was_ready = standing(layout, name, &trial).is_some_and(|standing| standing.was_ready);
    if !was_ready && switch.stage != Stage::Passed {
        return None;
    }
    failure(layout, name, &trial)
}

/// How far the supervisor says that a trial is.
#[must_use]
pub(crate) fn standing(layout: &Layout, name: &InstanceName, trial: &Trial) -> Option<TrialStanding> {
    report::read(layout, name).filter(|status| status.launch == trial.launch)?.trial
}

/// Whether the launch on trial is the one that the current link names.
pub(crate) fn is_active(layout: &Layout, trial: &Trial, watch: &Watch) -> Result<bool, Failure> {
    let (name, component) = (&watch.from.name, &watch.from.component);
    if files::read_pointer(&layout.current(name, component))?.as_deref() != Some(trial.tree.as_str()) {
        return Ok(false);
    }
    let text = files::read(&layout.launch(name, &trial.tree))?.unwrap_or_default();
    Ok(serde_json::from_str::<LaunchSpec>(&text).is_ok_and(|spec| trial.launch == spec.identity()))
}

pub(crate) fn is_in_force(layout: &Layout, spec: &LaunchSpec) -> Result<bool, Failure> {
    let link = files::read_pointer(&layout.current(&spec.name, &spec.component))?;
    let text = files::read(&layout.launch(&spec.name, &spec.tree()))?;
    Ok(link.as_deref() == Some(spec.tree().as_str()) && text == Some(spec.text()))
}

pub(crate) fn write(layout: &Layout, name: &InstanceName, trial: &Trial) -> Result<(), Failure> {
    Ok(files::write(&layout.trial(name), &trial.text(), 0o644, None)?)
}

/// Keeps the books at once where no command is at work; else whoever holds the lock does. The start comes first: what
/// fails here is done by the next command.
fn account(layout: &Layout, name: &InstanceName, means: &Means<'_>) -> Result<(), Failure> {
    let path: Utf8PathBuf = layout.operation_lock(name);
    let left = [layout.operation(name), layout.switch(name)];
    let kept = lock::holding(&path, Duration::ZERO, || {
        let is_free = left.iter().all(|path| matches!(files::facts(path), Ok(None)));
        if is_free { trial::account_unlocked(layout, name, means).map(drop) } else { Ok(()) }
    });
    match kept {
        Ok(Err(Failure::Killed)) => Err(Failure::Killed),
        _ => Ok(()),
    }
}

fn met(means: &Means<'_>, place: usize) -> Result<(), Failure> {
    match means.obstacle.at(Point::Start(place)) {
        Fate::Nothing => Ok(()),
        Fate::Failure | Fate::Death => Err(Failure::Killed),
    }
}

/// Whether a switch is written down.
pub(crate) fn is_under_way(layout: &Layout, name: &InstanceName) -> Result<bool, Failure> {
    Ok(read(layout, name)?.is_some())
}

/// Leaves the record that systemd's own `ExecStopPost=` would: where the report can't be written, nothing else tells the
/// next start of a trial that has failed.
pub(crate) fn note_failure(layout: &Layout, name: &InstanceName) {
    let word = str::to_owned;
    let ended = Ended {
        format: ended::FORMAT,
        boot_id: environment::boot_id(),
        at: clock::now(),
        result: word("exit-code"),
        code: word("exited"),
        status: END_OF_TRIAL.to_string(),
    };
    // What can't be written either is found out at the next start, and tried again.
    let _ = at_stop(layout, name, &ended);
}
