//! Places in a document: a path through its members, and the line and column where they stand.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// A place in a text, as editors count: from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Position {
    /// Where a byte of the text stands. An offset inside a character counts as that character's.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before[..line_start].split(|byte| *byte == b'\n').count();
        let column =
            text[line_start..].char_indices().take_while(|(at, _)| line_start + at < offset).count() + 1;
        Self { line, column }
    }
}

/// Where the lines of a text begin, so that the places of many bytes are found without reading the text for each.
#[derive(Clone, Debug)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// The lines of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// Where a byte of that text stands, as [`Position::of`] tells it.
    #[must_use]
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let line = self.0.partition_point(|begin| *begin <= offset).max(1);
        let begin = self.0[line - 1];
        let column = text[begin..].char_indices().take_while(|(at, _)| begin + at < offset).count() + 1;
        Position { line, column }
    }
}

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// The member of an object.
    Key(String),
    /// The element of an array, counted from 0.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A path as people write it: `service.restart.delays[0]`, `service.environment["a b"]`.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a>(pub &'a [Segment]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |key: &str| {
            !key.is_empty()
                && key.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '$'))
        };
        for (depth, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(formatter, "[{index}]")?,
                Segment::Key(key) if !plain(key) => write!(formatter, "[{key:?}]")?,
                Segment::Key(key) if depth == 0 => formatter.write_str(key)?,
                Segment::Key(key) => write!(formatter, ".{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters_and_lines_end_at_line_feeds() {
        let text = "ä\"x\"\r\n  é€y";
        let at = |part: &str| Position::of(text, text.find(part).unwrap());
        assert_eq!(at("\"x"), Position { line: 1, column: 2 });
        assert_eq!(at("y"), Position { line: 2, column: 5 });
        assert_eq!(Position::of(text, 999), Position { line: 2, column: 6 });
        assert_eq!(Position::of("", 0), Position { line: 1, column: 1 });
        for text in [text, "", "\n", "a\n\nb\n"] {
            let lines = Lines::of(text);
            for offset in 0..=text.len() + 2 {
                assert_eq!(lines.position(text, offset), Position::of(text, offset), "{offset} of {text:?}");
            }
        }
    }

    #[test]
    fn paths_read_as_people_write_them() {
        let path: Vec<Segment> =
            vec!["service".into(), "delays".into(), 0.into(), "a.b".into(), "$schema".into()];
        assert_eq!(Path(&path).to_string(), "service.delays[0][\"a.b\"].$schema");
        assert_eq!(Path(&[]).to_string(), "");
    }
}
