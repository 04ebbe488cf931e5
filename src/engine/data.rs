//! Looking at the data of an instance before deciding: how much they are, and what snapshots of them there are.

use crate::engine::failure::Failure;
use crate::engine::{Context, snapshot};
use crate::host::disk;
use crate::host::replica::measure;
use crate::plan::apply::{data_folders, data_owner};
use crate::plan::observed::{DataSeen, Observed};
use crate::plan::wanted::Wanted;

/// Adds to what was observed what a snapshot would hold. The data are measured where another version is wanted.
pub(crate) fn observe(
    context: &Context<'_>,
    wanted: &Wanted,
    observed: &mut Observed,
) -> Result<(), Failure> {
    let (layout, name) = (&context.layout, &wanted.spec.name);
    let other = observed.link.as_ref().is_some_and(|link| *link != wanted.spec.tree());
    if !other {
        return Ok(());
    }
    observed.kept_data = snapshot::list(layout, name)?;
    let state = layout.state(name);
    observed.snapshot_room = disk::room(&state).map(|room| room.available);
    let owner = data_owner(wanted).map(|owner| owner.uid);
    for path in data_folders(wanted) {
        let seen = match measure(&path, owner, &state) {
            Ok(Some(found)) => DataSeen::There { bytes: found.bytes, cloned: found.cloned },
            Ok(None) => DataSeen::Missing,
            Err(error) => DataSeen::Unusable(error.source.to_string()),
        };
        observed.data.insert(path, seen);
    }
    Ok(())
}
