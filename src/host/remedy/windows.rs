//! Lists of rights: `icacls`, with groups by their identifiers, which are the same in every language.

use camino::Utf8Path;

/// The system, the administrators, and whoever owns the file.
const FULL: &str = "/grant:r *S-1-5-18:F *S-1-5-32-544:F *S-1-3-4:F";

pub(super) fn close_to_writers(path: &Utf8Path) -> String {
    format!("icacls \"{path}\" /inheritance:r {FULL} *S-1-5-32-545:RX")
}

pub(super) fn close_to_readers(path: &Utf8Path) -> String {
    format!("icacls \"{path}\" /inheritance:r {FULL}")
}

pub(super) fn give(path: &Utf8Path, owner: &str) -> String {
    format!("icacls \"{path}\" /setowner \"{owner}\"")
}

pub(super) fn own(path: &Utf8Path) -> String {
    format!("icacls \"{path}\" /setowner *S-1-5-32-544 /T")
}
