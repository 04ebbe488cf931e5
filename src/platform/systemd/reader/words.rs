//! The words of a value: blanks part them, quotes hold them together, a backslash begins a C escape (systemd.syntax(7),
//! "Quoting").

use thiserror::Error;

use super::lines::blank;

/// Why systemd reads no words in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Unreadable {
    /// A quote that opens and is never closed.
    #[error("a quote in it is never closed")]
    Unclosed,
    /// A backslash before what it does not go with.
    #[error("it holds an escape that systemd does not know")]
    Escape,
}

/// What becomes of a backslash that begins no escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backslash {
    /// The text is refused.
    Strict,
    /// It stays, as in command lines, of which systemd only warns.
    Kept,
    /// It is dropped, and the next character stands for itself: lists of paths.
    Dropped,
}

/// The next word of a text, and the rest after the blanks that follow; nothing where there is none. Says also whether
/// the word had quotes or escapes.
pub(super) fn next(text: &str, backslash: Backslash) -> Result<Option<(String, &str)>, Unreadable> {
    let text = text.trim_start_matches(blank);
    if text.is_empty() {
        return Ok(None);
    }
    let mut word = String::new();
    let mut quote = None;
    let mut rest = text.char_indices();
    while let Some((at, letter)) = rest.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, _) if blank(letter) => {
                return Ok(Some((word, text[at..].trim_start_matches(blank))));
            }
            (_, '\\') => {
                let after = &text[at + 1..];
                let taken = escape(after, backslash, &mut word)?;
                for _ in 0..after[..taken].chars().count() {
                    rest.next();
                }
            }
            _ => word.push(letter),
        }
    }
    if quote.is_some() { Err(Unreadable::Unclosed) } else { Ok(Some((word, ""))) }
}

/// All words of a text.
pub(super) fn all(text: &str, backslash: Backslash) -> Result<Vec<String>, Unreadable> {
    let (mut words, mut rest) = (Vec::new(), text);
    while let Some((word, after)) = next(rest, backslash)? {
        words.push(word);
        rest = after;
    }
    Ok(words)
}

/// Adds what an escape stands for, and gives how many bytes after the backslash it takes.
fn escape(after: &str, backslash: Backslash, word: &mut String) -> Result<usize, Unreadable> {
    let Some(letter) = after.chars().next() else {
        if backslash == Backslash::Kept {
            word.push('\\');
            return Ok(0);
        }
        return Err(Unreadable::Escape);
    };
    let numbered = |from: usize, digits: usize, radix: u32| {
        let code = after.get(from..from + digits)?;
        let code = code.chars().all(|digit| digit.is_digit(radix)).then_some(code)?;
        let code = u32::from_str_radix(code, radix).ok().filter(|code| *code != 0)?;
        Some((char::from_u32(code)?, from + digits))
    };
    if backslash == Backslash::Dropped {
        word.push(letter);
        return Ok(letter.len_utf8());
    }
    let found = match letter {
        'a' => Some(('\u{7}', 1)),
        'b' => Some(('\u{8}', 1)),
        'f' => Some(('\u{c}', 1)),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        'v' => Some(('\u{b}', 1)),
        's' => Some((' ', 1)),
        '\\' | '"' | '\'' => Some((letter, 1)),
        // A byte above 7f would be half a character: no text of ours can say it.
        'x' => numbered(1, 2, 16).filter(|(code, _)| code.is_ascii()),
        'u' => numbered(1, 4, 16),
        'U' => numbered(1, 8, 16),
        '0'..='7' => numbered(0, 3, 8).filter(|(code, _)| code.is_ascii()),
        _ => None,
    };
    match found {
        Some((character, taken)) => {
            word.push(character);
            Ok(taken)
        }
        None if backslash == Backslash::Kept => {
            word.push('\\');
            word.push(letter);
            Ok(letter.len_utf8())
        }
        None => Err(Unreadable::Escape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<String>, Unreadable> {
        all(text, Backslash::Strict)
    }

    #[test]
    fn quotes_hold_words_together() {
        let text = r#"a "b c" 'd "e' f"g h"i ""  é"#;
        assert_eq!(words(text).unwrap(), ["a", "b c", "d \"e", "fg hi", "", "é"]);
        assert_eq!(words("'a"), Err(Unreadable::Unclosed));
        assert!(words(" \t").unwrap().is_empty());
    }

    #[test]
    fn escapes_are_those_of_c() {
        let text = r#"\x41\102\s\n "\t" '\'' \u00e9\U0001f600 \\"#;
        assert_eq!(words(text).unwrap(), ["AB \n", "\t", "'", "é😀", "\\"]);
        for wrong in [r"\q", r"\x0", r"\000", r"\xff", r"\ud800", "a\\"] {
            assert_eq!(words(wrong), Err(Unreadable::Escape), "{wrong}");
        }
        assert_eq!(all(r"a\qb \é", Backslash::Kept).unwrap(), [r"a\qb", r"\é"]);
        assert_eq!(all(r"a\ b\x", Backslash::Dropped).unwrap(), ["a bx"]);
    }
}
