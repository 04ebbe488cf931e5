//! Unix: a command in a group of its own, and a descriptor of its process.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use super::Manner;
use crate::host::pipe::PipeReader;
use crate::host::rest::{AsFd as _, BorrowedFd, OwnedFd};
use crate::host::{account, identity};

/// What a command has written.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Commands open no windows here.
pub(super) fn keep_quiet(_: &mut Command) {}

/// A command that runs.
pub(super) struct Running {
    pub(super) child: Child,
    pub(super) pipes: [Option<PipeReader>; 2],
    /// Without one (before Linux 5.3) it is looked after now and then.
    handle: Option<OwnedFd>,
    leads: bool,
}

/// Starts a command with both outputs read here.
pub(super) fn start(command: &mut Command, manner: Manner<'_>) -> io::Result<Running> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(owner) = manner.rights.filter(|owner| owner.uid != account::effective_uid()) {
        // The standard library drops the supplementary groups when it changes the user.
        command.uid(owner.uid).gid(owner.gid);
    }
    let leads = manner.limit.is_some();
    if leads {
        // A group of its own, so that it can be killed with what it started. Without a limit it is left in the
        // caller's: a question at the terminal (polkit) can't be put by a group in the background.
        command.process_group(0);
    }
    let mut child = command.spawn()?;
    let handle = identity::hold(child.id());
    let outputs = [child.stdout.take().map(OwnedFd::from), child.stderr.take().map(OwnedFd::from)];
    let [stdout, stderr] = outputs.map(|output| output.map(PipeReader::new).transpose());
    Ok(Running { child, pipes: [stdout?, stderr?], handle, leads })
}

impl Running {
    /// Readable when it has ended.
    pub(super) fn ending(&self) -> Option<BorrowedFd<'_>> {
        self.handle.as_ref().map(|handle| handle.as_fd())
    }

    /// Kills it, and with a limit also what it has started.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        if self.leads
            && matches!(self.child.try_wait(), Ok(None))
            && let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
        {
            // It is not waited for yet, so the number is still its own.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}
