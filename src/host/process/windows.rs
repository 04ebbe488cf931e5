//! Windows: processes by the standard library. A program that is bound to this process stands in its job before its first
//! instruction, so that nothing that it starts is ever outside.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::windows::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, Once, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use windows_sys::Win32::Foundation::ERROR_ACCESS_DENIED;
use windows_sys::Win32::System::Threading::{
    ABOVE_NORMAL_PRIORITY_CLASS, BELOW_NORMAL_PRIORITY_CLASS, CREATE_BREAKAWAY_FROM_JOB,
    CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, CREATE_SUSPENDED, HIGH_PRIORITY_CLASS, IDLE_PRIORITY_CLASS,
    NORMAL_PRIORITY_CLASS,
};

use super::{Ended, Input, Particulars, Sink, Start, Started};
use crate::host::environment;
use crate::host::identity;
use crate::host::os::job::{Job, Limits};
use crate::host::os::process::{self as single, AtEnd};
use crate::host::os::{AsFd as _, OwnedFd, console, pipe};
use crate::host::signal::{self, Signal};
use crate::model::status::{Exit, ProcessIdentity};

/// Where a bare name is looked for: this stands between two folders.
pub(super) const BETWEEN: char = ';';
/// Whether the names of variables are the same in any size of letters.
pub(super) const NAMES_FOLD: bool = true;
/// The exit code of what was killed here: none that a program of others chooses.
pub(in crate::host) const KILLED: u32 = 0xE04D_5309;

/// A child of this process that is not reaped yet.
struct Child {
    identity: ProcessIdentity,
    process: OwnedFd,
    job: Option<Job>,
    _at_end: AtEnd,
}

/// The children, and the jobs of those that were reaped and have left something behind.
struct Children {
    children: Vec<Child>,
    left: Vec<Job>,
}

static CHILDREN: Mutex<Children> = Mutex::new(Children { children: Vec::new(), left: Vec::new() });

fn children<T>(of: impl FnOnce(&mut Children) -> T) -> T {
    of(&mut CHILDREN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// This very program.
pub(crate) fn own() -> io::Result<Utf8PathBuf> {
    environment::own_program().map_err(io::Error::other)
}

/// What every program here needs in its environment: without the system's folder no program can open a socket.
#[must_use]
pub fn base() -> Vec<(&'static str, String)> {
    const OF_THE_SYSTEM: [&str; 20] = [
        "ALLUSERSPROFILE",
        "APPDATA",
        "CommonProgramFiles",
        "COMPUTERNAME",
        "ComSpec",
        "LOCALAPPDATA",
        "NUMBER_OF_PROCESSORS",
        "OS",
        "PATHEXT",
        "PROCESSOR_ARCHITECTURE",
        "ProgramData",
        "ProgramFiles",
        "ProgramFiles(x86)",
        "PUBLIC",
        "SystemDrive",
        "SystemRoot",
        "TEMP",
        "TMP",
        "USERPROFILE",
        "windir",
    ];
    let given = |name: &'static str| environment::variable(name).map(|value| (name, value));
    let mut base: Vec<_> = OF_THE_SYSTEM.into_iter().filter_map(given).collect();
    let system = environment::variable("SystemRoot").unwrap_or_else(|| r"C:\Windows".to_owned());
    let folders = [r"\System32", "", r"\System32\Wbem", r"\System32\WindowsPowerShell\v1.0"];
    base.push(("PATH", folders.map(|folder| format!("{system}{folder}")).join(";")));
    base
}

/// The value of a variable, which has to be text.
pub fn variable(value: Vec<u8>) -> io::Result<OsString> {
    let text = String::from_utf8(value);
    text.map(Into::into).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// The files that a name may mean, the likeliest first: what every program ends in may be left out, and beside it a script
/// for other systems may have the bare name.
pub(super) fn candidates(name: &str) -> Vec<String> {
    let (bare, program) = (name.to_owned(), format!("{name}.exe"));
    let is_whole =
        name.len() > 4 && name.get(name.len() - 4..).is_some_and(|end| end.eq_ignore_ascii_case(".exe"));
    if is_whole { vec![bare, program] } else { vec![program, bare] }
}

/// Whether a program is named by a path, and not to be looked for.
pub(super) fn is_path(name: &str) -> bool {
    name.contains(['/', '\\', ':'])
}

pub(super) fn check_program(path: &Utf8Path) -> io::Result<()> {
    // Whoever asked names the program, so the system's plain word is enough here.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is not a file")));
    }
    let kind = path.extension().unwrap_or_default().to_ascii_lowercase();
    if matches!(kind.as_str(), "bat" | "cmd") {
        // Its words would be read once more, by rules of its own, which let one word become several commands.
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("`{path}` is a batch file, which takes no words as they are: start it by `cmd /d /s /c`"),
        ));
    }
    Ok(())
}

/// Starts a process with something beyond the usual.
pub fn start_with(start: &Start<'_>, particulars: &Particulars<'_>) -> io::Result<Started> {
    close_inherited();
    let unsupported = |what: &str| Err(io::Error::new(io::ErrorKind::Unsupported, what.to_owned()));
    if particulars.sockets.is_some_and(|sockets| !sockets.is_empty()) {
        return unsupported("Windows hands no listening sockets to a program");
    }
    if start.account.is_some() {
        return unsupported("on Windows a program runs as the account of its service");
    }
    if let Some(variables) = start.environment {
        check_names(variables)?;
    }
    if particulars.bound {
        console::ensure();
    }
    match spawn(start, particulars, CREATE_BREAKAWAY_FROM_JOB) {
        // Whoever started this process lets nobody leave.
        Err(error)
            if particulars.apart && error.raw_os_error() == i32::try_from(ERROR_ACCESS_DENIED).ok() =>
        {
            spawn(start, particulars, 0)
        }
        other => other,
    }
}

/// Two names that differ in their letters' size alone are one variable, of which the program would get either.
fn check_names(variables: &BTreeMap<String, OsString>) -> io::Result<()> {
    let mut seen = BTreeMap::new();
    for name in variables.keys() {
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{other}` and `{name}` are one variable on Windows"),
            ));
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where processes are started")]
fn spawn(start: &Start<'_>, particulars: &Particulars<'_>, away: u32) -> io::Result<Started> {
    let mut command = Command::new(start.program);
    command.args(start.arguments.iter().skip(1));
    if let Some(environment) = start.environment {
        command.env_clear().envs(environment);
    }
    if let Some(folder) = start.folder {
        command.current_dir(folder);
    }
    let mut flags = particulars.nice.map_or(0, priority);
    if start.leads_group || particulars.apart {
        flags |= CREATE_NEW_PROCESS_GROUP;
    }
    if particulars.apart {
        flags |= away;
    }
    if particulars.apart || !console::is_there() {
        // It gets a console that nobody sees, by which it can ask what it starts to end.
        flags |= CREATE_NO_WINDOW;
    }
    if particulars.bound {
        flags |= CREATE_SUSPENDED;
    }
    command.creation_flags(flags);
    let mut input = None;
    command.stdin(match (particulars.input, start.input) {
        (Some(given), _) => given.give()?.into(),
        (None, Input::Null) => Stdio::null(),
        (None, Input::Pipe) => {
            let (read, write) = io::pipe()?;
            input = Some(write.into());
            read.into()
        }
    });
    let (output, out) = sink(&start.output)?;
    let (error, err) = sink(&start.error)?;
    command.stdout(out).stderr(err);
    let child = command.spawn()?;
    drop(command);
    let pid = child.id();
    let process = OwnedFd::from(child);
    let bound = particulars.bound.then(|| bind(&process, particulars)).transpose();
    let at_end = AtEnd::of(&process, || {
        // Nobody may be listening.
        let _ = signal::deliver(Signal::CHILD);
    });
    let (job, at_end) = match bound.and_then(|job| Ok((job, at_end?))) {
        Ok(both) => both,
        Err(error) => {
            // It has not run yet, and must not.
            let _ = single::end(process.as_fd(), KILLED);
            return Err(error);
        }
    };
    let start_ticks = single::started(process.as_fd()).unwrap_or(0);
    let identity = ProcessIdentity { pid, start_ticks };
    children(|all| all.children.push(Child { identity, process, job, _at_end: at_end }));
    Ok(Started { pid, input, output, error })
}

/// Takes a suspended process into a job of its own, and lets it begin.
fn bind(process: &OwnedFd, particulars: &Particulars<'_>) -> io::Result<Job> {
    let limits = Limits { memory: particulars.memory, processes: None };
    // What is to live on after the supervisor does so in a job that nobody closes.
    let job = Job::new(!particulars.leaves, limits)?;
    job.take_in(process.as_fd())?;
    single::resume(process.as_fd())?;
    Ok(job)
}

fn sink(sink: &Sink) -> io::Result<(Option<super::PipeReader>, Stdio)> {
    Ok(match sink {
        Sink::Null => (None, Stdio::null()),
        Sink::Inherit => (None, Stdio::inherit()),
        Sink::File(file) => (None, file.try_clone()?.into()),
        Sink::Pipe => {
            let (reader, writer) = pipe::pair()?;
            (Some(reader), writer.into())
        }
    })
}

/// The class of a priority: there are five, where elsewhere are forty steps.
fn priority(nice: i8) -> u32 {
    match nice {
        ..=-15 => HIGH_PRIORITY_CLASS,
        -14..=-5 => ABOVE_NORMAL_PRIORITY_CLASS,
        -4..=4 => NORMAL_PRIORITY_CLASS,
        5..=14 => BELOW_NORMAL_PRIORITY_CLASS,
        15.. => IDLE_PRIORITY_CLASS,
    }
}

/// How a process ended, by its exit code.
fn exit(code: u32) -> Exit {
    match code {
        KILLED => Exit::Signal(Signal::KILL.as_raw()),
        signal::ENDED_BY_CONSOLE => Exit::Signal(Signal::INT.as_raw()),
        other => Exit::Code(other.cast_signed()),
    }
}

/// Reaps every child of this process that has ended.
#[must_use]
pub fn reap() -> Vec<Ended> {
    reap_those(|_| true)
}

/// Reaps one child of this process, if it has ended, and none but that.
#[must_use]
pub fn reap_one(pid: u32) -> Option<Exit> {
    reap_those(|identity| identity.pid == pid).first().map(|ended| ended.exit)
}

fn reap_those(which: impl Fn(ProcessIdentity) -> bool) -> Vec<Ended> {
    let mut reaped = Vec::new();
    let mut gone = Vec::new();
    children(|all| {
        let mut index = 0;
        while let Some(child) = all.children.get(index) {
            match single::exit_code(child.process.as_fd()).filter(|_| which(child.identity)) {
                Some(code) => {
                    reaped.push(Ended { pid: child.identity.pid, exit: exit(code) });
                    gone.push(all.children.swap_remove(index));
                }
                None => index += 1,
            }
        }
        all.left.extend(gone.iter_mut().filter_map(|child| child.job.take()));
        all.left.retain(|job| !job.processes().is_empty());
    });
    reaped
}

/// The processes that are bound to this one.
pub(in crate::host) fn bound() -> Vec<u32> {
    children(|all| {
        let jobs = all.children.iter().filter_map(|child| child.job.as_ref()).chain(&all.left);
        jobs.flat_map(Job::processes).collect()
    })
}

/// Kills a child of this process with all that it has started.
pub fn kill_group(leader: ProcessIdentity) {
    let ended = children(|all| {
        let job = all.children.iter().find(|child| child.identity == leader)?.job.as_ref()?;
        job.end(KILLED);
        Some(())
    });
    if ended.is_none() {
        // One that has ended is what is wanted.
        let _ = identity::signal(leader, Signal::KILL);
    }
}

/// Hands nothing on any more of what this process inherited by accident.
pub fn close_inherited() {
    static ONCE: Once = Once::new();
    ONCE.call_once(console::keep_inherited);
}
