//! The text of `compose.yaml`. Every text stands in it as a JSON string, which YAML takes as it is, with each `$`
//! doubled, because Compose puts variables in everywhere (<https://docs.docker.com/reference/compose-file/interpolation/>).

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::compose::{ContainerSpec, Network, Volume};
use crate::model::duration::Span;
use crate::model::launch::{Folders, LaunchSpec, Probe};
use crate::model::layout::Layout;
use crate::model::manifest::Stdin;
use crate::model::service::StopSignal;
use crate::model::token::{Places, expand};
use crate::platform::compose::{FOLDER, LAUNCH, VARIABLES, mounts, project};
use crate::platform::{Inexpressible, stamp};

/// The beginning of the line that holds the digest of all others.
pub(in crate::platform) const HASH: &str = "# mainstay-hash: ";
/// How much longer an engine waits than the program may take to drain.
pub(in crate::platform) const BEYOND_THE_DRAIN: Span = Span::seconds(5);
/// How a container's health is asked.
pub(in crate::platform) const HEALTH: [(&str, &str); 2] = [("interval", "10s"), ("timeout", "5s")];
/// After how many bad answers it is not healthy.
pub(in crate::platform) const RETRIES: u32 = 3;

/// The container of a launch, which a launch of this platform has.
pub(in crate::platform) fn container(spec: &LaunchSpec) -> Result<&ContainerSpec, Inexpressible> {
    let missing = || {
        Inexpressible::new("compose", "a container needs an image: write `\"compose\": { \"image\": \"…\" }`")
    };
    spec.container.as_ref().ok_or_else(missing)
}

/// The name of its container.
pub(in crate::platform) fn name(spec: &LaunchSpec, container: &ContainerSpec) -> String {
    spec.container_name(container)
}

/// Where the variables are put that must not stand in the definition, if there are any such.
#[must_use]
pub fn variables_file(spec: &LaunchSpec, layout: &Layout) -> Option<Utf8PathBuf> {
    let apart = spec.environment_file.is_some() || !spec.secrets.is_empty();
    apart.then(|| layout.state(&spec.name).join(VARIABLES))
}

/// The text of the file.
pub fn render(spec: &LaunchSpec, layout: &Layout) -> Result<String, Inexpressible> {
    let container = container(spec)?;
    let folders = Folders::of(spec, layout);
    let places = folders.places();
    let mut text = Text::default();
    text.line(0, "# Made by mainstay from the manifest beside it: `mainstay apply` writes it anew.");
    text.line(0, &format!("{HASH}{}", stamp::BLANK));
    text.pair(0, "name", &project(&spec.name));
    text.line(0, "x-mainstay:");
    let identity = identity(spec);
    for (key, value) in &identity {
        text.pair(2, key, value);
    }
    text.line(0, "services:");
    text.line(2, &format!("{}:", quoted(spec.name.as_str())));
    text.pair(4, "image", &container.pinned);
    text.pair(4, "container_name", &name(spec, container));
    text.line(4, "labels:");
    for (key, value) in &identity {
        text.pair(6, &format!("dev.mainstay.{key}"), value);
    }
    text.pair(6, LAUNCH, &spec.identity());
    text.list(
        4,
        "entrypoint",
        container.wanted.entrypoint.iter().flatten().map(|word| expand(word, &places)),
    );
    text.list(4, "command", spec.arguments(&places));
    surroundings(&mut text, spec, container, &places, layout);
    mounts(&mut text, spec, container, &places);
    ending(&mut text, spec, &places);
    limits(&mut text, spec);
    volumes(&mut text, &container.wanted.volumes);
    Ok(stamp::press(&text.0, HASH))
}

/// Whether a text is as it was written: nobody has edited it since.
#[must_use]
pub fn is_untouched(text: &str) -> bool {
    stamp::fits(text, HASH)
}

/// Whether a text is of an instance of that name and folder.
#[must_use]
pub fn is_of(text: &str, name: &str, folder: &Utf8Path) -> bool {
    let has = |key: &str, value: &str| text.lines().any(|line| line == format!("  {key}: {}", quoted(value)));
    has("instance", name) && has("folder", folder.as_str())
}

fn identity(spec: &LaunchSpec) -> [(&'static str, String); 4] {
    [
        ("component", spec.component.to_string()),
        ("instance", spec.name.to_string()),
        ("scope", spec.scope.to_string()),
        (FOLDER.rsplit('.').next().unwrap_or_default(), spec.deploy.to_string()),
    ]
}

fn surroundings(
    text: &mut Text,
    spec: &LaunchSpec,
    container: &ContainerSpec,
    places: &Places<'_>,
    layout: &Layout,
) {
    if let Some(path) = variables_file(spec, layout) {
        text.list(4, "env_file", [path.into_string()]);
    } else {
        text.line(4, "environment:");
        let own = spec.variables(places).into_iter().map(|(name, value)| (name.to_string(), value));
        let told = spec.told().into_iter().map(|(name, value)| (name.to_owned(), value));
        for (name, value) in told.chain(own).collect::<std::collections::BTreeMap<_, _>>() {
            // Bare, `no` and `null` are no words of YAML.
            text.line(6, &format!("{}: {}", quoted(&name), quoted(&value)));
        }
    }
    if let Some(user) = &container.wanted.user {
        text.pair(4, "user", user);
    }
    if !spec.working_directory.is_empty() {
        text.pair(4, "working_dir", &expand(&spec.working_directory, places));
    }
    if spec.stdin == Stdin::Open {
        text.line(4, "stdin_open: true");
    }
    match container.wanted.network {
        Network::Host => text.pair(4, "network_mode", "host"),
        Network::Bridge if container.wanted.ports.is_empty() => {}
        Network::Bridge => {
            text.line(4, "ports:");
            for port in &container.wanted.ports {
                text.line(6, &format!("- target: {}", port.target));
                text.pair(8, "published", &port.published.to_string());
                if let Some(address) = port.address {
                    text.pair(8, "host_ip", &address.to_string());
                }
                text.pair(8, "protocol", if port.is_udp { "udp" } else { "tcp" });
            }
        }
    }
}

/// What it sees of the host.
fn mounts(text: &mut Text, spec: &LaunchSpec, container: &ContainerSpec, places: &Places<'_>) {
    let mounts = mounts::of(spec, container, places);
    if mounts.is_empty() {
        return;
    }
    text.line(4, "volumes:");
    for mount in &mounts {
        let kind = if mount.is_path { "bind" } else { "volume" };
        text.line(6, &format!("- type: {}", quoted(kind)));
        text.pair(8, "source", &mount.source);
        text.pair(8, "target", &mount.target);
        if mount.read_only {
            text.line(8, "read_only: true");
        }
        if mount.is_path {
            // What is not there is a mistake, and not to be made as an empty folder of root's.
            text.line(8, "bind:");
            text.line(10, "create_host_path: false");
        }
    }
}

fn ending(text: &mut Text, spec: &LaunchSpec, places: &Places<'_>) {
    let boots = if spec.boot { "always" } else { "on-failure" };
    text.pair(4, "restart", boots);
    let signal = spec.stop.signal;
    if signal != StopSignal::default() {
        text.pair(4, "stop_signal", signal.as_str());
    }
    text.pair(4, "stop_grace_period", &milliseconds(spec.stop.timeout.and(BEYOND_THE_DRAIN)));
    if let Probe::Command(command) = &spec.ready.probe {
        text.line(4, "healthcheck:");
        text.list(
            6,
            "test",
            ["CMD".to_owned()].into_iter().chain(command.iter().map(|word| expand(word, places))),
        );
        for (key, value) in HEALTH {
            text.pair(6, key, value);
        }
        text.line(6, &format!("retries: {RETRIES}"));
        text.pair(6, "start_period", &milliseconds(spec.ready.timeout));
    }
}

fn limits(text: &mut Text, spec: &LaunchSpec) {
    if let Some(memory) = spec.limits.memory {
        text.pair(4, "mem_limit", &format!("{}b", memory.bytes()));
    }
    if let Some(processes) = spec.limits.processes {
        text.line(4, &format!("pids_limit: {processes}"));
    }
    if let Some(files) = spec.limits.open_files {
        text.line(4, "ulimits:");
        text.line(6, &format!("nofile: {files}"));
    }
}

fn volumes(text: &mut Text, volumes: &[Volume]) {
    let mut named: Vec<&Volume> = volumes.iter().filter(|volume| !volume.is_path()).collect();
    named.sort_by(|one, other| one.source.cmp(&other.source));
    named.dedup_by(|one, other| one.source == other.source);
    if named.is_empty() {
        return;
    }
    text.line(0, "volumes:");
    for volume in named {
        if volume.external {
            text.line(2, &format!("{}:", quoted(&volume.source)));
            text.pair(4, "name", &volume.source);
            text.line(4, "external: true");
        } else {
            text.line(2, &format!("{}: {{}}", quoted(&volume.source)));
        }
    }
}

/// A duration as Compose reads it: it has no days.
fn milliseconds(span: Span) -> String {
    format!("{}ms", span.duration().as_millis())
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, indent: usize, line: &str) {
        // Writing to a text can't fail.
        let _ = writeln!(self.0, "{:indent$}{line}", "");
    }

    fn pair(&mut self, indent: usize, key: &str, value: &str) {
        let plain = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let key = if plain { key.to_owned() } else { quoted(key) };
        self.line(indent, &format!("{key}: {}", quoted(value)));
    }

    fn list(&mut self, indent: usize, key: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().map(|value| quoted(&value)).collect();
        if !values.is_empty() {
            self.line(indent, &format!("{key}: [{}]", values.join(", ")));
        }
    }
}

/// A text as it stands in the file.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '$' => quoted.push_str("$$"),
            // What YAML does not take as it is, or takes for the end of a line, or for nothing.
            letter if is_strange(letter) => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    let _ = write!(quoted, "\\u{unit:04x}");
                }
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

fn is_strange(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{a0}')
}

/// A line of a file of variables, as Compose reads it back: in double quotes, where a backslash keeps what follows.
#[must_use]
pub fn assignment(name: &str, value: &str) -> String {
    let mut line = format!("{name}=\"");
    for letter in value.chars() {
        if matches!(letter, '"' | '\\' | '$') {
            line.push('\\');
        }
        line.push(letter);
    }
    line.push_str("\"\n");
    line
}
