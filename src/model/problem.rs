//! What is wrong with a document, and where.

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::nearest::nearest;
use crate::model::position::{Lines, Path, Position, Segment};

/// How much a remark on a document matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is taken, and probably does not mean this.
    Warning,
}

/// Another place that a fault is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    /// The member, as in `service.supervision`.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The line in which it ends, counted from 1.
    pub end_line: usize,
    /// The column behind its last character, counted from 1.
    pub end_column: usize,
    /// The bytes of the text that it takes.
    #[serde(skip)]
    pub range: Range<usize>,
}

/// One fault of a document, or something doubtful in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Whether the document is refused for it.
    pub severity: Severity,
    /// The member at fault, as in `service.restart.delays[0]`; empty for the document as a whole.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The line in which it ends, counted from 1.
    pub end_line: usize,
    /// The column behind its last character, counted from 1.
    pub end_column: usize,
    /// The bytes of the text that it takes.
    #[serde(skip)]
    pub range: Range<usize>,
    /// What is wrong with it.
    pub message: String,
    /// The words that may stand here, where the list is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// The word that was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// The other places that it is about, as where fields exclude each other.
    pub related: Vec<Related>,
}

impl Problem {
    /// A fault of the member at a path, which takes these bytes of a text. What the message quotes can't break its line.
    #[must_use]
    pub fn new(path: &[Segment], text: &str, range: Range<usize>, message: impl Into<String>) -> Self {
        let places = (Position::of(text, range.start), Position::of(text, range.end));
        Self::at(path, places, range, message)
    }

    /// The same, in a text whose lines are known.
    #[must_use]
    pub fn among(
        path: &[Segment],
        (text, lines): (&str, &Lines),
        range: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let places = (lines.position(text, range.start), lines.position(text, range.end));
        Self::at(path, places, range, message)
    }

    fn at(
        path: &[Segment],
        (begin, end): (Position, Position),
        range: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            path: Path(path).to_string(),
            line: begin.line,
            column: begin.column,
            end_line: end.line,
            end_column: end.column,
            range,
            message: on_one_line(&message.into()),
            allowed: None,
            nearest: None,
            related: Vec::new(),
        }
    }

    /// A fault of a file as a whole, such as one that can't be read.
    #[must_use]
    pub fn of_all(message: impl Into<String>) -> Self {
        Self::new(&[], "", 0..0, message)
    }

    /// The same, for which a document is not refused.
    #[must_use]
    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// The same fault, which is about another place as well.
    #[must_use]
    pub fn beside(mut self, path: &[Segment], text: &str, range: Range<usize>) -> Self {
        let (begin, end) = (Position::of(text, range.start), Position::of(text, range.end));
        self.related.push(Related {
            path: Path(path).to_string(),
            line: begin.line,
            column: begin.column,
            end_line: end.line,
            end_column: end.column,
            range,
        });
        self
    }

    /// What is wrong, without the place, the allowed words and the nearest one.
    #[must_use]
    pub fn title(&self) -> String {
        if self.path.is_empty() { self.message.clone() } else { format!("{}: {}", self.path, self.message) }
    }

    /// The same fault of a word, with the words that could have stood there.
    #[must_use]
    pub fn instead_of(mut self, typed: &str, allowed: Vec<String>) -> Self {
        let begun =
            || allowed.iter().map(String::as_str).find(|word| typed.len() > 1 && word.starts_with(typed));
        self.nearest = nearest(typed, allowed.iter().map(String::as_str)).or_else(begun).map(str::to_owned);
        self.allowed = Some(allowed);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.title())?;
        match (&self.nearest, &self.allowed) {
            (Some(word), _) => write!(formatter, "; did you mean `{word}`?"),
            (None, Some(words)) if !words.is_empty() => {
                write!(formatter, "; possible here: `{}`", words.join("`, `"))
            }
            (None, _) => Ok(()),
        }
    }
}

/// All the faults of a document, in the order of its lines. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problems {
    /// The document, as it was named by who opened it.
    pub file: String,
    /// Its text.
    #[serde(skip)]
    pub text: String,
    /// The faults.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Gathers faults, sorted by where they stand.
    #[must_use]
    pub fn new(file: impl Into<String>, text: impl Into<String>, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| (problem.line, problem.column));
        Self { file: file.into(), text: text.into(), list }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{}:{}:{}: {problem}", self.file, problem.line, problem.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

fn on_one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for letter in message.chars() {
        if letter.is_control() { line.extend(letter.escape_default()) } else { line.push(letter) }
    }
    line
}
