//! What the service control manager answers: how a service stands, and why something was refused.

/// How a service stands with the manager (`SERVICE_STATUS_PROCESS`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// In which state.
    pub state: State,
    /// Its process, while there is one.
    pub pid: Option<u32>,
    /// The error with which it ended last; 0 for none, [`NEVER_STARTED`] since the host's boot.
    pub exit_code: u32,
    /// Its own error, where it says that it has one (`ERROR_SERVICE_SPECIFIC_ERROR`).
    pub own_code: u32,
    /// How far it is with what it does: it grows as long as something goes on.
    pub checkpoint: u32,
    /// How long it wants to be waited for, in milliseconds.
    pub wait_hint: u32,
}

/// The state of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does not run.
    Stopped,
    /// It was started, and is not ready.
    StartPending,
    /// It was asked to stop.
    StopPending,
    /// It runs.
    Running,
    /// It pauses, or is on the way there or back; no service of ours does.
    Paused,
}

impl State {
    /// The state of a number (`dwCurrentState`).
    #[must_use]
    pub fn of(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Stopped,
            2 => Self::StartPending,
            3 => Self::StopPending,
            4 => Self::Running,
            5..=7 => Self::Paused,
            _ => return None,
        })
    }
}

/// The exit code of a service that has not run since the host's boot.
pub const NEVER_STARTED: u32 = 1077;
/// The exit code that says that the service has one of its own.
pub const OWN_CODE: u32 = 1066;
/// What the dispatcher answers to a process that the manager has not started.
pub const NOT_A_SERVICE: u32 = 1063;
/// A level of settings that the system does not know.
pub const NO_SUCH_LEVEL: u32 = 124;
/// The host comes up, and the database is another's for a moment.
pub const DATABASE_LOCKED: u32 = 1055;
/// The right is missing.
pub const ACCESS_DENIED: u32 = 5;
/// The service runs already.
pub const RUNS_ALREADY: u32 = 1056;
/// There is no such service.
pub const NO_SUCH_SERVICE: u32 = 1060;
/// It takes no such request as it stands.
pub const TAKES_NO_SUCH: u32 = 1052;
/// It can't take a request now.
pub const CANNOT_ACCEPT: u32 = 1061;
/// It does not run.
pub const NOT_ACTIVE: u32 = 1062;
/// It is deleted, and somebody still holds it.
pub const MARKED_FOR_DELETE: u32 = 1072;
/// There is one of this name.
pub const EXISTS: u32 = 1073;
/// The host shuts down.
pub const SHUTS_DOWN: u32 = 1115;

/// What an error of the manager means, and what is to be done; nothing for one that says enough by itself.
#[must_use]
pub fn explain(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        ACCESS_DENIED => (
            "services are the administrators'",
            "type it again in a command prompt that was opened with \"Run as administrator\", or use `--platform task`",
        ),
        1053 => (
            "the supervisor has not answered the service manager in time",
            "look whether its program still stands where the service points (`mainstay doctor`) and whether a virus scanner holds it, and start it again",
        ),
        RUNS_ALREADY => ("it runs already", "nothing has to be done; `mainstay restart` starts it anew"),
        1058 => ("it is disabled", "`mainstay apply` registers it anew"),
        NO_SUCH_SERVICE => {
            ("Windows has no such service", "`mainstay apply` in its deploy folder registers it again")
        }
        DATABASE_LOCKED => {
            ("the host comes up, and its services are being started", "wait a moment, and type it again")
        }
        TAKES_NO_SUCH | CANNOT_ACCEPT => (
            "it is on its way up or down, and takes no requests meanwhile",
            "wait a moment; `mainstay status` says how far it is",
        ),
        NOT_ACTIVE => ("it does not run", "nothing has to be done; `mainstay start` starts it"),
        NOT_A_SERVICE => ("the process was not started by the service manager", "use `mainstay start`"),
        1067 => ("its process ended before it said that it runs", "`mainstay logs` shows why"),
        1068 => ("a service that it depends on does not start", "start that one, and it again"),
        1069 => (
            "the account can't log on: its password is wrong or has changed, or it may not log on as a service",
            "`mainstay apply --user-password` asks for the password and grants the right",
        ),
        MARKED_FOR_DELETE => (
            "it is deleted, and goes when nobody holds it any more",
            "close the windows that show services (services.msc, Task Manager, Event Viewer) and type it again",
        ),
        EXISTS => ("Windows has a service of this name", "choose another name, or delete that service"),
        1057 => (
            "there is no such account, or its password is wrong",
            "write it as `.\\NAME` or `DOMAIN\\NAME`, and type the password again",
        ),
        SHUTS_DOWN => ("the host shuts down", "it starts again with the host"),
        1326 => ("the password is not the account's", "type the password again"),
        1385 => (
            "the account may not log on as a service",
            "`mainstay apply` as administrator grants the right; a group policy may take it away again",
        ),
        1332 => ("there is no such account", "write it as `.\\NAME` or `DOMAIN\\NAME`"),
        _ => return None,
    })
}
