//! The books of a trial: what a take-back or a proof means for the receipt and the history. The service's own start
//! decides and carries out; whoever next holds the instance's lock writes it down. Until then, whoever only reads is
//! told what will stand there.

use crate::engine::failure::Failure;
use crate::engine::obstacle::{Fate, Point};
use crate::engine::switch::{self, Means, watch};
use crate::engine::{observe, report};
use crate::host::files;
use crate::model::answer::status::TrialState;
use crate::model::digest::Digest;
use crate::model::history::{Action, Event};
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::moment::Moment;
use crate::model::name::InstanceName;
use crate::model::receipt::{BadVersion, Receipt};
use crate::model::status::{Status, TrialStanding};
use crate::model::trial::{TakenBack, Trial, Watch};
use crate::model::version::Version;

/// How much of the end of a history is searched for an event, in bytes.
const RECENT: u64 = 256 << 10;

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With the version before.
    TakenBack(TakenBack),
    /// With the new version, which stays.
    Proved(Option<Moment>),
}

/// The trial of an instance beyond its gate, with how it ended if it has; nothing where there is none, or a switch is
/// still open that it belongs to.
pub(crate) fn found(
    layout: &Layout,
    name: &InstanceName,
) -> Result<Option<(Trial, Watch, Option<Ended>)>, Failure> {
    let Some(trial) = switch::read_trial(layout, name)? else { return Ok(None) };
    let Some(watch) = trial.watch.clone() else { return Ok(None) };
    if watch::is_under_way(layout, name)? {
        return Ok(None);
    }
    let ended = match &trial.taken_back {
        Some(taken_back) => Some(Ended::TakenBack(taken_back.clone())),
        None => watch::standing(layout, name, &trial)
            .filter(TrialStanding::passed)
            .map(|standing| Ended::Proved(standing.ended)),
    };
    Ok(Some((trial, watch, ended)))
}

/// The trial that is open: of what is active, and not at its end.
pub(crate) fn open(layout: &Layout, name: &InstanceName) -> Result<Option<Trial>, Failure> {
    Ok(match found(layout, name)? {
        Some((trial, watch, None)) if watch::is_active(layout, &trial, &watch)? => Some(trial),
        _ => None,
    })
}

/// How far the open trial of an instance is, for people.
pub(crate) fn state(layout: &Layout, name: &InstanceName, live: Option<&Status>) -> Option<TrialState> {
    let trial = open(layout, name).ok()??;
    let standing = watch::standing(layout, name, &trial);
    let watch = trial.watch?;
    let period = watch.period.duration();
    Some(TrialState {
        ready_seconds: standing.as_ref().map_or(0, |standing| standing.ready_seconds),
        of_seconds: standing.map_or(period.as_secs(), |standing| standing.of_seconds),
        goes_back_to: watch.from.version.clone(),
        counted: live.is_some_and(|live| live.launch == trial.launch && live.trial.is_some()),
    })
}

/// The receipt of an instance, with what a trial that has ended means for it, written down or not.
pub(crate) fn receipt(layout: &Layout, name: &InstanceName) -> Result<Option<Receipt>, Failure> {
    let Some(receipt) = observe::read_receipt(&layout.receipt(name))? else { return Ok(None) };
    Ok(Some(match found(layout, name)? {
        Some((trial, watch, Some(ended))) => after(receipt, &trial, &watch, &ended),
        _ => receipt,
    }))
}

/// The events that an ended trial adds to the history, as far as they are not in it yet.
pub(crate) fn unwritten(layout: &Layout, name: &InstanceName, history: &[Event]) -> Option<Event> {
    let (trial, watch, ended) = found(layout, name).ok()??;
    let event = event(&trial, &watch, &ended?);
    let is_there = history.iter().any(|line| line.action == event.action && line.at == event.at);
    (!is_there).then_some(event)
}

fn after(receipt: Receipt, trial: &Trial, watch: &Watch, ended: &Ended) -> Receipt {
    let Some(version) = trial.version(&watch.from.component) else { return receipt };
    match ended {
        Ended::TakenBack(TakenBack { reason, at }) => {
            let bad = BadVersion { version, digest: watch.digest, reason: reason.clone(), at: *at };
            receipt.after_take_back(bad)
        }
        Ended::Proved(_) => receipt.after_proof(&version, watch.digest.as_ref()),
    }
}

fn event(trial: &Trial, watch: &Watch, ended: &Ended) -> Event {
    let (old, new) = (Some(watch.from.version.clone()), trial.version(&watch.from.component));
    // Nobody asked for it.
    let user = "supervisor";
    match ended {
        Ended::TakenBack(TakenBack { reason, at }) => Event {
            from: new,
            to: old,
            reason: Some(reason.clone()),
            ..Event::new(*at, Action::TakenBack, user)
        },
        Ended::Proved(at) => {
            let at = at.unwrap_or_else(crate::host::clock::now);
            Event { to: new, ..Event::new(at, Action::Proved, user) }
        }
    }
}

/// Adds a take-back to the history, once.
pub(crate) fn record_take_back(layout: &Layout, name: &InstanceName, trial: &Trial) -> Result<(), Failure> {
    let (Some(watch), Some(taken_back)) = (&trial.watch, &trial.taken_back) else { return Ok(()) };
    record(layout, name, &event(trial, watch, &Ended::TakenBack(taken_back.clone())))
}

fn record(layout: &Layout, name: &InstanceName, event: &Event) -> Result<(), Failure> {
    let path = layout.history(name);
    let text = if files::facts(&path)?.is_some() { files::read_end(&path, RECENT)? } else { String::new() };
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok());
    if lines.any(|line| line.action == event.action && line.at == event.at) {
        return Ok(());
    }
    // An event holds only strings and numbers.
    Ok(files::append(&path, &serde_json::to_string(event).unwrap_or_default(), 0o644)?)
}

/// Keeps the books of a trial that has ended, under the instance's lock. Says whether there was anything to do.
pub(crate) fn account(layout: &Layout, name: &InstanceName, means: &Means<'_>) -> Result<bool, Failure> {
    if files::facts(&layout.trial(name))?.is_none() {
        return Ok(false);
    }
    switch::locked(layout, name, || account_unlocked(layout, name, means))
}

/// The same under the lock of the switch, too.
pub(crate) fn account_unlocked(
    layout: &Layout,
    name: &InstanceName,
    means: &Means<'_>,
) -> Result<bool, Failure> {
    let Some((trial, watch, ended)) = found(layout, name)? else { return Ok(false) };
    let Some(ended) = ended else {
        let stale = !watch::is_active(layout, &trial, &watch)?;
        if stale {
            files::remove(&layout.trial(name))?;
        }
        return Ok(stale);
    };
    if matches!(ended, Ended::TakenBack(_)) {
        if is_left_to_a_start(layout, name, &trial, &watch)? {
            return Ok(false);
        }
        // The start that decided it may have been killed.
        watch::go_back(layout, &watch, means)?;
    }
    record(layout, name, &event(&trial, &watch, &ended))?;
    met(means, 0)?;
    if let Some(receipt) = observe::read_receipt(&layout.receipt(name))? {
        let now = after(receipt.clone(), &trial, &watch, &ended);
        if now != receipt {
            files::write(&layout.receipt(name), &now.text(), 0o644, None)?;
        }
    }
    met(means, 1)?;
    files::remove(&layout.trial(name))?;
    Ok(true)
}

/// Whether a version that failed its trial runs, because the start that was to take it back could not: its data and its
/// files are left alone as long as it does.
fn is_left_to_a_start(
    layout: &Layout,
    name: &InstanceName,
    trial: &Trial,
    watch: &Watch,
) -> Result<bool, Failure> {
    let runs = || report::live(layout, name).is_some_and(|live| live.launch == trial.launch);
    Ok(trial.taken_back.is_some() && !watch::is_in_force(layout, &watch.from)? && runs())
}

/// What has to run in the place of a version that has failed its trial and still runs.
pub(crate) fn left_to_a_start(layout: &Layout, name: &InstanceName) -> Result<Option<LaunchSpec>, Failure> {
    let Some((trial, watch, _)) = found(layout, name)? else { return Ok(None) };
    Ok(is_left_to_a_start(layout, name, &trial, &watch)?.then_some(*watch.from))
}

/// Remembers a version that has failed its gate.
pub(crate) fn mark_bad(
    layout: &Layout,
    name: &InstanceName,
    (version, digest): (&Version, Option<Digest>),
    (reason, at): (&str, Moment),
) -> Result<(), Failure> {
    let Some(receipt) = observe::read_receipt(&layout.receipt(name))? else { return Ok(()) };
    let marked =
        receipt.with_bad(BadVersion { version: version.clone(), digest, reason: reason.to_owned(), at });
    Ok(files::write(&layout.receipt(name), &marked.text(), 0o644, None)?)
}

/// Ends an open trial because something else is to be made active.
pub(crate) fn close(layout: &Layout, name: &InstanceName, planned: &Trial) -> Result<bool, Failure> {
    switch::locked(layout, name, || match switch::read_trial(layout, name)? {
        Some(found) if found != *planned => Ok(false),
        _ => {
            files::remove(&layout.trial(name))?;
            Ok(true)
        }
    })
}

fn met(means: &Means<'_>, place: usize) -> Result<(), Failure> {
    match means.obstacle.at(Point::Books(place)) {
        Fate::Nothing => Ok(()),
        Fate::Failure | Fate::Death => Err(Failure::Killed),
    }
}
