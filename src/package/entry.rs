//! Names of entries: what is accepted means the same on every system.

use unicode_normalization::UnicodeNormalization as _;

use crate::package::fault::Fault;
use crate::package::limits::Limits;

/// A name inside a package: one or more parts with `/` between them, none of which leads anywhere else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryName(String);

/// What an entry's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The package's own root: `.` or `./`, as `tar -C folder .` writes it.
    Root,
    /// Something below it.
    Entry {
        /// Its name.
        name: EntryName,
        /// Whether the name ended with `/`, which makes it a folder.
        folder: bool,
    },
}

impl EntryName {
    /// Checks a name as it stands in an archive. `./` before it and one `/` after it are dropped.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Named, Fault> {
        if bytes.contains(&0) {
            return Err(Fault::Nul);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
        if text.len() > limits.path {
            return Err(Fault::LongName(limits.path));
        }
        if text.starts_with('/') {
            return Err(Fault::Absolute);
        }
        if text.contains('\\') {
            return Err(Fault::Backslash);
        }
        if text == "." {
            return Ok(Named::Root);
        }
        let text = text.strip_prefix("./").unwrap_or(text);
        if text.is_empty() && !bytes.is_empty() {
            return Ok(Named::Root);
        }
        if !is_composed(text) {
            return Err(Fault::Decomposed);
        }
        let (text, folder) = text.strip_suffix('/').map_or((text, false), |text| (text, true));
        let mut depth = 0;
        for part in text.split('/') {
            check_part(part, depth == 0, limits)?;
            depth += 1;
        }
        if depth > limits.depth {
            return Err(Fault::Deep(limits.depth));
        }
        Ok(Named::Entry { name: Self(text.to_owned()), folder })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that it lies in, empty for the root, and its last part.
    #[must_use]
    pub fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }
}

impl std::fmt::Display for EntryName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Checks one part of a name. Windows' rules hold everywhere, so that a package is one thing on all systems:
/// <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>.
pub(crate) fn check_part(part: &str, first: bool, limits: &Limits) -> Result<(), Fault> {
    match part {
        "" | "." => return Err(Fault::EmptyPart),
        ".." => return Err(Fault::Climbs),
        _ => {}
    }
    if part.contains(':') {
        let drive = first && part.as_bytes()[0].is_ascii_alphabetic() && part.as_bytes()[1] == b':';
        return Err(if drive { Fault::DriveLetter } else { Fault::Colon });
    }
    if part.chars().any(char::is_control) {
        return Err(Fault::Control);
    }
    if part.ends_with(['.', ' ']) {
        return Err(Fault::TrailingDotOrSpace);
    }
    if part.len() > limits.name {
        return Err(Fault::LongPart(limits.name));
    }
    if is_device(part) { Err(Fault::Device) } else { Ok(()) }
}

/// Whether a name is composed as far as it can be.
pub(crate) fn is_composed(text: &str) -> bool {
    text.is_ascii() || unicode_normalization::is_nfc(text)
}

/// Whether Windows takes a name for a device: the part before the first dot decides.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ');
    if !(3..=7).contains(&stem.len()) {
        return false;
    }
    let stem = stem.to_ascii_uppercase();
    let numbered = |prefix| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            let mut digits = rest.chars();
            // Windows counts the superscript digits of Latin-1 as digits here.
            matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered("COM")
        || numbered("LPT")
}

/// What a name is on a file system where neither case nor Unicode form counts. Two names with one key
/// can't both be unpacked everywhere. Upper-casing before lower-casing folds what lower-casing alone keeps
/// apart: the final sigma, the long s, the sharp s.
pub(crate) fn key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let folded = text.nfd().collect::<String>().to_uppercase().to_lowercase();
    folded.nfd().collect()
}

/// An entry's name for a message: control characters and what turns the direction of writing are escaped,
/// so that a name can't rewrite the message that it stands in.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.escape_ascii().to_string() };
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars().take(512) {
        let turns =
            matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if letter.is_control() || turns {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Named, Fault> {
        EntryName::parse(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn names_of_real_packages_are_taken() {
        for text in
            ["package/bin/esbuild", "./bin/a b", "lib/é.txt", "a.b..c", "..a", "console", "com10", "@scope/x"]
        {
            let Ok(Named::Entry { name, folder: false }) = parse(text) else { panic!("{text}") };
            assert_eq!(name.as_str(), text.trim_start_matches("./"));
        }
        assert!(matches!(parse("a/b/"), Ok(Named::Entry { folder: true, .. })));
        assert_eq!(parse("."), Ok(Named::Root));
        assert_eq!(parse("./"), Ok(Named::Root));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for (text, fault) in [
            ("", Fault::EmptyPart),
            ("/etc/passwd", Fault::Absolute),
            ("../x", Fault::Climbs),
            ("a/../../x", Fault::Climbs),
            ("a/..", Fault::Climbs),
            ("a//b", Fault::EmptyPart),
            ("a/./b", Fault::EmptyPart),
            ("a//", Fault::EmptyPart),
            (".//a", Fault::EmptyPart),
            ("a\0b", Fault::Nul),
            ("a\\b", Fault::Backslash),
            ("C:evil", Fault::DriveLetter),
            ("c:/evil", Fault::DriveLetter),
            ("a:b", Fault::DriveLetter),
            ("ab:c", Fault::Colon),
            ("x/a:b", Fault::Colon),
            (":", Fault::Colon),
            ("x/NUL", Fault::Device),
            ("con.txt", Fault::Device),
            ("aux .h", Fault::Device),
            ("lpt¹", Fault::Device),
            ("conin$", Fault::Device),
            ("a./b", Fault::TrailingDotOrSpace),
            ("a ", Fault::TrailingDotOrSpace),
            ("a\nb", Fault::Control),
            ("e\u{301}", Fault::Decomposed),
        ] {
            assert_eq!(parse(text), Err(fault), "{text:?}");
        }
        assert_eq!(EntryName::parse(b"\xff", &Limits::default()), Err(Fault::NotUtf8));
        assert_eq!(parse(&"a".repeat(256)), Err(Fault::LongPart(255)));
        assert_eq!(parse(&"a/".repeat(100)), parse(&"a/".repeat(99)).and(parse(&"a/".repeat(100))));
        assert_eq!(parse(&"a/".repeat(101)), Err(Fault::Deep(100)));
        assert_eq!(parse(&"a/".repeat(2000)), Err(Fault::LongName(2048)));
    }

    #[test]
    fn names_that_some_file_system_takes_for_one_have_one_key() {
        for (one, other) in
            [("README", "readme"), ("é", "e\u{301}"), ("STRASSE", "straße"), ("ς", "σ"), ("K", "\u{212a}")]
        {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        assert_ne!(key("a"), key("b"));
    }

    #[test]
    fn a_name_in_a_message_can_not_rewrite_it() {
        assert_eq!(shown(b"a\\b\x1b[2J"), "a\\b\\u{1b}[2J");
        assert_eq!(shown("\u{202e}x".as_bytes()), "\\u{202e}x");
        assert_eq!(shown(b"\xff"), "\\xff");
    }
}
