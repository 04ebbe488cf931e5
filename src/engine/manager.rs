//! The service managers, as the engine asks them.

use std::error::Error as _;
use std::time::{Duration, Instant};

use crate::engine::failure::{CallError, Failure};
use crate::engine::{container, guard, question, runtimes, supervisor, windows};
use crate::host::command::{self, Manner};
use crate::host::{account, environment, machine};
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::name::InstanceName;
use crate::model::operating_system::OperatingSystem;
use crate::model::status::Exit;
use crate::plan::observed::SocketSeen;
use crate::platform::call::Call;
use crate::platform::compose::seen::ContainerSeen;
use crate::platform::exec_start;
use crate::platform::launchd::course::Strange;
use crate::platform::observed::{self, ActiveState, Answer, NoAnswer};
use crate::platform::query;

mod launchd;

/// How long a service manager may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a user's service manager may take to begin.
const BEGINNING: Duration = Duration::from_secs(3);
/// How long a guardian may take to begin.
const START_LIMIT: Duration = Duration::from_secs(10);

/// A service manager, or what a test has in its place.
pub trait Manager {
    /// Asks for something to be done.
    fn call(&self, call: &Call) -> Result<(), CallError>;
    /// Asks how an instance stands.
    fn seen(&self, of: &Marker) -> Result<Seen, CallError>;
    /// Whether definitions of this name that are not ours stand anywhere on the load path, and where.
    fn taken(&self, of: &Marker) -> Result<Taken, CallError>;
    /// Whether this user's services run without a login; nothing where that is no question.
    fn lingering(&self, user: &str) -> Result<bool, CallError>;
    /// The command that the service manager itself starts, where it knows one.
    fn started(&self, _of: &Marker) -> Result<Option<Vec<String>>, CallError> {
        Ok(None)
    }
}

/// Definitions of an instance's name that are not ours, and where they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The service's.
    pub definition: Option<String>,
    /// Its sockets': a unit that would start our service.
    pub socket: Option<String>,
    /// How the unit of its sockets stands, where there is one.
    pub sockets: Option<SocketSeen>,
}

/// How a service manager sees an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Where it stands.
    pub state: State,
    /// Whether it starts with the host or its user.
    pub at_boot: bool,
    /// The main process: the supervisor, or the program itself with native supervision.
    pub main_pid: Option<u32>,
    /// When that was started.
    pub started: Option<Moment>,
    /// Memory of all its processes, in bytes.
    pub memory: Option<u64>,
    /// How the main process last ended.
    pub last_exit: Option<Exit>,
    /// Whether the definition on disk is newer than the one that counts.
    pub needs_reload: bool,
    /// Whether something of it runs that its dead guard has left; it does not run as a service.
    pub remains: bool,
    /// The file that defines it.
    pub fragment: Option<camino::Utf8PathBuf>,
    /// Files of the user's that change the definition.
    pub drop_ins: Vec<camino::Utf8PathBuf>,
    /// Its container, where it is one.
    pub container: Option<ContainerSeen>,
}

/// Where an instance stands with its service manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Running.
    Active,
    /// Being started.
    Starting,
    /// Being stopped.
    Stopping,
    /// Not running, because it ended badly.
    Failed,
    /// Not running.
    #[default]
    Inactive,
}

impl State {
    /// Whether anything of it runs.
    #[must_use]
    pub fn runs(self) -> bool {
        matches!(self, Self::Active | Self::Starting | Self::Stopping)
    }
}

impl From<ActiveState> for State {
    fn from(active: ActiveState) -> Self {
        match active {
            ActiveState::Active | ActiveState::Reloading | ActiveState::Refreshing => Self::Active,
            ActiveState::Activating => Self::Starting,
            ActiveState::Deactivating => Self::Stopping,
            ActiveState::Failed => Self::Failed,
            ActiveState::Inactive | ActiveState::Maintenance => Self::Inactive,
        }
    }
}

/// The service managers of this host.
pub struct HostManager {
    layout: Layout,
}

impl HostManager {
    /// The managers of one scope.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self { layout }
    }
}

impl HostManager {
    /// Starts an embedded instance's guardian; one that has it already is as good.
    fn start_guardian(&self, name: &InstanceName) -> Result<(), String> {
        let layout = &self.layout;
        if guard::request_start(layout, name, START_LIMIT).map_err(|error| error.to_string())? {
            return Ok(());
        }
        let arguments = supervisor::guardian_arguments(layout, name);
        let log = layout.logs(name).join("guardian.log");
        let lock = layout.guardian_lock(name);
        match guard::start_detached(&runtimes::program(layout, name), &arguments, &lock, &log, START_LIMIT) {
            Ok(_) | Err(guard::DetachedError::Guarded(_)) => Ok(()),
            Err(error) => {
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                Err(format!("{error}{cause}"))
            }
        }
    }
}

impl HostManager {
    /// Has an embedded instance restarted by its guardian; without one, a supervisor that has outlived its
    /// guardian is adopted by the new one first, and restarted then.
    fn restart_guarded(&self, name: &InstanceName) -> Result<(), String> {
        let layout = &self.layout;
        let restart = || guard::request_restart(layout, name).map_err(|error| error.to_string());
        if let guard::Restart::Requested { .. } = restart()? {
            return Ok(());
        }
        let orphan = guard::supervisor_of(layout, name);
        self.start_guardian(name)?;
        if orphan.is_some() && guard::supervisor_of(layout, name) == orphan {
            restart()?;
        }
        Ok(())
    }
}

impl Manager for HostManager {
    fn call(&self, call: &Call) -> Result<(), CallError> {
        let failed = |reason: String| CallError::Failed { call: call.to_string(), reason };
        match call {
            Call::Run { argv, accept, optional, .. } => {
                let output = match answered(argv) {
                    Ok(output) => output,
                    Err(_) if *optional => return Ok(()),
                    Err(error) => return Err(failed(error.to_string())),
                };
                let done = output.code.is_some_and(|code| code == 0 || accept.contains(&code));
                if done || *optional {
                    return Ok(());
                }
                let said = output.stderr.trim();
                if observed::bus_unavailable(said) {
                    return Err(CallError::Unavailable { manager: argv[0].clone(), reason: said.to_owned() });
                }
                Err(failed(if said.is_empty() {
                    format!("it ended with {:?}", output.code)
                } else {
                    said.to_owned()
                }))
            }
            Call::StartGuardian { name } => self.start_guardian(name).map_err(failed),
            Call::StopGuardian { name, limit } => guard::stop_guardian(&self.layout, name, limit.duration())
                .map(|_| ())
                .map_err(|error| failed(error.to_string())),
            Call::RestartGuardian { name } => self.restart_guarded(name).map_err(failed),
            Call::Launchd { of, goal, strange: None } => launchd::perform(&self.layout, of, *goal),
            Call::Launchd { of, goal, strange: Some(strange) } => {
                launchd::perform_strange(&self.layout, of, *goal, strange)
            }
            Call::Service { of, verb } => windows::perform(&self.layout, of, *verb),
            Call::Compose { of, verb, .. } => container::perform(&self.layout, of, *verb),
        }
    }

    fn seen(&self, of: &Marker) -> Result<Seen, CallError> {
        match of.platform {
            PlatformKind::Systemd => {
                let seen = ask(&query::service(of.scope, &of.name), observed::service)?;
                Ok(Seen {
                    // A busy systemd takes a while to begin what it was asked for.
                    state: match State::from(seen.active) {
                        State::Inactive | State::Failed if seen.job => State::Starting,
                        state => state,
                    },
                    at_boot: seen.starts_at_boot(),
                    main_pid: seen.main_pid,
                    started: seen.started,
                    memory: seen.memory,
                    last_exit: seen.last_exit(),
                    remains: false,
                    needs_reload: seen.need_daemon_reload,
                    fragment: seen.fragment_path,
                    drop_ins: seen.drop_ins,
                    container: None,
                })
            }
            PlatformKind::Embedded => {
                // A supervisor whose guardian was killed goes on, and starts another.
                let running = guard::guardian_of(&self.layout, &of.name)
                    .or_else(|| guard::supervisor_of(&self.layout, &of.name));
                let state = if running.is_some() { State::Active } else { State::Inactive };
                let remains = running.is_none() && guard::has_remains(&self.layout, &of.name);
                Ok(Seen { state, remains, main_pid: running.map(|process| process.pid), ..Seen::default() })
            }
            PlatformKind::Compose => container::seen(&self.layout, of),
            PlatformKind::Launchd => launchd::seen(&self.layout, of),
            PlatformKind::Windows | PlatformKind::Task => windows::seen(&self.layout, of),
        }
    }

    fn taken(&self, of: &Marker) -> Result<Taken, CallError> {
        match of.platform {
            PlatformKind::Systemd => {}
            PlatformKind::Windows | PlatformKind::Task => {
                return Ok(Taken { definition: windows::taken(of)?, ..Taken::default() });
            }
            PlatformKind::Launchd => return launchd::taken(&self.layout, of),
            _ => return Ok(Taken::default()),
        }
        let [service, socket] = ask(&query::unit_files(of.scope, &of.name), observed::unit_files)?;
        let strange = |seen: &observed::UnitFileSeen, ours: camino::Utf8PathBuf| {
            let place = seen.source_path.clone().or(seen.fragment_path.clone());
            let counts = seen.exists() && seen.loaded != observed::LoadState::Masked;
            place.filter(|place| counts && *place != ours).map(String::from)
        };
        Ok(Taken {
            definition: strange(&service, self.layout.definition(&of.name, of.platform)),
            socket: strange(&socket, self.layout.socket_definition(&of.name)),
            sockets: socket.exists().then(|| SocketSeen {
                at_boot: socket.unit_file_state.as_deref() == Some("enabled"),
                needs_reload: socket.need_daemon_reload,
                listens: socket.active == ActiveState::Active,
                drop_ins: socket.drop_ins,
            }),
        })
    }

    fn lingering(&self, user: &str) -> Result<bool, CallError> {
        ask(&query::linger(user), observed::linger)
    }

    fn started(&self, of: &Marker) -> Result<Option<Vec<String>>, CallError> {
        match of.platform {
            PlatformKind::Systemd => ask(&query::started(of.scope, &of.name), exec_start::started),
            _ => Ok(None),
        }
    }
}

/// Has launchd let go of a definition and take the one that is there, in a process of its own that nobody ends: between
/// the two nobody is responsible for the service.
pub fn take_anew(layout: &Layout, of: &Marker) -> Result<(), Failure> {
    Ok(launchd::take_anew(layout, of)?)
}

/// Whether launchd runs a service that is not mainstay's, and whether it starts by itself.
pub fn strange(of: &Marker, strange: &Strange) -> Result<(bool, bool), Failure> {
    Ok(launchd::strange(of, strange)?)
}

/// Whether a platform can be had on this host: its tools are there. Whether they answer is another question.
#[must_use]
pub fn is_there(platform: PlatformKind) -> bool {
    let system = environment::operating_system();
    match platform {
        // Tests bring a launchd of their own.
        PlatformKind::Launchd => tool("launchctl"),
        PlatformKind::Embedded | PlatformKind::Compose => true,
        PlatformKind::Systemd | PlatformKind::Windows | PlatformKind::Task => {
            OperatingSystem::of(platform) == Some(system)
        }
    }
}

fn tool(name: &str) -> bool {
    environment::variable("PATH").is_some_and(|path| machine::program(name, &path).is_some())
}

/// Runs a command of a service manager. A user's manager that lingering has just called into being takes a
/// moment until it answers.
fn answered(argv: &[String]) -> std::io::Result<command::Output> {
    let began = Instant::now();
    loop {
        let output = command::output(argv, Manner::default())?;
        let coming = argv.iter().any(|word| word == "--user") && users_manager_is_coming();
        if !(coming && observed::bus_unavailable(&output.stderr)) || began.elapsed() > BEGINNING {
            return Ok(output);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether logind runs a manager for this account, or is about to: the folder comes a moment after lingering.
fn users_manager_is_coming() -> bool {
    let lingers = || {
        account::by_uid(account::effective_uid()).is_ok_and(|own| account::lingers(&own.name) == Some(true))
    };
    environment::user_runtime_folder().is_some() || lingers()
}

/// The version of the systemd that runs here, or of none.
#[must_use]
pub fn systemd_version() -> Option<u32> {
    ask(&query::version(), observed::version).ok()
}

/// The services that systemd has in memory, by unit, for lists.
pub fn services(scope: Scope) -> Result<Vec<observed::ServiceListed>, CallError> {
    ask(&query::services(scope), observed::services)
}

fn ask<T>(argv: &[String], read: impl Fn(Answer<'_>) -> Result<T, NoAnswer>) -> Result<T, CallError> {
    question::ask(argv, PATIENCE, read)
}
