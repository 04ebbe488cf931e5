//! The way back of variables that come from files: the values of the last start that became ready, and which values are
//! not used again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::digest::Digest;
use crate::model::started::Started;

/// The format that this build writes.
pub const FORMAT: u32 = 1;

/// Values with which a launch did not become ready, as digests mixed with a salt. As long as the files hold them, that
/// launch is started with the values that were kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The format of this file.
    pub format: u32,
    /// The launch that is started with the kept values; every other one reads the files.
    pub launch: String,
    /// What each value was mixed with.
    pub salt: String,
    /// What the files held.
    pub files: BTreeMap<String, Digest>,
    /// What was kept.
    pub kept: BTreeMap<String, Digest>,
}

impl Refused {
    /// Whether the kept values take the place of those in the files.
    #[must_use]
    pub fn applies<'a, Values>(&self, launch: &str, files: Values, kept: Values) -> bool
    where
        Values: IntoIterator<Item = (&'a str, &'a [u8])>,
    {
        self.format <= FORMAT
            && self.launch == launch
            && mixed(&self.salt, files) == self.files
            && mixed(&self.salt, kept) == self.kept
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        // It holds only strings and numbers.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Variables as digests of their values.
pub fn mixed<'a>(
    salt: &str,
    values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> BTreeMap<String, Digest> {
    let digest = |(name, value): (&str, &[u8])| (name.to_owned(), Started::digest(salt, name, value));
    values.into_iter().map(digest).collect()
}

/// The kept values as a file holds them: like `/proc/PID/environ`, so that no value needs another form.
#[must_use]
pub fn kept_text<'a>(values: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let line = |(name, value): (&str, &[u8])| [name.as_bytes(), b"=", value, b"\0"].concat();
    values.into_iter().flat_map(line).collect()
}

/// Reads what [`kept_text`] has written. Nothing where it is something else.
#[must_use]
pub fn read_kept(bytes: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let Some(lines) = bytes.strip_suffix(b"\0") else { return bytes.is_empty().then(BTreeMap::new) };
    let read = |line: &[u8]| {
        let end = line.iter().position(|byte| *byte == b'=')?;
        Some((String::from_utf8(line[..end].to_vec()).ok()?, line[end + 1..].to_vec()))
    };
    lines.split(|byte| *byte == 0).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_values_are_read_as_they_were_written() {
        let values: [(&str, &[u8]); 3] = [("A", b"1=2\n3"), ("B", b""), ("C", b"\xff")];
        let read = read_kept(&kept_text(values)).unwrap();
        assert_eq!(
            read.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect::<Vec<_>>(),
            values
        );
        assert_eq!(read_kept(b""), Some(BTreeMap::new()));
        assert_eq!((read_kept(b"A=1"), read_kept(b"A\0")), (None, None), "cut off, and no variable");
    }

    #[test]
    fn kept_values_take_the_place_of_those_that_failed_and_of_no_others() {
        let one = |value: &'static str| [("A", value.as_bytes())];
        let (bad, good) = (one("bad"), one("good"));
        let refused = Refused {
            format: FORMAT,
            launch: "one".to_owned(),
            salt: "salt".to_owned(),
            files: mixed("salt", bad),
            kept: mixed("salt", good),
        };
        assert!(refused.applies("one", bad, good));
        assert!(!refused.applies("other", bad, good), "another launch reads the files");
        assert!(!refused.applies("one", one("new"), good), "the files were changed since");
        assert!(!refused.applies("one", bad, bad), "another start was ready since");
        assert!(!Refused { format: FORMAT + 1, ..refused }.applies("one", bad, good));
    }
}
