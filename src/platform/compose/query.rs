//! What an engine is asked, as it would be typed.

use camino::Utf8Path;

use crate::model::compose::EngineKind;
use crate::model::duration::Span;
use crate::model::name::InstanceName;
use crate::platform::call::Verb;
use crate::platform::compose::text::BEYOND_THE_DRAIN;
use crate::platform::compose::{FOLDER, project};

fn words(engine: EngineKind, words: &[&str]) -> Vec<String> {
    [engine.as_str()].iter().chain(words).map(|word| (*word).to_owned()).collect()
}

/// Which Compose there is.
#[must_use]
pub fn compose_version(engine: EngineKind) -> Vec<String> {
    words(engine, &["compose", "version", "--short"])
}

/// Which engine there is, and whether it answers.
#[must_use]
pub fn engine_version(engine: EngineKind) -> Vec<String> {
    match engine {
        EngineKind::Docker => words(engine, &["version", "--format", "{{.Server.Version}}"]),
        EngineKind::Podman => words(engine, &["version", "--format", "{{.Client.Version}}"]),
    }
}

/// What Compose does. A definition that somebody has deleted is not needed to stop or remove what was made by it.
#[must_use]
pub fn compose(engine: EngineKind, name: &InstanceName, file: Option<&Utf8Path>, verb: Verb) -> Vec<String> {
    let project = project(name);
    let mut argv = words(engine, &["compose", "--project-name", &project]);
    if let Some(file) = file {
        argv.extend(["--file".to_owned(), file.to_string()]);
    }
    argv.extend(verb.words().iter().map(|word| (*word).to_owned()));
    argv
}

/// What has Compose start a container anew that runs. Podman, asked for it without a time, kills at once.
#[must_use]
pub fn restart(engine: EngineKind, name: &InstanceName, file: Option<&Utf8Path>, drain: Span) -> Vec<String> {
    let mut argv = compose(engine, name, file, Verb::Restart);
    let seconds = drain.and(BEYOND_THE_DRAIN).duration().as_millis().div_ceil(1000);
    argv.extend(["--timeout".to_owned(), seconds.to_string()]);
    argv
}

/// How Compose itself reads a file.
#[must_use]
pub fn config(engine: EngineKind, file: &Utf8Path) -> Vec<String> {
    words(engine, &["compose", "--file", file.as_str(), "config", "--format", "json"])
}

/// What stands in a file, with the variables still in it.
#[must_use]
pub fn plain_config(engine: EngineKind, file: &Utf8Path) -> Vec<String> {
    let mut argv = config(engine, file);
    argv.push("--no-interpolate".to_owned());
    argv
}

/// The numbers of the containers of a service, of a project that somebody else has made. What was run once beside it
/// is none of them.
#[must_use]
pub fn of_service(engine: EngineKind, project: &str, service: &str) -> Vec<String> {
    let mut argv = words(engine, &["ps", "--all", "--quiet", "--no-trunc"]);
    for (key, value) in [("project", project), ("service", service), ("oneoff", "False")] {
        argv.extend(["--filter".to_owned(), format!("label=com.docker.compose.{key}={value}")]);
    }
    argv
}

/// Gives a container another name.
#[must_use]
pub fn rename(engine: EngineKind, number: &str, name: &str) -> Vec<String> {
    words(engine, &["rename", number, name])
}

/// Starts a container as it is.
#[must_use]
pub fn start(engine: EngineKind, container: &str) -> Vec<String> {
    words(engine, &["start", container])
}

/// How a container is.
#[must_use]
pub fn container(engine: EngineKind, container: &str) -> Vec<String> {
    words(engine, &["container", "inspect", container])
}

/// Which image a name stands for here.
#[must_use]
pub fn image(engine: EngineKind, image: &str) -> Vec<String> {
    words(engine, &["image", "inspect", image])
}

/// Fetches an image.
#[must_use]
pub fn pull(engine: EngineKind, image: &str) -> Vec<String> {
    words(engine, &["pull", image])
}

/// Takes the images of a file.
#[must_use]
pub fn load(engine: EngineKind, file: &Utf8Path) -> Vec<String> {
    words(engine, &["load", "--input", file.as_str()])
}

/// Gives an image a name.
#[must_use]
pub fn tag(engine: EngineKind, number: &str, name: &str) -> Vec<String> {
    words(engine, &["tag", number, name])
}

/// Runs a command in a container.
#[must_use]
pub fn run_in(engine: EngineKind, container: &str, command: &[String]) -> Vec<String> {
    let mut argv = words(engine, &["exec", container]);
    argv.extend_from_slice(command);
    argv
}

/// The numbers of the containers of an instance's project: all, and those that are this folder's.
#[must_use]
pub fn of_project(engine: EngineKind, name: &InstanceName, folder: Option<&Utf8Path>) -> Vec<String> {
    let project = format!("label=com.docker.compose.project={}", project(name));
    let mut argv = words(engine, &["ps", "--all", "--quiet", "--no-trunc", "--filter", &project]);
    if let Some(folder) = folder {
        argv.extend(["--filter".to_owned(), format!("label={FOLDER}={folder}")]);
    }
    argv
}

/// The lines that a container has written, each after its time.
#[must_use]
pub fn logs(
    engine: EngineKind,
    container: &str,
    (since, until): (Option<String>, Option<String>),
    lines: Option<usize>,
    follow: bool,
) -> Vec<String> {
    let mut argv = words(engine, &["logs", "--timestamps"]);
    argv.extend(since.map(|since| format!("--since={since}")));
    argv.extend(until.map(|until| format!("--until={until}")));
    argv.extend(lines.map(|lines| format!("--tail={lines}")));
    argv.extend(follow.then(|| "--follow".to_owned()));
    argv.push(container.to_owned());
    argv
}
