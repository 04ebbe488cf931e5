//! Room that is kept for when a disk is full: an operation that helps then, above all a way back, has to be able to
//! write its journal. One file for all instances of a scope, beside their journals.

use camino::Utf8PathBuf;

use crate::engine::registry;
use crate::host::disk::{occupy, room};
use crate::host::files;
use crate::model::layout::Layout;
use crate::plan::step::Operation;

/// What is kept: what the journal, the launch, the receipt and the history of one operation take, in bytes.
const SIZE: u64 = 256 << 10;
/// With less than this, an operation begins with what was kept, in bytes.
const SCARCE: u64 = SIZE;
/// It is only kept where this is left beside it, in bytes: it must not be what fills the disk.
const LEFT_BESIDE: u64 = 1 << 20;

fn place(layout: &Layout) -> Utf8PathBuf {
    layout.journals().join(".reserve")
}

/// Gives the room back where the disk is full. Whether anything was given is not known to be enough; writing tells.
pub(crate) fn free_if_scarce(layout: &Layout) {
    let scarce = room(&layout.journals())
        .is_some_and(|room| room.available < SCARCE || room.files.is_some_and(|files| files == 0));
    if scarce {
        // Where it can't be removed, what needs the room fails, and says so.
        let _ = files::remove(&place(layout));
    }
}

/// Keeps the room again after an operation, as long as there is an instance. It is no failure if that can't be done: most
/// disks never fill.
pub(crate) fn keep(layout: &Layout, after: Operation) {
    let path = place(layout);
    if after == Operation::Uninstall && registry::instances(layout).markers.is_empty() {
        let _ = files::remove(&path);
        return;
    }
    let is_kept = files::facts(&path).is_ok_and(|facts| facts.is_some_and(|facts| facts.size == SIZE));
    let has_room = || room(&layout.journals()).is_some_and(|room| room.available >= SIZE + LEFT_BESIDE);
    if !is_kept && has_room() && occupy(&path, SIZE).is_err() {
        // A file that takes no room keeps none.
        let _ = files::remove(&path);
    }
}
