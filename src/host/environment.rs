//! What the environment says: read here, once, and nowhere else.

#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]

use std::collections::BTreeMap;
use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::host::account;
pub use crate::host::identity::boot_id;
#[cfg(windows)]
use crate::host::os::known;
use crate::model::layout::{HostFolders, Layout, UserFolders};
use crate::model::manifest::Scope;
use crate::model::operating_system::OperatingSystem;

/// Why the environment does not do.
#[derive(Debug, Error)]
pub enum EnvironmentError {
    /// Nobody says where the home folder is.
    #[error("the account that runs this has no home folder, and `HOME` is not set")]
    NoHome,
    /// The working folder is gone or has a name that is not text.
    #[error("the working folder can't be used")]
    NoFolder(#[source] std::io::Error),
    /// This program's own file is not to be found.
    #[error("this program's own file can't be found")]
    NoProgram(#[source] std::io::Error),
}

/// A variable, if it is set, not empty, and text.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable that holds an absolute path; the XDG specification has others ignored.
#[must_use]
pub fn folder(name: &str) -> Option<Utf8PathBuf> {
    variable(name).map(Utf8PathBuf::from).filter(|path| path.is_absolute())
}

/// How many sockets this process was started with (`sd_listen_fds(3)`). `None`: another one is meant, or none.
#[must_use]
pub fn listening() -> Option<usize> {
    let for_us = variable("LISTEN_PID").is_some_and(|pid| pid == std::process::id().to_string());
    variable("LISTEN_FDS").filter(|_| for_us)?.parse().ok()
}

/// The folder in which the command was typed.
pub fn working_folder() -> Result<Utf8PathBuf, EnvironmentError> {
    let folder = std::env::current_dir().map_err(EnvironmentError::NoFolder)?;
    Utf8PathBuf::try_from(folder).map_err(|error| EnvironmentError::NoFolder(error.into_io_error()))
}

/// This program's own file.
pub fn own_program() -> Result<Utf8PathBuf, EnvironmentError> {
    let program = std::env::current_exe().map_err(EnvironmentError::NoProgram)?;
    if !program.exists() {
        // It was replaced while it runs, as package managers do; its bytes can still be had (proc(5)).
        return Ok(Utf8PathBuf::from("/proc/self/exe"));
    }
    Utf8PathBuf::try_from(program).map_err(|error| EnvironmentError::NoProgram(error.into_io_error()))
}

/// The layout of a scope, as the environment moves it.
pub fn layout(scope: Scope) -> Result<Layout, EnvironmentError> {
    layout_on(scope, operating_system())
}

/// The operating system that this program is built for.
#[must_use]
pub fn operating_system() -> OperatingSystem {
    match std::env::consts::OS {
        "windows" => OperatingSystem::Windows,
        "macos" => OperatingSystem::MacOs,
        _ => OperatingSystem::Linux,
    }
}

/// The layout that a scope has, or would have, on a system.
pub fn layout_on(scope: Scope, system: OperatingSystem) -> Result<Layout, EnvironmentError> {
    let usual = match scope {
        Scope::System => Layout::system_of(system, &host_folders()),
        Scope::User if system == operating_system() => Layout::user_of(system, &user_folders()?),
        // What is elsewhere is where it usually is.
        Scope::User => {
            let home = user_folders()?.home;
            Layout::user_of(system, &UserFolders::of(system.home(home.file_name().unwrap_or("root"))))
        }
    };
    let moved = match folder("MAINSTAY_ROOT") {
        Some(root) => usual.below(root),
        None => usual,
    };
    Ok(match folder("MAINSTAY_CONFIG_ROOT") {
        Some(root) => moved.with_config_root(root),
        None => moved,
    })
}

/// The layout of another user, as far as it can be known without that user's environment.
#[must_use]
pub fn layout_of(user: &crate::model::owner::Owner) -> Option<Layout> {
    Some(Layout::user_of(operating_system(), &UserFolders::of(account::home(user.uid)?)))
}

/// The home folder of an account. Of this process's own, `HOME` says it where the account database knows none.
#[must_use]
pub fn home(uid: u32) -> Option<Utf8PathBuf> {
    account::home(uid).or_else(|| folder("HOME").filter(|_| uid == account::effective_uid()))
}

fn host_folders() -> HostFolders {
    let usual = HostFolders::default();
    HostFolders {
        program_data: known::program_data().map_or(usual.program_data, Utf8PathBuf::from),
        program_files: known::program_files().map_or(usual.program_files, Utf8PathBuf::from),
    }
}

/// Another system has no such folders.
#[cfg(not(windows))]
mod known {
    pub(super) fn program_data() -> Option<String> {
        None
    }

    pub(super) fn program_files() -> Option<String> {
        None
    }
}

fn user_folders() -> Result<UserFolders, EnvironmentError> {
    let uid = account::effective_uid();
    // With a root of its own, nothing lies in a home but what a user's systemd reads, which needs an account anyway.
    let rooted = || folder("MAINSTAY_ROOT").map(|_| Utf8PathBuf::from("/"));
    let home =
        folder("HOME").or_else(|| account::home(uid)).or_else(rooted).ok_or(EnvironmentError::NoHome)?;
    Ok(UserFolders {
        home,
        config_home: folder("XDG_CONFIG_HOME"),
        state_home: folder("XDG_STATE_HOME"),
        data_home: folder("XDG_DATA_HOME"),
        local_data: folder("LOCALAPPDATA"),
        // A layout must not depend on whether the user happens to be logged in, so the folder counts before
        // logind has made it.
        runtime_directory: folder("XDG_RUNTIME_DIR")
            .or_else(|| systemd_booted().then(|| Utf8PathBuf::from(format!("/run/user/{uid}")))),
    })
}

/// The caller's runtime folder where logind puts it (`pam_systemd(8)`), if it is there.
#[must_use]
pub fn user_runtime_folder() -> Option<Utf8PathBuf> {
    let usual = Utf8PathBuf::from(format!("/run/user/{}", account::effective_uid()));
    usual.is_dir().then_some(usual)
}

/// The scope of who calls: the host's for root, else the user's.
#[must_use]
pub fn callers_scope() -> Scope {
    if account::effective_uid() == 0 { Scope::System } else { Scope::User }
}

/// What was typed, for messages that repeat it: this program by its path, because another account's `PATH`
/// may not find it.
#[must_use]
pub fn typed_command() -> String {
    let program = own_program().map_or_else(|_| "mainstay".to_owned(), String::from);
    let words = std::env::args_os().skip(1).map(|word| quoted(&word.to_string_lossy()));
    std::iter::once(quoted(&program)).chain(words).collect::<Vec<_>>().join(" ")
}

/// The words of the command line, this program's own name first, where they are text.
#[must_use]
pub fn words() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// The shell that asks for completions, if one does.
#[must_use]
pub fn completing_shell() -> Option<String> {
    std::env::var(COMPLETING).ok().filter(|shell| !shell.is_empty())
}

/// The variable by which a shell asks for completions.
pub const COMPLETING: &str = "MAINSTAY_COMPLETE";

/// A word as it has to be typed in a shell.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte);
    let is_plain = !word.is_empty() && word.bytes().all(plain);
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// This process's environment with one variable set and others taken out, for a process to be started with.
#[must_use]
pub fn changed(name: &str, value: &str, without: &[&str]) -> BTreeMap<String, OsString> {
    let mut variables: BTreeMap<String, OsString> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
    variables.retain(|name, _| !without.contains(&name.as_str()));
    variables.insert(name.to_owned(), value.into());
    variables
}

/// All that standard input holds, as text.
pub fn standard_input() -> std::io::Result<String> {
    std::io::read_to_string(std::io::stdin().lock())
}

/// Where something can lie for a moment.
#[must_use]
pub fn temporary_folder() -> Utf8PathBuf {
    Utf8PathBuf::try_from(std::env::temp_dir()).unwrap_or_else(|_| Utf8PathBuf::from("/tmp"))
}

/// Whether systemd runs this host (`sd_booted(3)`).
#[must_use]
pub fn systemd_booted() -> bool {
    Utf8Path::new("/run/systemd/system").is_dir()
}
