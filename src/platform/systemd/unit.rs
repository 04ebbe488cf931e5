//! A launch spec as a unit (systemd.unit(5), systemd.service(5), systemd.exec(5)).

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::model::duration::Span;
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::manifest::{Scope, Supervision};
use crate::model::size::Size;
use crate::model::token::{Places, expand};
use crate::model::trial::{END_OF_TRIAL, SETUP_FAILED};
use crate::model::watched::Watched;
use crate::platform::systemd::hardening;
use crate::platform::systemd::native::{self, Native};
use crate::platform::systemd::{OLDEST, extras, marker, text};
use crate::platform::{Facts, Inexpressible, stamp};

/// What systemd itself gives to the services of the host, whatever the host's settings are.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The same for a user, who has no use for the administrator's programs.
const USER_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// The name under which systemd hands over the environment file.
const ENVIRONMENT_CREDENTIAL: &str = "environment";
/// systemd reads no longer line (`LONG_LINE_MAX`).
const LONGEST_LINE: usize = 1 << 20;

/// What the template needs.
#[derive(Serialize)]
struct Values<'a> {
    system: bool,
    component: &'a str,
    name: &'a str,
    scope: &'a str,
    folder: &'a str,
    stamp: &'a str,
    description: &'a str,
    more_of_unit: Vec<(&'a str, &'a str)>,
    at_start: Vec<String>,
    start: Vec<String>,
    program: &'a str,
    at_stop: Vec<String>,
    user: Option<&'a str>,
    environment: Vec<(String, String)>,
    native: Option<Native>,
    credentials: Vec<(&'a str, &'a Utf8Path)>,
    /// How long the run folder stays, where systemd makes it.
    run: Option<&'static str>,
    stop_limit: String,
    end_of_trial: u8,
    setup_failed: u8,
    limits: Vec<(&'a str, u64)>,
    umask: String,
    group: Option<&'a str>,
    nice: Option<String>,
    watchdog: Option<String>,
    sockets: bool,
    hardening: Vec<hardening::Setting>,
    writable: Vec<Utf8PathBuf>,
    more_of_service: Vec<(&'a str, &'a str)>,
}

/// The text of the unit.
pub(in crate::platform) fn render(
    spec: &LaunchSpec,
    layout: &Layout,
    facts: &Facts,
) -> Result<String, Inexpressible> {
    if facts.systemd_version < OLDEST {
        return Err(Inexpressible::new(
            "platform",
            format!("systemd {} is too old: {OLDEST} is needed", facts.systemd_version),
        ));
    }
    // A definition outlives versions.
    let folders = Folders::lasting(spec, layout);
    let places = folders.places();
    let system = spec.scope == Scope::System;
    let native = match spec.supervision {
        Supervision::Native => Some(native::settings(spec, &places, facts)?),
        Supervision::Mainstay => None,
    };
    let (start, program) = match native {
        Some(_) => (spec.arguments(&places), "service.command"),
        None => (ours(spec, layout, &["run"]), "the install folder"),
    };
    let start_folder = spec.start_folder(&places);
    let state = layout.state(&spec.name);
    let needed = [&folders.package, &folders.config, &state, &folders.data, &folders.logs, &folders.run]
        .into_iter()
        .chain([&spec.deploy, &start_folder])
        .map(Utf8PathBuf::as_path)
        .chain(files(spec))
        .chain(facts.home.as_deref());
    let text = text::fill(Values {
        system,
        component: spec.component.as_str(),
        name: spec.name.as_str(),
        scope: spec.scope.as_str(),
        folder: spec.deploy.as_str(),
        stamp: stamp::BLANK,
        description: spec.description.trim(),
        more_of_unit: extras::unit(&spec.systemd.unit)?,
        at_start: ours(spec, layout, &["recover", "--at-start"]),
        start,
        program,
        at_stop: ours(spec, layout, &["recover", "--at-stop"]),
        user: spec.user.as_deref().filter(|_| system),
        environment: environment(spec, layout, &places),
        native,
        credentials: credentials(spec)?,
        run: layout.run_by_systemd().then(|| run_stays(spec, &folders)),
        stop_limit: span("service.stop.timeout", spec.stop_limit())?,
        end_of_trial: END_OF_TRIAL,
        setup_failed: SETUP_FAILED,
        limits: limits(spec)?,
        umask: spec
            .umask
            .map_or_else(|| hardening::umask(spec.hardening).to_owned(), |mask| mask.to_string()),
        group: spec.group.as_deref().filter(|_| system),
        nice: nice(spec)?,
        watchdog: watchdog(spec).map(|period| span("service.health.every", period)).transpose()?,
        sockets: !spec.sockets.is_empty(),
        hardening: hardening::settings(spec.hardening, spec.scope, needed),
        writable: if hardening::closes_folders(spec.hardening, spec.scope) || closes_folders(spec) {
            writable(spec, layout, folders.clone())
        } else {
            Vec::new()
        },
        more_of_service: extras::service(&spec.systemd.service)?,
    })?;
    match text.lines().find(|line| line.len() >= LONGEST_LINE) {
        Some(line) => Err(Inexpressible::new(
            line.split('=').next().unwrap_or_default(),
            "its line is longer than the mebibyte that systemd reads",
        )),
        None => Ok(stamp::press(&text, marker::HASH)),
    }
}

/// Whether what the manifest adds makes folders read-only that the supervisor has to write.
fn closes_folders(spec: &LaunchSpec) -> bool {
    ["ProtectSystem", "ReadOnlyPaths"].iter().any(|key| spec.systemd.service.contains_key(*key))
}

/// A length of time in systemd's words, which are ours (systemd.time(7)); it counts microseconds.
pub(super) fn span(setting: &str, length: Span) -> Result<String, Inexpressible> {
    if u64::try_from(length.duration().as_micros()).is_ok_and(|count| count < u64::MAX) {
        Ok(length.to_string())
    } else {
        Err(Inexpressible::new(setting, "systemd does not count as far"))
    }
}

/// A command of mainstay's own about this instance.
fn ours(spec: &LaunchSpec, layout: &Layout, words: &[&str]) -> Vec<String> {
    let mut argv = vec![layout.runtime_program(&spec.name).into_string()];
    argv.extend(words.iter().copied().map(str::to_owned));
    argv.extend(["--name".to_owned(), spec.name.to_string(), format!("--{}", spec.scope)]);
    argv
}

/// The variables of the unit. Under our supervision they are for mainstay, which makes the program's own;
/// natively the program has them too, and its own come later and win.
fn environment(spec: &LaunchSpec, layout: &Layout, places: &Places<'_>) -> Vec<(String, String)> {
    let path = if spec.scope == Scope::System { SYSTEM_PATH } else { USER_PATH };
    let mut variables = vec![("PATH".to_owned(), path.to_owned())];
    let mut folder = |name: &str, value: Option<&Utf8Path>| {
        variables.extend(value.map(|value| (name.to_owned(), value.to_string())));
    };
    folder("MAINSTAY_ROOT", layout.root.as_deref());
    folder("MAINSTAY_CONFIG_ROOT", layout.config_root.as_deref());
    // A user's manager need not have the variables of the shell in which the service was installed.
    if spec.scope == Scope::User {
        folder("XDG_CONFIG_HOME", layout.units().ancestors().nth(2));
        if layout.root.is_none() {
            folder("XDG_STATE_HOME", layout.states().parent());
            folder("XDG_DATA_HOME", layout.runtimes().ancestors().nth(3));
        }
    }
    if spec.supervision == Supervision::Native {
        let own = spec.variables(places);
        variables.extend(own.into_iter().map(|(name, value)| (name.to_string(), value)));
    }
    variables
}

/// The files that systemd hands to a program that may not read them itself ("Credentials",
/// systemd.exec(5)): the environment file, and each secret under its variable's name.
fn credentials(spec: &LaunchSpec) -> Result<Vec<(&str, &Utf8Path)>, Inexpressible> {
    if !spec.credentials || spec.supervision == Supervision::Native {
        return Ok(Vec::new());
    }
    if spec.scope == Scope::User {
        return Err(Inexpressible::new("service.secrets", "a user's systemd hands over no credentials"));
    }
    if spec.restart_on_change.contains(&Watched::Environment) {
        return Err(Inexpressible::new(
            "service.restartOnChange",
            "systemd reads the environment file and the secrets once, as root, when it starts the service, so a new start of the program would see nothing new: leave out `environment` and use `mainstay restart`, or give the deploy folder to the service's account",
        ));
    }
    let file = spec.environment_file.as_deref().map(|path| (ENVIRONMENT_CREDENTIAL, path));
    if file.is_some() && spec.secrets.keys().any(|name| name.as_str() == ENVIRONMENT_CREDENTIAL) {
        return Err(Inexpressible::new(
            "service.secrets.environment",
            "systemd hands over the environment file under this name: choose another",
        ));
    }
    Ok(file
        .into_iter()
        .chain(spec.secrets.iter().map(|(name, path)| (name.as_str(), path.as_path())))
        .collect())
}

fn files(spec: &LaunchSpec) -> impl Iterator<Item = &Utf8Path> {
    let named = spec.environment_file.iter().chain(spec.secrets.values());
    let program = spec.command.first().map(Utf8Path::new).filter(|program| program.is_absolute());
    named.map(Utf8PathBuf::as_path).chain(program)
}

/// The fewest open files with which the supervisor can do its work, and how many more each socket takes that it holds.
const FEWEST_FILES: (u64, u64) = (64, 4);

/// The limits. systemd takes neither nothing nor the largest number, which is its word for none.
fn limits(spec: &LaunchSpec) -> Result<Vec<(&'static str, u64)>, Inexpressible> {
    let sockets = u64::try_from(spec.sockets.len()).unwrap_or(u64::MAX);
    let fewest = FEWEST_FILES.1.saturating_mul(sockets).saturating_add(FEWEST_FILES.0);
    if spec.supervision != Supervision::Native && spec.limits.open_files.is_some_and(|count| count < fewest) {
        let reason = format!("systemd's limit is also the supervisor's, which needs {fewest}");
        return Err(Inexpressible::new("service.limits.openFiles", reason));
    }
    let mut limits = Vec::new();
    for (key, field, value) in [
        ("LimitNOFILE", "openFiles", spec.limits.open_files),
        ("MemoryMax", "memory", spec.limits.memory.map(Size::bytes)),
        ("TasksMax", "processes", spec.limits.processes),
    ] {
        match value {
            Some(value @ (0 | u64::MAX)) => {
                let reason = format!("systemd takes no limit of {value}");
                return Err(Inexpressible::new(format!("service.limits.{field}"), reason));
            }
            Some(value) => limits.push((key, value)),
            None => {}
        }
    }
    Ok(limits)
}

/// The priority. A user's systemd may not raise one, and goes on with what it may without a word.
fn nice(spec: &LaunchSpec) -> Result<Option<String>, Inexpressible> {
    match spec.limits.nice {
        Some(nice) if nice < 0 && spec.scope == Scope::User => Err(Inexpressible::new(
            "service.limits.nice",
            format!(
                "a user's systemd may not give a service the priority {nice}: only the host's may go below 0"
            ),
        )),
        nice => Ok(nice.map(|nice| nice.to_string())),
    }
}

/// How often systemd wants to hear of the supervisor (`WatchdogSec=`, systemd.service(5)): where it has something to
/// look after. At rest it is not to be woken up.
fn watchdog(spec: &LaunchSpec) -> Option<Span> {
    const SHORTEST: Span = Span::seconds(30);
    if spec.supervision == Supervision::Native || (spec.health.is_none() && spec.schedule.is_none()) {
        return None;
    }
    let every = spec.health.as_ref().map_or(0, |health| health.every.duration().as_millis());
    let thrice = u64::try_from(every.saturating_mul(3)).unwrap_or(u64::MAX);
    Some(Span::milliseconds(thrice).max(SHORTEST))
}

/// How long systemd keeps the run folder (`RuntimeDirectoryPreserve=`, systemd.exec(5)). It goes with a stop, as what is in
/// it means nothing then; but a file for monitors is wanted most where the service has failed.
fn run_stays(spec: &LaunchSpec, folders: &Folders) -> &'static str {
    let is_read_after =
        |file: &String| spec.deploy.join(expand(file, &folders.places())).starts_with(&folders.run);
    if spec.health_file.as_ref().is_some_and(is_read_after) { "yes" } else { "restart" }
}

/// The folders that stay writable for the service: the supervisor's and the program's. The run folder is so by itself where
/// systemd makes it.
fn writable(spec: &LaunchSpec, layout: &Layout, folders: Folders) -> Vec<Utf8PathBuf> {
    let run = Some(folders.run).filter(|_| !layout.run_by_systemd());
    [layout.report(&spec.name), folders.data, folders.logs].into_iter().chain(run).collect()
}
