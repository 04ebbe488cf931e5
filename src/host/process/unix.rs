//! Unix: fork and exec by the standard library, and what comes between them.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use camino::Utf8Path;
use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, getrlimit, kill_process_group, umask, wait, waitpid,
};

use super::{Credentials, Ended, Input, Particulars, Sink, Start, Started};
use crate::host::listening::HeldSockets;
use crate::host::pipe::PipeReader;
use crate::host::rest::{AsFd, OwnedFd};
use crate::host::rights::{on_a_thread, take_groups};
use crate::host::{handover, identity, os};
use crate::model::status::{Exit, ProcessIdentity};

/// Where a bare name is looked for: this stands between two folders.
pub(super) const BETWEEN: char = ':';
/// Whether the names of variables are the same in any size of letters.
pub(super) const NAMES_FOLD: bool = false;

/// This very program: the file that this process runs (proc(5)), so that it is the very same build, and within reach of an
/// account that may not enter the folder in which it lies.
pub(crate) fn own() -> io::Result<camino::Utf8PathBuf> {
    os::process::own_program()
}

/// What every program here needs in its environment beyond what it is given: nothing.
#[must_use]
pub fn base() -> Vec<(&'static str, String)> {
    Vec::new()
}

/// The value of a variable, whatever its bytes are.
pub fn variable(value: Vec<u8>) -> io::Result<OsString> {
    Ok(OsString::from_vec(value))
}

/// The files that a name may mean.
pub(super) fn candidates(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

/// Whether a program is named by a path, and not to be looked for.
pub(super) fn is_path(name: &str) -> bool {
    name.contains('/')
}

pub(super) fn check_program(path: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // Whoever asked names the program, so the system's plain word is enough here.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is not a file")));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("`{path}` may not be executed")));
    }
    Ok(())
}

/// Starts a process with something beyond the usual.
pub fn start_with(start: &Start<'_>, particulars: &Particulars<'_>) -> io::Result<Started> {
    let sockets = particulars.sockets.filter(|sockets| !sockets.is_empty());
    let limit = particulars.open_files.map(|count| Rlimit { current: Some(count), maximum: Some(count) });
    let limit = limit.filter(|limit| getrlimit(Resource::Nofile) != *limit);
    if sockets.is_none() && limit.is_none() {
        let mut command = command(start, start.program, start.arguments.iter())?;
        command.stdin(match (particulars.input, start.input) {
            (Some(input), _) => input.as_fd().try_clone_to_owned()?.into(),
            (None, Input::Null) => Stdio::null(),
            (None, Input::Pipe) => Stdio::piped(),
        });
        let mut child = spawn(&mut command, start.account, particulars)?;
        let input = child.stdin.take().map(Into::into);
        return Ok(started(child, input));
    }
    let count = sockets.map_or(0, HeldSockets::len).to_string();
    let first = ["mainstay"].into_iter().chain(handover::WORDS).chain([&count, start.program.as_str()]);
    let arguments: Vec<String> = first.map(str::to_owned).chain(start.arguments.iter().cloned()).collect();
    let mut command = command(start, &own()?, arguments.iter())?;
    if let Some(sockets) = sockets {
        command.env("LISTEN_FDS", sockets.len().to_string()).env("LISTEN_FDNAMES", sockets.names());
    }
    let (ours, theirs) = handover::channel()?;
    command.stdin(theirs);
    let (input, kept) = match start.input {
        Input::Null => (fs_err::File::open("/dev/null")?.into_parts().0.into(), None),
        Input::Pipe => {
            let (read, write) = io::pipe()?;
            (read.into(), Some(write.into()))
        }
    };
    let mut child =
        os::process::limiting_files(limit.as_ref(), || spawn(&mut command, start.account, particulars))?;
    // Its end of the way has to be its own alone, for the way to end when it does.
    drop(command);
    let sockets = sockets.into_iter().flat_map(HeldSockets::descriptors);
    let descriptors: Vec<_> = sockets.chain([&input]).map(AsFd::as_fd).collect();
    let pid = child.id();
    if let Err(error) = handover::hand_over(&ours, &descriptors, || set_limit(pid, limit)) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok(started(child, kept))
}

fn started(mut child: Child, input: Option<OwnedFd>) -> Started {
    let reader = |output: OwnedFd| PipeReader::new(output).ok();
    Started {
        pid: child.id(),
        input,
        output: child.stdout.take().map(Into::into).and_then(reader),
        error: child.stderr.take().map(Into::into).and_then(reader),
    }
}

/// The mask is the whole process's, so it is set for this moment only: no other thread of ours makes files.
fn spawn(
    command: &mut Command,
    account: Option<&Credentials>,
    particulars: &Particulars<'_>,
) -> io::Result<Child> {
    let before = particulars.mask.map(|mask| umask(os::fs::mode(mask)));
    let spawned = match particulars.nice {
        None => spawn_as(command, account),
        Some(nice) => on_a_thread(|| {
            os::process::spawn_nicely(nice, || spawn_as(command, account)).map_err(|error| {
                io::Error::other(format!("its priority (nice) can't be {nice}: {}", io::Error::from(error)))
            })?
        }),
    };
    if let Some(before) = before {
        umask(before);
    }
    spawned
}

/// This process's own file becomes another: its arguments begin with the file and the name under which it runs.
/// Returns only if it could not.
#[expect(clippy::disallowed_methods, reason = "this is the one place where processes are started")]
pub(in crate::host) fn become_program(program: &[String], variable: Option<(&str, &str)>) -> io::Error {
    let [file, name, arguments @ ..] = program else { return io::ErrorKind::InvalidInput.into() };
    Command::new(file).arg0(name).args(arguments).envs(variable).exec()
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where processes are started")]
fn command<'a>(
    start: &Start<'_>,
    program: &Utf8Path,
    mut arguments: impl Iterator<Item = &'a String>,
) -> io::Result<Command> {
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments);
    if start.leads_group {
        command.process_group(0);
    }
    if let Some(environment) = start.environment {
        command.env_clear().envs(environment);
    } else {
        // What was handed to this process is not meant for another.
        command.env_remove("LISTEN_PID").env_remove("LISTEN_FDS").env_remove("LISTEN_FDNAMES");
    }
    if let Some(folder) = start.folder {
        command.current_dir(folder);
    }
    command.stdout(sink(&start.output)?).stderr(sink(&start.error)?);
    Ok(command)
}

fn sink(sink: &Sink) -> io::Result<Stdio> {
    Ok(match sink {
        Sink::Null => Stdio::null(),
        Sink::Inherit => Stdio::inherit(),
        Sink::Pipe => Stdio::piped(),
        Sink::File(file) => file.try_clone()?.into(),
    })
}

/// Starts a process as the account, with its groups too, which the standard library can't give it. It takes those of
/// the thread that forks, and becomes the user itself: no thread of this process ever is, so that the account has
/// none that it could end.
fn spawn_as(command: &mut Command, account: Option<&Credentials>) -> io::Result<Child> {
    let Some(account) = account else { return command.spawn() };
    command.uid(account.uid);
    on_a_thread(|| {
        take_groups(account)?;
        os::process::spawn_with_groups(command, account.gid)
    })
}

/// Reaps every child of this process that has ended.
#[must_use]
pub fn reap() -> Vec<Ended> {
    let mut all = Vec::new();
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                let code = status.exit_status().map(Exit::Code);
                if let Some(exit) = code.or_else(|| status.terminating_signal().map(Exit::Signal)) {
                    all.push(Ended { pid: pid_number(pid), exit });
                }
            }
            Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return all,
        }
    }
}

/// Reaps one child of this process, if it has ended, and none but that.
#[must_use]
pub fn reap_one(pid: u32) -> Option<Exit> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let (_, status) = waitpid(Some(pid?), WaitOptions::NOHANG).ok()??;
    status.exit_status().map(Exit::Code).or_else(|| status.terminating_signal().map(Exit::Signal))
}

/// Kills a child of this process that leads a group, with all that is still in the group. One that has ended keeps
/// its number until it is reaped, so its group is its own as long as it can be found here.
pub fn kill_group(leader: ProcessIdentity) {
    let group = i32::try_from(leader.pid).ok().and_then(Pid::from_raw);
    if let Some(group) = group.filter(|_| identity::identity_of(leader.pid) == Some(leader)) {
        // A group of which nobody is left needs no signal.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn pid_number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

/// Closes what this process inherited by accident: a shell's or a test runner's descriptors would otherwise be
/// held open by the program for as long as it runs. Whatever this process has opened itself is marked to be closed on
/// exec (`O_CLOEXEC`), so an open descriptor without that mark, other than the three standard streams, is not its own.
pub fn close_inherited() {
    for number in os::process::inherited() {
        // One that can't be closed is no worse than before.
        let _ = nix::unistd::close(number);
    }
}

/// Sets how many files another process may have open: with the rights of this process, which may raise what the
/// account of that one may not.
fn set_limit(pid: u32, limit: Option<Rlimit>) -> io::Result<()> {
    let (Some(limit), Some(pid)) = (limit, i32::try_from(pid).ok().and_then(Pid::from_raw)) else {
        return Ok(());
    };
    let count = limit.current.unwrap_or_default();
    os::process::set_limit_of(pid, limit).map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("`limits.openFiles` of {count} can't be set: {error}"))
    })?;
    Ok(())
}
