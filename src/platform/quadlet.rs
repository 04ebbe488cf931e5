//! A container as a unit of Podman's Quadlet (podman-systemd.unit(5)), for those who want systemd to run it. It is printed
//! and never installed: what systemd does with it from then on is between the two of them.
//!
//! Podman's generator makes an ordinary unit of it. It takes quotes and escapes as systemd does, and hands `%` and `$` on as
//! they are, so that both are doubled here: systemd reads the command that the generator has written.

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use crate::model::compose::{ContainerSpec, Network, Port};
use crate::model::duration::Span;
use crate::model::environment_file::Variables;
use crate::model::launch::{Folders, LaunchSpec, Probe};
use crate::model::layout::Layout;
use crate::model::manifest::{Scope, Stdin};
use crate::model::name::InstanceName;
use crate::model::service::StopSignal;
use crate::model::token::{Places, expand};
use crate::platform::compose::mounts::{self, Mount};
use crate::platform::compose::{project, text as compose};
use crate::platform::systemd::escape;
use crate::platform::{Inexpressible, stamp};

use self::words::{argument, in_json, said, value};

mod words;

/// The beginning of the line that holds the digest of all others.
const HASH: &str = "Hash=";
/// How long a start may take beside what the program needs itself: an image may have to be fetched.
const FETCHING: Span = Span::seconds(15 * 60);
/// How much longer than Podman systemd waits at a stop, so that Podman has the last word.
const BEYOND_PODMAN: Span = Span::seconds(10);
/// systemd reads no longer line, and the generator makes one of nearly all of it.
const LONGEST: usize = 1 << 20;

/// A file for Quadlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuadletFile {
    /// Where it is looked for.
    pub path: Utf8PathBuf,
    /// What it says.
    pub text: String,
}

/// The container's unit, and one for each volume that is its own.
pub fn render(spec: &LaunchSpec, layout: &Layout) -> Result<(QuadletFile, Vec<QuadletFile>), Inexpressible> {
    let container = compose::container(spec)?;
    let folder = layout.quadlets();
    let path = folder.join(format!("{}.container", spec.name));
    let unit = QuadletFile { path, text: unit(spec, container, layout)? };
    let mut volumes = Vec::new();
    let mut own: Vec<&str> = container
        .wanted
        .volumes
        .iter()
        .filter(|volume| !volume.is_path() && !volume.external)
        .map(|volume| volume.source.as_str())
        .collect();
    own.sort_unstable();
    own.dedup();
    for volume in own {
        // The name that Compose gives it, so that the data are the same.
        let name = value("compose.volumes", &format!("{}_{volume}", project(&spec.name)))?;
        volumes.push(QuadletFile {
            path: folder.join(volume_unit(&spec.name, volume)),
            text: format!("[Volume]\nVolumeName={name}\n"),
        });
    }
    Ok((unit, volumes))
}

/// Refuses an environment file that Podman would read as something else than mainstay does: it knows no quotes, and a
/// variable of the unit comes before one of the file.
pub fn reads_alike(spec: &LaunchSpec, text: &str, ours: &Variables) -> Result<(), Inexpressible> {
    let refuse = |reason: String| Err(Inexpressible::new("service.environmentFile", reason));
    let theirs = words::variables_of_podman(text);
    for (name, value) in ours {
        let found = theirs.iter().rev().find(|(theirs, _)| theirs == name.as_str());
        if found.is_none_or(|(_, found)| found != value) {
            return refuse(format!(
                "Podman reads {name} in another way, because it knows no quotes: write the value plain, on one line"
            ));
        }
        if spec.environment.contains_key(name) {
            return refuse(format!(
                "{name} stands in `service.environment` too, and Podman would take that one: let it stand once"
            ));
        }
    }
    match theirs.iter().find(|(name, _)| !ours.iter().any(|(ours, _)| ours.as_str() == name)) {
        Some((name, _)) => refuse(format!("Podman finds a variable `{name}` in it that mainstay does not")),
        None => Ok(()),
    }
}

fn volume_unit(name: &InstanceName, volume: &str) -> String {
    format!("{name}-{volume}.volume")
}

fn unit(spec: &LaunchSpec, container: &ContainerSpec, layout: &Layout) -> Result<String, Inexpressible> {
    let folders = Folders::of(spec, layout);
    let places = folders.places();
    let mut text = Text::default();
    text.line("# Made by `mainstay render --platform quadlet`, for Podman 5.0 and newer.");
    text.line("[Unit]");
    text.pair("Description", &said("service.description", escape::text(spec.description.trim()))?);
    text.line("");
    text.line("[Container]");
    text.pair("Image", &value("compose.image", &container.pinned)?);
    text.pair("ContainerName", &value("compose.containerName", &compose::name(spec, container))?);
    command(&mut text, spec, container, &places)?;
    surroundings(&mut text, spec, container, &places)?;
    for mount in mounts::of(spec, container, &places) {
        let (key, value) = mounted(&spec.name, &mount)?;
        text.pair(key, &value);
    }
    readiness(&mut text, spec, &places)?;
    ending(&mut text, spec);
    limits(&mut text, spec);
    service(&mut text, spec);
    identity(&mut text, spec)?;
    if spec.boot {
        text.line("");
        text.line("[Install]");
        let target = match spec.scope {
            Scope::System => "multi-user.target",
            Scope::User => "default.target",
        };
        text.pair("WantedBy", target);
    }
    if text.0.len() >= LONGEST {
        return Err(Inexpressible::new("service", "its unit is longer than the mebibyte that systemd reads"));
    }
    Ok(stamp::press(&text.0, HASH))
}

fn command(
    text: &mut Text,
    spec: &LaunchSpec,
    container: &ContainerSpec,
    places: &Places<'_>,
) -> Result<(), Inexpressible> {
    if let Some(entrypoint) = &container.wanted.entrypoint {
        let words: Vec<String> = entrypoint.iter().map(|word| expand(word, places)).collect();
        if !words.is_empty() {
            text.pair("Entrypoint", &in_json("compose.entrypoint", &words)?);
        }
    }
    let words: Result<Vec<String>, Inexpressible> =
        spec.arguments(places).iter().map(|word| argument("service.command", word)).collect();
    let words = words?;
    if !words.is_empty() {
        text.pair("Exec", &words.join(" "));
    }
    Ok(())
}

fn surroundings(
    text: &mut Text,
    spec: &LaunchSpec,
    container: &ContainerSpec,
    places: &Places<'_>,
) -> Result<(), Inexpressible> {
    for (name, content) in spec.variables(places) {
        let setting = format!("service.environment.{name}");
        text.pair("Environment", &words::assignment(&setting, name.as_str(), &content)?);
    }
    if let Some(path) = &spec.environment_file {
        text.pair("EnvironmentFile", &value("service.environmentFile", path.as_str())?);
    }
    if let Some(name) = spec.secrets.keys().next() {
        return Err(Inexpressible::new(
            format!("service.secrets.{name}"),
            "Quadlet takes secrets from Podman's own store alone: `podman secret create`, and `Secret=` in a drop-in",
        ));
    }
    if let Some(user) = &container.wanted.user {
        text.pair("User", &value("compose.user", user)?);
    }
    if !spec.working_directory.is_empty() {
        let folder = expand(&spec.working_directory, places);
        text.pair("WorkingDir", &value("service.workingDirectory", &folder)?);
    }
    if spec.stdin == Stdin::Open {
        text.pair("PodmanArgs", "--interactive");
    }
    if container.wanted.network == Network::Host {
        text.pair("Network", "host");
    }
    for port in &container.wanted.ports {
        text.pair("PublishPort", &Port::to_string(port));
    }
    Ok(())
}

/// What it sees: in the short words of a volume, or, where a colon would end them, in the long ones of a mount.
fn mounted(name: &InstanceName, mount: &Mount) -> Result<(&'static str, String), Inexpressible> {
    let setting = "compose.volumes";
    let source =
        if mount.is_path || mount.external { mount.source.clone() } else { volume_unit(name, &mount.source) };
    let target = &mount.target;
    let short = value(setting, &format!("{source}:{target}{}", if mount.read_only { ":ro" } else { "" }))?;
    if !source.contains(':') && !target.contains(':') {
        return Ok(("Volume", short));
    }
    let kind = if mount.is_path { "bind" } else { "volume" };
    let mut fields =
        vec![format!("type={kind}"), format!("source={source}"), format!("destination={target}")];
    fields.extend(mount.read_only.then(|| "readonly".to_owned()));
    Ok(("Mount", argument(setting, &words::fields(&fields))?))
}

fn readiness(text: &mut Text, spec: &LaunchSpec, places: &Places<'_>) -> Result<(), Inexpressible> {
    match &spec.ready.probe {
        Probe::Command(command) => {
            let words: Vec<String> = command.iter().map(|word| expand(word, places)).collect();
            text.pair("HealthCmd", &words::health("service.ready.command", &words)?);
            for (key, value) in compose::HEALTH {
                let key = if key == "interval" { "HealthInterval" } else { "HealthTimeout" };
                text.pair(key, value);
            }
            text.pair("HealthRetries", &compose::RETRIES.to_string());
            text.pair("HealthStartPeriod", &seconds(spec.ready.timeout, "s"));
            // systemd takes it for started when it is healthy.
            text.pair("Notify", "healthy");
        }
        Probe::Http(_) | Probe::Tcp(_) => {
            text.line("# Podman asks nobody over the network: it counts as started when its container runs.");
        }
        _ => {}
    }
    Ok(())
}

fn ending(text: &mut Text, spec: &LaunchSpec) {
    let signal = spec.stop.signal;
    if signal != StopSignal::default() {
        text.pair("PodmanArgs", &format!("--stop-signal={}", signal.as_str()));
    }
    text.pair("StopTimeout", &seconds(stop(spec), ""));
}

fn stop(spec: &LaunchSpec) -> Span {
    spec.stop.timeout.and(compose::BEYOND_THE_DRAIN)
}

fn limits(text: &mut Text, spec: &LaunchSpec) {
    if let Some(memory) = spec.limits.memory {
        text.pair("PodmanArgs", &format!("--memory={}b", memory.bytes()));
    }
    if let Some(processes) = spec.limits.processes {
        text.pair("PidsLimit", &processes.to_string());
    }
    if let Some(files) = spec.limits.open_files {
        text.pair("Ulimit", &format!("nofile={files}:{files}"));
    }
}

fn service(text: &mut Text, spec: &LaunchSpec) {
    text.line("");
    text.line("[Service]");
    for (word, name) in words::KEPT {
        if spec.command.iter().any(|argument| argument == word) {
            text.pair("Environment", &format!("{name}={word}"));
        }
    }
    text.pair("Restart", if spec.boot { "always" } else { "on-failure" });
    text.pair("RestartSec", "1s");
    text.pair("TimeoutStartSec", &seconds(spec.ready.timeout.and(FETCHING), "s"));
    text.pair("TimeoutStopSec", &seconds(stop(spec).and(BEYOND_PODMAN), "s"));
}

/// Whose it is: a section that systemd and Quadlet pass on without a word.
fn identity(text: &mut Text, spec: &LaunchSpec) -> Result<(), Inexpressible> {
    text.line("");
    text.line("[X-Mainstay]");
    text.pair("Component", spec.component.as_str());
    text.pair("Instance", spec.name.as_str());
    text.pair("Scope", spec.scope.as_str());
    text.pair("InstanceDir", &said("the deploy folder", escape::json(spec.deploy.as_str()))?);
    text.line(&format!("{HASH}{}", stamp::BLANK));
    Ok(())
}

/// A length of time in whole seconds, rather longer than shorter.
fn seconds(span: Span, unit: &str) -> String {
    format!("{}{unit}", span.duration().as_millis().div_ceil(1000))
}

/// Whether a text is as it was written: nobody has edited it since.
#[must_use]
pub fn is_untouched(text: &str) -> bool {
    stamp::fits(text, HASH)
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        // Writing to a text can't fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn pair(&mut self, key: &str, value: &str) {
        self.line(&format!("{key}={value}"));
    }
}
