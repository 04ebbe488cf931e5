//! Whether this program can read all that an earlier one has written.

use crate::engine::failure::Failure;
use crate::engine::observe::{read_receipt, read_specs};
use crate::engine::{journal, registry, switch};
use crate::model::layout::Layout;

/// Reads what there is of every instance of a scope: receipt, launches, switch, trial and journal.
pub fn readable(layout: &Layout) -> Result<usize, Failure> {
    let markers = registry::instances(layout).markers;
    for marker in &markers {
        let name = &marker.name;
        read_receipt(&layout.receipt(name))?;
        read_specs(&layout.launches(name))?;
        switch::read(layout, name)?;
        switch::read_trial(layout, name)?;
        journal::read(&layout.operation(name))?;
    }
    Ok(markers.len())
}
