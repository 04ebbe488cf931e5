//! What becomes of the data in a switch. Everything here is done while nothing of the instance runs, and may die at any
//! point: the stage of the switch says what whoever comes next has to do.
//!
//! *Pending*: nothing was changed yet. *Moving*: the data may have any form, and go back. *Returning*: they are on their
//! way back, which may be done again.

use camino::Utf8PathBuf;

use super::chronicle::Chronicle;
use super::{Means, make, store, take_back_unlocked};
use crate::engine::failure::Failure;
use crate::engine::{hooks, snapshot};
use crate::host::notify::MoreTime;
use crate::model::hook::HookCall;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::trial::{Stage, Switch};

/// Moves the data of a pending switch and makes it, up to its trial. Gives the reason if that failed: then the data and
/// the old launch are back.
pub(super) fn forward(
    layout: &Layout,
    switch: &mut Switch,
    boot_id: String,
    means: &Means<'_>,
) -> Result<Option<String>, Failure> {
    let _more = MoreTime::for_doing("the data are moved for another version");
    let mut chronicle = Chronicle::open(layout, &switch.to, means);
    // What an earlier start was about was interrupted before it changed anything.
    hooks::end_migration(layout, &switch.to.name);
    match begin(layout, switch, means, &mut chronicle) {
        Ok(()) => {}
        Err(Failure::Killed) => return Err(Failure::Killed),
        Err(failure) => {
            let reason = format!("no snapshot of the data could be taken: {}", told(&failure));
            chronicle.note(&reason);
            take_back_unlocked(layout, switch, reason.clone())?;
            return Ok(Some(reason));
        }
    }
    match change(layout, switch, boot_id, means, &mut chronicle) {
        Ok(()) => Ok(None),
        Err(Failure::Killed) => Err(Failure::Killed),
        Err(failure) => {
            let reason = told(&failure);
            chronicle.note(&reason);
            back(layout, switch, reason.clone(), means)?;
            Ok(Some(reason))
        }
    }
}

/// Takes the snapshot, and writes down that the data are moved from now on.
fn begin(
    layout: &Layout,
    switch: &mut Switch,
    means: &Means<'_>,
    chronicle: &mut Chronicle<'_>,
) -> Result<(), Failure> {
    let name = switch.from.name.clone();
    means.pass("before the snapshot")?;
    let mut taken = None;
    if !switch.data.snapshot.is_empty() {
        let (number, left_out) = snapshot::take(layout, &name, &switch.from.tree(), &switch.data)?;
        taken = Some(number);
        chronicle.note(&format!("a snapshot of the data of {} was taken", switch.from.tree()));
        if !left_out.is_empty() {
            chronicle.note(&format!("sockets, pipes and devices are left out of it: {}", some_of(&left_out)));
        }
    }
    means.pass("after the snapshot")?;
    let moving = Switch { stage: Stage::Moving, ..switch.clone() };
    let mut moving = moving;
    moving.data.taken = taken;
    store(layout, &name, &moving)?;
    *switch = moving;
    Ok(())
}

/// Brings the data into their new form, and makes the switch.
fn change(
    layout: &Layout,
    switch: &mut Switch,
    boot_id: String,
    means: &Means<'_>,
    chronicle: &mut Chronicle<'_>,
) -> Result<(), Failure> {
    let name = switch.to.name.clone();
    means.pass("before the data change")?;
    if let Some(tree) = &switch.data.restore {
        snapshot::restore(layout, &name, tree, owner(switch))?;
        chronicle.note(&format!("the data that {tree} left are back"));
        means.pass("after the data were restored")?;
    }
    if let Some(call) = &switch.data.migration {
        migrate(layout, &name, call, chronicle)?;
    }
    means.pass("before the link")?;
    make(layout, switch)?;
    means.pass("after the link")?;
    let trial = Switch { stage: Stage::Trial { boot_id }, ..switch.clone() };
    store(layout, &name, &trial)?;
    *switch = trial;
    Ok(())
}

/// Gives the data back and takes the old launch back, however far the switch was. Whatever keeps it from its end, nothing
/// may start: the link may still lead to the new launch, and the data be those of the old one.
pub(super) fn back(
    layout: &Layout,
    switch: &mut Switch,
    reason: String,
    means: &Means<'_>,
) -> Result<(), Failure> {
    if switch.data.is_nothing() || matches!(switch.stage, Stage::Pending) {
        return take_back_unlocked(layout, switch, reason);
    }
    match give_all_back(layout, switch, reason.clone(), means) {
        Err(failure) if !matches!(failure, Failure::Killed | Failure::DataAway { .. }) => {
            let reason = format!("{reason}; the way back could not be finished: {}", told(&failure));
            Err(Failure::DataAway { tree: switch.from.tree(), reason })
        }
        outcome => outcome,
    }
}

fn give_all_back(
    layout: &Layout,
    switch: &mut Switch,
    reason: String,
    means: &Means<'_>,
) -> Result<(), Failure> {
    let _more = MoreTime::for_doing("the data are given back");
    let name = switch.from.name.clone();
    hooks::end_migration(layout, &name);
    if !matches!(switch.stage, Stage::Returning { .. }) {
        let returning = Switch { stage: Stage::Returning { reason: reason.clone() }, ..switch.clone() };
        // Where that can't be written, the stage before says as much: the data go back.
        let _ = store(layout, &name, &returning);
        switch.stage = returning.stage;
    }
    let mut chronicle = Chronicle::open(layout, &switch.from, means);
    let tree = switch.from.tree();
    if let Some(number) = switch.data.taken {
        let given = means
            .pass("before the data go back")
            .and_then(|()| snapshot::give_back(layout, &name, (&tree, number), owner(switch)));
        match given {
            Ok(()) => chronicle.note(&format!("the data are as {tree} left them")),
            Err(Failure::Killed) => return Err(Failure::Killed),
            Err(failure) => {
                let reason = format!("{reason}; the data could not be given back: {}", told(&failure));
                return Err(Failure::DataAway { tree, reason });
            }
        }
    } else if let Some(call) = &switch.data.back {
        // What it can't bring back, nothing can; the old version is what was working last.
        if let Err(failure) = migrate(layout, &name, call, &mut chronicle) {
            chronicle.note(&format!("the data could not be brought back: {}", told(&failure)));
        }
    }
    means.pass("after the data went back")?;
    take_back_unlocked(layout, switch, reason)?;
    if let Some(number) = switch.data.taken {
        // What stays of it is only its list, which the next snapshot removes.
        let _ = snapshot::put_away(layout, &name, (&tree, number));
    }
    Ok(())
}

/// What a start that failed means: where data may be between two forms, nothing may start. A switch of a newer format may
/// say that, too.
pub(super) fn guarded(layout: &Layout, name: &InstanceName, failure: Failure) -> Failure {
    if matches!(failure, Failure::Killed | Failure::DataAway { .. } | Failure::Newer { .. }) {
        return failure;
    }
    match super::read(layout, name) {
        Ok(Some(switch)) if matches!(switch.stage, Stage::Moving | Stage::Returning { .. }) => {
            Failure::DataAway { tree: switch.from.tree(), reason: told(&failure) }
        }
        _ => failure,
    }
}

/// Whether the data of a switch are on their way back, though there was no room to write that down.
pub(super) fn goes_back(layout: &Layout, switch: &Switch) -> Result<bool, Failure> {
    match switch.data.taken {
        Some(number) => Ok(snapshot::is_used(layout, &switch.from.name, (&switch.from.tree(), number))?),
        None => Ok(false),
    }
}

/// Brings the data of a version that is taken back after it has been ready into the form of the one before.
pub(crate) fn migrate_back(
    layout: &Layout,
    spec: &LaunchSpec,
    call: &HookCall,
    means: &Means<'_>,
) -> Result<(), Failure> {
    let _more = MoreTime::for_doing("the data are brought back into their old form");
    hooks::end_migration(layout, &spec.name);
    migrate(layout, &spec.name, call, &mut Chronicle::open(layout, spec, means))
}

fn migrate(
    layout: &Layout,
    name: &InstanceName,
    call: &HookCall,
    chronicle: &mut Chronicle<'_>,
) -> Result<(), Failure> {
    chronicle.note(&format!("runs {}: {}", call.field, call.argv.join(" ")));
    hooks::migrate(layout, name, call, &mut |line| chronicle.pass_on(line))?;
    chronicle.note(&format!("{} is done", call.field));
    Ok(())
}

fn owner(switch: &Switch) -> Option<u32> {
    switch.data.owner.as_ref().map(|owner| owner.uid)
}

/// A failure with all that caused it, as one sentence.
fn told(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn some_of(paths: &[Utf8PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().take(5).map(ToString::to_string).collect();
    let more = paths.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &more
}
