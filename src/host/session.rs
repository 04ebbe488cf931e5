//! Whether this process belongs to a terminal.

use std::io;

use thiserror::Error;

/// What could not be done on the way out of the terminal's session.
#[derive(Debug, Error)]
#[error("can't {action}")]
pub struct SessionError {
    /// What was to be done.
    pub action: &'static str,
    /// Why.
    pub source: io::Error,
}

/// Makes this process independent of whatever shell it came from: a session without a terminal (setsid(2)), no folder
/// held, files made as the system makes them.
#[cfg(unix)]
pub fn detach() -> Result<(), SessionError> {
    use rustix::fs::Mode;
    use rustix::io::Errno;
    use rustix::process::{chdir, getpid, getsid, setsid, umask};

    let failed = |action| move |error: Errno| SessionError { action, source: error.into() };
    match setsid() {
        Ok(_) => {}
        // It leads its session already.
        Err(Errno::PERM) if getsid(None) == Ok(getpid()) => {}
        Err(error) => return Err(failed("begin a session")(error)),
    }
    chdir("/").map_err(failed("go to the root folder"))?;
    umask(Mode::from_raw_mode(0o022));
    Ok(())
}

/// Makes this process independent of whatever shell it came from: no folder is held. It was started without the shell's
/// console ([`Start::apart`](crate::host::process::Start)), and there is no other session to leave.
#[cfg(windows)]
pub fn detach() -> Result<(), SessionError> {
    let folder = crate::host::environment::system_folder();
    std::env::set_current_dir(folder)
        .map_err(|source| SessionError { action: "go to the system's folder", source })
}
