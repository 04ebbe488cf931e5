//! The way back from a switch: the old launch, and its data where they have to go with it.

use super::{Means, data, locked, point, read, store, was_ready};
use crate::engine::failure::Failure;
use crate::engine::ready::ended_early;
use crate::engine::{hooks, report};
use crate::host::files;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::trial::{Stage, Switch};

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
    means: &Means<'_>,
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
        data::back(layout, &mut switch, reason.to_owned(), means)?;
        Ok(Back::Done)
    })
}

/// A switch whose file is gone: where it was made, it was settled, so its launch had been ready.
fn closed(layout: &Layout, planned: &Switch) -> Result<Switch, Failure> {
    let link = files::read_pointer(&layout.current(&planned.to.name, &planned.to.component))?;
    let made =
        link.as_deref() == Some(planned.to.tree().as_str()) && planned.from.tree() != planned.to.tree();
    let stage = if made { Stage::Passed } else { planned.stage.clone() };
    Ok(Switch { stage, ..planned.clone() })
}

/// Whether the launch of a switch has been ready.
pub(crate) fn has_passed(layout: &Layout, switch: &Switch) -> bool {
    switch.stage == Stage::Passed
        || (matches!(switch.stage, Stage::Trial { .. }) && was_ready(layout, switch))
}

/// Whether the way back of the switch that is written down is closed: its launch has been ready, and its data can't go
/// back with the old one.
pub(crate) fn is_closed(layout: &Layout, name: &InstanceName) -> bool {
    let found = read(layout, name).ok().flatten();
    found.is_some_and(|found| found.is_one_way() && has_passed(layout, &found))
}

/// Refuses to call a way back done that is not: with the switch, whoever starts next would lose the only word of what
/// has to become of the data.
pub(crate) fn guard_way_back(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    match read(layout, name)? {
        // Without a word of it, where there was no room for one, the old launch is in force as well.
        None | Some(Switch { stage: Stage::TakenBack { .. }, .. }) => Ok(()),
        Some(switch) => Err(Failure::DataAway { tree: switch.from.tree(), reason: reason(layout, &switch) }),
    }
}

pub(super) fn take_back_unlocked(
    layout: &Layout,
    switch: &mut Switch,
    reason: String,
) -> Result<(), Failure> {
    let name = switch.from.name.clone();
    point(layout, &switch.from)?;
    files::remove(&layout.trial(&name))?;
    switch.stage = Stage::TakenBack { reason };
    match store(layout, &name, switch) {
        // On a full disk the word of it can be spared: the old launch is in force, and without a switch each start
        // takes that.
        Err(Failure::File(error)) if error.is_full() => {
            files::remove(&layout.switch(&name))?;
            Ok(())
        }
        stored => stored,
    }
}

pub(super) fn reason(layout: &Layout, switch: &Switch) -> String {
    match &switch.stage {
        Stage::Returning { reason } => return reason.clone(),
        Stage::Moving => return format!("the switch to {} was interrupted", switch.to.tree()),
        _ => {}
    }
    let launch = switch.to.identity();
    let status = report::read(layout, &switch.to.name).filter(|status| status.launch == launch);
    let refusal = status.as_ref().and_then(|status| status.refusal.as_deref());
    ended_early(&switch.to.tree(), status.as_ref().and_then(|status| status.last_exit), refusal)
}
