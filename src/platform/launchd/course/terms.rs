//! What goes into a course, and what comes out.

use std::time::Duration;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::duration::Span;
use crate::platform::observed::Answer;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Goal {
    /// That it runs. What runs already goes on.
    Start,
    /// That another process of it runs than before.
    Restart,
    /// That launchd does not have it, until the next boot or login.
    Stop,
    /// That it starts by itself at boot or login.
    Enable,
    /// That it does not.
    Disable,
}

/// A service of launchd that somebody else has defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Strange {
    /// Its label.
    pub label: String,
    /// Its property list.
    pub file: Utf8PathBuf,
}

/// The service that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its label.
    pub label: String,
    /// Its property list.
    pub file: Utf8PathBuf,
    /// The domains that may have it, the best one first: `gui/501`, `user/501`.
    pub domains: Vec<String>,
    /// The digest of the definition in that file, where it is one of ours.
    pub definition: Option<String>,
    /// Whether it starts by itself.
    pub at_boot: bool,
    /// The longest time that its end takes.
    pub stop_limit: Span,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// launchctl is run with these arguments, and killed after that time.
    Launchctl(Vec<String>, Duration),
    /// The supervisor, which is this process, is asked to end and to be started again.
    Ask(u32),
    /// Nothing, for that long.
    Pause(Duration),
    /// Nothing any more.
    Done,
    /// Nothing any more: it failed.
    Failed(Trouble),
}

/// What came of the last move.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// Nothing was to be heard.
    Nothing,
    /// launchctl's answer.
    Answer(Answer<'a>),
    /// launchctl took too long, and was killed.
    Silence,
    /// Whether there was a supervisor to ask.
    Asked(bool),
}

/// Why a service does not stand as it was wanted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// There is no domain for it.
    #[error("launchd has no domain for it ({}): log in once, at the screen or by ssh", domains.join(", "))]
    NoDomain {
        /// Those that were asked for.
        domains: Vec<String>,
    },
    /// launchd did not take it.
    #[error("launchd did not register `{target}` within {} s: {said}", limit.as_secs())]
    NotRegistered {
        /// The service.
        target: String,
        /// launchctl's last words.
        said: String,
        /// How long it was tried.
        limit: Duration,
    },
    /// It is registered, and no process of it comes.
    #[error("launchd has registered `{target}` and does not start it: {said}")]
    NotStarted {
        /// The service.
        target: String,
        /// What launchd says of it.
        said: String,
    },
    /// The process that was to be replaced is still there.
    #[error("process {pid} of `{target}` is still the one that was to be replaced")]
    SameProcess {
        /// The service.
        target: String,
        /// The process.
        pid: u32,
    },
    /// It does not go.
    #[error("launchd still has `{target}` {} s after it was told to let it go", limit.as_secs())]
    StillThere {
        /// The service.
        target: String,
        /// How long was waited.
        limit: Duration,
    },
    /// launchctl refused.
    #[error("`launchctl {command}` failed{}: {said}", code.map(|code| format!(" with code {code}")).unwrap_or_default())]
    Refused {
        /// What it was asked, by its arguments.
        command: String,
        /// Its exit code.
        code: Option<i32>,
        /// Its words.
        said: String,
    },
}
