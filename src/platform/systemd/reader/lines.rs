//! The lines of a unit's files, as systemd.syntax(7) has them: sections, comments, continued lines. What is written over
//! several lines is one assignment at the place of its first.

use camino::{Utf8Path, Utf8PathBuf};

/// One assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    /// The file.
    pub(super) file: Utf8PathBuf,
    /// The line at which it begins, from 1.
    pub(super) line: usize,
    /// The section, without brackets.
    pub(super) section: String,
    /// The setting.
    pub(super) key: String,
    /// Its value without outer blanks; empty: what was said before is taken back.
    pub(super) value: String,
}

/// What is no assignment and no comment: systemd warns of it and goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stray {
    pub(super) line: usize,
    pub(super) text: String,
}

/// The assignments of a file in their order, and what systemd would pass over.
pub(super) fn read(file: &Utf8Path, text: &str) -> (Vec<Assignment>, Vec<Stray>) {
    let (mut assignments, mut strays) = (Vec::new(), Vec::new());
    let mut section = String::new();
    for (line, text) in joined(text) {
        let text = text.trim_matches(blank);
        if text.is_empty() {
            continue;
        }
        let mut stray = || strays.push(Stray { line, text: text.to_owned() });
        if let Some(rest) = text.strip_prefix('[') {
            match rest.strip_suffix(']') {
                Some(name) => name.clone_into(&mut section),
                None => stray(),
            }
        } else if section.starts_with("X-") {
            // systemd leaves such sections to others, without a word.
        } else if let Some((key, value)) = text.split_once('=').filter(|_| !section.is_empty()) {
            assignments.push(Assignment {
                file: file.to_owned(),
                line,
                section: section.clone(),
                key: key.trim_matches(blank).to_owned(),
                value: value.trim_matches(blank).to_owned(),
            });
        } else {
            stray();
        }
    }
    (assignments, strays)
}

/// The lines with those joined that a backslash at the end continues: it becomes a blank. Comments stand between them
/// and end nothing.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in text.split(['\n', '\0']).enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start_matches(blank);
        if line.starts_with(['#', ';']) {
            continue;
        }
        let (first, mut whole) = open.take().unwrap_or((number + 1, String::new()));
        whole.push_str(line);
        // Of a row of backslashes every second one is escaped by the one before.
        let escapes = whole.len() - whole.trim_end_matches('\\').len();
        if escapes % 2 == 1 {
            whole.pop();
            whole.push(' ');
            open = Some((first, whole));
        } else {
            lines.push((first, whole));
        }
    }
    lines.extend(open);
    lines
}

/// What systemd takes as a blank.
pub(super) fn blank(next: char) -> bool {
    matches!(next, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(usize, String)> {
        let (assignments, _) = read(Utf8Path::new("x"), text);
        assignments
            .into_iter()
            .map(|found| (found.line, format!("{}/{}={}", found.section, found.key, found.value)))
            .collect()
    }

    #[test]
    fn lines_are_continued_over_comments() {
        let text = "[Unit]\nDescription = a \\\n  # between\n; too\n  b\\\\\nAfter=c\n\n[Service]\r\nExecStart=/x\\\n";
        assert_eq!(
            pairs(text),
            [
                (2, r"Unit/Description=a  b\\".to_owned()),
                (6, "Unit/After=c".to_owned()),
                (9, "Service/ExecStart=/x".to_owned()),
            ]
        );
    }

    #[test]
    fn what_systemd_passes_over_is_told() {
        let (assignments, strays) =
            read(Utf8Path::new("x"), "A=1\n[Service\n[Service]\nno assignment\n[X-Other]\nany thing\nB=2\n");
        assert!(assignments.is_empty());
        let lines: Vec<usize> = strays.iter().map(|stray| stray.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    #[test]
    fn a_mark_of_the_byte_order_is_no_part_of_the_first_line() {
        assert_eq!(pairs("\u{feff}[Unit]\nA=1"), [(2, "Unit/A=1".to_owned())]);
    }
}
