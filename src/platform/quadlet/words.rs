//! The grammars of Quadlet's values.

use crate::platform::Inexpressible;
use crate::platform::systemd::escape::{self, Unsayable};

/// Words that the generator does not hand on as they are, and the variables of the unit in which they are kept: it ends a
/// command at an empty one, and takes the quotes off a semicolon. `${…}` is one word to systemd, whatever it holds.
pub(super) const KEPT: [(&str, &str); 2] = [("", "MAINSTAY_EMPTY"), (";", "MAINSTAY_SEMICOLON")];

/// What was said, or which setting could not be.
pub(super) fn said(setting: &str, outcome: Result<String, Unsayable>) -> Result<String, Inexpressible> {
    outcome.map_err(|unsayable| Inexpressible::new(setting, unsayable.to_string()))
}

/// Keeps systemd from putting variables in, in the command that the generator makes.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// One word of a command.
pub(super) fn argument(setting: &str, text: &str) -> Result<String, Inexpressible> {
    if let Some((_, name)) = KEPT.iter().find(|(word, _)| *word == text) {
        return Ok(format!("${{{name}}}"));
    }
    said(setting, escape::argument(text)).map(|text| literal(&text))
}

/// A variable of the program.
pub(super) fn assignment(setting: &str, name: &str, value: &str) -> Result<String, Inexpressible> {
    said(setting, escape::assignment(name, value)).map(|text| literal(&text))
}

/// A value that takes the rest of its line. Quadlet takes quotes off its ends.
pub(super) fn value(setting: &str, text: &str) -> Result<String, Inexpressible> {
    let quotes = ['"', '\''];
    if text.starts_with(quotes) || text.ends_with(quotes) {
        return Err(Inexpressible::new(setting, "it begins or ends with a quote, which Quadlet would drop"));
    }
    said(setting, escape::text(text)).map(|text| literal(&text))
}

/// Words as a list in JSON.
pub(super) fn in_json(setting: &str, words: &[String]) -> Result<String, Inexpressible> {
    let text = serde_json::Value::from(words).to_string();
    // The one control character that JSON takes as it is.
    value(setting, &text.replace('\u{7f}', "\\u007f"))
}

/// The command of a health check: a list, which Podman takes for words only if it has two.
pub(super) fn health(setting: &str, words: &[String]) -> Result<String, Inexpressible> {
    match words {
        [word] if word.contains(char::is_whitespace) => Err(Inexpressible::new(
            setting,
            "Podman would take a single word with a blank for several, or hand it to a shell: give it an argument",
        )),
        [word] => value(setting, &format!("CMD {word}")),
        words => in_json(setting, words),
    }
}

/// The fields of a mount, which is a line of values between commas (RFC 4180).
pub(super) fn fields(fields: &[String]) -> String {
    let quoted = fields.iter().map(|field| {
        if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.clone() }
    });
    quoted.collect::<Vec<_>>().join(",")
}

/// The variables that Podman finds in a file: all behind the `=` is the value, with quotes and blanks.
pub(super) fn variables_of_podman(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim_start);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            (name.to_owned(), value.to_owned())
        })
        .collect()
}
