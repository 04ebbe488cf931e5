//! Processes and accounts: macOS. What has no safe interface here has none anywhere.

#![expect(
    unsafe_code,
    reason = "the rights of a thread, a disposition and a bare number have no safe interface"
)]

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::process::{Child, Command};

use camino::Utf8PathBuf;
use rustix::io::{Errno, FdFlags, fcntl_getfd};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

/// The highest number of a signal (signal(3)).
const LAST: c_int = 31;

unsafe extern "C" {
    /// Gives this thread a user and a group of its own (`sys/unistd.h`). The list of groups becomes what the directory
    /// knows of the user.
    fn pthread_setugid_np(uid: u32, gid: u32) -> c_int;
}

/// The signals that this process ignores.
#[must_use]
pub fn ignored_signals() -> Vec<i32> {
    (1..=LAST).filter(|number| is_ignored(*number)).collect()
}

fn is_ignored(number: c_int) -> bool {
    let mut found = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is changed, for there is no new disposition; the old one is written to memory of its type, for which
    // all zeros are a value.
    let (answer, found) = unsafe {
        let answer = libc::sigaction(number, std::ptr::null(), found.as_mut_ptr());
        (answer, found.assume_init())
    };
    answer == 0 && found.sa_sigaction == libc::SIG_IGN
}

/// The numbers of this process's descriptors that a program would have that it becomes, but for the three standard
/// streams: those without the mark `FD_CLOEXEC`.
#[must_use]
pub fn inherited() -> Vec<i32> {
    let Ok(entries) = fs_err::read_dir("/dev/fd") else { return Vec::new() };
    let numbers: Vec<i32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let is_inherited = |number: &i32| {
        // SAFETY: the number is only asked about in this moment, and not kept. One that is closed by now is an error.
        let descriptor = unsafe { BorrowedFd::borrow_raw(*number) };
        fcntl_getfd(descriptor).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
    };
    numbers.into_iter().filter(|number| *number > 2 && is_inherited(number)).collect()
}

/// Takes groups, on this thread: here they come with the user ([`take_user`]).
pub fn take_groups(_primary: u32, _all: &[u32]) -> rustix::io::Result<()> {
    Ok(())
}

/// Becomes a user on this thread, with its group and what the directory knows of its groups. The process stays what it is.
pub fn take_user(uid: u32, primary: u32) -> rustix::io::Result<()> {
    // SAFETY: two numbers go in and one comes out; it touches no memory of this process.
    let answer = unsafe { pthread_setugid_np(uid, primary) };
    if answer == 0 {
        Ok(())
    } else {
        Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::PERM))
    }
}

/// Starts a process with the group of an account: the rights of a thread do not go on to what it starts, and the standard
/// library gives no others.
pub fn spawn_with_groups(command: &mut Command, primary: u32) -> io::Result<Child> {
    std::os::unix::process::CommandExt::gid(command, primary).spawn()
}

/// Starts a process with a priority (setpriority(2)). The outer result is whether it can have it. It is the whole process's here, so that of the child is set when it
/// is there.
pub fn spawn_nicely(
    nice: i8,
    spawn: impl FnOnce() -> io::Result<Child>,
) -> rustix::io::Result<io::Result<Child>> {
    let mut child = match spawn() {
        Ok(child) => child,
        failed => return Ok(failed),
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Err(error) = setpriority_process(pid, nice.into()) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok(Ok(child))
}

/// The program that this process runs.
pub fn own_program() -> io::Result<Utf8PathBuf> {
    let program = std::env::current_exe()?;
    Utf8PathBuf::try_from(program).map_err(camino::FromPathBufError::into_io_error)
}

/// Sets how many files another process may have open: it was started with that ([`limiting_files`]).
pub fn set_limit_of(_: Pid, _: Rlimit) -> rustix::io::Result<()> {
    Ok(())
}

/// Does something, in which processes are started that take this limit from this one. Only root gets its own back where
/// the hard limit is lowered, so that of others stays.
pub fn limiting_files<T>(limit: Option<&Rlimit>, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(limit) = limit else { return work() };
    let before = getrlimit(Resource::Nofile);
    let hard = if rustix::process::geteuid().is_root() { limit.maximum } else { before.maximum };
    setrlimit(Resource::Nofile, Rlimit { current: limit.current, maximum: hard })?;
    let done = work();
    // What was allowed a moment ago still is.
    let _ = setrlimit(Resource::Nofile, before);
    done
}

/// The value of a setting of the kernel (`sysctl(3)`).
#[must_use]
pub fn setting(name: &str) -> Option<String> {
    sysctl::Sysctl::value_string(&<sysctl::Ctl as sysctl::Sysctl>::new(name).ok()?).ok()
}

/// The numbers of all groups of an account, by Directory Services. `None`: there is no such account.
#[must_use]
pub fn groups_of(name: &str, primary: u32) -> Option<Vec<u32>> {
    let users = sysinfo::Users::new_with_refreshed_list();
    let user = users.list().iter().find(|user| user.name() == name)?;
    let mut groups = vec![primary];
    groups.extend(user.groups().iter().map(|group| **group.id()).filter(|group| *group != primary));
    Some(groups)
}

/// The names of the accounts that this host lists itself, by Directory Services: those of people are not in
/// `/etc/passwd`.
#[must_use]
pub fn listed_accounts() -> Option<Vec<String>> {
    let users = sysinfo::Users::new_with_refreshed_list();
    Some(users.list().iter().map(|user| user.name().to_owned()).collect())
}
