//! What a supervisor is given: everything that it would otherwise have to look up.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::listening::HeldSockets;
use crate::host::process::Credentials;
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::status::ProcessIdentity;
use crate::model::trial::Trial;

/// What a supervisor is given.
#[derive(Clone, Debug)]
pub struct Context {
    /// What is to run.
    pub spec: LaunchSpec,
    /// The instance's folders.
    pub folders: Folders,
    /// The status file; its folder is the supervisor's own.
    pub status: Utf8PathBuf,
    /// Where it stands which values of files are not used again.
    pub refused: Utf8PathBuf,
    /// What counts of the definition under which this supervisor was started, as a digest; nothing where that can't be
    /// known.
    pub definition: Option<String>,
    /// The open trial, if there is one.
    pub trial: Option<Trial>,
    /// Where the program's output goes.
    pub output: ProgramOutput,
    /// As whom the program runs.
    pub account: Account,
    /// The value of `LANG` for the program, as the host has it.
    pub language: Option<String>,
    /// The service manager that started this supervisor.
    pub manager: ManagerLink,
    /// The guardian that started this supervisor (embedded).
    pub guardian: Option<GuardianLink>,
    /// Reads again what is to run: at the beginning of each turn of a schedule, and when a start beside it is ready.
    pub reader: Option<LaunchReader>,
    /// The file for the program's number, absolute, in the place of the one that the launch names.
    pub pid_file: Option<Utf8PathBuf>,
    /// The sockets that were handed over to this supervisor.
    pub sockets: HeldSockets,
}

/// Reads the launch that is in force, and its trial. `None`: it can't be read now, or there is none.
#[derive(Clone)]
pub struct LaunchReader {
    launch: Arc<Read<LaunchSpec>>,
    trial: Arc<Read<Trial>>,
}

type Read<T> = dyn Fn() -> Option<T> + Send + Sync;

impl LaunchReader {
    /// One that reads so.
    pub fn new(
        launch: impl Fn() -> Option<LaunchSpec> + Send + Sync + 'static,
        trial: impl Fn() -> Option<Trial> + Send + Sync + 'static,
    ) -> Self {
        Self { launch: Arc::new(launch), trial: Arc::new(trial) }
    }

    /// Reads the launch.
    #[must_use]
    pub fn read(&self) -> Option<LaunchSpec> {
        (self.launch)()
    }

    /// Reads the trial.
    #[must_use]
    pub fn trial(&self) -> Option<Trial> {
        (self.trial)()
    }
}

impl std::fmt::Debug for LaunchReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LaunchReader")
    }
}

/// Where the program's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramOutput {
    /// Where the supervisor's own goes, untouched: the journal, on systemd.
    Inherit,
    /// Into the log file.
    Capture {
        /// And to the supervisor's own output, for a person at a terminal.
        echo: bool,
    },
}

/// As whom a program runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name, for `USER` and `LOGNAME`.
    pub name: String,
    /// The home folder, for `HOME`.
    pub home: Utf8PathBuf,
    /// The account's numbers, if it is not the supervisor's own: then the supervisor is root.
    pub credentials: Option<Credentials>,
}

/// What the service manager handed over in its environment variables (systemd.exec(5), `sd_notify(3)`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagerLink {
    /// `$NOTIFY_SOCKET`
    pub notify_socket: Option<String>,
    /// `$WATCHDOG_USEC`, if `$WATCHDOG_PID` is this process.
    pub watchdog: Option<Duration>,
    /// `$CREDENTIALS_DIRECTORY`
    pub credentials: Option<Utf8PathBuf>,
}

/// What a supervisor does when its guardian dies: look whether another has taken its place, and start one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardianLink {
    /// The guardian, as it told of itself.
    pub guardian: Option<ProcessIdentity>,
    /// The lock that a guardian of this instance holds.
    pub lock: Utf8PathBuf,
    /// What starts another one: a program, absolute, and its arguments.
    pub command: Vec<String>,
}

/// The lock that a supervisor holds for as long as it lives, beside its status file.
#[must_use]
pub fn supervisor_lock(status: &Utf8Path) -> Utf8PathBuf {
    status.with_file_name("supervisor.lock")
}
