//! Texts in a width: broken at blanks where there are some, and cut where they may not go on.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What stands for what was cut.
const CUT: char = '…';

/// How many columns a text takes.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The lines of a text, none wider than `columns`: broken at blanks, and a word that is wider after a `/`, or anywhere.
#[must_use]
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let with_blank = usize::from(!line.is_empty());
        if width(&line) + with_blank + width(word) <= columns {
            if with_blank == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut rest = word;
        while width(rest) > columns {
            let (piece, after) = rest.split_at(breaking(rest, columns));
            lines.push(piece.to_owned());
            rest = after;
        }
        line.push_str(rest);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The lines of a text that may have styles in it, which take no room: broken at blanks, and those after the first begin
/// with so many blanks. A word that is wider than a line stays whole, so that a path can be copied.
#[must_use]
pub(crate) fn hanging(text: &str, columns: usize, indent: usize) -> Vec<String> {
    let indent = indent.min(columns / 2);
    let mut lines = Vec::new();
    // What stands in the line at hand, its width, and whether a word is in it.
    let (mut line, mut taken, mut begun) = (String::new(), 0, false);
    for (index, word) in text.split(' ').enumerate() {
        let length = width(&anstream::adapter::strip_str(word).to_string());
        if begun && length > 0 && taken + 1 + length > columns {
            lines.push(line.trim_end_matches(' ').to_owned());
            (line, taken, begun) = (" ".repeat(indent), indent, false);
        } else if index > 0 {
            line.push(' ');
            taken += 1;
        }
        line.push_str(word);
        taken += length;
        begun |= length > 0;
    }
    lines.push(line);
    lines
}

/// The lines of a text for a person in front of so many columns, each as far in as its beginning and a little more.
#[must_use]
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    /// How much further in a line goes on.
    const FURTHER: usize = 2;
    let of = |line: &str| {
        let plain = anstream::adapter::strip_str(line).to_string();
        if width(&plain) <= columns {
            return line.to_owned();
        }
        let beginning = plain.len() - plain.trim_start_matches(' ').len();
        hanging(line, columns, beginning + FURTHER).join("\n")
    };
    text.split('\n').map(of).collect::<Vec<_>>().join("\n")
}

/// Where a word that is too wide is broken: after the last `/` that fits, if half a line is before it. At least one
/// character goes before.
fn breaking(word: &str, columns: usize) -> usize {
    let end = fitting(word, columns).max(word.chars().next().map_or(0, char::len_utf8));
    let slash = word[..end].rfind('/').map(|at| at + 1);
    slash.filter(|at| *at >= end / 2 && *at < word.len()).unwrap_or(end)
}

/// How many bytes of a text fit into so many columns.
fn fitting(text: &str, columns: usize) -> usize {
    let mut taken = 0;
    for (at, letter) in text.char_indices() {
        taken += letter.width().unwrap_or(0);
        if taken > columns {
            return at;
        }
    }
    text.len()
}

/// A text of at most so many columns: its end is left out.
#[must_use]
pub(crate) fn without_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    match columns {
        0 => String::new(),
        _ => format!("{}{CUT}", &text[..fitting(text, columns - 1)]),
    }
}

/// A text of at most so many columns: its beginning is left out, as of a path whose end tells more.
#[must_use]
pub(crate) fn without_beginning(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut begin = text.len();
    for (at, letter) in text.char_indices().rev() {
        let Some(after) = left.checked_sub(letter.width().unwrap_or(0)) else { break };
        (left, begin) = (after, at);
    }
    if columns == 0 { String::new() } else { format!("{CUT}{}", &text[begin..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_at_blanks_and_long_words_after_slashes() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one", 7), ["one"]);
        assert_eq!(wrap("", 7), [""]);
        assert_eq!(wrap("at /srv/a-long/place", 12), ["at", "/srv/a-long/", "place"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        // Wider than the line, and there all the same.
        assert_eq!(wrap("日本", 1), ["日", "本"]);
    }

    #[test]
    fn lines_fit_and_go_on_further_in() {
        let lines = hanging("  1) platform: accounts are kept by the platform", 24, 5);
        assert_eq!(lines, ["  1) platform: accounts", "     are kept by the", "     platform"]);
        assert_eq!(hanging("", 20, 0), [""]);
        assert_eq!(hanging("https://a-very-long-address.example.com", 20, 0).len(), 1);
        assert_eq!(
            fitted("\x1b[1mhelp:\x1b[0m go to its folder\n  /srv/a-long-folder  stays", 16),
            "\x1b[1mhelp:\x1b[0m go to its\n  folder\n  /srv/a-long-folder\n    stays"
        );
        // Styles take no room, also where a line begins with one.
        assert_eq!(fitted("\x1b[2m    one two three\x1b[0m", 12), "\x1b[2m    one two\n      three\x1b[0m");
    }

    #[test]
    fn texts_are_cut_to_their_columns() {
        assert_eq!(without_end("orchestrator", 6), "orche…");
        assert_eq!(without_end("web", 3), "web");
        assert_eq!(without_end("日本語", 4), "日…");
        assert_eq!(without_beginning("/srv/deploy/web", 8), "…loy/web");
        assert_eq!(without_beginning("/srv", 4), "/srv");
        assert_eq!((without_end("web", 0), without_beginning("web", 1)), (String::new(), "…".to_owned()));
    }
}
