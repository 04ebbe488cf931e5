//! A JSON text as a tree in which every value remembers where it stands.
//!
//! The reading is strict: what RFC 8259 does not allow is a fault, and so are duplicate keys, of which
//! readers keep now the first and now the last, and NUL characters, which no program can be given.

use std::collections::HashSet;
use std::ops::Range;

use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};

use crate::model::position::{Position, Segment};
use crate::model::problem::Problem;

/// How deep values may be nested. Our documents need eight; a reader that recurses has to end somewhere.
const DEEPEST: usize = 64;

/// A value and the bytes of the text that it takes.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) range: Range<usize>,
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_range: Range<usize>,
    pub(crate) node: Node,
}

impl Node {
    /// Reads a text. Where its form is right, duplicate keys and forbidden characters are told all at once.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let value = read(text).map_err(|problem| vec![*problem])?;
        let mut builder = Builder { text, path: Vec::new(), problems: Vec::new() };
        let node = builder.node(value);
        if builder.problems.is_empty() { Ok(node) } else { Err(builder.problems) }
    }

    /// The value at the end of a path.
    pub(crate) fn at(&self, path: &[Segment]) -> Option<&Self> {
        path.iter().try_fold(self, |node, segment| match (&node.value, segment) {
            (Value::List(elements), Segment::Index(index)) => elements.get(*index),
            (Value::Object(_), Segment::Key(key)) => node.member(key).map(|member| &member.node),
            _ => None,
        })
    }

    /// The member of that name, if this is an object that has it.
    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        let Value::Object(members) = &self.value else { return None };
        members.iter().find(|member| member.key == key)
    }

    /// The same value without the members and elements that take one of these ranges, or whose name does. `None`: that is
    /// all of it.
    pub(crate) fn to_json_without(&self, ranges: &HashSet<Range<usize>>) -> Option<serde_json::Value> {
        if ranges.contains(&self.range) {
            return None;
        }
        Some(match &self.value {
            Value::List(elements) => {
                elements.iter().filter_map(|element| element.to_json_without(ranges)).collect()
            }
            Value::Object(members) => {
                let named = members.iter().filter(|member| !ranges.contains(&member.key_range));
                named
                    .filter_map(|member| Some((member.key.clone(), member.node.to_json_without(ranges)?)))
                    .collect()
            }
            _ => self.to_json(),
        })
    }

    /// The same value as `serde_json` has it. Nothing is lost: there are no duplicate keys.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Boolean(value) => (*value).into(),
            Value::Number(value) => value.clone().into(),
            Value::Text(value) => value.as_str().into(),
            Value::List(elements) => elements.iter().map(Self::to_json).collect(),
            Value::Object(members) => {
                members.iter().map(|member| (member.key.clone(), member.node.to_json())).collect()
            }
        }
    }
}

/// The syntax tree of a text that is JSON in the strict sense, or the first place where it is not.
fn read(text: &str) -> Result<ast::Value<'_>, Box<Problem>> {
    // One character wide, so that there is something to point at.
    let problem = |offset: usize, message: &str| {
        let width = text.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        Box::new(Problem::new(&[], text, offset..offset + width, message))
    };
    if text.starts_with('\u{feff}') {
        return Err(problem(0, "the file begins with a byte order mark: save it as UTF-8 without one"));
    }
    if let Some(offset) = too_deep(text) {
        return Err(problem(offset, &format!("values are nested more than {DEEPEST} deep")));
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict()).map_err(|error| {
        let (range, message) = (error.range(), syntax(error.kind()));
        if range.end > range.start {
            Box::new(Problem::new(&[], text, range.start..range.end, message))
        } else {
            problem(range.start, &message)
        }
    })?;
    let Some(value) = parsed.value else {
        return Err(problem(0, "the file is empty"));
    };
    // The parser takes more white space and more characters in strings than JSON has; serde_json does not.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let line_start: usize = text.split_inclusive('\n').take(error.line() - 1).map(str::len).sum();
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        let at = line_start + error.column().saturating_sub(1);
        // serde_json tells what stood before the control character.
        let control = text.get(..at).map_or(at.saturating_sub(1), str::len);
        let found = text.as_bytes()[control..].iter().position(|byte| *byte < 0x20);
        let is_control = message.starts_with("control character");
        return Err(problem(found.filter(|_| is_control).map_or(at, |further| control + further), message));
    }
    Ok(value)
}

fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// Where brackets first stand too deep, found before anything recurses.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Some(offset);
        }
    }
    None
}

/// The parser's message, in the words of this tool where its own are unclear or promise too much.
fn syntax(kind: &jsonc_parser::errors::ParseErrorKind) -> String {
    use jsonc_parser::ParseStringErrorKind as InString;
    use jsonc_parser::errors::ParseErrorKind as Kind;
    match kind {
        Kind::String(InString::InvalidUnicodeEscapeSequence(_)) => {
            "this escape is only half of a character".to_owned()
        }
        Kind::CommentsNotAllowed => "comments are not allowed in JSON".to_owned(),
        Kind::TrailingCommasNotAllowed => "no comma may stand after the last member".to_owned(),
        Kind::SingleQuotedStringsNotAllowed => "texts stand in double quotes".to_owned(),
        Kind::ExpectedStringObjectProperty => "the names of members stand in double quotes".to_owned(),
        Kind::ExpectedColonAfterObjectKey => "a colon is missing after the member's name".to_owned(),
        Kind::ExpectedObjectValue => "a value is missing after the colon".to_owned(),
        Kind::ExpectedComma => "a comma is missing here".to_owned(),
        Kind::MultipleRootJsonValues => "nothing may follow the first value".to_owned(),
        Kind::UnterminatedObject => "this object is never closed: a `}` is missing".to_owned(),
        Kind::UnterminatedArray => "this list is never closed: a `]` is missing".to_owned(),
        other => {
            let words = other.to_string();
            let mut letters = words.chars();
            letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
        }
    }
}

struct Builder<'a> {
    text: &'a str,
    path: Vec<Segment>,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    fn node(&mut self, value: ast::Value<'_>) -> Node {
        let range = value.range().start..value.range().end;
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(literal) => Value::Boolean(literal.value),
            ast::Value::NumberLit(literal) => self.number(literal.value, range.clone()),
            ast::Value::StringLit(literal) => {
                self.refuse_nul(&literal.value, range.clone());
                Value::Text(literal.value.into_owned())
            }
            ast::Value::Array(array) => Value::List(
                array
                    .elements
                    .into_iter()
                    .enumerate()
                    .map(|(index, element)| self.inside(index.into(), element))
                    .collect(),
            ),
            ast::Value::Object(object) => self.object(object),
        };
        Node { range, value }
    }

    fn inside(&mut self, segment: Segment, value: ast::Value<'_>) -> Node {
        self.path.push(segment);
        let node = self.node(value);
        self.path.pop();
        node
    }

    fn object(&mut self, object: ast::Object<'_>) -> Value {
        let mut members: Vec<Member> = Vec::with_capacity(object.properties.len());
        for property in object.properties {
            let key_range = property.name.range().start..property.name.range().end;
            let key = property.name.into_string();
            self.refuse_nul(&key, key_range.clone());
            if let Some(first) = members.iter().find(|member| member.key == key) {
                let line = Position::of(self.text, first.key_range.start).line;
                let first = first.key_range.clone();
                self.path.push(Segment::Key(key.clone()));
                let message = format!("this field stands twice: first on line {line}");
                let problem = Problem::new(&self.path, self.text, key_range.clone(), message);
                self.problems.push(problem.beside(&self.path, self.text, first));
                self.path.pop();
            }
            let node = self.inside(Segment::Key(key.clone()), property.value);
            members.push(Member { key, key_range, node });
        }
        Value::Object(members)
    }

    fn number(&mut self, literal: &str, range: Range<usize>) -> Value {
        if let Ok(number) = literal.parse() {
            return Value::Number(number);
        }
        self.problem(range, format!("`{literal}` is out of range"));
        Value::Null
    }

    fn refuse_nul(&mut self, text: &str, range: Range<usize>) {
        if text.contains('\0') {
            self.problem(
                range,
                "a NUL character stands in this text: no program or file can be given one".to_owned(),
            );
        }
    }

    fn problem(&mut self, range: Range<usize>, message: String) {
        self.problems.push(Problem::new(&self.path, self.text, range, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        let problems = Node::parse(text).unwrap_err();
        problems.iter().map(|it| format!("{}:{} {it}", it.line, it.column)).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn what_is_not_strict_json_is_told_with_its_place() {
        for (text, fault) in [
            ("", "1:1 the file is empty"),
            ("  \n ", "1:1 the file is empty"),
            ("\u{feff}{}", "1:1 the file begins with a byte order mark: save it as UTF-8 without one"),
            ("{} // x", "1:4 comments are not allowed in JSON"),
            ("{\n  /* x */ }", "2:3 comments are not allowed in JSON"),
            ("{\"a\": 1,\n}", "1:8 no comma may stand after the last member"),
            ("[1,]", "1:3 no comma may stand after the last member"),
            ("[,1]", "1:2 unexpected comma"),
            ("[1,,2]", "1:4 unexpected comma"),
            ("{\"a\": 1,, \"b\": 2}", "1:9 unexpected token in object"),
            ("['a']", "1:2 texts stand in double quotes"),
            ("{a: 1}", "1:2 the names of members stand in double quotes"),
            ("{\"a\" 1}", "1:6 a colon is missing after the member's name"),
            ("{\"a\": 1 \"b\": 2}", "1:8 a comma is missing here"),
            ("[1 2]", "1:3 a comma is missing here"),
            ("{\"ä\": {}", "1:1 this object is never closed: a `}` is missing"),
            ("[[1]", "1:1 this list is never closed: a `]` is missing"),
            ("{} {}", "1:4 nothing may follow the first value"),
            ("[0x10]", "1:2 hexadecimal numbers are not allowed"),
            ("[+1]", "1:2 unary plus on numbers is not allowed"),
            ("[.5]", "1:2 leading or trailing decimal points on numbers are not allowed"),
            ("[01]", "1:3 a comma is missing here"),
            ("[NaN]", "1:2 unexpected token"),
            ("[\"ä\\x41\"]", "1:4 invalid escape"),
            ("[\"\\ud800\"]", "1:3 this escape is only half of a character"),
            (
                "[\"\\u0000\"]",
                "1:2 [0]: a NUL character stands in this text: no program or file can be given one",
            ),
            ("[1e999]", "1:2 [0]: `1e999` is out of range"),
            ("[\"ä\tb\"]", "1:4 control character (\\u0000-\\u001F) found while parsing a string"),
            ("{\"ä\":\u{a0}1}", "1:6 expected value"),
            ("{\u{c}}", "1:2 key must be a string"),
            ("nul", "1:1 unexpected word"),
        ] {
            assert_eq!(faults(text), fault, "{text:?}");
        }
    }

    #[test]
    fn duplicate_keys_are_told_all_at_once() {
        assert_eq!(
            faults("{\"a\": {\"b\": 1, \"b\": 2},\n \"a\": 1, \"\\u0061\": 2}"),
            "1:16 a.b: this field stands twice: first on line 1 | 2:2 a: this field stands twice: first on line 1 | \
             2:10 a: this field stands twice: first on line 1"
        );
    }

    #[test]
    fn depth_has_an_end_and_brackets_in_texts_do_not_count() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Node::parse(&deep(64)).is_ok());
        assert_eq!(faults(&deep(65)), "1:65 values are nested more than 64 deep");
        assert_eq!(faults(&"[".repeat(1_000_000)), "1:65 values are nested more than 64 deep");
        assert!(Node::parse(&format!("[\"\\\"{}\"]", "[".repeat(1000))).is_ok());
    }

    proptest::proptest! {
        /// What this reader takes, serde_json takes and means the same; texts of any form are read to their end.
        #[test]
        fn only_strict_json_is_taken(text in r#"[\[\]{},:"\\/au0-9eE.+ \t\x01é-]{0,12}|\{"a":[ -~é]{0,8}\}|"[\\\\ud8cfn"0/]{0,14}""#) {
            if let Ok(node) = Node::parse(&text) {
                proptest::prop_assert_eq!(node.to_json(), serde_json::from_str::<serde_json::Value>(&text).unwrap());
            }
        }
    }

    #[test]
    fn escapes_are_read() {
        let node = Node::parse(r#"{"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00": "€\u2028"}"#).unwrap();
        assert_eq!(node.to_json(), serde_json::json!({ "a\"\\/\u{8}\u{c}\n\r\té😀": "€\u{2028}" }));
    }
}
