//! Texts as XML 1.0 holds them.

/// A text as it stands in an element; else the first character that XML can't hold. A carriage return is written as its
/// number, since a reader makes a line feed of it.
pub(super) fn escaped(text: &str) -> Result<String, char> {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(letter),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => return Err(letter),
            _ => escaped.push(letter),
        }
    }
    Ok(escaped)
}
