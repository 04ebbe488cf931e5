//! How bad a log line is: what the program says of itself in the text, whoever keeps the text.

use regex_lite::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

    /// The level of a word, in whatever case, as loggers write it: `WARN`, `warning`, `fatal`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(Level, &[&str]); 4] = [
            (
                Level::Error,
                &[
                    "error",
                    "err",
                    "fatal",
                    "critical",
                    "crit",
                    "panic",
                    "dpanic",
                    "emerg",
                    "emergency",
                    "alert",
                    "severe",
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

    /// The level of a number in a field, as bunyan and pino write it; below ten, as syslog does.
    fn of_number(number: u64) -> Self {
        match number {
            50.. => Self::Error,
            40..=49 => Self::Warning,
            30..=39 => Self::Info,
            10..=29 => Self::Debug,
            priority => Self::of_priority(u8::try_from(priority).unwrap_or(u8::MAX)),
        }
    }

    /// The level of a word, of its first letter alone, or of a number in digits.
    fn of_field(text: &str) -> Option<Self> {
        let letter = || match text.as_bytes() {
            [letter] => Self::of_letter(*letter),
            _ => None,
        };
        Self::of_word(text).or_else(letter).or_else(|| text.parse().ok().map(Self::of_number))
    }

    fn of_letter(letter: u8) -> Option<Self> {
        Some(match letter.to_ascii_uppercase() {
            b'E' | b'F' | b'C' => Self::Error,
            b'W' => Self::Warning,
            b'I' | b'N' => Self::Info,
            b'D' | b'T' | b'V' => Self::Debug,
            _ => return None,
        })
    }

    /// The level that a line gives itself: by a prefix of sd-daemon(3), syslog or klog, by a field of JSON or logfmt,
    /// or by a word where loggers write it. `None`: it gives itself none.
    #[must_use]
    pub fn in_text(text: &str) -> Option<Self> {
        let text = text.trim_start();
        prefix(text)
            .map(|(level, _)| level)
            .or_else(|| syslog(text))
            .or_else(|| klog(text))
            .or_else(|| json(text))
            .or_else(|| logfmt(text))
            .or_else(|| word(text))
    }
}

/// How the levels of one program's lines are found: by its manifest's `logs.level`, and in lines that this does not
/// fit as in all others.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    expression: Option<Regex>,
}

impl Levels {
    /// Those of a program whose manifest has this expression. One that is none, of a file that nobody has checked,
    /// finds nothing.
    #[must_use]
    pub fn new(expression: Option<&str>) -> Self {
        Self { expression: expression.and_then(|expression| Regex::new(expression).ok()) }
    }

    /// The level that a line gives itself. `None`: it gives itself none.
    #[must_use]
    pub fn in_text(&self, text: &str) -> Option<Level> {
        let found = self.expression.as_ref().and_then(|expression| expression.captures(text));
        let declared = found.and_then(|found| Level::of_field(found.name("level")?.as_str()));
        declared.or_else(|| Level::in_text(text))
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

/// The level of a prefix as in `<134>`, which names a facility too (RFC 5424, section 6.2.1).
fn syslog(text: &str) -> Option<Level> {
    let (digits, _) = text.strip_prefix('<')?.split_once('>')?;
    let priority: u8 = digits.parse().ok()?;
    (priority <= 191 && priority.to_string() == digits).then(|| Level::of_priority(priority % 8))
}

/// The level of a prefix as in `E0508 14:32:07.250000`, which klog and glog write: a letter, month and day.
fn klog(text: &str) -> Option<Level> {
    let (letter, rest) = text.as_bytes().split_first()?;
    let (date, rest) = rest.split_first_chunk::<4>()?;
    let dated = date.iter().all(u8::is_ascii_digit) && rest.first() == Some(&b' ');
    Level::of_letter(*letter).filter(|_| dated && letter.is_ascii_uppercase())
}

/// The field of a line that is a JSON object: a word, or a number, which may stand in a string. The names are those of
/// bunyan, pino, zap, logrus, winston, slog, Python's and Serilog's formatters, ECS and the large clouds.
fn json(text: &str) -> Option<Level> {
    const FIELDS: [&str; 12] = [
        "/level",
        "/severity",
        "/lvl",
        "/log.level",
        "/log/level",
        "/levelname",
        "/loglevel",
        "/log_level",
        "/severity_text",
        "/Level",
        "/@l",
        "/@level",
    ];
    if !text.starts_with('{') {
        return None;
    }
    let object: Value = serde_json::from_str(text.trim_end()).ok()?;
    let level = |value: &Value| match value {
        Value::String(text) => Level::of_field(text),
        number => number.as_u64().map(Level::of_number),
    };
    FIELDS.into_iter().find_map(|field| level(object.pointer(field)?))
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
            (r#"{"severity":"CRITICAL","level":{"of":"water"}}"#, Some(Error)),
            (r#"{"time":1,"level":"30"}"#, Some(Info)),
            (r#"{"level":20,"name":"bunyan"}"#, Some(Debug)),
            (r#"{"level":60}"#, Some(Error)),
            (r#"{"level":4}"#, Some(Warning)),
            (r#"{"log":{"level":"error"},"message":"ECS"}"#, Some(Error)),
            (r#"{"@t":"x","@l":"Warning"}"#, Some(Warning)),
            (r#"{"level":"nonsense"}"#, None),
            (r#"{"level":"error""#, None),
            (r#"time=x level=debug msg="error""#, Some(Debug)),
            ("12:00 | DEBUG | worker | ok", Some(Debug)),
            ("there was no error at all", None),
            ("recovered after an error: fine", None),
            ("one two three four five six seven ERROR", None),
            ("listening on 4000", None),
            ("", None),
            ("<9>x", Some(Error)),
            ("<134>1 2026-05-08T14:32:07Z host app - - - listening", Some(Info)),
            ("<28>May  8 14:32:07 host app: slow", Some(Warning)),
            ("E0508 14:32:07.250000       1 server.go:12] no route", Some(Error)),
            ("I0508 14:32:07.250000       1 server.go:12] ERROR is a word", Some(Info)),
            ("e0508 x", None),
            ("E05081 x", None),
            ("<192>x", None),
            ("<007>x", None),
            ("<>x", None),
        ] {
            assert_eq!(Level::in_text(text), level, "{text}");
        }
    }

    #[test]
    fn an_expression_of_the_manifest_goes_before_the_usual() {
        let levels = Levels::new(Some(r"^\S+ (?<level>[A-Za-z0-9]+)/"));
        for (text, level) in [
            ("12:00 w/worker ERROR is only a word here", Some(Level::Warning)),
            ("12:00 warn/worker ERROR is only a word here", Some(Level::Warning)),
            ("12:00 50/worker", Some(Level::Error)),
            ("12:00 some/worker ERROR", Some(Level::Error)),
            ("12:00 DEBUG nothing with a stroke", Some(Level::Debug)),
            ("12:00 nothing", None),
        ] {
            assert_eq!(levels.in_text(text), level, "{text}");
        }
        for without in [None, Some("(")] {
            assert_eq!(Levels::new(without).in_text("<3>x"), Some(Level::Error));
        }
    }
}
