//! Faults with the text around them: the line, and carets under what is at fault.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::cli::words::visible;
use crate::model::problem::{Problem, Problems, Severity};

/// How wide lines are where no terminal says it.
pub(crate) const USUAL_WIDTH: usize = 120;
/// More words than these are not listed: `mainstay schema` has them.
const MOST_WORDS: usize = 40;

/// All the faults of a document, each with the text around it.
pub(crate) fn of_all(problems: &Problems, width: usize) -> String {
    problems.list.iter().map(|problem| of(&problems.file, &problems.text, problem, width)).collect()
}

/// One remark on a document. Where there is no text, as of a file that can't be read, its place is enough.
pub(crate) fn of(file: &str, text: &str, problem: &Problem, width: usize) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = visible(file);
    if text.is_empty() {
        let title = format!("{file}: {}", problem.title());
        return shown(&[Group::with_title(level.primary_title(title))], width);
    }
    // Only the lines that are shown: a document may have a thousand faults.
    let (shown_lines, first) = lines_of(text, problem);
    let text = harmless(&text[shown_lines.clone()]);
    let within = |range: &Range<usize>| {
        let moved =
            range.start.saturating_sub(shown_lines.start)..range.end.saturating_sub(shown_lines.start);
        on_one_line(&text, &moved)
    };
    let meant = problem.nearest.as_ref().map(|word| format!("did you mean `{word}`?"));
    let here = AnnotationKind::Primary.span(within(&problem.range)).label(meant);
    let mut snippet = Snippet::source(text.as_str()).line_start(first).path(file.as_ref()).annotation(here);
    for related in &problem.related {
        let there = AnnotationKind::Context.span(within(&related.range));
        snippet = snippet.annotation(there.label(format!("`{}` stands here", related.path)));
    }
    let mut group: Group = level.primary_title(problem.title()).element(snippet);
    // Whoever is told the word that was meant needs no list.
    let words = problem.allowed.as_ref().filter(|_| problem.nearest.is_none());
    if let Some(words) = words.filter(|words| (1..=MOST_WORDS).contains(&words.len())) {
        group = group.element(Level::HELP.message(format!("possible here: `{}`", words.join("`, `"))));
    }
    shown(&[group], width)
}

fn shown(groups: &[Group<'_>], width: usize) -> String {
    Renderer::styled().term_width(width).render(groups) + "\n\n"
}

/// The bytes of the lines from the first place of a fault to its last, and the number of the first of them.
fn lines_of(text: &str, problem: &Problem) -> (Range<usize>, usize) {
    let places = || problem.related.iter().map(|related| (related.range.start, related.line));
    let places = || places().chain([(problem.range.start, problem.line)]);
    let inside = |at: usize| at.min(text.len());
    let (first, line) = places().min().unwrap_or_default();
    let last = inside(places().map(|(at, _)| at).max().unwrap_or_default());
    let bytes = text.as_bytes();
    let begin = bytes[..inside(first)].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let end = bytes[last..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| last + at + 1);
    (begin..end, line)
}

/// The range, up to the end of its first line; one character at least, so that there is something to point at.
fn on_one_line(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = (0..=range.start.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let rest = &text[start..];
    let line = rest.find('\n').unwrap_or(rest.len());
    let wanted = range.end.saturating_sub(start).min(line);
    let first = rest.chars().next().map_or(0, char::len_utf8).min(line);
    let width = (0..=wanted.max(first)).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
    start..start + width
}

/// The text with nothing in it that a terminal would obey, and every byte where it was. Characters below U+0020 are
/// shown by the renderer as what they are.
fn harmless(text: &str) -> String {
    text.chars().map(|letter| if ('\u{80}'..='\u{9f}').contains(&letter) { '·' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contradiction::read_manifest;

    fn told(text: &str, width: usize) -> String {
        let problems = read_manifest("mainstay.json", text).unwrap_err();
        let all: String =
            problems.list.iter().map(|problem| of(&problems.file, &problems.text, problem, width)).collect();
        anstream::adapter::strip_str(&all).to_string().trim_end().to_owned()
    }

    #[test]
    fn a_caret_stands_under_what_is_at_fault() {
        let text = "{\n  \"name\": \"e2e\",\n  \"package\": { \"name\": \"x\" },\n  \"service\": { \"comand\": [\"a\"] }\n}\n";
        insta::assert_snapshot!(told(text, 120), @r#"
    error: service.comand: unknown field
     --> mainstay.json:4:16
      |
    4 |   "service": { "comand": ["a"] }
      |                ^^^^^^^^ did you mean `command`?
    "#);
    }

    #[test]
    fn wide_characters_and_tabs_are_as_wide_as_they_look() {
        let text = "{\n\t\"name\": \"日本\", \"package\": {\"name\": \"x\"},\n\t\"service\": {\"description\": \"日本語 é\", \"boot\": 1}}";
        insta::assert_snapshot!(told(text, 120), @r#"
    error: name: `日本` is not a name: use lower-case letters, digits, `.`, `_` and `-`, at most 63, with a letter or digit at both ends
     --> mainstay.json:2:10
      |
    2 |     "name": "日本", "package": {"name": "x"},
      |             ^^^^^^

    error: service.boot: `true` or `false` is expected, not `1`
     --> mainstay.json:3:46
      |
    3 |     "service": {"description": "日本語 é", "boot": 1}}
      |                                                    ^
    "#);
    }

    #[test]
    fn fields_that_exclude_each_other_are_both_shown() {
        let text = "{\n \"name\": \"a\",\n \"package\": {\"name\": \"x\"},\n \"service\": {\n  \"schedule\": {\"every\": \"1h\"},\n  \"environment\": {},\n  \"description\": \"d\",\n  \"health\": {\"tcp\": \"a:1\"}\n }\n}";
        insta::assert_snapshot!(told(text, 120), @r#"
    error: service.health: `health` has no meaning for a program that is run on a `schedule`: between its runs nobody could answer
     --> mainstay.json:8:3
      |
    5 |   "schedule": {"every": "1h"},
      |   ---------- `service.schedule` stands here
    ...
    8 |   "health": {"tcp": "a:1"}
      |   ^^^^^^^^
    "#);
    }

    #[test]
    fn long_lines_are_cut_to_the_terminal() {
        let text = format!(
            "{{ \"name\": \"a\", \"package\": {{\"name\": \"x\"}}, \"service\": {{ \"command\": [\"{}\"], \"boot\": 1, \"description\": \"{}\" }} }}",
            "x".repeat(300),
            "y".repeat(300)
        );
        let told = told(&text, 60);
        assert!(told.lines().skip(1).all(|line| line.chars().count() <= 64), "{told}");
        assert!(told.contains("\"boot\": 1") && told.contains("..."), "{told}");
    }

    #[test]
    fn nothing_in_a_text_speaks_to_the_terminal() {
        let text = "{ \"name\": \"\u{9b}31m\", \"package\": {\"name\": \"x\u{1b}[2J\"} }";
        let all = told(text, 120);
        assert!(!all.contains('\u{9b}') && !all.contains('\u{1b}'), "{all:?}");
    }

    #[test]
    fn a_range_ends_with_its_line_and_never_inside_a_character() {
        assert_eq!(on_one_line("ab\ncd", &(1..5)), 1..2);
        assert_eq!(on_one_line("ab", &(2..2)), 2..2);
        assert_eq!(on_one_line("é", &(0..0)), 0..2);
        assert_eq!(on_one_line("é", &(1..1)), 0..2);
        assert_eq!(on_one_line("", &(7..9)), 0..0);
    }
}
