//! A property list of launchd, read: a draft of a manifest, and a word on each of its keys.

use camino::Utf8Path;
use plist::{Dictionary, Value};
use thiserror::Error;

use crate::model::adoption::{AdoptedLine, Fate};
use crate::model::duration::Span;
use crate::model::manifest::{RestartWhen, VariableName};
use crate::model::schedule::Schedule;
use crate::model::token::literal;
use crate::model::umask::Umask;
use crate::platform::adoption::Draft;

/// What a property list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What the service is called by launchd.
    pub label: Option<String>,
    /// What it becomes.
    pub draft: Draft,
}

/// Why a file is no property list of a service.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlistError {
    /// It can't be parsed.
    #[error("it is no property list: {0}")]
    Malformed(String),
    /// It is one of something else.
    #[error("it is a property list, and not one of a service: its root is no dictionary")]
    NoDictionary,
}

/// Reads a property list, in XML or in binary. What launchd supposes where it says nothing is written out wherever
/// mainstay supposes something else.
pub fn read(path: &Utf8Path, bytes: &[u8]) -> Result<Read, PlistError> {
    let value = Value::from_reader(std::io::Cursor::new(bytes));
    let value = value.map_err(|error| PlistError::Malformed(error.to_string()))?;
    let Value::Dictionary(keys) = value else { return Err(PlistError::NoDictionary) };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let mut reader = Reader { keys: &keys, draft: Draft::default() };
    reader.suppose();
    for (key, value) in &keys {
        let line = AdoptedLine {
            file: path.to_owned(),
            line: line_of(text, key),
            key: key.clone(),
            value: shown(value),
            fate: Fate::Refused,
            field: None,
            note: None,
        };
        let line = reader.key(key, value, line);
        reader.draft.lines.push(line);
    }
    reader.draft.lines.sort_by_key(|line| line.line);
    let label = keys.get("Label").and_then(Value::as_string).map(str::to_owned);
    Ok(Read { label, draft: reader.draft })
}

/// The line in which a key of the outermost dictionary stands first; 0 in a binary file.
fn line_of(text: &str, key: &str) -> usize {
    let found = text.lines().position(|line| line.contains(&format!("<key>{key}</key>")));
    found.map_or(0, |line| line + 1)
}

/// A value in a few words.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(" "),
        Value::Dictionary(keys) => {
            keys.iter().map(|(key, value)| format!("{key}={}", shown(value))).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

struct Reader<'a> {
    keys: &'a Dictionary,
    draft: Draft,
}

/// How long launchd waits between two starts, and for an end, in seconds.
const USUAL: (u64, u64) = (10, 20);
/// More restarts than are ever made within a window: launchd never gives up.
const NO_LIMIT: u32 = 1_000;
/// Keys that say what is so anyway, with the value with which they do.
const USUAL_TRUTHS: [(&str, bool); 9] = [
    ("InitGroups", true),
    ("Debug", false),
    ("WaitForDebugger", false),
    ("LaunchOnlyOnce", false),
    ("AbandonProcessGroup", false),
    ("OnDemand", false),
    ("SessionCreate", false),
    ("LowPriorityIO", false),
    ("EnableGlobbing", false),
];

impl Reader<'_> {
    fn suppose(&mut self) {
        let service = &mut self.draft.service;
        service.working_directory = Some("/".to_owned());
        service.hardening = None;
        service.restart.when = Some(RestartWhen::Never);
        service.stop.timeout = Some(Span::seconds(USUAL.1));
        let starts = self.keys.get("RunAtLoad").and_then(Value::as_boolean).unwrap_or(false);
        let is_scheduled =
            ["StartInterval", "StartCalendarInterval"].iter().any(|key| self.keys.contains_key(key));
        let keeps = self.keys.get("KeepAlive").is_some_and(|value| value.as_boolean() != Some(false));
        let is_off = self.keys.get("Disabled").and_then(Value::as_boolean).unwrap_or(false);
        service.boot = (is_off || !(starts || keeps || is_scheduled)).then_some(false);
        if !self.keys.contains_key("ProgramArguments")
            && let Some(program) = self.keys.get("Program").and_then(Value::as_string)
        {
            service.command = Some(vec![literal(program)]);
        }
    }

    fn key(&mut self, key: &str, value: &Value, line: AdoptedLine) -> AdoptedLine {
        if let Some((_, usual)) = USUAL_TRUTHS.iter().find(|(name, _)| *name == key)
            && value.as_boolean() == Some(*usual)
        {
            return line.same("so it is");
        }
        match (key, value) {
            ("Label", _) => line.carried("name").noting("its last part"),
            ("Program", Value::String(_)) => line.carried("service.command"),
            ("ProgramArguments", Value::Array(words)) => self.command(words, line),
            ("EnvironmentVariables", Value::Dictionary(variables)) => self.environment(variables, line),
            ("WorkingDirectory", Value::String(path)) => {
                self.draft.service.working_directory = Some(literal(path));
                line.carried("service.workingDirectory")
            }
            ("UserName", Value::String(name)) => {
                self.draft.service.user = Some(name.clone());
                line.carried("service.user")
            }
            ("GroupName", Value::String(name)) => {
                self.draft.service.group = Some(name.clone());
                line.carried("service.group")
            }
            ("Umask", value) => self.umask(value, line),
            ("RunAtLoad" | "Disabled", Value::Boolean(_)) => line.carried("service.boot"),
            ("KeepAlive", value) => self.keep_alive(value, line),
            ("StartInterval" | "StartCalendarInterval", value) => self.schedule(key, value, line),
            ("ThrottleInterval" | "ExitTimeOut" | "Nice", value) => self.number(key, value, line),
            ("SoftResourceLimits" | "HardResourceLimits", Value::Dictionary(limits)) => {
                self.limits(limits, line)
            }
            ("ProcessType", Value::String(word)) if word == "Standard" => line.same("so it is"),
            ("StandardInPath", Value::String(path)) if path == "/dev/null" => line.same("so it is"),
            ("StandardOutPath" | "StandardErrorPath", _) => {
                line.refused("mainstay keeps what it writes itself, and shows it by `mainstay logs`")
            }
            ("Sockets", _) => line.refused("say `service.sockets` in the manifest afterwards"),
            ("WatchPaths" | "QueueDirectories" | "PathState", _) => {
                line.refused("`service.restartOnChange` watches the program's own files alone")
            }
            ("MachServices" | "LaunchEvents", _) => line.refused("only launchd can offer that"),
            _ => line.refused("a manifest has no field for it"),
        }
    }

    fn command(&mut self, words: &[Value], line: AdoptedLine) -> AdoptedLine {
        let words: Option<Vec<&str>> = words.iter().map(Value::as_string).collect();
        let Some(mut words) = words.filter(|words| !words.is_empty()) else {
            return line.refused("it is no list of words");
        };
        if let Some(program) = self.keys.get("Program").and_then(Value::as_string) {
            if words[0] != program && words[0] != program.rsplit('/').next().unwrap_or_default() {
                return line
                    .refused("it gives the program another name than its file's, which mainstay does not");
            }
            words[0] = program;
        }
        self.draft.service.command = Some(words.into_iter().map(literal).collect());
        line.carried("service.command")
    }

    fn environment(&mut self, variables: &Dictionary, line: AdoptedLine) -> AdoptedLine {
        for (name, value) in variables {
            let known = VariableName::try_from(name.clone()).ok().zip(value.as_string());
            let Some((name, value)) = known else {
                return line.refused(format!("`{name}` can't be a variable of a program"));
            };
            self.draft.service.environment.insert(name, literal(value));
        }
        line.carried("service.environment")
    }

    /// A number counts in tens, a text in eights.
    fn umask(&mut self, value: &Value, line: AdoptedLine) -> AdoptedLine {
        let bits = match value {
            Value::Integer(number) => number.as_unsigned(),
            Value::String(text) => u64::from_str_radix(text, 8).ok(),
            _ => None,
        };
        match bits.and_then(|bits| Umask::try_from(format!("{bits:04o}")).ok()) {
            Some(mask) => {
                self.draft.service.umask = Some(mask);
                line.carried("service.umask")
            }
            None => line.refused("it is no mask of rights"),
        }
    }

    fn keep_alive(&mut self, value: &Value, line: AdoptedLine) -> AdoptedLine {
        let (when, note) = match value {
            Value::Boolean(true) => (RestartWhen::Always, None),
            Value::Boolean(false) => return line.same("so it is"),
            Value::Dictionary(conditions) => {
                let says =
                    |key: &str, truth: bool| conditions.get(key).and_then(Value::as_boolean) == Some(truth);
                if conditions.len() == 1 && says("SuccessfulExit", false) {
                    (RestartWhen::OnFailure, None)
                } else if conditions.len() == 1 && says("Crashed", true) {
                    (RestartWhen::OnFailure, Some("an exit code other than 0 restarts it too"))
                } else {
                    return line.refused("mainstay restarts after a failure, after any end, or never");
                }
            }
            _ => return line.refused("it is no condition"),
        };
        let restart = &mut self.draft.service.restart;
        restart.when = Some(when);
        restart.limit = Some(NO_LIMIT);
        restart.delays.get_or_insert_with(|| vec![Span::seconds(USUAL.0)]);
        let line = line.carried("service.restart.when");
        match note {
            Some(note) => line.noting(note),
            None => line,
        }
    }

    fn schedule(&mut self, key: &str, value: &Value, line: AdoptedLine) -> AdoptedLine {
        let seconds = value.as_unsigned_integer().filter(|seconds| *seconds > 0);
        match seconds.filter(|_| key == "StartInterval" && self.draft.service.schedule.is_none()) {
            Some(seconds) => {
                let every = Some(Span::seconds(seconds));
                self.draft.service.schedule = Some(Schedule { every, ..Schedule::default() });
                line.carried("service.schedule.every")
            }
            None => line
                .refused("say the times in `service.schedule` of the manifest afterwards, as in a crontab"),
        }
    }

    fn number(&mut self, key: &str, value: &Value, line: AdoptedLine) -> AdoptedLine {
        let service = &mut self.draft.service;
        let unsigned = value.as_unsigned_integer();
        match (key, unsigned) {
            ("ThrottleInterval", Some(seconds)) => {
                service.restart.delays = Some(vec![Span::seconds(seconds.max(1))]);
                line.carried("service.restart.delays")
            }
            ("ExitTimeOut", Some(seconds @ 1..)) => {
                service.stop.timeout = Some(Span::seconds(seconds));
                line.carried("service.stop.timeout")
            }
            ("Nice", _) => {
                let nice = value.as_signed_integer().and_then(|nice| i8::try_from(nice).ok());
                match nice.filter(|nice| (-20..=19).contains(nice)) {
                    Some(nice) => {
                        service.limits.nice = Some(nice);
                        line.carried("service.limits.nice")
                    }
                    None => line.refused("it is no priority from -20 to 19"),
                }
            }
            _ => line.refused("mainstay counts every time in whole seconds from 1"),
        }
    }

    fn limits(&mut self, limits: &Dictionary, line: AdoptedLine) -> AdoptedLine {
        let files = limits.get("NumberOfFiles").and_then(Value::as_unsigned_integer);
        match files.filter(|files| limits.len() == 1 && (128..=1_000_000_000).contains(files)) {
            Some(files) => {
                self.draft.service.limits.open_files = Some(files);
                line.carried("service.limits.openFiles")
            }
            None => line.refused("mainstay limits the number of open files (from 128 on) alone in this way"),
        }
    }
}
