//! Starting processes, and learning how they ended.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;

use crate::host::listening::HeldSockets;
use crate::host::pipe::PipeReader;
use crate::host::rest::OwnedFd;
pub use crate::host::rights::{Credentials, as_account};
use crate::model::status::Exit;
use camino::{Utf8Path, Utf8PathBuf};

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

#[cfg(unix)]
pub(in crate::host) use system::become_program;
pub(crate) use system::own;
#[cfg(windows)]
pub(in crate::host) use system::{KILLED, bound};
pub use system::{base, close_inherited, kill_group, reap, reap_one, start_with, variable};

/// Whether variables whose names differ in the size of letters alone are one.
pub const NAMES_FOLD: bool = system::NAMES_FOLD;

/// Whether the end of a process says that somebody else has ended it: on Windows that is an exit code like any other.
pub const DEATHS_ARE_TOLD: bool = !cfg!(windows);

/// What a process is started with: nothing comes from this process but what is named here.
#[derive(Debug)]
pub struct Start<'a> {
    /// The program's file, absolute.
    pub program: &'a Utf8Path,
    /// Its arguments; the first is the name under which it runs.
    pub arguments: &'a [String],
    /// Its whole environment. `None`: this process's own.
    pub environment: Option<&'a BTreeMap<String, OsString>>,
    /// Where it starts. `None`: where this process is.
    pub folder: Option<&'a Utf8Path>,
    /// As whom. `None`: as this process.
    pub account: Option<&'a Credentials>,
    /// Whether it leads a process group of its own. A leader can't begin a session (setsid(2)).
    pub leads_group: bool,
    /// What it reads.
    pub input: Input,
    /// Where its standard output goes.
    pub output: Sink,
    /// Where its standard error goes.
    pub error: Sink,
}

/// What a process is started with beyond that, if it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Particulars<'a> {
    /// The rights that its files do not get (umask(2)).
    pub mask: Option<u32>,
    /// How readily it leaves the processor to others (setpriority(2)).
    pub nice: Option<i8>,
    /// The sockets that are handed over to it.
    pub sockets: Option<&'a HeldSockets>,
    /// How many files it, and each process that it starts, may have open (`RLIMIT_NOFILE`, getrlimit(2)): the soft
    /// and the hard limit. This process keeps its own.
    pub open_files: Option<u64>,
    /// What it reads from its standard input in the place of what [`Start`] says, where nothing is handed over.
    pub input: Option<&'a PipeReader>,
    /// Whether it ends with this process, and with it all that it starts, where the system knows such a bond (jobs of
    /// Windows). Elsewhere whoever comes next finds them and ends them.
    pub bound: bool,
    /// Whether it may leave something behind that lives on when this process ends.
    pub leaves: bool,
    /// Whether it goes on when the terminal of this process is gone, where that is said at its start (Windows).
    pub apart: bool,
    /// The memory that it may use with all that it starts, in bytes, where the system counts that at its start (Windows).
    pub memory: Option<u64>,
}

/// What a started process reads from its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The end of a file, at once.
    Null,
    /// A pipe to which nothing is written.
    Pipe,
}

/// Where what a started process writes goes.
#[derive(Debug)]
pub enum Sink {
    /// Nowhere.
    Null,
    /// Where this process's own goes.
    Inherit,
    /// Into a pipe.
    Pipe,
    /// Into a file.
    File(File),
}

/// A process that was started. It is reaped by [`reap`], not here.
#[derive(Debug)]
pub struct Started {
    /// Its number.
    pub pid: u32,
    /// The end of the pipe that it reads, if it reads one.
    pub input: Option<OwnedFd>,
    /// The end of the pipe that it writes to, if its standard output is one.
    pub output: Option<PipeReader>,
    /// Likewise for its standard error.
    pub error: Option<PipeReader>,
}

/// A child of this process that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The number that it had.
    pub pid: u32,
    /// How it ended.
    pub exit: Exit,
}

/// Starts a process.
pub fn start(start: &Start<'_>) -> io::Result<Started> {
    start_with(start, &Particulars::default())
}

/// The file of a program: a bare name is looked for in `search` (as `PATH`), another path is taken from
/// `base`.
pub fn find_program(name: &str, search: &str, base: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let of = |folder: &Utf8Path| {
        let mut found = Err(io::ErrorKind::NotFound.into());
        for candidate in system::candidates(name) {
            let path = folder.join(candidate);
            found = system::check_program(&path).map(|()| path);
            if !found.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                break;
            }
        }
        found
    };
    if system::is_path(name) {
        return of(base);
    }
    let not_found = || io::Error::new(io::ErrorKind::NotFound, format!("no program `{name}` in `{search}`"));
    let mut refused = None;
    for folder in search.split(system::BETWEEN).map(Utf8Path::new).filter(|folder| folder.is_absolute()) {
        match of(folder) {
            Ok(path) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(not_found))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
