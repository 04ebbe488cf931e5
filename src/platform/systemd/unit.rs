//! A launch spec as a unit.

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::platform::{Facts, Inexpressible};

/// The text of the unit.
pub(in crate::platform) fn render(
    _spec: &LaunchSpec,
    _layout: &Layout,
    _facts: &Facts,
) -> Result<String, Inexpressible> {
    Err(Inexpressible::new("platform", "units are still to be written"))
}
