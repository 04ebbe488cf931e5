//! The service control manager of Windows, through its own interface: services are registered, started, stopped and
//! deleted, and this process is one. On other systems there is none, and each question says so.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::platform::windows::Registration;
use crate::platform::windows::answer::{self, Standing, State};
use crate::platform::windows::progress::{Goal, Next, Progress, Sight};

#[cfg(not(windows))]
mod elsewhere;
#[cfg(windows)]
mod windows;

#[cfg(not(windows))]
use elsewhere as system;
#[cfg(windows)]
use windows as system;

pub use system::{Rights, tell};

/// The error of a call, as Windows numbers it.
type Code = u32;

/// The number of a system that has no such manager (`ERROR_CALL_NOT_IMPLEMENTED`).
#[cfg(not(windows))]
const NO_MANAGER: Code = 120;

/// What a service tells the manager of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It is on its way up, and came further.
    Starting,
    /// It is up.
    Running,
    /// It is on its way down, and came further.
    Stopping,
    /// It is down.
    Stopped,
    /// It is down, because it can't be up.
    Broken,
}

/// Why the manager did not do what it was asked.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// It refused.
    #[error("Windows refuses to {action} the service `{name}`: {}", describe(*.code))]
    Refused {
        /// What it was asked.
        action: &'static str,
        /// The service.
        name: String,
        /// The system's number of the error.
        code: u32,
    },
    /// The service does not come to an end with what it does.
    #[error("the service `{name}` hangs: {} (waited {} s)", hanging(*.state), .waited.as_secs())]
    Hangs {
        /// The service.
        name: String,
        /// The state in which it stands.
        state: Option<State>,
        /// How long it was waited for.
        waited: Duration,
    },
}

impl ServiceError {
    /// What is to be done, where that can be said.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Refused { code, .. } => answer::explain(*code).map(|(_, help)| help),
            Self::Hangs { .. } => Some(
                "its process is stuck: look at `mainstay logs`, end the process that `mainstay status` names, and type it again",
            ),
        }
    }

    /// Whether the right is missing.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Refused { code: answer::ACCESS_DENIED, .. })
    }
}

/// What a number means: in our words where there are any, else in the system's.
fn describe(code: u32) -> String {
    match answer::explain(code) {
        Some((what, _)) => format!("{what} (error {code})"),
        None => std::io::Error::from_raw_os_error(code.cast_signed()).to_string(),
    }
}

fn hanging(state: Option<State>) -> &'static str {
    match state {
        Some(State::StopPending) => "it was asked to stop and does not come to an end",
        Some(State::StartPending) => "it is on its way up and does not arrive",
        Some(State::Running | State::Paused) => "it was asked to stop and runs on",
        Some(State::Stopped) | None => "it does not go away",
    }
}

fn refused(action: &'static str, name: &str) -> impl Fn(Code) -> ServiceError {
    let name = name.to_owned();
    move |code| ServiceError::Refused { action, name: name.clone(), code }
}

/// How a service stands; nothing where there is none.
pub fn standing(name: &str) -> Result<Option<Standing>, ServiceError> {
    system::standing(name).map_err(refused("tell of", name))
}

/// What is registered of a service; nothing where there is none.
pub fn registration(name: &str) -> Result<Option<Registration>, ServiceError> {
    system::registration(name).map_err(refused("tell of", name))
}

/// The names of all services of the host with their descriptions.
pub fn descriptions() -> Result<Vec<(String, String)>, ServiceError> {
    system::descriptions().map_err(refused("list", "*"))
}

/// Brings a service to what is wanted: makes it, or changes what is there. The password of its account is needed where
/// the account is another one than before; nobody but the manager keeps it.
pub fn register(wanted: &Registration, password: Option<&str>) -> Result<(), ServiceError> {
    if wanted.account.has_password() {
        system::allow_logon(&wanted.account.to_string())
            .map_err(refused("give the right to log on to the account of", &wanted.name))?;
    }
    let began = Instant::now();
    loop {
        match system::register(wanted, password) {
            Ok(()) => return Ok(()),
            // One of this name that was just deleted still has to go.
            Err(answer::MARKED_FOR_DELETE) if began.elapsed() < PATIENCE => std::thread::sleep(LOOK),
            Err(code) => return Err(refused("register", &wanted.name)(code)),
        }
    }
}

/// How long something takes that nobody has a hand in.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// Starts a service; it is on its way up then. One that is on its way down comes up after that.
pub fn start(name: &str, limit: Duration) -> Result<(), ServiceError> {
    reach(name, Goal::Started, "start", limit)
}

/// Stops a service, and waits until it has stopped: as long as it comes further, and then for `limit`. One that is not
/// there has stopped.
pub fn stop(name: &str, limit: Duration) -> Result<(), ServiceError> {
    reach(name, Goal::Stopped, "stop", limit)
}

/// Stops a service, deletes it, and waits until it is gone.
pub fn unregister(name: &str, limit: Duration) -> Result<(), ServiceError> {
    reach(name, Goal::Gone, "delete", limit)
}

fn reach(name: &str, goal: Goal, action: &'static str, limit: Duration) -> Result<(), ServiceError> {
    let began = Instant::now();
    let mut progress = Progress::new(goal, limit);
    let mut refusal = None;
    loop {
        let sight = match refusal.take() {
            Some(code) => Sight::Refused(code),
            None => match system::standing(name) {
                Ok(Some(standing)) => Sight::Stands(standing),
                Ok(None) => Sight::Absent,
                Err(code) => Sight::Refused(code),
            },
        };
        let asked = match progress.next(&sight, began.elapsed()) {
            Next::Done => return Ok(()),
            Next::Look(pause) => {
                std::thread::sleep(pause);
                Ok(())
            }
            Next::AskStop => system::ask_stop(name),
            Next::Start => system::start(name),
            Next::Delete => system::delete(name),
            Next::Hangs(state) => {
                return Err(ServiceError::Hangs { name: name.to_owned(), state, waited: began.elapsed() });
            }
            Next::Refused(code) => return Err(refused(action, name)(code)),
        };
        refusal = asked.err();
    }
}

/// Moves the layout of this process and of all that it starts, where it was told so on its command line: neither a service
/// nor a task of Windows has variables of its own there. On other systems definitions carry the variables.
pub fn move_layout(variable: &'static str, folder: &camino::Utf8Path) {
    system::set_variable(variable, folder.as_str());
}

/// Closes the console that Windows has opened for this process, whose window nobody wants to see.
pub fn leave_console() {
    system::leave_console();
}

static PASSWORD: OnceLock<String> = OnceLock::new();

/// Keeps the password of an account for as long as this process lives, for the service that is about to be registered.
pub fn remember_password(password: String) {
    let _ = PASSWORD.set(password);
}

/// The password that was given.
#[must_use]
pub fn password() -> Option<&'static str> {
    PASSWORD.get().map(String::as_str)
}

/// The number by which Windows knows the account of this process (SID); nothing on other systems.
#[must_use]
pub fn own_account() -> Option<String> {
    system::own_account()
}

/// Lets the account of a service use some files and folders, and takes from those places what an account had there that
/// ran the service before: `before`, and whoever may replace files in the last of them, which is the record of that.
pub fn open_to(
    account: Option<&str>,
    before: Option<&str>,
    places: &[(camino::Utf8PathBuf, Rights)],
) -> Result<(), ServiceError> {
    let of = account.unwrap_or("LocalSystem");
    system::open_to(account, before, places).map_err(refused("open its folders to the account of", of))
}

/// Becomes the service that the manager has started this process for, and runs `work` until it is over. Says whether it
/// was so: where somebody else has started the process, nothing was done. `stop` is called from another thread.
pub fn become_one(
    name: &str,
    work: impl FnOnce() + Send + 'static,
    stop: impl FnMut() + Send + 'static,
) -> Result<bool, ServiceError> {
    match system::dispatch(name, Box::new(work), Box::new(stop)) {
        Ok(()) => Ok(true),
        Err(answer::NOT_A_SERVICE) => Ok(false),
        Err(code) => Err(refused("run", name)(code)),
    }
}
