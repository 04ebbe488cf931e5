//! What the tools of service managers answer, as values. The questions are in [`crate::platform::query`].
//!
//! The texts are those of the C locale: whoever runs the tools sets `LC_ALL=C.UTF-8`.

use camino::Utf8PathBuf;
use serde::Deserialize;
use thiserror::Error;

use crate::model::moment::Moment;
use crate::model::status::Exit;
use crate::platform::properties::Properties;

/// What a tool left behind.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: &'a str,
    /// Its standard error.
    pub stderr: &'a str,
}

/// Why a question has no answer. None of these says anything of the service that was asked about.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// The service manager can't be reached.
    #[error("the service manager can't be reached: {said}")]
    BusUnavailable {
        /// The tool's words.
        said: String,
    },
    /// The tool failed.
    #[error("the question was refused{}: {said}", code.map(|code| format!(" (exit code {code})")).unwrap_or_default())]
    Failed {
        /// Its exit code; none if a signal ended it.
        code: Option<i32>,
        /// Its words.
        said: String,
    },
    /// The answer is not in the form that is known.
    #[error("the service manager's answer can't be read: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
}

/// Whether systemd has read a unit (`LoadState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadState {
    /// It has.
    Loaded,
    /// There is none of that name.
    NotFound,
    /// Its text is wrong.
    BadSetting,
    /// It could not be read.
    Error,
    /// It was disabled for good.
    Masked,
    /// It is only mentioned so far.
    Stub,
    /// It is another unit under a second name.
    Merged,
}

/// Where a unit stands (`ActiveState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActiveState {
    /// It runs, and is ready.
    Active,
    /// It runs, and reads its settings again.
    Reloading,
    /// It does not run.
    Inactive,
    /// It does not run, because it failed.
    Failed,
    /// It starts, or waits to be started again.
    Activating,
    /// It stops.
    Deactivating,
    /// Its storage is being looked after (not for services).
    Maintenance,
    /// It runs, and its mounts are being renewed (from 257 on).
    Refreshing,
}

/// One service, as systemd sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSeen {
    /// Whether its unit was read.
    pub loaded: LoadState,
    /// Where it stands.
    pub active: ActiveState,
    /// The same, in the words of services: `running`, `auto-restart`, `dead`, …
    pub sub: String,
    /// Whether a change of that is queued.
    pub job: bool,
    /// How the last run ended: `success`, `exit-code`, `signal`, `timeout`, …
    pub result: String,
    /// The main process, while there is one.
    pub main_pid: Option<u32>,
    /// What the main process ended with: an exit code, or the number of a signal; see
    /// [`ServiceSeen::last_exit`].
    pub exec_main_status: Option<i32>,
    /// Whether it was a signal.
    pub exec_main_killed: bool,
    /// When the main process was last started.
    pub started: Option<Moment>,
    /// How often systemd itself started it again.
    pub n_restarts: u32,
    /// Whether the unit on disk is not the one that systemd has read.
    pub need_daemon_reload: bool,
    /// `enabled`, `disabled`, `static`, …
    pub unit_file_state: Option<String>,
    /// The unit's file.
    pub fragment_path: Option<Utf8PathBuf>,
    /// The file that the unit was generated from.
    pub source_path: Option<Utf8PathBuf>,
    /// The files that change the unit.
    pub drop_ins: Vec<Utf8PathBuf>,
    /// The memory of all its processes, in bytes.
    pub memory: Option<u64>,
    /// What the service last said of itself.
    pub status_text: Option<String>,
    /// The identity of this run.
    pub invocation_id: Option<String>,
}

impl ServiceSeen {
    /// Whether systemd starts it with the host or its user. What is enabled at runtime only (`enabled-runtime`) is so
    /// until the next boot, which forgets it.
    #[must_use]
    pub fn starts_at_boot(&self) -> bool {
        self.unit_file_state.as_deref() == Some("enabled")
    }

    /// How the main process last ended.
    #[must_use]
    pub fn last_exit(&self) -> Option<Exit> {
        self.exec_main_status
            .map(|status| if self.exec_main_killed { Exit::Signal(status) } else { Exit::Code(status) })
    }
}

/// A unit's file, looked up by name along systemd's whole load path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFileSeen {
    /// Whether it was read.
    pub loaded: LoadState,
    /// The unit's file.
    pub fragment_path: Option<Utf8PathBuf>,
    /// The file that the unit was generated from.
    pub source_path: Option<Utf8PathBuf>,
    /// `enabled`, `disabled`, `static`, …
    pub unit_file_state: Option<String>,
    /// Whether the unit on disk is not the one that systemd has read.
    pub need_daemon_reload: bool,
    /// Where it stands.
    pub active: ActiveState,
    /// The files that change the unit.
    pub drop_ins: Vec<Utf8PathBuf>,
}

impl UnitFileSeen {
    /// Whether the name is taken.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.loaded != LoadState::NotFound
    }
}

/// One line of the list of services.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ServiceListed {
    /// The unit's name, with `.service`.
    pub unit: String,
    /// Whether it was read.
    pub load: LoadState,
    /// Where it stands.
    pub active: ActiveState,
    /// The same, in the words of services.
    pub sub: String,
}

/// The service that [`crate::platform::query::service`] asked about.
pub fn service(answer: Answer<'_>) -> Result<ServiceSeen, NoAnswer> {
    let properties = Properties::of(succeeded(answer)?);
    let exited = properties.number::<u8>("ExecMainCode")?.filter(|code| *code != 0);
    Ok(ServiceSeen {
        loaded: properties.word("LoadState")?,
        active: properties.word("ActiveState")?,
        sub: properties.text("SubState").unwrap_or_default(),
        job: properties.number::<u32>("Job")?.is_some_and(|job| job != 0),
        result: properties.text("Result").unwrap_or_default(),
        main_pid: properties.number("MainPID")?.filter(|pid| *pid != 0),
        exec_main_status: properties.number("ExecMainStatus")?.filter(|_| exited.is_some()),
        // CLD_KILLED and CLD_DUMPED, sigaction(2).
        exec_main_killed: matches!(exited, Some(2 | 3)),
        started: properties.moment("ExecMainStartTimestamp")?,
        n_restarts: properties.number("NRestarts")?.unwrap_or(0),
        need_daemon_reload: properties.get("NeedDaemonReload") == Some("yes"),
        unit_file_state: properties.text("UnitFileState"),
        fragment_path: properties.text("FragmentPath").map(Utf8PathBuf::from),
        source_path: properties.text("SourcePath").map(Utf8PathBuf::from),
        drop_ins: drop_ins(&properties),
        // `[not set]`, and before 253 the largest number, stand for none.
        memory: properties.get("MemoryCurrent").and_then(|text| text.parse().ok()).filter(|n| *n != u64::MAX),
        status_text: properties.text("StatusText"),
        invocation_id: properties.text("InvocationID"),
    })
}

/// The service that [`crate::platform::query::unit_files`] asked about, and its sockets.
pub fn unit_files(answer: Answer<'_>) -> Result<[UnitFileSeen; 2], NoAnswer> {
    let both = succeeded(answer)?.split_once("\n\n").map(|(one, other)| [one, other].map(Properties::of));
    let seen = |unit: &Properties<'_>| {
        let path = |name| unit.text(name).map(Utf8PathBuf::from);
        let (fragment_path, source_path) = (path("FragmentPath"), path("SourcePath"));
        Ok(UnitFileSeen {
            loaded: unit.word("LoadState")?,
            fragment_path,
            source_path,
            unit_file_state: unit.text("UnitFileState"),
            need_daemon_reload: unit.get("NeedDaemonReload") == Some("yes"),
            active: unit.word("ActiveState")?,
            drop_ins: drop_ins(unit),
        })
    };
    let [service, socket] = both.ok_or_else(|| unreadable("it is about one unit only".to_owned()))?;
    Ok([seen(&service)?, seen(&socket)?])
}

fn drop_ins(unit: &Properties<'_>) -> Vec<Utf8PathBuf> {
    let paths = unit.get("DropInPaths").unwrap_or_default();
    paths.split_ascii_whitespace().map(Utf8PathBuf::from).collect()
}

/// The services that [`crate::platform::query::services`] asked about.
pub fn services(answer: Answer<'_>) -> Result<Vec<ServiceListed>, NoAnswer> {
    serde_json::from_str(succeeded(answer)?).map_err(|error| unreadable(error.to_string()))
}

/// Whether the user that [`crate::platform::query::linger`] asked about has services without a login.
pub fn linger(answer: Answer<'_>) -> Result<bool, NoAnswer> {
    // loginctl knows only users who are logged in or linger, and fails for all others.
    if answer.code != Some(0) && answer.stderr.contains("not logged in or lingering") {
        return Ok(false);
    }
    match succeeded(answer)?.trim() {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(unreadable(format!("`Linger` is `{other}`"))),
    }
}

/// The version that [`crate::platform::query::version`] asked about: `252` of `systemd 252 (252.39-1)`.
pub fn version(answer: Answer<'_>) -> Result<u32, NoAnswer> {
    let stdout = succeeded(answer)?;
    let number = stdout.strip_prefix("systemd ").map(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse()
    });
    match number {
        Some(Ok(number)) => Ok(number),
        _ => Err(unreadable(format!("`{}` names no version", stdout.lines().next().unwrap_or_default()))),
    }
}

/// Whether a tool's words mean that the service manager can't be reached.
#[must_use]
pub fn bus_unavailable(stderr: &str) -> bool {
    const WORDS: [&str; 9] = [
        "Failed to connect to bus",
        "Failed to connect to user scope bus",
        "Failed to connect to system scope bus",
        "Failed to get D-Bus connection",
        "System has not been booted with systemd",
        "No medium found",
        "Failed to activate service 'org.freedesktop.systemd1'",
        "Transport endpoint is not connected",
        "Connection timed out",
    ];
    WORDS.iter().any(|words| stderr.contains(words))
}

pub(super) fn succeeded(answer: Answer<'_>) -> Result<&str, NoAnswer> {
    if answer.code == Some(0) {
        return Ok(answer.stdout);
    }
    let said = answer.stderr.trim().to_owned();
    if bus_unavailable(&said) {
        Err(NoAnswer::BusUnavailable { said })
    } else {
        Err(NoAnswer::Failed { code: answer.code, said })
    }
}

pub(super) fn unreadable(reason: String) -> NoAnswer {
    NoAnswer::Unreadable { reason }
}

#[cfg(test)]
mod tests;
