//! Containers: what an engine is asked for an instance of platform `compose`, and how it stands there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use camino::Utf8Path;

use crate::engine::failure::{ANY_ENGINE, CallError};
use crate::engine::manager::{Seen, State};
use crate::engine::question::ask;
use crate::engine::supervisor::active_launch;
use crate::host::command::{self, Manner};
use crate::host::{files, tree, untrusted};
use crate::model::compose::EngineKind;
use crate::model::duration::Span;
use crate::model::environment_file;
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::status::Exit;
use crate::platform::call::{Call, Verb};
use crate::platform::compose::entry::{self, Entry};
use crate::platform::compose::seen::{self, ContainerSeen};
use crate::platform::compose::{project, query, text};
use crate::supervise::environment::from_files;

pub(crate) mod adoption;
pub(crate) mod aim;
pub(crate) mod boot;
pub(crate) mod brought;
pub(crate) mod image;
pub(crate) mod logs;
pub(crate) mod ready;
pub(crate) mod revival;

/// How long an engine may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to say which it is: Podman asks Compose, and its own service may have to begin first.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// How long what a killed command has left of Compose may take to end: its stop, and then some.
const OTHERS: Duration = Duration::from_secs(120);
/// The pause between two looks whether it has.
const GLANCE: Duration = Duration::from_millis(100);
/// An engine that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EngineSeen {
    /// Which.
    pub(crate) kind: EngineKind,
    /// Its version.
    pub(crate) version: String,
    /// The version of its Compose.
    pub(crate) compose: String,
}

impl std::fmt::Display for EngineSeen {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, version, compose } = self;
        write!(formatter, "{kind} {version} with Compose {compose}")
    }
}

/// Looks for an engine: the one that is wanted, else the first that answers.
pub(crate) fn find(wanted: Option<EngineKind>) -> Result<EngineSeen, CallError> {
    let mut reasons = Vec::new();
    for kind in EngineKind::ALL.into_iter().filter(|kind| wanted.is_none_or(|wanted| wanted == *kind)) {
        let asked = |argv: Vec<String>| ask(&argv, FIRST_WORD, seen::version);
        match asked(query::engine_version(kind)).and_then(|version| {
            Ok(EngineSeen { kind, version, compose: asked(query::compose_version(kind))? })
        }) {
            Ok(found) => return Ok(found),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Err(CallError::Unavailable { manager: ANY_ENGINE.to_owned(), reason: reasons.join("; ") })
}

/// The entry of an instance.
pub(crate) fn entry(layout: &Layout, of: &Marker) -> Option<Entry> {
    let text = files::read(&layout.definition(&of.name, of.platform)).ok().flatten()?;
    entry::read(&text)
}

/// Has Compose do something.
pub(crate) fn perform(layout: &Layout, of: &Marker, verb: Verb) -> Result<(), CallError> {
    let Some(entry) = entry(layout, of) else {
        // Nobody knows of a container then.
        return Ok(());
    };
    match verb {
        Verb::Up => up(layout, of, &entry),
        Verb::Restart => {
            let before = look(&entry)?;
            up(layout, of, &entry)?;
            let after = look(&entry)?;
            let life = |seen: Option<ContainerSeen>| seen.map(|seen| (seen.pid, seen.started));
            if before.is_some() && life(before) == life(after) {
                restart(layout, of, &entry)?;
            }
            Ok(())
        }
        Verb::Stop | Verb::Down { .. } => compose(of, &entry, verb),
    }
}

fn up(layout: &Layout, of: &Marker, entry: &Entry) -> Result<(), CallError> {
    let failed = |reason: String| CallError::Failed {
        call: Call::Compose { of: of.clone(), verb: Verb::Up, engine: Some(entry.engine) }.to_string(),
        reason,
    };
    let spec = active_launch(layout, &of.name).map_err(|error| failed(error.to_string()))?;
    let runs =
        look(entry)?.is_some_and(|seen| matches!(seen.state.as_str(), "running" | "restarting" | "paused"));
    if !runs && ready::answers(layout, &spec) {
        return Err(failed("the port is in use: something answers before the program is started".to_owned()));
    }
    if let Some(path) = text::variables_file(&spec, layout) {
        let variables = variables(layout, &spec).map_err(failed)?;
        let lines: String = variables.iter().map(|(name, value)| text::assignment(name, value)).collect();
        files::write(&path, &lines, 0o600, None)
            .map_err(|error| failed(format!("{error}: {}", error.source)))?;
    }
    compose(of, entry, Verb::Up)
}

fn compose(of: &Marker, entry: &Entry, verb: Verb) -> Result<(), CallError> {
    await_others(of);
    run(&query::compose(entry.engine, &of.name, file(entry), verb)).map(|_| ())
}

/// Starts a container anew that runs, with the time to end that its launch gives it.
fn restart(layout: &Layout, of: &Marker, entry: &Entry) -> Result<(), CallError> {
    let drain = active_launch(layout, &of.name).map(|spec| spec.stop.timeout);
    let drain = drain.unwrap_or_else(|_| Span::seconds(0));
    await_others(of);
    run(&query::restart(entry.engine, &of.name, file(entry), drain)).map(|_| ())
}

/// The file that Compose reads, where it is there.
fn file(entry: &Entry) -> Option<&Utf8Path> {
    matches!(files::facts(&entry.file), Ok(Some(_))).then_some(entry.file.as_path())
}

/// Waits until what a killed command has left of Compose has ended: two at work on one container hinder each other.
fn await_others(of: &Marker) {
    let project = project(&of.name);
    let words = ["compose", "--project-name", project.as_str()];
    let until = Instant::now() + OTHERS;
    while Instant::now() < until && tree::has_words(&words) {
        std::thread::sleep(GLANCE);
    }
}

/// Runs a command of an engine's to its end, however long that takes.
pub(crate) fn run(argv: &[String]) -> Result<command::Output, CallError> {
    let engine = || argv.first().cloned().unwrap_or_default();
    let output = command::output(argv, Manner::default())
        .map_err(|error| CallError::Unavailable { manager: engine(), reason: error.to_string() })?;
    if output.code == Some(0) {
        return Ok(output);
    }
    let said = last_words(&output.stderr);
    if seen::is_down(&output.stderr) {
        return Err(CallError::Unavailable { manager: engine(), reason: said });
    }
    Err(CallError::Failed { call: argv.join(" "), reason: said })
}

/// What was said last, without what went well before it.
fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let told = lines.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("; ");
    if told.is_empty() { "it says no reason".to_owned() } else { told }
}

/// The variables of a launch, for a container: the environment file over the manifest's, the secrets over both.
pub(crate) fn variables(layout: &Layout, spec: &LaunchSpec) -> Result<BTreeMap<String, String>, String> {
    let folders = Folders::of(spec, layout);
    let told = spec.told().into_iter().map(|(name, value)| (name.to_owned(), value));
    let own = spec.variables(&folders.places()).into_iter();
    let own = own.map(|(name, value)| (name.as_str().to_owned(), value));
    let mut variables: BTreeMap<String, String> = told.chain(own).collect();
    // A link there would hand the file of another to the container.
    for path in spec.environment_file.iter().chain(spec.secrets.values()) {
        untrusted::read(path, environment_file::LARGEST)
            .map_err(|error| format!("{error}: {}", error.source))?;
    }
    for (name, value) in from_files(spec, None, None).map_err(|error| error.to_string())? {
        let text = value.into_string().map_err(|_| format!("the secret {name} is not UTF-8 text"))?;
        variables.insert(name, text);
    }
    Ok(variables)
}

/// The container of an instance; nothing where there is none, or another's.
pub(crate) fn look(entry: &Entry) -> Result<Option<ContainerSeen>, CallError> {
    ask(&query::container(entry.engine, &entry.container), PATIENCE, seen::container)
}

/// How an instance stands.
pub(crate) fn seen(layout: &Layout, of: &Marker) -> Result<Seen, CallError> {
    let Some(entry) = entry(layout, of) else { return Ok(Seen::default()) };
    let at_boot = entry.boot;
    let found = look(&entry)?.filter(|found| found.folder.as_deref() == Some(of.folder.as_str()));
    let Some(found) = found else { return Ok(Seen { at_boot, ..Seen::default() }) };
    let state = match found.state.as_str() {
        "running" | "paused" if found.health.as_deref() == Some("starting") => State::Starting,
        "running" | "paused" => State::Active,
        "restarting" => State::Starting,
        "stopping" | "removing" => State::Stopping,
        "dead" => State::Failed,
        _ if !found.error.is_empty() => State::Failed,
        _ => State::Inactive,
    };
    Ok(Seen {
        state,
        at_boot,
        main_pid: found.pid,
        started: found.started.filter(|_| state.runs()),
        last_exit: found.exit_code.map(Exit::Code),
        container: Some(found),
        ..Seen::default()
    })
}

/// Refuses a project of this name whose containers are not this folder's: Compose would take them for ours.
pub(crate) fn strangers(
    kind: EngineKind,
    name: &InstanceName,
    of: &Marker,
) -> Result<Vec<String>, CallError> {
    let all = ask(&query::of_project(kind, name, None), PATIENCE, seen::numbers)?;
    if all.is_empty() {
        return Ok(all);
    }
    let ours = ask(&query::of_project(kind, name, Some(&of.folder)), PATIENCE, seen::numbers)?;
    Ok(all.into_iter().filter(|number| !ours.contains(number)).collect())
}
