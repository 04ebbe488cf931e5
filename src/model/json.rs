//! The texts of the documents that mainstay writes.

use serde::Serialize;

/// The text of a document's file: JSON, a line for each member.
///
/// What mainstay writes holds numbers, texts, lists and maps by texts, which JSON can always express.
#[must_use]
pub fn text(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}
