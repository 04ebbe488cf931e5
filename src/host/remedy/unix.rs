//! Modes and owners: chmod(1) and chown(1).

use camino::Utf8Path;

pub(super) fn close_to_writers(path: &Utf8Path) -> String {
    format!("chmod go-w '{path}'")
}

pub(super) fn close_to_readers(path: &Utf8Path) -> String {
    format!("chmod o-r '{path}'")
}

pub(super) fn give(path: &Utf8Path, owner: &str) -> String {
    format!("chown {owner} '{path}'")
}

pub(super) fn own(path: &Utf8Path) -> String {
    format!("chown -R root '{path}'")
}
