//! What is wrong with a document, and where.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::nearest::nearest;
use crate::model::position::{Path, Position, Segment};

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The member at fault, as in `service.restart.delays[0]`; empty for the document as a whole.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong with it.
    pub message: String,
    /// The words that may stand here, where the list is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// The word that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl Problem {
    /// A fault of the member at a path. What the message quotes can't break its line.
    #[must_use]
    pub fn new(path: &[Segment], position: Position, message: impl Into<String>) -> Self {
        Self {
            path: Path(path).to_string(),
            line: position.line,
            column: position.column,
            message: on_one_line(&message.into()),
            allowed: None,
            nearest: None,
        }
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
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)?;
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problems {
    /// The document, as it was named by who opened it.
    pub file: String,
    /// The faults.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Gathers faults, sorted by where they stand.
    #[must_use]
    pub fn new(file: impl Into<String>, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| (problem.line, problem.column));
        Self { file: file.into(), list }
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
