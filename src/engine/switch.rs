//! The switch from one launch to another. The service's own start makes it, so that nothing is ever between a
//! stop and a start with nobody responsible; commands only write it down, wait, and close it.

pub mod attendance;
pub(crate) mod data;

use std::time::Duration;

use camino::Utf8PathBuf;

use crate::engine::failure::Failure;
use crate::engine::switch::attendance::Attendance;
use crate::engine::{hooks, report};
use crate::host::notify::MoreTime;
use crate::host::{environment, files, lock};
use crate::model::ended::Ended;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::receipt::Receipt;
use crate::model::trial::{Stage, Switch, Trial};
use crate::package::tree;

/// How long a start waits for a command that is just writing a switch down.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long anybody waits while data are moved: as long as that takes.
const LONG_PATIENCE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The format of switches and trials that this build writes.
const FORMAT: u32 = 1;

/// What the start of a service found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtStart {
    /// There was nothing to switch.
    Unchanged,
    /// The switch was made, and its trial is open.
    Switched(String),
    /// A reboot of the host came between the switch and its proof; the trial goes on.
    Again(String),
    /// The new launch had been ready.
    Passed(String),
    /// The new launch did not prove itself, and the old one is back.
    TakenBack {
        /// The tree that is back.
        tree: String,
        /// Why.
        reason: String,
    },
    /// The current link led nowhere, and was pointed at a whole tree.
    Mended(String),
}

/// The switch of an instance, if one is written down.
pub fn read(layout: &Layout, name: &InstanceName) -> Result<Option<Switch>, Failure> {
    let path = layout.switch(name);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    let damaged =
        |error: serde_json::Error| Failure::Damaged { path: path.clone(), reason: error.to_string() };
    let format = serde_json::from_str::<serde_json::Value>(&text).map_err(damaged)?;
    let found = format.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if found > u64::from(FORMAT) {
        return Err(Failure::Newer { path, found, known: FORMAT });
    }
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// The trial of an instance, if one is open, or has ended and nobody has settled it yet.
pub fn read_trial(layout: &Layout, name: &InstanceName) -> Result<Option<Trial>, Failure> {
    let path = layout.trial(name);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    let damaged = |error: serde_json::Error| Failure::Damaged { path, reason: error.to_string() };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// Does something with an instance's launch files while nobody else can.
pub(crate) fn locked<T>(
    layout: &Layout,
    name: &InstanceName,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let patience = if moves_data(layout, name) { LONG_PATIENCE } else { PATIENCE };
    lock::holding(&layout.switch_lock(name), patience, work).map_err(Failure::Lock)?
}

/// Whether the switch that is written down moves data, and has not come to its end: then it may take long.
#[must_use]
pub fn moves_data(layout: &Layout, name: &InstanceName) -> bool {
    let moving = |stage: &Stage| !matches!(stage, Stage::Passed | Stage::TakenBack { .. });
    let found = read(layout, name).ok().flatten();
    found.is_some_and(|switch| !switch.data.is_nothing() && moving(&switch.stage))
}

/// Whether a start is moving data at this moment.
#[must_use]
pub fn is_moving(layout: &Layout, name: &InstanceName) -> bool {
    moves_data(layout, name) && lock::is_held(&layout.switch_lock(name)) == Some(true)
}

/// Writes a switch down for the next start to make.
pub(crate) fn record(layout: &Layout, switch: &Switch) -> Result<(), Failure> {
    let name = &switch.to.name;
    locked(layout, name, || {
        files::create_folder(&layout.journal(name), 0o700, None)?;
        store(layout, name, switch)
    })
}

/// What a start does before the program: makes the switch that is written down, or takes back the one that
/// has not proved itself.
pub fn at_start(layout: &Layout, name: &InstanceName) -> Result<AtStart, Failure> {
    at_start_attended(layout, name, &Attendance::none())
}

/// The same, and somebody hears of it.
pub fn at_start_attended(
    layout: &Layout,
    name: &InstanceName,
    attendance: &Attendance<'_>,
) -> Result<AtStart, Failure> {
    let waits = is_moving(layout, name).then(|| MoreTime::for_doing("waits until the data are moved"));
    locked(layout, name, || {
        drop(waits);
        let Some(mut switch) = read(layout, name)? else {
            close_orphaned_trial(layout, name)?;
            return mend(layout, name);
        };
        let (tree, boot_id) = (switch.to.tree(), environment::boot_id());
        match &switch.stage {
            Stage::Pending if !switch.data.is_nothing() => {
                let failed = data::forward(layout, &mut switch, boot_id, attendance)?;
                Ok(match failed {
                    None => AtStart::Switched(tree),
                    Some(reason) => AtStart::TakenBack { tree: switch.from.tree(), reason },
                })
            }
            Stage::Pending => {
                make(layout, &switch)?;
                switch.stage = Stage::Trial { boot_id };
                store(layout, name, &switch)?;
                Ok(AtStart::Switched(tree))
            }
            Stage::Trial { .. } if was_ready(layout, &switch) => {
                files::remove(&layout.trial(name))?;
                switch.stage = Stage::Passed;
                store(layout, name, &switch)?;
                Ok(AtStart::Passed(tree))
            }
            Stage::Trial { boot_id: began } if *began != boot_id && !failed_in(layout, name, began) => {
                switch.stage = Stage::Trial { boot_id };
                store(layout, name, &switch)?;
                Ok(AtStart::Again(tree))
            }
            Stage::Moving | Stage::Returning { .. } | Stage::Trial { .. } => {
                let reason = reason(layout, &switch);
                data::back(layout, &mut switch, reason.clone(), attendance)?;
                Ok(AtStart::TakenBack { tree: switch.from.tree(), reason })
            }
            Stage::Passed | Stage::TakenBack { .. } => mend(layout, name),
        }
    })
}

/// How the service last ended, as far as that was recorded.
#[must_use]
pub fn last_end(layout: &Layout, name: &InstanceName) -> Option<Ended> {
    let text = files::read(&layout.ended(name)).ok().flatten()?;
    serde_json::from_str(&text).ok()
}

/// What an end of the service leaves behind, for the next start to tell a crash from a reboot.
pub fn at_stop(layout: &Layout, name: &InstanceName, ended: &Ended) -> Result<(), Failure> {
    // A service that is being removed has nothing left to tell.
    if files::facts(&layout.state(name))?.is_none() {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(ended).unwrap_or_default() + "\n";
    // Between the end of the old program and the start of the new one every moment counts. A record that a power cut
    // takes away says what there is to say: that the host went down.
    locked(layout, name, || Ok(files::write_for_now(&layout.ended(name), &text, 0o644)?))
}

/// Whether the service's last end was a failure in that boot of the host.
fn failed_in(layout: &Layout, name: &InstanceName, boot_id: &str) -> bool {
    last_end(layout, name).is_some_and(|ended| ended.boot_id == boot_id && ended.failed())
}

/// How far a take-back came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// The old launch is in force, with its data.
    Done,
    /// The next start brings both back: it can't be done while something runs.
    AtTheNextStart,
}

/// Brings the old launch back, however far the switch was. Doing so twice does no harm. Data go back with it, unless the
/// new launch has been ready: then they are only brought into their old form, where a command does that. While something
/// `runs`, that is left to its next start.
///
/// The switch is as it was planned: its file may be gone already, where only the syncing of that failed.
pub(crate) fn take_back(
    layout: &Layout,
    planned: &Switch,
    reason: &str,
    runs: bool,
    attendance: &Attendance<'_>,
) -> Result<Back, Failure> {
    let name = &planned.from.name;
    locked(layout, name, || {
        let mut switch = match read(layout, name)? {
            Some(found) => found,
            None => closed(layout, planned)?,
        };
        if matches!(switch.stage, Stage::TakenBack { .. }) {
            return Ok(Back::Done);
        }
        let was_ready = has_passed(layout, &switch);
        if was_ready && switch.is_one_way() {
            return Err(Failure::OneWay { tree: switch.to.tree(), back: switch.from.tree() });
        }
        if was_ready {
            switch.data.taken = None;
        }
        let moved = switch.stage != Stage::Pending;
        let data_go_back = moved && (switch.data.taken.is_some() || switch.data.back.is_some());
        if !data_go_back {
            hooks::end_migration(layout, name);
            take_back_unlocked(layout, &mut switch, reason.to_owned())?;
            return Ok(Back::Done);
        }
        switch.stage = Stage::Returning { reason: reason.to_owned() };
        store(layout, name, &switch)?;
        if runs {
            return Ok(Back::AtTheNextStart);
        }
        data::back(layout, &mut switch, reason.to_owned(), attendance)?;
        Ok(Back::Done)
    })
}

/// A switch whose file is gone: where it was made, it was settled, so its launch had been ready.
fn closed(layout: &Layout, planned: &Switch) -> Result<Switch, Failure> {
    let link = files::read_link(&layout.current(&planned.to.name, &planned.to.component))?;
    let made =
        link.as_deref() == Some(planned.to.tree().as_str()) && planned.from.tree() != planned.to.tree();
    let stage = if made { Stage::Passed } else { planned.stage.clone() };
    Ok(Switch { stage, ..planned.clone() })
}

fn has_passed(layout: &Layout, switch: &Switch) -> bool {
    switch.stage == Stage::Passed
        || (matches!(switch.stage, Stage::Trial { .. }) && was_ready(layout, switch))
}

/// Whether the way back of the switch that is written down is closed: its launch has been ready, and its data can't go
/// back with the old one.
pub(crate) fn is_closed(layout: &Layout, name: &InstanceName) -> bool {
    let found = read(layout, name).ok().flatten();
    found.is_some_and(|found| found.is_one_way() && has_passed(layout, &found))
}

/// Makes a pending switch to a launch that is ready already, beside what runs: there is nothing left to try.
pub(crate) fn make_at_once(layout: &Layout, planned: &Switch) -> Result<(), Failure> {
    let name = &planned.to.name;
    locked(layout, name, || {
        let found = read(layout, name)?.filter(|found| found.stage == Stage::Pending);
        let Some(mut switch) = found else {
            return Err(Failure::Usage(format!("the switch of {name} is no longer pending")));
        };
        point(layout, &switch.to)?;
        switch.stage = Stage::Passed;
        store(layout, name, &switch)
    })
}

/// Has a launch that was ready stay, whatever comes of its next start.
pub(crate) fn pass(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    locked(layout, name, || {
        let Some(mut switch) = read(layout, name)? else { return Ok(()) };
        files::remove(&layout.trial(name))?;
        switch.stage = Stage::Passed;
        store(layout, name, &switch)
    })
}

/// Closes a trial of which no switch is left that could end it. With it, a launch that fails would be started
/// again for ever.
pub(crate) fn close_orphaned_trial(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    if files::facts(&layout.switch(name))?.is_none() {
        files::remove(&layout.trial(name))?;
    }
    Ok(())
}

/// Forgets a switch that is over.
pub(crate) fn forget(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    locked(layout, name, || {
        files::remove(&layout.trial(name))?;
        files::remove(&layout.switch(name))?;
        Ok(())
    })
}

/// Whether the new launch of a switch has been ready.
pub(crate) fn was_ready(layout: &Layout, switch: &Switch) -> bool {
    let launch = switch.to.identity();
    report::read(layout, &switch.to.name)
        .is_some_and(|status| status.launch == launch && (status.ready.is_some() || status.trial.is_some()))
}

fn store(layout: &Layout, name: &InstanceName, switch: &Switch) -> Result<(), Failure> {
    // A switch holds two launch specs and a word, which JSON can always express.
    let text = serde_json::to_string_pretty(switch).unwrap_or_default() + "\n";
    Ok(files::write(&layout.switch(name), &text, 0o600, None)?)
}

/// The order matters where a crash comes between: the settings and the trial stand before the link makes
/// them count, and the stage follows last, because making the switch twice does no harm.
fn make(layout: &Layout, switch: &Switch) -> Result<(), Failure> {
    let (name, to) = (&switch.to.name, &switch.to);
    let trial = Trial::of(to, switch.watch.clone());
    let trial = serde_json::to_string_pretty(&trial).unwrap_or_default() + "\n";
    files::write(&layout.trial(name), &trial, 0o644, None)?;
    point(layout, to)
}

fn point(layout: &Layout, to: &LaunchSpec) -> Result<(), Failure> {
    let (path, text) = (layout.launch(&to.name, &to.tree()), to.text());
    // The plan has written it already, as a rule, when there was time to wait for the disk.
    if files::read(&path)?.as_deref() != Some(text.as_str()) {
        files::write(&path, &text, 0o644, None)?;
    }
    let link = layout.current(&to.name, &to.component);
    if files::read_link(&link)?.as_deref() != Some(to.tree().as_str()) {
        files::link(&link, &Utf8PathBuf::from(to.tree()))?;
    }
    Ok(())
}

fn take_back_unlocked(layout: &Layout, switch: &mut Switch, reason: String) -> Result<(), Failure> {
    let name = switch.from.name.clone();
    point(layout, &switch.from)?;
    files::remove(&layout.trial(&name))?;
    switch.stage = Stage::TakenBack { reason };
    store(layout, &name, switch)
}

fn reason(layout: &Layout, switch: &Switch) -> String {
    match &switch.stage {
        Stage::Returning { reason } => return reason.clone(),
        Stage::Moving => return format!("the switch to {} was interrupted", switch.to.tree()),
        _ => {}
    }
    let launch = switch.to.identity();
    let exit = report::read(layout, &switch.to.name)
        .filter(|status| status.launch == launch)
        .and_then(|status| status.last_exit);
    match exit {
        Some(exit) => format!("{} {exit} before it was ready", switch.to.tree()),
        None => format!("{} ended before it was ready", switch.to.tree()),
    }
}

/// A start needs a link to a whole tree. Where a crash or a person has taken it away, the receipt says what
/// was active.
fn mend(layout: &Layout, name: &InstanceName) -> Result<AtStart, Failure> {
    let Some(text) = files::read(&layout.receipt(name))? else { return Ok(AtStart::Unchanged) };
    let Ok(receipt) = serde_json::from_str::<Receipt>(&text) else { return Ok(AtStart::Unchanged) };
    let link = layout.current(name, &receipt.component);
    if let Some(tree) = files::read_link(&link)?
        && tree::is_whole(&layout.tree(name, &tree))
    {
        return Ok(AtStart::Unchanged);
    }
    let trees = receipt
        .activations
        .iter()
        .rev()
        .map(|activation| crate::model::launch::tree_name(&receipt.component, &activation.version));
    for tree in trees {
        if tree::is_whole(&layout.tree(name, &tree)) && files::facts(&layout.launch(name, &tree))?.is_some() {
            files::link(&link, &Utf8PathBuf::from(&tree))?;
            return Ok(AtStart::Mended(tree));
        }
    }
    Ok(AtStart::Unchanged)
}
