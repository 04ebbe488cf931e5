//! Processes and accounts: Linux.

use std::io;
use std::process::{Child, Command};

use camino::Utf8PathBuf;
use rustix::process::{Gid, Pid, Resource, Rlimit, Uid, prlimit, setpriority_process};
use rustix::thread::{
    CapabilitySet, capabilities, set_capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

/// The signals that this process ignores, by `/proc/PID/status` (proc(5)).
#[must_use]
pub fn ignored_signals() -> Vec<i32> {
    ignored(&fs_err::read_to_string("/proc/self/status").unwrap_or_default())
}

fn ignored(status: &str) -> Vec<i32> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    (1..=64).filter(|number| mask >> (number - 1) & 1 == 1).collect()
}

/// The numbers of this process's descriptors that a program would have that it becomes, but for the three standard
/// streams: those without the mark `O_CLOEXEC`.
#[must_use]
pub fn inherited() -> Vec<i32> {
    let Ok(entries) = fs_err::read_dir("/proc/self/fdinfo") else { return Vec::new() };
    let numbers: Vec<i32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let close_on_exec = rustix::fs::OFlags::CLOEXEC.bits();
    let is_inherited = |number: &i32| {
        let information = fs_err::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
        let flags = information.lines().find_map(|line| line.strip_prefix("flags:"))?;
        Some(u32::from_str_radix(flags.trim(), 8).ok()? & close_on_exec == 0)
    };
    numbers.into_iter().filter(|number| *number > 2 && is_inherited(number).unwrap_or(false)).collect()
}

/// Takes groups, on this thread and for all that it starts.
pub fn take_groups(primary: u32, all: &[u32]) -> rustix::io::Result<()> {
    let groups: Vec<Gid> = all.iter().copied().map(Gid::from_raw).collect();
    let gid = Gid::from_raw(primary);
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)
}

/// Becomes a user on this thread, as far as files go: whoever has the real or the saved user of a thread may end its
/// process (kill(2)), so these stay. The groups are those of [`take_groups`].
pub fn take_user(uid: u32, _primary: u32) -> rustix::io::Result<()> {
    set_thread_res_uid(None, Uid::from_raw(uid), None)
}

/// Starts a process with the groups of this thread, where the standard library would take them away: it leaves them as
/// they are only where it may not change them.
pub fn spawn_with_groups(command: &mut Command, _primary: u32) -> io::Result<Child> {
    let mut sets = capabilities(None)?;
    sets.effective.remove(CapabilitySet::SETGID);
    set_capabilities(None, sets)?;
    command.spawn()
}

/// Starts a process with a priority (setpriority(2)). The outer result is whether it can have it. It is a thread's own, and a child takes that of the thread that
/// forks, so this thread has it from now on.
pub fn spawn_nicely(
    nice: i8,
    spawn: impl FnOnce() -> io::Result<Child>,
) -> rustix::io::Result<io::Result<Child>> {
    setpriority_process(None, nice.into())?;
    Ok(spawn())
}

/// The program that this process runs (proc(5)): the very same build, and within reach of an account that may not enter the
/// folder in which it lies.
pub fn own_program() -> io::Result<Utf8PathBuf> {
    Ok("/proc/self/exe".into())
}

/// Sets how many files another process may have open, with the rights of this one.
pub fn set_limit_of(pid: Pid, limit: Rlimit) -> rustix::io::Result<()> {
    prlimit(Some(pid), Resource::Nofile, limit).map(drop)
}

/// Does something, in which processes are started whose limits are set afterwards ([`set_limit_of`]).
pub fn limiting_files<T>(_: Option<&Rlimit>, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    work()
}

/// The numbers of all groups of an account. `None`: the group database is silent.
#[must_use]
pub fn groups_of(name: &str, primary: u32) -> Option<Vec<u32>> {
    let name = std::ffi::CString::new(name).ok()?;
    let groups = nix::unistd::getgrouplist(&name, nix::unistd::Gid::from_raw(primary)).ok()?;
    Some(groups.into_iter().map(nix::unistd::Gid::as_raw).collect())
}

/// The names of the accounts that this host lists itself. `None`: they are in `/etc/passwd`.
#[must_use]
pub fn listed_accounts() -> Option<Vec<String>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read() {
        assert_eq!(ignored("Name:\tx\nSigIgn:\t0000000000001006\nSigCgt:\t1\n"), [2, 3, 13]);
        assert_eq!(ignored("SigIgn:\t8000000000000000\n"), [64]);
        assert_eq!(ignored(""), [0; 0]);
    }
}
