//! launchd: property lists (launchd.plist(5)), which are written here, and read where a service of launchd is adopted.

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::platform::Inexpressible;

pub mod reader;

/// The text of the definition.
pub(super) fn render(_spec: &LaunchSpec, _layout: &Layout) -> Result<String, Inexpressible> {
    Err(Inexpressible::new("platform", "this mainstay does not know yet how to make services of launchd"))
}

/// The marker in the text of a definition.
pub(super) fn marker(_text: &str) -> Option<Marker> {
    None
}

/// Whether nobody has edited the text.
pub(super) fn untouched(_text: &str) -> bool {
    false
}
