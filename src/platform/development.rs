//! The containers of services for development: what an engine is asked for them, and what it answers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::compose::{EngineKind, Network};
use crate::model::development::DevelopmentContainer;
use crate::model::marker::Marker;
use crate::platform::observed::{Answer, NoAnswer};

/// The label with the instance that a container or volume is of.
const INSTANCE: &str = "dev.mainstay.development.instance";
/// The label with the deploy folder of that instance.
const FOLDER: &str = "dev.mainstay.development.folder";
/// The label with the identity of what a container is made by.
const IDENTITY: &str = "dev.mainstay.development.identity";

/// How often a container may be started again until it counts as failing.
const MOST_RESTARTS: u64 = 2;

fn words(engine: EngineKind, words: &[&str]) -> Vec<String> {
    [engine.as_str()].iter().chain(words).map(|word| (*word).to_owned()).collect()
}

fn labels(of: &Marker) -> [String; 4] {
    let label = "--label".to_owned();
    [label.clone(), format!("{INSTANCE}={}", of.name), label, format!("{FOLDER}={}", of.folder)]
}

/// Makes and starts a container. Its secrets stand in the file that it is given.
#[must_use]
pub fn run(of: &Marker, container: &DevelopmentContainer) -> Vec<String> {
    let mut argv = words(container.engine, &["run", "--detach", "--name", &container.container]);
    argv.extend(labels(of));
    argv.extend(["--label".to_owned(), format!("{IDENTITY}={}", container.identity())]);
    // What Podman starts with the host is what is always started again.
    let restart = match container.engine {
        EngineKind::Podman => "always",
        EngineKind::Docker => "unless-stopped",
    };
    argv.extend(["--restart".to_owned(), restart.to_owned()]);
    if !container.environment.is_empty() {
        argv.extend(["--env-file".to_owned(), container.file.to_string()]);
    }
    for (volume, target) in &container.volumes {
        argv.extend(["--volume".to_owned(), format!("{volume}:{target}")]);
    }
    match (container.network, container.port) {
        (Network::Host, _) => argv.extend(["--network".to_owned(), "host".to_owned()]),
        (Network::Bridge, Some(port)) => {
            argv.extend(["--publish".to_owned(), format!("127.0.0.1:{}:{}", port.host, port.inside)]);
        }
        (Network::Bridge, None) => {}
    }
    argv.push(container.image.clone());
    argv.extend_from_slice(&container.command);
    argv
}

/// Makes a volume that says whose it is.
#[must_use]
pub fn make_volume(engine: EngineKind, of: &Marker, volume: &str) -> Vec<String> {
    let mut argv = words(engine, &["volume", "create"]);
    argv.extend(labels(of));
    argv.push(volume.to_owned());
    argv
}

/// How a volume is.
#[must_use]
pub fn volume(engine: EngineKind, volume: &str) -> Vec<String> {
    words(engine, &["volume", "inspect", volume])
}

/// Removes a volume.
#[must_use]
pub fn remove_volume(engine: EngineKind, volume: &str) -> Vec<String> {
    words(engine, &["volume", "rm", volume])
}

/// Stops a container.
#[must_use]
pub fn stop(container: &DevelopmentContainer) -> Vec<String> {
    words(container.engine, &["stop", &container.container])
}

/// Removes a container, with the volumes without a name that its image has asked for or without them.
#[must_use]
pub fn remove(container: &DevelopmentContainer, with_volumes: bool) -> Vec<String> {
    let volumes: &[&str] = if with_volumes { &["--volumes"] } else { &[] };
    let all: Vec<&str> =
        ["rm", "--force"].iter().chain(volumes).copied().chain([container.container.as_str()]).collect();
    words(container.engine, &all)
}

/// The last lines that a container has written.
#[must_use]
pub fn last_lines(container: &DevelopmentContainer, count: usize) -> Vec<String> {
    words(container.engine, &["logs", "--tail", &count.to_string(), &container.container])
}

/// A container or a volume that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The instance that it is of, and its folder, where it says so.
    pub of: Option<(String, String)>,
    /// The identity of what it was made by.
    pub identity: Option<String>,
    /// Where it stands: `running`, `exited`, … Nothing of a volume.
    pub state: String,
    /// How it ended.
    pub exit_code: Option<i32>,
    /// How often its engine has started it again.
    pub restarts: u64,
}

impl Standing {
    /// Whether it is of this instance.
    #[must_use]
    pub fn is_of(&self, of: &Marker) -> bool {
        self.of.as_ref().is_some_and(|(name, folder)| *name == of.name.as_str() && *folder == of.folder)
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.state == "running"
    }

    /// Whether it ends as often as its engine starts it.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.restarts > MOST_RESTARTS
    }

    fn labelled(labels: Option<BTreeMap<String, String>>) -> Self {
        let mut labels = labels.unwrap_or_default();
        let of = labels.remove(INSTANCE).zip(labels.remove(FOLDER));
        Self { of, identity: labels.remove(IDENTITY), ..Self::default() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    state: State,
    #[serde(default)]
    restart_count: u64,
    config: Labelled,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    #[serde(default)]
    exit_code: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Labelled {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

/// The container that was asked for; nothing where there is none of this name.
pub fn container_seen(answer: Answer<'_>) -> Result<Option<Standing>, NoAnswer> {
    let found: Option<Container> = first(&answer)?;
    Ok(found.map(|found| Standing {
        exit_code: (found.state.status == "exited").then_some(found.state.exit_code),
        state: found.state.status,
        restarts: found.restart_count,
        ..Standing::labelled(found.config.labels)
    }))
}

/// The volume that was asked for; nothing where there is none of this name.
pub fn volume_seen(answer: Answer<'_>) -> Result<Option<Standing>, NoAnswer> {
    let found: Option<Labelled> = first(&answer)?;
    Ok(found.map(|found| Standing::labelled(found.labels)))
}

fn first<T: for<'a> Deserialize<'a>>(answer: &Answer<'_>) -> Result<Option<T>, NoAnswer> {
    let said = answer.stderr.to_ascii_lowercase();
    if answer.code != Some(0) {
        let missing =
            ["no such container", "no such volume", "no such object", "no container with name or id"];
        if missing.iter().any(|words| said.contains(words)) {
            return Ok(None);
        }
        let said = answer.stderr.trim().lines().last().unwrap_or_default();
        return Err(NoAnswer::Failed { code: answer.code, said: said.to_owned() });
    }
    let all: Vec<T> = serde_json::from_str(answer.stdout)
        .map_err(|error| NoAnswer::Unreadable { reason: error.to_string() })?;
    Ok(all.into_iter().next())
}
