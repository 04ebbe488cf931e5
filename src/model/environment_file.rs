//! The environment file: lines of `KEY=value`, as a person writes them.
//!
//! ```text
//! # A comment stands at the start of a line.
//! PORT=4000
//! GREETING="a \"quoted\" word, $literal"
//! PASSWORD='a # b \ c'
//! ```
//!
//! Nothing is replaced in a value: `$`, `%` and `` ` `` stand for themselves. An unquoted value reaches from
//! the `=` to the end of the line, less blanks at both ends. Inside double quotes `\"` and `\\` stand for `"`
//! and `\`, `\n`, `\r` and `\t` for the control characters, and every other backslash for itself; inside
//! single quotes nothing is special. A quoted value may go over several lines.

use thiserror::Error;

use crate::model::manifest::VariableName;

/// The largest environment file, and the largest secret, that is read, in bytes: the kernel takes no more than 128 KiB
/// for one variable (execve(2)).
pub const LARGEST: u64 = 1 << 20;

/// The variables of an environment file in the order of its lines.
pub type Variables = Vec<(VariableName, String)>;

/// Where a text is not an environment file. Values are never part of the message: they may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct EnvironmentFileError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: EnvironmentFileProblem,
}

/// What can be wrong in an environment file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EnvironmentFileProblem {
    /// A line that assigns nothing.
    #[error("expected `KEY=value`")]
    NoAssignment,
    /// A word before the `=` that can't be a name.
    #[error("`{0}` can't name an environment variable: use letters, digits and `_`, and no digit first")]
    Name(String),
    /// A name that an earlier line has.
    #[error("`{name}` is set a second time; line {first} already sets it")]
    Duplicate {
        /// The name.
        name: VariableName,
        /// The line that set it first.
        first: usize,
    },
    /// A quoted value without its closing quote.
    #[error("the quote that opens here is never closed")]
    Unclosed,
    /// Something other than blanks after the closing quote.
    #[error("nothing may follow the closing quote")]
    AfterQuote,
    /// A NUL, which no environment can hold.
    #[error("a NUL character can't stand in the environment")]
    Nul,
}

/// Reads an environment file. A byte order mark at its start and a carriage return at the end of a line are
/// dropped.
pub fn parse(text: &str) -> Result<Variables, EnvironmentFileError> {
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1, column: 1 };
    let mut variables = Variables::new();
    let mut lines: Vec<usize> = Vec::new();
    loop {
        reader.skip_blanks();
        match reader.peek() {
            None => return Ok(variables),
            Some('\n') => {
                reader.next();
            }
            Some('#') => {
                reader.take_while(|next| next != '\n');
            }
            Some(_) => {
                let (line, column) = (reader.line, reader.column);
                let at = |problem| EnvironmentFileError { line, column, problem };
                let name = reader.name()?;
                let value = reader.value()?;
                if let Some(index) = variables.iter().position(|(known, _)| *known == name) {
                    let first = lines.get(index).copied().unwrap_or(1);
                    return Err(at(EnvironmentFileProblem::Duplicate { name, first }));
                }
                variables.push((name, value));
                lines.push(line);
            }
        }
    }
}

/// A variable as a line of an environment file, from which it is read as it was.
#[must_use]
pub fn line(name: &VariableName, value: &str) -> String {
    let plain = value.trim() == value
        && !value.starts_with(['"', '\''])
        && !value.contains(|letter: char| letter.is_control());
    if plain {
        return format!("{name}={value}\n");
    }
    format!("{name}=\"{}\"\n", value.replace('\\', "\\\\").replace('"', "\\\""))
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next()?;
        self.rest = characters.as_str();
        if next == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.rest;
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
        &start[..start.len() - self.rest.len()]
    }

    fn skip_blanks(&mut self) {
        self.take_while(|next| matches!(next, ' ' | '\t' | '\r'));
    }

    fn error(&self, problem: EnvironmentFileProblem) -> EnvironmentFileError {
        EnvironmentFileError { line: self.line, column: self.column, problem }
    }

    fn name(&mut self) -> Result<VariableName, EnvironmentFileError> {
        let (line, column) = (self.line, self.column);
        let word = self.take_while(|next| !matches!(next, '=' | '\n')).trim_end();
        if self.peek() != Some('=') {
            let problem = EnvironmentFileProblem::NoAssignment;
            return Err(EnvironmentFileError { line, column, problem });
        }
        self.next();
        VariableName::new(word).map_err(|_| {
            let problem = EnvironmentFileProblem::Name(word.to_owned());
            EnvironmentFileError { line, column, problem }
        })
    }

    fn value(&mut self) -> Result<String, EnvironmentFileError> {
        self.take_while(|next| matches!(next, ' ' | '\t'));
        match self.peek() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            _ => self.unquoted(),
        }
    }

    fn unquoted(&mut self) -> Result<String, EnvironmentFileError> {
        let value = self.take_while(|next| !matches!(next, '\n' | '\0'));
        if self.peek() == Some('\0') {
            return Err(self.error(EnvironmentFileProblem::Nul));
        }
        Ok(value.trim_matches([' ', '\t', '\r']).to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<String, EnvironmentFileError> {
        let unclosed = self.error(EnvironmentFileProblem::Unclosed);
        self.next();
        let mut value = String::new();
        loop {
            let nul = self.error(EnvironmentFileProblem::Nul);
            match self.next() {
                None => return Err(unclosed),
                Some('\0') => return Err(nul),
                Some(next) if next == quote => break,
                Some('\\') if quote == '"' => {
                    let meant = match self.peek() {
                        Some(kept @ ('"' | '\\')) => Some(kept),
                        Some('n') => Some('\n'),
                        Some('r') => Some('\r'),
                        Some('t') => Some('\t'),
                        _ => None,
                    };
                    if meant.is_some() {
                        self.next();
                    }
                    value.push(meant.unwrap_or('\\'));
                }
                Some(next) => value.push(next),
            }
        }
        self.skip_blanks();
        match self.peek() {
            None | Some('\n') => Ok(value),
            Some(_) => Err(self.error(EnvironmentFileProblem::AfterQuote)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().map(|(name, value)| (String::from(name), value)).collect()
    }

    fn one(text: &str) -> String {
        let mut variables = parsed(text);
        assert_eq!(variables.len(), 1, "{text}");
        variables.remove(0).1
    }

    #[test]
    fn values_are_taken_as_they_stand() {
        assert_eq!(one("A=b"), "b");
        assert_eq!(one("A=\n"), "");
        assert_eq!(one(" A = b c \r\n"), "b c");
        assert_eq!(one("A=x #c"), "x #c");
        assert_eq!(one("A=$HOME%i`id`\\n"), "$HOME%i`id`\\n");
        assert_eq!(one(r#"A=it's "x""#), r#"it's "x""#);
        assert_eq!(one(r#"A="a \"b\" \\ \n \d $X ' # ""#), "a \"b\" \\ \n \\d $X ' # ");
        assert_eq!(one(r#"A='a \" "b" $X'  "#), r#"a \" "b" $X"#);
        assert_eq!(one("A='one\ntwo'"), "one\ntwo");
        assert_eq!(one("\u{feff}A=é 日 😀"), "é 日 😀");
    }

    #[test]
    fn comments_and_empty_lines_are_passed_over() {
        let expected = vec![("A".to_owned(), "1".to_owned()), ("B".to_owned(), "#2".to_owned())];
        assert_eq!(parsed("# A=0\n\n  # x\r\nA=1\r\n\t\nB=#2"), expected);
        assert_eq!(parsed(""), Vec::new());
    }

    #[test]
    fn errors_say_where() {
        use EnvironmentFileProblem as Problem;
        let name = VariableName::new("A").unwrap();
        for (text, line, column, problem) in [
            ("A=1\nexport\n", 2, 1, Problem::NoAssignment),
            ("A=1\n  FOO-BAR=2", 2, 3, Problem::Name("FOO-BAR".to_owned())),
            ("export A=1", 1, 1, Problem::Name("export A".to_owned())),
            ("=1", 1, 1, Problem::Name(String::new())),
            ("A=1\n\nA=2", 3, 1, Problem::Duplicate { name, first: 1 }),
            ("A= \"x\ny", 1, 4, Problem::Unclosed),
            ("A='x' y", 1, 7, Problem::AfterQuote),
            ("A=a\0", 1, 4, Problem::Nul),
            ("A='\na\0'", 2, 2, Problem::Nul),
        ] {
            assert_eq!(parse(text), Err(EnvironmentFileError { line, column, problem }), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_value_can_be_written_in_double_quotes(value in "[^\0]*") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(one(&format!("A=\"{escaped}\"\n")), value);
        }

        #[test]
        fn every_value_is_read_as_it_was_written(value in "[^\0]*") {
            prop_assert_eq!(one(&line(&VariableName::new("A").unwrap(), &value)), value);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
