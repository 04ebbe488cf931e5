//! The stamp of a definition: a line that holds the digest of all others, so that an edit by hand shows.

use crate::model::digest::Digest;

/// Stands where the stamp comes to stand, while the text is made.
pub(super) const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Puts the digest into the line that begins with `key`, which holds [`BLANK`] so far.
pub(super) fn press(text: &str, key: &str) -> String {
    match cut(text, key) {
        Some((before, line, after)) => {
            let digest = Digest::of(format!("{before}{after}").as_bytes()).to_string();
            format!("{before}{}{after}", line.replacen(BLANK, &digest, 1))
        }
        None => text.to_owned(),
    }
}

/// Whether the digest in the line that begins with `key` is that of all other lines.
pub(super) fn fits(text: &str, key: &str) -> bool {
    cut(text, key).is_some_and(|(before, line, after)| {
        line.contains(&Digest::of(format!("{before}{after}").as_bytes()).to_string())
    })
}

/// The text before, in and after the first line that begins with `key`, blanks aside.
fn cut<'a>(text: &'a str, key: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with(key) {
            let end = start + line.len();
            return Some((&text[..start], line, &text[end..]));
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_by_hand_shows() {
        let text = press(&format!("a\nhash={BLANK}\nb\n"), "hash=");
        assert!(fits(&text, "hash="));
        assert!(!fits(&text.replace('b', "c"), "hash="));
        assert!(!fits(&format!("{text}d\n"), "hash="));
        assert!(!fits("a\nb\n", "hash="));
        assert!(!fits("", "hash="));
    }
}
