//! Readiness: how a program shows that it is ready.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::duration::Span;
use crate::model::manifest::{Ready, Supervision};

/// How a program shows that it is ready, and how long it may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Readiness {
    /// What is asked.
    pub probe: Probe,
    /// How long it may take.
    pub timeout: Span,
}

/// One way to ask a program whether it is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Probe {
    /// The address answers with a status from 200 to 299. May hold `{env.NAME}`.
    Http(String),
    /// The host and port takes a connection. May hold `{env.NAME}`.
    Tcp(String),
    /// The command exits with 0, tokens unexpanded.
    Command(Vec<String>),
    /// The file exists and is newer than the program's start, tokens unexpanded.
    File(String),
    /// The program has been alive for so long.
    Delay(Span),
    /// The program says so (`sd_notify`).
    Notify,
}

impl Default for Readiness {
    /// What holds where nobody says anything.
    fn default() -> Self {
        Self { probe: Probe::Delay(Self::USUAL_DELAY), timeout: Self::USUAL_TIMEOUT }
    }
}

impl Readiness {
    /// How long a program may take where nobody says.
    pub const USUAL_TIMEOUT: Span = Span::seconds(60);
    /// How long a program has to be alive where nobody says how it shows that it is ready.
    const USUAL_DELAY: Span = Span::seconds(1);

    /// The manifest's probe, or the package's where the manifest names none; and likewise the timeout.
    pub(crate) fn resolve(ours: Option<&Ready>, theirs: Option<&Ready>, supervision: Supervision) -> Self {
        let nothing = Ready::default();
        let asks = |ready: &&Ready| Ready { timeout: None, ..(*ready).clone() } != Ready::default();
        let ready = ours.filter(asks).or(theirs.filter(asks)).unwrap_or(&nothing);
        let timeout = ours.and_then(|ready| ready.timeout).or_else(|| theirs.and_then(|ready| ready.timeout));
        let probe = if let Some(address) = &ready.http {
            Probe::Http(address.clone())
        } else if let Some(address) = &ready.tcp {
            Probe::Tcp(address.clone())
        } else if let Some(command) = &ready.command {
            Probe::Command(command.clone())
        } else if let Some(path) = &ready.file {
            Probe::File(path.clone())
        } else if ready.notify == Some(true) || (supervision == Supervision::Native && ready.delay.is_none())
        {
            Probe::Notify
        } else {
            Probe::Delay(ready.delay.unwrap_or(Self::USUAL_DELAY))
        };
        Self { probe, timeout: timeout.unwrap_or(Self::USUAL_TIMEOUT) }
    }
}
