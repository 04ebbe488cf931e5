//! The host's own reader of manual pages.

use std::process::{Command, Stdio};

use camino::Utf8Path;

/// Has a page shown by `man`, which takes the terminal until it is read. `false`: there is none, or it could not.
#[must_use]
pub fn shows(page: &Utf8Path) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the door to processes is in this floor")]
    let mut command = Command::new("man");
    command.arg(page).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
