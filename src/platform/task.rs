//! A task of Windows, which needs no administrator (the task scheduler).

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::platform::Inexpressible;

/// The text of the definition.
pub(super) fn render(_spec: &LaunchSpec, _layout: &Layout) -> Result<String, Inexpressible> {
    Err(Inexpressible::new("platform", "this mainstay does not know yet how to make tasks of Windows"))
}

/// The marker in the text of a definition.
pub(super) fn marker(_text: &str) -> Option<Marker> {
    None
}

/// Whether nobody has edited the text.
pub(super) fn untouched(_text: &str) -> bool {
    false
}
