//! The switch from one launch to another. The service's own start makes it, so that nothing is ever between a
//! stop and a start with nobody responsible; commands only write it down, wait, and close it.

mod back;
mod chronicle;
pub(crate) mod data;
mod evidence;

use std::time::Duration;

use camino::Utf8PathBuf;

use crate::engine::failure::Failure;
use crate::engine::manager::Manager;
use crate::engine::obstacle::{Fate, Obstacle, Point};
use crate::engine::{adoption, report};
use crate::host::notify::MoreTime;
use crate::host::{environment, files, lock};
use crate::model::ended::Ended;
use crate::model::json;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::receipt::Receipt;
use crate::model::status::Status;
use crate::model::trial::{self, Stage, Switch, Trial};
use crate::package::tree;

pub(crate) mod watch;

pub(crate) use back::{Back, guard_way_back, has_passed, is_closed, take_back};
pub(crate) use evidence::has_failed;

use back::{reason, take_back_unlocked};

/// How long a start waits for a command that is just writing a switch down.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long anybody waits while data are moved: as long as that takes.
const LONG_PATIENCE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The newest format of switches that this build writes.
const FORMAT: u32 = trial::FORMAT_WITH_DATA;

/// What a start has at hand, beside files.
pub struct Means<'a> {
    /// The service manager that reads definitions again.
    pub manager: &'a dyn Manager,
    /// What stands in the way: nothing, but in tests.
    pub obstacle: &'a dyn Obstacle,
    /// Hears what is said while data are moved.
    pub say: &'a dyn Fn(&str),
}

impl Means<'_> {
    /// Passes a point of a switch that moves data.
    fn pass(&self, what: &'static str) -> Result<(), Failure> {
        match self.obstacle.at(Point::Moving(what)) {
            Fate::Nothing => Ok(()),
            Fate::Failure => Err(Failure::Usage(format!("a failure was asked for at: {what}"))),
            Fate::Death => Err(Failure::Killed),
        }
    }
}

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
    if let Ok(Some(switch)) = read(layout, name) {
        return !switch.data.is_nothing() && moving(&switch.stage);
    }
    // A watched version that is taken back after it was ready has its data brought into their old form.
    let trial = read_trial(layout, name).ok().flatten();
    trial.and_then(|trial| trial.watch).is_some_and(|watch| watch.migrate_back.is_some())
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
pub fn at_start(layout: &Layout, name: &InstanceName, means: &Means<'_>) -> Result<AtStart, Failure> {
    let waits = is_moving(layout, name).then(|| MoreTime::for_doing("waits until the data are moved"));
    let outcome = locked(layout, name, || {
        drop(waits);
        decide(layout, name, means)
    });
    outcome.map_err(|failure| data::guarded(layout, name, failure))
}

/// Makes the switch of a service that is stopped. Where a start was first, that has made it, and its trial is its own.
pub(crate) fn make_stopped(
    layout: &Layout,
    name: &InstanceName,
    means: &Means<'_>,
) -> Result<AtStart, Failure> {
    locked(layout, name, || match read(layout, name)?.map(|switch| switch.stage) {
        Some(Stage::Pending | Stage::Moving) => decide(layout, name, means),
        Some(Stage::Returning { reason } | Stage::TakenBack { reason }) => {
            Ok(AtStart::TakenBack { tree: String::new(), reason })
        }
        _ => Ok(AtStart::Unchanged),
    })
}

fn decide(layout: &Layout, name: &InstanceName, means: &Means<'_>) -> Result<AtStart, Failure> {
    if let Some(found) = adoption::at_start(layout, name, means)? {
        return Ok(found);
    }
    let Some(mut switch) = read(layout, name)? else { return watch::at_start(layout, name, means) };
    if matches!(switch.stage, Stage::Trial { .. } | Stage::Passed)
        && !switch.is_one_way()
        && let Some(reason) = watch::failed_after_readiness(layout, &switch)
    {
        // The command that began it is still at work, or has died: the operation is undone as a whole.
        switch.data.taken = None;
        data::back(layout, &mut switch, reason.clone(), means)?;
        return Ok(AtStart::TakenBack { tree: switch.from.tree(), reason });
    }
    let (tree, boot_id) = (switch.to.tree(), environment::boot_id());
    match &switch.stage {
        Stage::Pending if !switch.data.is_nothing() => {
            let failed = data::forward(layout, &mut switch, boot_id, means)?;
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
        Stage::Trial { .. } if data::goes_back(layout, &switch)? => {
            let reason = reason(layout, &switch);
            data::back(layout, &mut switch, reason.clone(), means)?;
            Ok(AtStart::TakenBack { tree: switch.from.tree(), reason })
        }
        Stage::Trial { .. } if was_ready(layout, &switch) => {
            pass_unlocked(layout, &mut switch)?;
            Ok(AtStart::Passed(tree))
        }
        Stage::Trial { boot_id: began } if *began != boot_id && !failed_in(layout, name, began) => {
            switch.stage = Stage::Trial { boot_id };
            store(layout, name, &switch)?;
            Ok(AtStart::Again(tree))
        }
        // Whoever was to start it was killed before that, or the first one still does.
        Stage::Trial { .. } if !evidence::has_been_tried(layout, &switch) => Ok(AtStart::Switched(tree)),
        Stage::Moving | Stage::Returning { .. } | Stage::Trial { .. } => {
            let reason = reason(layout, &switch);
            data::back(layout, &mut switch, reason.clone(), means)?;
            Ok(AtStart::TakenBack { tree: switch.from.tree(), reason })
        }
        Stage::Passed | Stage::TakenBack { .. } => mend(layout, name),
    }
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
    let text = json::text(ended);
    // Between the end of the old program and the start of the new one every moment counts. A record that a power cut
    // takes away says what there is to say: that the host went down.
    locked(layout, name, || Ok(files::write_for_now(&layout.ended(name), &text, 0o644)?))
}

/// Whether the service's last end was a failure in that boot of the host.
fn failed_in(layout: &Layout, name: &InstanceName, boot_id: &str) -> bool {
    last_end(layout, name).is_some_and(|ended| ended.boot_id == boot_id && ended.failed())
}

/// Makes a pending switch to a launch that is ready already, beside what runs: there is nothing left to try.
pub(crate) fn make_at_once(layout: &Layout, planned: &Switch) -> Result<(), Failure> {
    let name = &planned.to.name;
    locked(layout, name, || {
        let found = read(layout, name)?.filter(|found| found.stage == Stage::Pending);
        let Some(mut switch) = found else {
            return Err(Failure::Usage(format!("the switch of {name} is no longer pending")));
        };
        if switch.watch.is_some() {
            watch::write(layout, name, &Trial::of(&switch.to, switch.watch.clone()))?;
        }
        point(layout, &switch.to)?;
        switch.stage = Stage::Passed;
        store(layout, name, &switch)
    })
}

/// Has a launch that was ready stay, whatever comes of its next start.
pub(crate) fn pass(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    locked(layout, name, || {
        let Some(mut switch) = read(layout, name)? else { return Ok(()) };
        pass_unlocked(layout, &mut switch)
    })
}

/// The gate is passed. What is watched after it stays so.
fn pass_unlocked(layout: &Layout, switch: &mut Switch) -> Result<(), Failure> {
    let name = switch.to.name.clone();
    if switch.watch.is_none() {
        files::remove(&layout.trial(&name))?;
    }
    switch.stage = Stage::Passed;
    store(layout, &name, switch)
}

/// Closes a trial of which no switch is left that could end it. With it, a launch that fails would be started
/// again for ever.
pub(crate) fn close_orphaned_trial(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    if files::facts(&layout.switch(name))?.is_none()
        && read_trial(layout, name)?.is_some_and(|trial| trial.watch.is_none())
    {
        files::remove(&layout.trial(name))?;
    }
    Ok(())
}

/// Closes a switch that has proved itself. What is watched from now on is no matter of the operation's any more. A
/// version that was taken back in the last moment is none that has: the answer says why it was.
pub(crate) fn settle(layout: &Layout, name: &InstanceName) -> Result<Option<String>, Failure> {
    locked(layout, name, || {
        if let Some(switch) = read(layout, name)?
            && let Stage::TakenBack { reason } | Stage::Returning { reason } = switch.stage
        {
            return Ok(Some(reason));
        }
        if read_trial(layout, name)?.is_some_and(|trial| trial.watch.is_none()) {
            files::remove(&layout.trial(name))?;
        }
        files::remove(&layout.switch(name))?;
        Ok(None)
    })
}

/// Forgets a switch that is over: the old launch is back, and so are its data.
pub(crate) fn forget(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    locked(layout, name, || {
        guard_way_back(layout, name)?;
        files::remove(&layout.trial(name))?;
        files::remove(&layout.switch(name))?;
        Ok(())
    })
}

/// Whether the new launch of a switch has been ready.
pub(crate) fn was_ready(layout: &Layout, switch: &Switch) -> bool {
    let launch = switch.to.identity();
    report::read(layout, &switch.to.name)
        .is_some_and(|status| status.launch == launch && (status.ready.is_some() || has_been(&status)))
}

/// Whether a launch on trial was ready at any time.
#[must_use]
pub fn was_ever_ready(layout: &Layout, name: &InstanceName, launch: &str) -> bool {
    report::read(layout, name).is_some_and(|status| status.launch == launch && has_been(&status))
}

fn has_been(status: &Status) -> bool {
    status.trial.as_ref().is_some_and(|trial| trial.was_ready)
}

fn store(layout: &Layout, name: &InstanceName, switch: &Switch) -> Result<(), Failure> {
    // A switch holds two launch specs and a word, which JSON can always express.
    let text = json::text(switch);
    Ok(files::write(&layout.switch(name), &text, 0o600, None)?)
}

/// The order matters where a crash comes between: the settings and the trial stand before the link makes
/// them count, and the stage follows last, because making the switch twice does no harm.
fn make(layout: &Layout, switch: &Switch) -> Result<(), Failure> {
    let (name, to) = (&switch.to.name, &switch.to);
    watch::write(layout, name, &Trial::of(to, switch.watch.clone()))?;
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

/// A start needs a link to a whole tree. Where a crash or a person has taken it away, the receipt says what
/// was active.
fn mend(layout: &Layout, name: &InstanceName) -> Result<AtStart, Failure> {
    let Some(text) = files::read(&layout.receipt(name))? else { return Ok(AtStart::Unchanged) };
    let Ok(receipt) = serde_json::from_str::<Receipt>(&text) else { return Ok(AtStart::Unchanged) };
    let link = layout.current(name, &receipt.component);
    if let Some(tree) = files::read_link(&link)? {
        // Where its token can't be read, nobody knows that it is not whole, and a restart looks again.
        match tree::look(&layout.tree(name, &tree)) {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Ok(AtStart::Unchanged),
        }
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
