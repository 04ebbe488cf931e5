//! A line of systemd's journal, as `journalctl --output=json` prints it (systemd.journal-fields(7)).

use serde::Deserialize;
use serde_json::Value;

use crate::model::level::{Level, Levels};
use crate::model::moment::Moment;

/// The priority that journald gives to what says nothing of itself (`SyslogLevel=`, systemd.exec(5)).
const USUAL: u8 = 6;

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When journald took it.
    pub at: Moment,
    /// Its place in the journal.
    pub cursor: String,
    /// How bad it is, where it says so.
    pub level: Option<Level>,
    /// Whether it is mainstay's or systemd's own.
    pub own: bool,
    /// Whether it is systemd's own.
    pub manager: bool,
    /// The text; what was no text in it is replaced.
    pub text: String,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    at: String,
    #[serde(rename = "__CURSOR", default)]
    cursor: String,
    #[serde(rename = "PRIORITY", default)]
    priority: Option<Value>,
    #[serde(rename = "SYSLOG_IDENTIFIER", default)]
    identifier: Option<Value>,
    #[serde(rename = "_COMM", default)]
    program: Option<Value>,
    #[serde(rename = "MESSAGE", default)]
    message: Value,
}

/// Reads a line, and finds its level as the levels of this program are found. `None`: it is not of this form.
#[must_use]
pub fn entry(line: &str, levels: &Levels) -> Option<Entry> {
    let fields: Fields = serde_json::from_str(line).ok()?;
    let at = jiff::Timestamp::from_microsecond(fields.at.parse().ok()?).ok().map(Moment)?;
    let text = text(&fields.message);
    let priority = fields.priority.as_ref().and_then(Value::as_str).and_then(|text| text.parse().ok());
    let told = priority.filter(|priority| *priority != USUAL).map(Level::of_priority);
    let is = |field: &Option<Value>, word: &str| field.as_ref().and_then(Value::as_str) == Some(word);
    Some(Entry {
        at,
        cursor: fields.cursor,
        // The prefix of sd-daemon(3), which journald has taken off, beats what the text says.
        level: told.or_else(|| levels.in_text(&text)),
        own: is(&fields.identifier, "systemd") || is(&fields.program, "mainstay"),
        manager: is(&fields.identifier, "systemd"),
        text,
    })
}

/// A message is a string, or a list of bytes where it is not UTF-8, or a list of either where it came twice.
fn text(message: &Value) -> String {
    match message {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let bytes: Option<Vec<u8>> = parts.iter().map(|part| u8::try_from(part.as_u64()?).ok()).collect();
            match bytes {
                Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                None => parts.first().map(text).unwrap_or_default(),
            }
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_journal_are_read() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1778250727250000","__CURSOR":"s=1;i=2","PRIORITY":"6","SYSLOG_IDENTIFIER":"web","_COMM":"server","MESSAGE":"WARN slow"}"#;
        let read = entry(line, &Levels::default()).unwrap();
        assert_eq!(read.at.to_string(), "2026-05-08T14:32:07.25Z");
        assert_eq!((read.level, read.own, read.text.as_str()), (Some(Level::Warning), false, "WARN slow"));
        assert_eq!(read.cursor, "s=1;i=2");
        let line = r#"{"__REALTIME_TIMESTAMP":"1","PRIORITY":"3","SYSLOG_IDENTIFIER":"systemd","MESSAGE":[104,105,255]}"#;
        let read = entry(line, &Levels::default()).unwrap();
        assert_eq!((read.level, read.own, read.text.as_str()), (Some(Level::Error), true, "hi\u{fffd}"));
        let levels = Levels::new(Some(r"^(?<level>\d+):"));
        for (priority, level) in [(6, Level::Error), (4, Level::Warning)] {
            let line =
                format!(r#"{{"__REALTIME_TIMESTAMP":"1","PRIORITY":"{priority}","MESSAGE":"50: no route"}}"#);
            assert_eq!(entry(&line, &levels).unwrap().level, Some(level));
        }
        let line = r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":null}"#;
        assert_eq!(entry(line, &Levels::default()).unwrap().text, "");
        assert_eq!(entry("-- No entries --", &Levels::default()), None);
    }
}
