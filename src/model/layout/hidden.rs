//! The hidden names beside what is kept: of what is still being made, and of what was put away to be removed. Whoever
//! finds one needs no more than the name to know what it is.

use std::fmt::Display;

/// How the name begins of what is being filled.
pub const PARTIAL: &str = ".partial-";
/// How the name begins of what is to be removed.
pub const TRASH: &str = ".trash-";

/// The name of something put away that was called so until now. The number, of hexadecimal digits, tells it from what was
/// put away before.
#[must_use]
pub fn put_away(name: &str, number: impl Display) -> String {
    format!("{TRASH}{name}-{number}")
}

/// Whether a name is that of something put away which was called so before: others may need theirs again.
#[must_use]
pub fn was_called(hidden: &[u8], name: &str) -> bool {
    // What follows the name is one number, or another name is meant that only begins with this one.
    let rest = hidden.strip_prefix(TRASH.as_bytes()).and_then(|rest| rest.strip_prefix(name.as_bytes()));
    let number = rest.and_then(|rest| rest.strip_prefix(b"-"));
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_away_is_known_by_the_name_that_it_had() {
        assert!(was_called(put_away("web", 1_778_250_727).as_bytes(), "web"));
        assert!(was_called(put_away("web-2", "00ff").as_bytes(), "web-2"));
        assert!(!was_called(put_away("web-2", 7).as_bytes(), "web"));
        for other in ["web-7", ".trash-web", ".trash-web-", ".trash-web-x", ".partial-web-7"] {
            assert!(!was_called(other.as_bytes(), "web"), "{other}");
        }
    }
}
