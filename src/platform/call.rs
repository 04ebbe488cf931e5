//! A call: one thing that is asked of a service manager. A value, so that it can be shown before it is
//! made, kept in a journal, and made again after a crash.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::compose::EngineKind;
use crate::model::duration::Span;
use crate::model::layout::label;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::platform::compose::FILE_NAME;
use crate::platform::launchd::course::{Goal, Strange};
use crate::platform::task::task_name;

/// One thing that is asked of a service manager. Making it twice is as good as making it once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Call {
    /// A program is run.
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
        /// The exit codes other than 0 that count as done.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        accept: Vec<i32>,
        /// What it does, for people: `tells systemd of the unit`.
        purpose: String,
        /// Whether a failure is only worth a notice.
        #[serde(default)]
        optional: bool,
    },
    /// The guardian of an embedded instance is started.
    StartGuardian {
        /// The instance.
        name: InstanceName,
    },
    /// The guardian of an embedded instance is asked to end, with its supervisor and program.
    StopGuardian {
        /// The instance.
        name: InstanceName,
        /// How long that may take before they are killed.
        limit: Span,
    },
    /// The guardian of an embedded instance is asked to stop its supervisor and start it again, and is
    /// started if there is none. One request, so that nothing is left undone if the one who asks dies.
    RestartGuardian {
        /// The instance.
        name: InstanceName,
    },
    /// launchd is asked, and asked again until the service stands as it is wanted.
    Launchd {
        /// The instance.
        of: Marker,
        /// How it is wanted.
        goal: Goal,
        /// The service that was there before the instance, where that is meant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        strange: Option<Strange>,
    },
    /// The service control manager of Windows is asked, or its Task Scheduler.
    Service {
        /// The instance.
        of: Marker,
        /// What is done.
        verb: ServiceVerb,
    },
    /// The engine of a container is asked by Compose. Which engine that is says the instance's entry.
    Compose {
        /// The instance.
        of: Marker,
        /// What is done.
        verb: Verb,
        /// The engine, for people, where it is known already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        engine: Option<EngineKind>,
    },
}

/// What is done with a service or a task of Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ServiceVerb {
    /// It is registered as its definition says; without a definition it is removed.
    Register,
    /// It is started.
    Start,
    /// Its guardian is asked to end, with the program.
    Stop {
        /// How long that may take.
        limit: Span,
    },
    /// Its guardian is asked to stop the program and start it again, and is started if there is none. One request, so
    /// that nothing is left undone if the one who asks dies.
    Restart,
}

/// What Compose does with a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Verb {
    /// Makes it as the definition says, in the place of one that is made otherwise, and starts it.
    Up,
    /// The same; and one that was left as it is ends and starts again.
    Restart,
    /// Stops it, and leaves it there.
    Stop,
    /// Stops and removes it, and the network that was made for it.
    Down {
        /// Whether what it keeps in volumes of its own goes as well.
        volumes: bool,
    },
}

impl Verb {
    /// The words for Compose.
    #[must_use]
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Up => &["up", "--detach"],
            Self::Restart => &["restart"],
            Self::Stop => &["stop"],
            Self::Down { volumes: false } => &["down"],
            Self::Down { volumes: true } => &["down", "--volumes"],
        }
    }
}

impl Call {
    /// Whether what runs is ended by it. A start leaves it as it is, and so does all that only
    /// concerns definitions or sockets.
    #[must_use]
    pub fn ends_what_runs(&self) -> bool {
        match self {
            Self::Run { argv, .. } => {
                let has = |wanted: fn(&str) -> bool| argv.iter().any(|word| wanted(word));
                has(|word| matches!(word, "stop" | "restart")) && has(|word| word.ends_with(".service"))
            }
            Self::StartGuardian { .. } => false,
            Self::Launchd { goal, .. } => matches!(goal, Goal::Restart | Goal::Stop),
            Self::Service { verb, .. } => !matches!(verb, ServiceVerb::Register | ServiceVerb::Start),
            Self::StopGuardian { .. } | Self::RestartGuardian { .. } | Self::Compose { .. } => true,
        }
    }

    /// For which user it switches lingering on.
    #[must_use]
    pub fn lingers(&self) -> Option<&str> {
        match self {
            Self::Run { argv, .. } if argv.iter().any(|word| word == "enable-linger") => {
                argv.last().map(String::as_str)
            }
            _ => None,
        }
    }

    /// The call with the engine that it is for, where it is for one.
    pub fn name_engine(&mut self, wanted: EngineKind) {
        if let Self::Compose { engine, .. } = self {
            *engine = Some(wanted);
        }
    }

    /// A program that has to succeed.
    pub(super) fn run(purpose: &str, argv: Vec<String>) -> Self {
        Self::Run { argv, accept: Vec::new(), purpose: purpose.to_owned(), optional: false }
    }

    /// A program whose failure changes nothing that matters.
    #[must_use]
    pub fn attempt(purpose: &str, argv: Vec<String>) -> Self {
        Self::Run { argv, accept: Vec::new(), purpose: purpose.to_owned(), optional: true }
    }
}

impl fmt::Display for Call {
    /// As a person would type it in a shell.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { argv, .. } => typed(argv, formatter),
            Self::StartGuardian { name } => write!(formatter, "mainstay start --name {name}"),
            Self::RestartGuardian { name } => write!(formatter, "mainstay restart --name {name}"),
            Self::StopGuardian { name, .. } => write!(formatter, "mainstay stop --name {name}"),
            Self::Launchd { of, goal, strange: Some(strange) } => match goal {
                Goal::Stop => write!(formatter, "launchctl bootout {}/{}", domain(of), strange.label),
                _ => write!(formatter, "launchctl bootstrap {} {}", domain(of), strange.file),
            },
            Self::Launchd { of, goal, strange: None } => match goal {
                Goal::Start => write!(formatter, "mainstay start --name {}", of.name),
                Goal::Restart => write!(formatter, "mainstay restart --name {}", of.name),
                Goal::Stop => write!(formatter, "mainstay stop --name {}", of.name),
                Goal::Enable => write!(formatter, "launchctl enable {}", target(of)),
                Goal::Disable => write!(formatter, "launchctl disable {}", target(of)),
            },
            Self::Service { of, verb } => typed(&of_service(of, *verb), formatter),
            Self::Compose { of, verb, engine } => {
                let file = of.folder.join(FILE_NAME);
                let words = ["compose", "--file", file.as_str()];
                let engine = engine.as_ref().map(|engine| engine.as_str());
                let words = engine.into_iter().chain(words).chain(verb.words().iter().copied());
                typed(&words.map(str::to_owned).collect::<Vec<_>>(), formatter)
            }
        }
    }
}

/// A service of launchd, as a person names it in a shell.
fn target(of: &Marker) -> String {
    format!("{}/{}", domain(of), label(&of.name))
}

fn domain(of: &Marker) -> &'static str {
    match of.scope {
        Scope::System => "system",
        Scope::User => "gui/$(id -u)",
    }
}

/// What a person types for it. A restart is a word between mainstay and its guardian, which no tool of Windows knows.
fn of_service(of: &Marker, verb: ServiceVerb) -> Vec<String> {
    let name = of.name.as_str();
    let is_task = of.platform == PlatformKind::Task;
    // Whose it is, only the host knows.
    let task = task_name(&of.name, Some("SID"));
    let words: &[&str] = match verb {
        ServiceVerb::Register if is_task => &["schtasks", "/Create", "/TN", &task, "/XML", "task.xml", "/F"],
        ServiceVerb::Start if is_task => &["schtasks", "/Run", "/TN", &task],
        ServiceVerb::Stop { .. } if is_task => &["mainstay", "stop", "--name", name],
        ServiceVerb::Restart => &["mainstay", "restart", "--name", name],
        ServiceVerb::Register => &["sc.exe", "create", name],
        ServiceVerb::Start => &["sc.exe", "start", name],
        ServiceVerb::Stop { .. } => &["sc.exe", "stop", name],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn typed(argv: &[String], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (place, word) in argv.iter().enumerate() {
        if place > 0 {
            formatter.write_str(" ")?;
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte);
        if !word.is_empty() && word.bytes().all(plain) {
            formatter.write_str(word)?;
        } else {
            write!(formatter, "'{}'", word.replace('\'', r"'\''"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_as_a_person_would_type_it() {
        let words = ["systemctl", "show", "", "a b", "it's", "--x=$HOME"].map(str::to_owned).to_vec();
        assert_eq!(Call::run("shows", words).to_string(), r"systemctl show '' 'a b' 'it'\''s' '--x=$HOME'");
    }

    #[test]
    fn a_call_survives_the_journal() {
        let name = InstanceName::new("web").unwrap();
        let of = Marker {
            name: name.clone(),
            component: "server".parse().unwrap(),
            platform: PlatformKind::Launchd,
            scope: Scope::User,
            folder: "/srv/web".into(),
        };
        let strange = Strange { label: "com.example.web".to_owned(), file: "/a b.plist".into() };
        for call in [
            Call::run("reloads", vec!["systemctl".to_owned(), "daemon-reload".to_owned()]),
            Call::attempt("resets", vec!["systemctl".to_owned()]),
            Call::StartGuardian { name: name.clone() },
            Call::StopGuardian { name, limit: Span::seconds(45) },
            Call::Launchd { of: of.clone(), goal: Goal::Restart, strange: None },
            Call::Launchd { of, goal: Goal::Stop, strange: Some(strange) },
        ] {
            let text = serde_json::to_string(&call).unwrap();
            assert_eq!(serde_json::from_str::<Call>(&text).unwrap(), call, "{text}");
        }
    }
}
