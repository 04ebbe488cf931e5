//! What a task says, whoever wrote it down: the scheduler gives a task back in its own order, without what is usual and
//! with what it adds.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;
use thiserror::Error;

/// What holds where a task says nothing (`TaskScheduler Schema`).
const USUAL: [(&str, &str); 14] = [
    ("Triggers/LogonTrigger/Enabled", "true"),
    ("Principals/Principal/RunLevel", "LeastPrivilege"),
    ("Settings/AllowHardTerminate", "true"),
    ("Settings/AllowStartOnDemand", "true"),
    ("Settings/DisallowStartIfOnBatteries", "true"),
    ("Settings/Enabled", "true"),
    ("Settings/Hidden", "false"),
    ("Settings/IdleSettings/RestartOnIdle", "false"),
    ("Settings/MultipleInstancesPolicy", "IgnoreNew"),
    ("Settings/Priority", "7"),
    ("Settings/RunOnlyIfIdle", "false"),
    ("Settings/RunOnlyIfNetworkAvailable", "false"),
    ("Settings/StartWhenAvailable", "false"),
    ("Settings/WakeToRun", "false"),
];
/// What the scheduler says in its own words.
const ITS_OWN: [&str; 1] = ["RegistrationInfo/URI"];

/// A text that is no task.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("it is no task: {0}")]
pub struct MeaningError(String);

/// The values of a task, each by its place below the root: `Settings/Enabled`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    values: BTreeMap<String, String>,
}

impl Meaning {
    /// Reads a task.
    pub fn of(text: &str) -> Result<Self, MeaningError> {
        let wrong = |reason: String| MeaningError(reason);
        let mut reader = Reader::from_str(text);
        let mut path: Vec<String> = Vec::new();
        let mut value = String::new();
        let mut values = BTreeMap::new();
        let mut is_leaf = false;
        loop {
            match reader.read_event().map_err(|error| wrong(error.to_string()))? {
                Event::Start(element) => {
                    path.push(element.local_name().as_ref().to_owned());
                    value.clear();
                    is_leaf = true;
                }
                Event::Empty(element) => {
                    path.push(element.local_name().as_ref().to_owned());
                    values.entry(place(&path)).or_insert_with(String::new);
                    path.pop();
                    is_leaf = false;
                }
                Event::Text(text) => {
                    value.push_str(&text.xml10_content());
                }
                Event::CData(text) => {
                    value.push_str(&text.xml10_content());
                }
                Event::GeneralRef(reference) => {
                    let name = reference.as_ref();
                    let number = reference.resolve_char_ref().map_err(|error| wrong(error.to_string()))?;
                    match number.or_else(|| named(name)) {
                        Some(character) => value.push(character),
                        None => return Err(wrong(format!("`&{name};` means nothing in it"))),
                    }
                }
                Event::End(_) => {
                    if is_leaf {
                        values.entry(place(&path)).or_insert_with(|| value.clone());
                    }
                    is_leaf = false;
                    path.pop();
                }
                Event::Eof if path.is_empty() && !values.is_empty() => return Ok(Self { values }),
                Event::Eof => return Err(wrong("it ends too early".to_owned())),
                _ => {}
            }
        }
    }

    /// The value at a place.
    #[must_use]
    pub fn get(&self, place: &str) -> Option<&str> {
        self.values.get(place).map(String::as_str)
    }

    /// The places at which what the scheduler keeps differs from what is meant here, for people.
    #[must_use]
    pub fn differences(&self, kept: &Self) -> Vec<String> {
        let usual = |place: &str| USUAL.iter().find(|(known, _)| *known == place).map(|(_, value)| *value);
        let differs = |place: &&String| {
            let wanted = self.get(place);
            let kept = kept.get(place).or_else(|| usual(place)).unwrap_or_default();
            !ITS_OWN.contains(&place.as_str()) && wanted != Some(kept)
        };
        self.values.keys().filter(differs).cloned().collect()
    }
}

/// A place without the root's name.
fn place(path: &[String]) -> String {
    path.get(1..).unwrap_or_default().join("/")
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}
