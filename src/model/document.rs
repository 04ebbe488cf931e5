//! A JSON document: read once, strictly, to a tree with positions, from which the typed value, the
//! faults with line and column, and edits that keep every other byte all come.

use std::collections::HashSet;
use std::ops::Range;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::model::position::{Lines, Segment};
use crate::model::problem::{Problem, Problems};
use crate::model::schema;
use crate::model::tree::{Node, Value};
use crate::model::validator::validate;

/// A JSON document that is well formed and has no duplicate keys.
#[derive(Clone, Debug)]
pub struct Document {
    name: String,
    text: String,
    lines: Lines,
    root: Node,
}

impl Document {
    /// Reads a text. The name is the file's, as faults show it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        match Node::parse(text) {
            Ok(root) => {
                Ok(Self { name: name.to_owned(), text: text.to_owned(), lines: Lines::of(text), root })
            }
            Err(problems) => Err(Problems::new(name, text, problems)),
        }
    }

    /// The typed value, or every fault that keeps the document from being one.
    ///
    /// The type's schema is asked first, since it finds all faults at once; the type itself has the last word.
    pub fn read<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, Problems> {
        let problems = self.faults::<T>();
        if !problems.is_empty() {
            return Err(self.refused(problems));
        }
        serde_path_to_error::deserialize(self.root.to_json()).map_err(|error| {
            let path: Vec<Segment> = error.path().iter().filter_map(segment).collect();
            self.refused(vec![self.problem(&path, error.inner().to_string())])
        })
    }

    /// Every fault of the fields by themselves.
    #[must_use]
    pub fn faults<T: JsonSchema>(&self) -> Vec<Problem> {
        validate(&self.text, &self.root, &schema::of::<T>())
    }

    /// The typed value of what is left without the members at fault, if they can be done without: for finding out what
    /// else is wrong.
    #[must_use]
    pub fn read_without<T: DeserializeOwned>(&self, faults: &[Problem]) -> Option<T> {
        let ranges: HashSet<Range<usize>> = faults.iter().map(|fault| fault.range.clone()).collect();
        T::deserialize(self.root.to_json_without(&ranges)?).ok()
    }

    /// The value as a whole.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.root.to_json()
    }

    /// This document, refused for these faults.
    #[must_use]
    pub fn refused(&self, problems: Vec<Problem>) -> Problems {
        Problems::new(&self.name, &self.text, problems)
    }

    /// The document's name, as faults show it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The document's text, byte for byte.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of a value.
    #[must_use]
    pub fn range(&self, path: &[Segment]) -> Option<Range<usize>> {
        self.root.at(path).map(|node| node.range.clone())
    }

    /// The bytes of a member's name.
    #[must_use]
    pub fn key_range(&self, path: &[Segment]) -> Option<Range<usize>> {
        let (Segment::Key(key), parent) = path.split_last()? else { return None };
        Some(self.root.at(parent)?.member(key)?.key_range.clone())
    }

    /// A fault of the value at a path, or, if it isn't there, of the nearest one around it.
    #[must_use]
    pub fn problem(&self, path: &[Segment], message: impl Into<String>) -> Problem {
        let range = (0..=path.len()).rev().find_map(|length| self.range(&path[..length]));
        Problem::among(path, (&self.text, &self.lines), range.unwrap_or(0..0), message)
    }

    /// A fault of the member at a path, shown at its name.
    #[must_use]
    pub fn key_problem(&self, path: &[Segment], message: impl Into<String>) -> Problem {
        match self.key_range(path) {
            Some(range) => Problem::among(path, (&self.text, &self.lines), range, message),
            None => self.problem(path, message),
        }
    }

    /// The same fault, which is about another member as well, if that is there.
    #[must_use]
    pub fn beside(&self, problem: Problem, path: &[Segment]) -> Problem {
        match self.key_range(path) {
            Some(range) => problem.beside(path, &self.text, range),
            None => problem,
        }
    }

    /// The document's text with another text in the place of one text, number, boolean or null. Every
    /// other byte is kept. `None` if no such value stands there.
    #[must_use]
    pub fn replace(&self, path: &[Segment], new_text: &str) -> Option<String> {
        let node = self.root.at(path)?;
        if matches!(node.value, Value::List(_) | Value::Object(_)) {
            return None;
        }
        let mut edited = self.text.clone();
        edited.replace_range(node.range.clone(), &serde_json::Value::from(new_text).to_string());
        Some(edited)
    }
}

fn segment(segment: &serde_path_to_error::Segment) -> Option<Segment> {
    use serde_path_to_error::Segment as Found;
    match segment {
        Found::Seq { index } => Some(Segment::Index(*index)),
        Found::Map { key } => Some(Segment::Key(key.clone())),
        Found::Enum { .. } | Found::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_keeps_every_other_byte() {
        let text = "{ \"package\" :\t{\"version\":\"1.0\\u002e0\" , \"n\": 1, \"l\": [true]}\r\n}\n\n";
        let document = Document::parse("x", text).unwrap();
        let replace = |path: &[Segment], new: &str| document.replace(path, new);
        assert_eq!(
            replace(&["package".into(), "version".into()], "2\"\\é").as_deref(),
            Some("{ \"package\" :\t{\"version\":\"2\\\"\\\\é\" , \"n\": 1, \"l\": [true]}\r\n}\n\n")
        );
        assert_eq!(
            replace(&["package".into(), "l".into(), 0.into()], "x").as_deref(),
            Some("{ \"package\" :\t{\"version\":\"1.0\\u002e0\" , \"n\": 1, \"l\": [\"x\"]}\r\n}\n\n")
        );
        assert_eq!(replace(&["package".into(), "other".into()], "x"), None);
        assert_eq!(replace(&["package".into()], "x"), None);
        assert_eq!(replace(&["package".into(), "l".into(), 1.into()], "x"), None);
    }

    #[test]
    fn what_only_the_type_refuses_has_its_place_too() {
        #[derive(Debug, serde::Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only read")]
        struct Outer {
            #[schemars(with = "Vec<String>")]
            addresses: Vec<std::net::IpAddr>,
        }
        let document = Document::parse("x.json", "{\n \"addresses\": [\"::1\",\n  \"nowhere\"]}").unwrap();
        let problems = document.read::<Outer>().unwrap_err();
        assert_eq!(problems.to_string(), "x.json:3:3: addresses[1]: invalid IP address syntax");
    }
}
