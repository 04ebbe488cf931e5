//! What becomes of the data when one version follows another: what a snapshot is taken of, what brings the data into
//! another form, and when an older version can't work with them.

use std::cmp::Ordering;
use std::fmt::Write as _;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::hooks::{Between, with_places};
use crate::model::launch::LaunchSpec;
use crate::model::moment::Moment;
use crate::model::owner::Owner;
use crate::model::token::expand;
use crate::model::trial::DataMove;
use crate::plan::observed::{DataSeen, Observed, SnapshotSeen};
use crate::plan::refusal::Refusal;
use crate::plan::step::{Operation, Plan};
use crate::plan::wanted::Wanted;

/// What a snapshot leaves free on a disk, in bytes: the switch itself writes a few small files.
const RESERVE: u64 = 4 << 20;

/// The folders of which a snapshot is wanted, absolute, none in another.
#[must_use]
pub fn data_folders(wanted: &Wanted) -> Vec<Utf8PathBuf> {
    let spec = &wanted.spec;
    let absolute = |text: &String| {
        let text = with_places(wanted, spec, |places| expand(text, places));
        plain(&spec.deploy.join(text))
    };
    let mut folders: Vec<Utf8PathBuf> = spec.upgrade.data.iter().map(absolute).collect();
    folders.sort();
    // In order, what lies in another comes after it.
    let mut outer: Vec<Utf8PathBuf> = Vec::new();
    for folder in folders {
        if !outer.iter().any(|other| folder.starts_with(other)) {
            outer.push(folder);
        }
    }
    outer
}

/// Whose the data have to be, where root moves them for somebody else: whoever runs the program could lay a link to
/// anything on the way to them.
#[must_use]
pub fn data_owner(wanted: &Wanted) -> Option<&Owner> {
    wanted.owner.as_ref().or(wanted.account.as_ref())
}

/// A path without `.` and `..`, by its words alone.
fn plain(path: &Utf8Path) -> Utf8PathBuf {
    let mut result = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}

/// Decides what becomes of the data in a switch from what runs to another version, and says so.
pub(super) fn data_move(
    plan: &mut Plan,
    operation: Operation,
    wanted: &Wanted,
    observed: &Observed,
    from: &LaunchSpec,
) -> Result<DataMove, Refusal> {
    let to = &wanted.spec;
    if from.tree() == to.tree() {
        return Ok(DataMove::default());
    }
    let between = Between { wanted, from, to };
    let mut data = DataMove::default();
    if goes_back(operation, from, to) {
        data.restore = restored(plan, wanted, observed, from)?;
        if data.restore.is_none() {
            data.migration = between.migrate_back();
            data.back = data.migration.as_ref().and_then(|_| between.reversed().migrate());
        }
    } else {
        data.migration = between.migrate();
        data.back = between.reversed().migrate_back();
        if data.migration.is_some() && crate::model::upgrade::is_one_way(from, to) {
            plan.notices.push(format!(
                "once {} has been ready, its data are closed to {}: it is not taken back any more, and going back takes \
                 `mainstay upgrade --rollback --restore-data`",
                to.version, from.version
            ));
        }
    }
    data.snapshot = snapshot(plan, wanted, observed, data.restore.as_deref())?;
    data.owner = data_owner(wanted).cloned().filter(|_| !data.snapshot.is_empty() || data.restore.is_some());
    Ok(data)
}

/// Whether an older version follows. Where nobody knows which is older, the person's word counts.
fn goes_back(operation: Operation, from: &LaunchSpec, to: &LaunchSpec) -> bool {
    match to.version.order(&from.version) {
        Some(Ordering::Less) => true,
        Some(Ordering::Greater) => false,
        Some(Ordering::Equal) | None => operation == Operation::Rollback,
    }
}

/// The tree whose snapshot goes back, if a person asked for that. Refuses where the older version can't work with the
/// data as they are.
fn restored(
    plan: &mut Plan,
    wanted: &Wanted,
    observed: &Observed,
    from: &LaunchSpec,
) -> Result<Option<String>, Refusal> {
    let to = &wanted.spec;
    if wanted.wishes.restore_data {
        let found = newest(observed, &to.tree());
        let Some(found) = found else { return Err(Refusal::NoSnapshot { version: to.version.clone() }) };
        plan.notices.push(format!(
            "the data go back to those that {} left {} ago, at {}: what was written since then is lost to it. The \
             present data are kept in a snapshot of their own",
            to.version,
            age(wanted.now, found.at),
            found.at
        ));
        return Ok(Some(found.tree.clone()));
    }
    let hooks = |read: fn(&LaunchSpec) -> bool| read(to) || read(from);
    if hooks(|spec| spec.hooks.migrate_back.is_some()) {
        return Ok(None);
    }
    let barrier = from.upgrade.barrier.as_ref().filter(|barrier| !barrier.lets(&to.version));
    let migrated =
        hooks(|spec| spec.hooks.migrate.is_some()) && !hooks(|spec| spec.upgrade.migrate_compatible);
    if barrier.is_none() && !migrated {
        return Ok(None);
    }
    let mut reason = match barrier {
        Some(barrier) => format!("only versions from {} on can read them", barrier.oldest),
        None => {
            "`upgrade.hooks.migrate` has brought them into its form, and there is no `migrateBack`".to_owned()
        }
    };
    if let Some(why) = barrier.and_then(|barrier| barrier.reason.as_ref()) {
        let _ = write!(reason, " ({why})");
    }
    if wanted.wishes.any_data {
        plan.notices.push(format!(
            "{} may not be able to work with the data of {}: {reason}",
            to.version, from.version
        ));
        return Ok(None);
    }
    Err(Refusal::DataTooNew {
        from: from.version.clone(),
        to: to.version.clone(),
        reason,
        snapshot: newest(observed, &to.tree()).map(|found| format!("of {}", found.at)),
    })
}

fn newest<'a>(observed: &'a Observed, tree: &str) -> Option<&'a SnapshotSeen> {
    observed.kept_data.iter().filter(|seen| seen.tree == tree).max_by_key(|seen| seen.number)
}

/// The folders of which a snapshot is taken: those that are there. Refuses where that can't be done.
fn snapshot(
    plan: &mut Plan,
    wanted: &Wanted,
    observed: &Observed,
    restore: Option<&str>,
) -> Result<Vec<Utf8PathBuf>, Refusal> {
    let mut taken = Vec::new();
    let (mut shared, mut copied) = (0, 0);
    for path in data_folders(wanted) {
        guard_place(wanted, &path)?;
        match observed.data.get(&path) {
            None | Some(DataSeen::Missing) => {
                plan.notices.push(format!("`{path}` is not there: no snapshot is taken of it"));
            }
            Some(DataSeen::Unusable(reason)) => {
                return Err(Refusal::DataUnusable { path, reason: reason.clone() });
            }
            Some(DataSeen::There { bytes, cloned }) => {
                let sum = if *cloned { &mut shared } else { &mut copied };
                *sum += bytes;
                taken.push(path);
            }
        }
    }
    if !taken.is_empty() {
        let paths: Vec<String> = taken.iter().map(|path| format!("`{path}`")).collect();
        let how = match (shared, copied) {
            (_, 0) if shared > 0 => "which takes no room until the data change".to_owned(),
            (0, _) => "copied".to_owned(),
            _ => format!("{} of it copied", size(copied)),
        };
        plan.notices.push(format!(
            "a snapshot of {} is taken while the service stands: {} ({how})",
            paths.join(", "),
            size(shared + copied)
        ));
    }
    // What goes back is copied, so that its snapshot stays.
    let back = restore.and_then(|tree| newest(observed, tree)).map_or(0, |found| found.bytes);
    let needed = if shared > 0 && copied == 0 { 0 } else { copied + back };
    match observed.snapshot_room {
        Some(available) if needed > 0 && needed.saturating_add(RESERVE) > available => Err(Refusal::NoRoom {
            folder: wanted.layout.snapshots(&wanted.spec.name),
            needed: size(needed + RESERVE),
            available: size(available),
        }),
        _ => Ok(taken),
    }
}

/// A snapshot of what mainstay itself keeps, or of the program, would be moved under the hands that move it.
fn guard_place(wanted: &Wanted, path: &Utf8Path) -> Result<(), Refusal> {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let (install, state, data) =
        (layout.install(&spec.name), layout.state(&spec.name), layout.data(&spec.name));
    let refused = |reason: String| Err(Refusal::DataUnusable { path: path.to_owned(), reason });
    if spec.deploy.starts_with(path) {
        return refused("the deploy folder lies in it, with the manifest".to_owned());
    }
    let journal = layout.journal(&spec.name);
    for (ours, what) in
        [(&install, "the versions"), (&state, "what mainstay writes down"), (&journal, "its journal")]
    {
        if ours.starts_with(path) || (path.starts_with(ours) && !path.starts_with(&data)) {
            return refused(format!("{what} of `{}` lie there", spec.name));
        }
    }
    Ok(())
}

/// Bytes for people.
#[must_use]
pub fn size(bytes: u64) -> String {
    let units = [("GiB", 30_u32), ("MiB", 20), ("KiB", 10)];
    for (unit, power) in units {
        if bytes >> power > 0 {
            let tenths = (u128::from(bytes) * 10) >> power;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

/// A time between two moments, for people.
fn age(now: Moment, then: Moment) -> String {
    let seconds = now.0.duration_since(then.0).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
