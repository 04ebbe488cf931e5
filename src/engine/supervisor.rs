//! What a supervisor and a guardian are started with, and how: the launch that the current link names, read
//! once.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::engine::failure::Failure;
use crate::engine::guard::{self, Entry, Event, GuardError, OfAll, Outcome};
use crate::engine::manager::HostManager;
use crate::engine::obstacle::Clear;
use crate::engine::switch::Means;
use crate::engine::{registry, report, runtimes, switch};
use crate::host::account;
use crate::host::environment;
use crate::host::files::{self, FileError};
use crate::host::handover;
use crate::host::holder::{Holder, HolderError};
use crate::host::listening::HeldSockets;
use crate::host::process::Credentials;
use crate::model::index::Scan;
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::owner::Owner;
use crate::model::status::ProcessIdentity;
use crate::model::trial::Trial;
use crate::platform::{self, running_part};
use crate::supervise::{
    self, Account, Context, Ending, GuardianLink, LaunchReader, ManagerLink, ProgramOutput, SuperviseError,
};

mod switching;

use switching::Switching;

/// The pause between two looks whether a service has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Why nothing can be supervised.
#[derive(Debug, Error)]
pub enum RunError {
    /// The host has no such instance in this scope.
    #[error("`{0}` is not installed in this scope")]
    NotInstalled(InstanceName),
    /// The instance has no active version.
    #[error("`{0}` has no active version: its current link leads to no tree with a launch spec")]
    NothingActive(InstanceName),
    /// The launch spec can't be read.
    #[error("the launch spec `{path}` can't be read: {reason}")]
    Spec {
        /// The file.
        path: camino::Utf8PathBuf,
        /// Why.
        reason: String,
    },
    /// The instances of the scope can't be found.
    #[error("the embedded instances can't be found: {0}")]
    Scan(String),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// An account.
    #[error(transparent)]
    Account(#[from] account::AccountError),
    /// The sockets that were handed over.
    #[error("the sockets that were handed over can't be taken")]
    Sockets(#[source] std::io::Error),
    /// The environment.
    #[error(transparent)]
    Environment(#[from] environment::EnvironmentError),
    /// The supervisor.
    #[error(transparent)]
    Supervise(#[from] SuperviseError),
    /// The guardian.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// What is on its way down does not end.
    #[error(transparent)]
    Ending(#[from] guard::RequestError),
}

impl RunError {
    /// Who supervises the instance already, if that is what hinders.
    #[must_use]
    pub fn holder(&self) -> Option<Holder> {
        match self {
            Self::Supervise(SuperviseError::Lock(HolderError::Held { holder, .. })) => Some(*holder),
            _ => None,
        }
    }

    /// Whether there is nothing to run, however often it is tried. All else may pass.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::NotInstalled(_) | Self::NothingActive(_) | Self::Spec { .. })
    }
}

/// Why a launch is not supervised.
#[derive(Debug)]
pub struct Unsupervised {
    /// What hindered it.
    pub error: RunError,
    /// Whether the launch is on trial.
    pub on_trial: bool,
}

/// What the definition of an instance says of it, whatever its current link is.
pub fn defined(layout: &Layout, name: &InstanceName) -> Result<Marker, RunError> {
    let mut unread = None;
    for kind in PlatformKind::ALL {
        match files::read(&layout.definition(name, kind)) {
            Ok(text) => {
                if let Some(marker) = text.and_then(|text| platform::marker(kind, &text)) {
                    return Ok(marker);
                }
            }
            Err(error) => unread = Some(error),
        }
    }
    Err(unread.map_or_else(|| RunError::NotInstalled(name.clone()), RunError::File))
}

/// The launch that the current link names.
pub fn active_launch(layout: &Layout, name: &InstanceName) -> Result<LaunchSpec, RunError> {
    let nothing = || RunError::NothingActive(name.clone());
    let component = defined(layout, name)?.component;
    let tree = files::read_pointer(&layout.current(name, &component))?.ok_or_else(nothing)?;
    let path = layout.launch(name, &tree);
    let text = files::read(&path)?.ok_or_else(nothing)?;
    serde_json::from_str(&text).map_err(|error| RunError::Spec { path, reason: error.to_string() })
}

/// Waits for the end of a service that is on its way down, so that it can be started again: who finds it so wants it
/// to run afterwards. An embedded one is hurried, as by a stop; of another its service manager sees to that.
pub fn await_end(layout: &Layout, name: &InstanceName) -> Result<(), RunError> {
    let goes_down = || report::live(layout, name).is_some_and(|status| status.phase.goes_down());
    if !goes_down() {
        return Ok(());
    }
    let launch = active_launch(layout, name)?;
    let limit = launch.stop_limit().duration();
    if launch.platform.is_guarded() {
        guard::stop_guardian(layout, name, limit)?;
    }
    let began = Instant::now();
    while goes_down() && began.elapsed() < limit {
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// How a supervisor is asked to do its work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Whether a person reads the program's output here, too.
    pub echo: bool,
    /// The file for the program's number, absolute, in the place of the one that the manifest names.
    pub pid_file: Option<Utf8PathBuf>,
}

/// Supervises an instance's program until it is stopped or ends for good.
pub fn supervise(
    layout: &Layout,
    name: &InstanceName,
    guardian: Option<ProcessIdentity>,
    wishes: Wishes,
) -> Result<Ending, Unsupervised> {
    let before = |error| Unsupervised { error, on_trial: false };
    let spec = active_launch(layout, name).map_err(before)?;
    let trial = files::read(&layout.trial(name)).map_err(|error| before(error.into()))?;
    let trial = trial.and_then(|text| serde_json::from_str::<Trial>(&text).ok());
    let trial = trial.filter(|trial| trial.is_open_for(&spec));
    // What keeps a version from starting that has been ready is not its own doing.
    let on_trial = trial.is_some() && !switch::was_ever_ready(layout, name, &spec.identity());
    let is_noted = spec.platform.keeps_logs();
    let outcome = supervise_launch(layout, spec, trial, guardian, wishes);
    let failed = matches!(outcome, Ok(Ending::TrialFailed)) || (outcome.is_err() && on_trial);
    if failed && is_noted {
        switch::watch::note_failure(layout, name);
    }
    outcome.map_err(|error| Unsupervised { error, on_trial })
}

fn supervise_launch(
    layout: &Layout,
    spec: LaunchSpec,
    trial: Option<Trial>,
    guardian: Option<ProcessIdentity>,
    wishes: Wishes,
) -> Result<Ending, RunError> {
    let name = &spec.name;
    let (runs_as, credentials) = runs_as(&spec)?;
    let output = match spec.platform {
        PlatformKind::Systemd => ProgramOutput::Inherit,
        _ => ProgramOutput::Capture { echo: wishes.echo },
    };
    let link = GuardianLink {
        guardian,
        lock: layout.guardian_lock(name),
        command: std::iter::once(runtimes::program(layout, name).to_string())
            .chain(guardian_arguments(layout, name))
            .collect(),
    };
    let reader = {
        let (layout, name) = (layout.clone(), name.clone());
        let (its_layout, its_name) = (layout.clone(), name.clone());
        LaunchReader::new(
            move || active_launch(&layout, &name).ok(),
            move || switch::read_trial(&its_layout, &its_name).ok().flatten(),
        )
    };
    let context = Context {
        folders: Folders::of(&spec, layout),
        status: layout.status(name),
        refused: layout.refused_values(name),
        definition: files::read(&layout.definition(name, spec.platform))
            .ok()
            .flatten()
            .map(|text| running_part(spec.platform, &text)),
        trial,
        output,
        account: Account {
            home: environment::home(runs_as.uid).unwrap_or_else(|| "/".into()),
            name: runs_as.name,
            credentials,
        },
        language: environment::variable("LANG"),
        manager: ManagerLink {
            notify_socket: environment::variable("NOTIFY_SOCKET"),
            watchdog: watchdog(),
            credentials: environment::folder("CREDENTIALS_DIRECTORY"),
        },
        guardian: (spec.platform == PlatformKind::Embedded && guardian.is_some()).then_some(link),
        reader: Some(reader),
        pid_file: wishes.pid_file,
        // What was not handed over is bound when the program is started, where a failure is told as its own.
        sockets: HeldSockets::taken(
            &spec.sockets,
            name.as_str(),
            handover::inherited().map_err(RunError::Sockets)?,
        ),
        spec,
    };
    Ok(supervise::run(&context, &mut |_| {})?)
}

/// The account that runs a program, and its numbers where they are not this process's own.
pub(crate) fn runs_as(spec: &LaunchSpec) -> Result<(Owner, Option<Credentials>), RunError> {
    let own = account::effective_uid();
    let account = match &spec.user {
        // Windows has started this process as the account already, and some of those have no number of their own.
        Some(user) if spec.platform != PlatformKind::Windows => account::by_name(user)?,
        _ => account::by_uid(own)?,
    };
    // systemd has given this process its group.
    let group = spec.group.as_deref().filter(|_| spec.platform != PlatformKind::Systemd);
    let group = group.map(account::group).transpose()?;
    let credentials = (account.uid != own || group.is_some()).then(|| Credentials {
        uid: account.uid,
        gid: group.unwrap_or(account.gid),
        groups: account::groups(&account),
    });
    Ok((account, credentials))
}

/// How often systemd wants to hear that we live (`sd_watchdog_enabled(3)`).
fn watchdog() -> Option<Duration> {
    let for_us =
        environment::variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
    let microseconds = environment::variable("WATCHDOG_USEC")?.parse().ok()?;
    for_us.then_some(Duration::from_micros(microseconds))
}

/// What starts the guardian of one instance, after the program's name.
#[must_use]
pub fn guardian_arguments(layout: &Layout, name: &InstanceName) -> Vec<String> {
    let scope = scope_option(layout.scope);
    ["run", "--name", name.as_str(), scope, "--detached"].map(str::to_owned).to_vec()
}

fn scope_option(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "--system",
        Scope::User => "--user",
    }
}

fn entry(layout: &Layout, name: &InstanceName, wishes: &Wishes) -> Entry {
    let program = runtimes::program(layout, name).to_string();
    let mut command: Vec<String> =
        [program.as_str(), "run", "--name", name.as_str(), scope_option(layout.scope), "--supervise"]
            .map(str::to_owned)
            .to_vec();
    if wishes.echo {
        command.push("--echo".to_owned());
    }
    if let Some(path) = &wishes.pid_file {
        command.extend(["--pid-file".to_owned(), path.to_string()]);
    }
    Entry::of(layout, name, command)
}

/// What a start of an embedded instance does before the program.
pub(crate) fn at_start(layout: &Layout, name: &InstanceName) -> Result<switch::AtStart, Failure> {
    let manager = HostManager::new(layout.clone());
    switch::at_start(layout, name, &Means { manager: &manager, obstacle: &Clear, say: &|_| {} })
}

/// What comes before a start where nobody else guards: the switch. Moving data may take long, and a request to end that
/// comes meanwhile is heard afterwards.
pub(crate) fn before_start(layout: &Layout, name: &InstanceName) -> guard::AtStart {
    let found = at_start(layout, name);
    Switching { layout, tell: &mut |_| {} }.found(name, found.err())
}

/// Guards one embedded instance until it has ended for good, and says how.
pub fn guard_one(
    layout: &Layout,
    name: &InstanceName,
    wishes: &Wishes,
    tell: &mut dyn FnMut(&Event),
) -> Result<Option<Outcome>, RunError> {
    let sockets = handover::inherited().map_err(RunError::Sockets)?;
    let entries = vec![entry(layout, name, wishes)];
    let mut outcomes = guard::guard(entries, None, sockets, &mut Switching { layout, tell })?;
    Ok(outcomes.pop().map(|(_, outcome)| outcome))
}

/// Guards every embedded instance of a scope that starts at boot, until all have ended for good.
pub fn guard_all(
    layout: &Layout,
    tell: &mut dyn FnMut(&Event),
) -> Result<Vec<(InstanceName, Outcome)>, RunError> {
    let markers = match registry::scan(layout, PlatformKind::Embedded) {
        Scan::Found(markers) => markers,
        Scan::Failed(reason) => return Err(RunError::Scan(reason)),
    };
    let names = markers.into_iter().map(|marker| marker.name).filter(|name| starts_at_boot(layout, name));
    let entries = names.map(|name| entry(layout, &name, &Wishes::default())).collect();
    Ok(guard::guard(entries, OfAll::become_it(layout), Vec::new(), &mut Switching { layout, tell })?)
}

/// Whether an instance starts at boot. One whose launch can't be found is not left out in silence: its start
/// mends it, or says why not.
fn starts_at_boot(layout: &Layout, name: &InstanceName) -> bool {
    if let Ok(spec) = active_launch(layout, name) {
        return spec.boot;
    }
    match switch::read(layout, name) {
        // The start makes the switch; making it here as well would be a second start, which takes it back.
        Ok(Some(switch)) => switch.to.boot,
        Ok(None) => {
            // The link is mended first, since only the launch says whether it starts at boot.
            let _ = at_start(layout, name);
            active_launch(layout, name).map_or(true, |spec| spec.boot)
        }
        Err(_) => true,
    }
}
