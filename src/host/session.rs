//! Whether this process belongs to a terminal.

use std::io;

/// Makes this process independent of whatever shell it came from: a session without a terminal (setsid(2)), no folder
/// held, files made as the system makes them.
#[cfg(unix)]
pub fn detach() -> io::Result<()> {
    use rustix::io::Errno;
    use rustix::process::{chdir, getpid, getsid, setsid, umask};

    match setsid() {
        Ok(_) => {}
        // It leads its session already.
        Err(Errno::PERM) if getsid(None) == Ok(getpid()) => {}
        Err(error) => return Err(error.into()),
    }
    chdir("/")?;
    umask(rustix::fs::Mode::from_raw_mode(0o022));
    Ok(())
}

/// Makes this process independent of whatever shell it came from: no folder is held. It was started without the shell's
/// console, and there is no other session to leave.
#[cfg(windows)]
pub fn detach() -> io::Result<()> {
    let system = crate::host::environment::variable("SystemRoot").ok_or(io::ErrorKind::NotFound)?;
    std::env::set_current_dir(system)
}
