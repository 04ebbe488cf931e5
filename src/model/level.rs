//! How bad a log line is: what the program says of itself in the text, whoever keeps the text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much of a line is looked at: what stands behind is the message, and messages speak of errors that are
/// none.
const LOOKED_AT: usize = 120;
/// How many words may stand before the level: date, time, host, thread, logger.
const WORDS_BEFORE: usize = 6;

/// How bad a log line is, by syslog(3): asking for one asks for the worse ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Level {
    /// Something failed: priorities 0 to 3.
    Error,
    /// Something may fail: priority 4.
    Warning,
    /// Worth knowing: priorities 5 and 6.
    Info,
    /// For developers: priority 7.
    Debug,
}

impl Level {
    /// The priority that journalctl(1) takes as the upper bound.
    #[must_use]
    pub fn priority(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Info => 6,
            Self::Debug => 7,
        }
    }

    /// The level of a priority.
    #[must_use]
    pub fn of_priority(priority: u8) -> Self {
        match priority {
            0..=3 => Self::Error,
            4 => Self::Warning,
            5 | 6 => Self::Info,
            _ => Self::Debug,
        }
    }

    /// The level of a word, in whatever case, as loggers write it: `WARN`, `warning`, `fatal`, `E`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(Level, &[&str]); 4] = [
            (
                Level::Error,
                &[
                    "error", "err", "fatal", "critical", "crit", "panic", "emerg", "alert", "severe",
                    "failure",
                ],
            ),
            (Level::Warning, &["warning", "warn", "wrn"]),
            (Level::Info, &["info", "inf", "notice", "information", "log"]),
            (Level::Debug, &["debug", "dbg", "trace", "trc", "verbose", "fine", "finer", "finest"]),
        ];
        WORDS
            .into_iter()
            .find(|(_, words)| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
            .map(|(level, _)| level)
    }

    /// The level that a line gives itself: by the prefix of sd-daemon(3), by a field of JSON or logfmt, or by
    /// a word where loggers write it. `None`: it gives itself none.
    #[must_use]
    pub fn in_text(text: &str) -> Option<Self> {
        let text = text.trim_start();
        prefix(text)
            .map(|(level, _)| level)
            .or_else(|| json(text))
            .or_else(|| logfmt(text))
            .or_else(|| word(text))
    }
}

/// The level of a prefix as in `<3>disk full`, and the text after it.
#[must_use]
pub fn prefix(text: &str) -> Option<(Level, &str)> {
    let rest = text.strip_prefix('<')?;
    let priority = rest.chars().next()?.to_digit(8)?;
    let rest = rest.get(1..)?.strip_prefix('>')?;
    Some((Level::of_priority(u8::try_from(priority).ok()?), rest))
}

/// The field of a line that is a JSON object: a word, or a number as bunyan and pino write it.
fn json(text: &str) -> Option<Level> {
    if !text.starts_with('{') {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text.trim_end()).ok()?;
    let value =
        ["level", "severity", "lvl", "log.level", "levelname"].into_iter().find_map(|key| object.get(key))?;
    match value {
        serde_json::Value::String(word) => Level::of_word(word),
        number => Some(match number.as_u64()? {
            50.. => Level::Error,
            40..=49 => Level::Warning,
            30..=39 => Level::Info,
            10..=29 => Level::Debug,
            priority => Level::of_priority(u8::try_from(priority).ok()?),
        }),
    }
}

/// The field `level=warn`, wherever it stands.
fn logfmt(text: &str) -> Option<Level> {
    text.split_ascii_whitespace().find_map(|word| {
        let (key, value) = word.split_once('=')?;
        let is_level = matches!(key, "level" | "lvl" | "severity");
        Level::of_word(value.trim_matches('"')).filter(|_| is_level)
    })
}

/// A word among the first: in capitals, in brackets, or before a colon. A plain `error` in a sentence is none.
fn word(text: &str) -> Option<Level> {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(index, _)| index);
    for (index, word) in text[..end].split_ascii_whitespace().enumerate().take(WORDS_BEFORE + 1) {
        for part in word.split(['|', '/']) {
            let bare = part.trim_matches(|next: char| !next.is_ascii_alphanumeric());
            let Some(level) = Level::of_word(bare) else { continue };
            let capitals = bare.len() > 2 && bare.bytes().all(|byte| byte.is_ascii_uppercase());
            let bracketed =
                part.starts_with(['[', '(', '<']) && part.trim_end_matches(':').ends_with([']', ')', '>']);
            let announced = index == 0 && part.ends_with(':') || capitals;
            if capitals || bracketed || announced {
                return Some(level);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_bad_it_is() {
        use Level::{Debug, Error, Info, Warning};
        for (text, level) in [
            ("<3>disk full", Some(Error)),
            ("<7>x", Some(Debug)),
            ("2026-05-08T14:32:07Z ERROR server: no route", Some(Error)),
            ("2026/05/08 14:32:07 [error] 31#31: *1 open() failed", Some(Error)),
            ("[2026-05-08 14:32:07,123] [MainThread] WARNING  asyncio: slow", Some(Warning)),
            ("  INFO  listening", Some(Info)),
            ("warning: unused", Some(Warning)),
            ("Error: cannot find module", Some(Error)),
            (r#"{"level":"warn","msg":"x"}"#, Some(Warning)),
            (r#"{"level":50,"msg":"x"}"#, Some(Error)),
            (r#"{"msg":"ERROR"}"#, None),
            (r#"time=x level=debug msg="error""#, Some(Debug)),
            ("12:00 | DEBUG | worker | ok", Some(Debug)),
            ("there was no error at all", None),
            ("recovered after an error: fine", None),
            ("one two three four five six seven ERROR", None),
            ("listening on 4000", None),
            ("", None),
            ("<9>x", None),
        ] {
            assert_eq!(Level::in_text(text), level, "{text}");
        }
    }
}
