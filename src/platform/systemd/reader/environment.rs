//! A file of variables as systemd reads it (`EnvironmentFile=`, systemd.exec(5)), which is not quite as mainstay does.

use std::collections::BTreeMap;

/// The variables of a file; a later line wins.
pub(super) fn file(text: &str) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut letters = text.chars().peekable();
    while let Some(&letter) = letters.peek() {
        if letter.is_ascii_whitespace() {
            letters.next();
        } else if matches!(letter, '#' | ';') {
            comment(&mut letters);
        } else if let Some((name, value)) = assignment(&mut letters) {
            variables.insert(name, value);
        }
    }
    variables
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn comment(letters: &mut Letters<'_>) {
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '\n' | '\r' => return,
            _ => {}
        }
    }
}

fn assignment(letters: &mut Letters<'_>) -> Option<(String, String)> {
    let mut name = String::new();
    loop {
        match letters.next()? {
            '=' => break,
            // A line without an assignment says nothing.
            '\n' | '\r' => return None,
            letter => name.push(letter),
        }
    }
    let value = value(letters);
    Some((name.trim_end().to_owned(), value))
}

fn value(letters: &mut Letters<'_>) -> String {
    let mut value = String::new();
    // How much of it stays when blanks at its end are dropped.
    let mut kept = 0;
    let mut begun = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\n' | '\r' => break,
            quote @ ('\'' | '"') if !begun => {
                quoted(letters, quote, &mut value);
                kept = value.len();
            }
            '\\' => {
                begun = true;
                if let Some(next) = letters.next().filter(|next| *next != '\n') {
                    value.push(next);
                    kept = value.len();
                }
            }
            letter if letter.is_ascii_whitespace() => {
                if begun {
                    value.push(letter);
                }
            }
            letter => {
                begun = true;
                value.push(letter);
                kept = value.len();
            }
        }
    }
    value.truncate(kept);
    value
}

fn quoted(letters: &mut Letters<'_>, quote: char, value: &mut String) {
    while let Some(letter) = letters.next() {
        match letter {
            _ if letter == quote => return,
            '\\' if quote == '"' => match letters.next() {
                Some(next @ ('"' | '\\' | '`' | '$')) => value.push(next),
                Some('\n') | None => {}
                Some(next) => value.extend(['\\', next]),
            },
            _ => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_systemd_does() {
        let text =
            "# a\n;b\nA=1 2 \nB = \"x \\\"y\\\" \\n $HOME\"\nC='a\\b'\nD=a\\\nb\nE=\nnothing\nF=a'b'\nA=3";
        let found = file(text);
        let read: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            read,
            [("A", "3"), ("B", "x \"y\" \\n $HOME"), ("C", "a\\b"), ("D", "ab"), ("E", ""), ("F", "a'b'"),]
        );
    }
}
