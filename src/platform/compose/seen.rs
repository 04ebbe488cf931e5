//! What an engine answers, as values.

use serde::Deserialize;
use serde_json::Value;

use crate::model::moment::Moment;
use crate::platform::compose::{FOLDER, LAUNCH};
use crate::platform::observed::{Answer, NoAnswer};

/// A container as its engine sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerSeen {
    /// Its name.
    pub name: String,
    /// Where it stands: `created`, `running`, `restarting`, `paused`, `exited`, `dead`.
    pub state: String,
    /// Its main process on this host.
    pub pid: Option<u32>,
    /// When it was last started.
    pub started: Option<Moment>,
    /// How it last ended.
    pub exit_code: Option<i32>,
    /// Why it could not be started, in the engine's words.
    pub error: String,
    /// How often the engine has started it again.
    pub restarts: u64,
    /// What its health check says, where it has one: `starting`, `healthy`, `unhealthy`.
    pub health: Option<String>,
    /// The launch that it is of.
    pub launch: Option<String>,
    /// The deploy folder that it is of.
    pub folder: Option<String>,
}

impl ContainerSeen {
    /// Whether it has ended and its engine is about to start it again.
    #[must_use]
    pub fn restarts_again(&self) -> bool {
        self.state == "restarting"
    }

    /// Whether it runs, and its health check fails.
    #[must_use]
    pub fn is_unhealthy(&self) -> bool {
        self.health.as_deref() == Some("unhealthy")
    }

    /// What there is to say of it beside where it stands.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let ended = self.exit_code.map(|code| format!(" with exit code {code}")).unwrap_or_default();
        match self.state.as_str() {
            "restarting" => {
                Some(format!("it ended{ended}, and its engine starts it again ({} times)", self.restarts))
            }
            "running" if self.is_unhealthy() => Some("it runs, and its health check fails".to_owned()),
            "created" if !self.error.is_empty() => Some(self.error.clone()),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    #[serde(default)]
    name: String,
    state: State,
    #[serde(default)]
    restart_count: u64,
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    exit_code: i32,
    #[serde(default)]
    error: String,
    #[serde(default)]
    started_at: String,
    #[serde(default)]
    health: Option<Health>,
    // So called by Podman before version 4.
    #[serde(default)]
    healthcheck: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    #[serde(default)]
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    #[serde(default)]
    labels: Option<std::collections::BTreeMap<String, String>>,
}

/// The container that was asked for; nothing where there is none of this name.
pub fn container(answer: Answer<'_>) -> Result<Option<ContainerSeen>, NoAnswer> {
    if answer.code != Some(0) {
        return if is_missing(answer.stderr) { Ok(None) } else { Err(refused(&answer)) };
    }
    let all: Vec<Inspected> = serde_json::from_str(answer.stdout).map_err(|error| strange(&error))?;
    Ok(all.into_iter().next().map(|found| {
        let labels = found.config.labels.unwrap_or_default();
        let health = found.state.health.or(found.state.healthcheck).map(|health| health.status);
        ContainerSeen {
            // Docker has a `/` before it.
            name: found.name.trim_start_matches('/').to_owned(),
            pid: Some(found.state.pid).filter(|pid| *pid != 0),
            started: found.state.started_at.parse().ok().map(Moment),
            exit_code: (found.state.status == "exited" || found.state.status == "restarting")
                .then_some(found.state.exit_code),
            error: found.state.error,
            restarts: found.restart_count,
            health: health.filter(|status| !status.is_empty() && status != "none"),
            launch: labels.get(LAUNCH).cloned(),
            folder: labels.get(FOLDER).cloned(),
            state: found.state.status,
        }
    }))
}

/// An image as its engine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSeen {
    /// Its number, with `sha256:` before it.
    pub id: String,
    /// The repositories that it came from, each with its digest there.
    pub digests: Vec<String>,
    /// Its names.
    pub tags: Vec<String>,
}

/// The image that was asked for; nothing where there is none of this name.
pub fn image(answer: Answer<'_>) -> Result<Option<ImageSeen>, NoAnswer> {
    if answer.code != Some(0) {
        return if is_missing(answer.stderr) { Ok(None) } else { Err(refused(&answer)) };
    }
    let all: Vec<Value> = serde_json::from_str(answer.stdout).map_err(|error| strange(&error))?;
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Ok(all.first().and_then(|found| {
        let id = found.get("Id")?.as_str()?;
        Some(ImageSeen {
            // Podman leaves the algorithm out.
            id: if id.contains(':') { id.to_owned() } else { format!("sha256:{id}") },
            digests: texts(found.get("RepoDigests").unwrap_or(&Value::Null)),
            tags: texts(found.get("RepoTags").unwrap_or(&Value::Null)),
        })
    }))
}

/// The first word of an answer, which is a version.
pub fn version(answer: Answer<'_>) -> Result<String, NoAnswer> {
    let said = answer.stdout.trim();
    if answer.code != Some(0) || said.is_empty() {
        return Err(refused(&answer));
    }
    Ok(said.to_owned())
}

/// Numbers, one a line.
pub fn numbers(answer: Answer<'_>) -> Result<Vec<String>, NoAnswer> {
    if answer.code != Some(0) {
        return Err(refused(&answer));
    }
    Ok(answer.stdout.split_whitespace().map(str::to_owned).collect())
}

/// Whether an engine says that there is no such thing.
fn is_missing(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    ["no such", "not known", "does not exist"].iter().any(|words| said.contains(words)) && !is_down(&said)
}

/// Whether what was said means that no engine answers.
#[must_use]
pub fn is_down(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    [
        "cannot connect to the docker daemon",
        "is the docker daemon running",
        "cannot connect to podman",
        "unable to connect to podman",
    ]
    .iter()
    .any(|words| said.contains(words))
        || (said.contains(".sock") && (said.contains("connection refused") || said.contains("no such file")))
}

fn refused(answer: &Answer<'_>) -> NoAnswer {
    let said = answer.stderr.trim().lines().last().unwrap_or_default();
    NoAnswer::Failed { code: answer.code, said: said.to_owned() }
}

fn strange(error: &serde_json::Error) -> NoAnswer {
    NoAnswer::Unreadable { reason: error.to_string() }
}
