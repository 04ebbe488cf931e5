//! Windows: a command in a job of its own, with pipes that can be waited for.

use std::io;
use std::os::windows::io::AsHandle as _;
use std::os::windows::process::CommandExt as _;
use std::process::{Child, Command};

use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

use super::Manner;
pub(super) use crate::host::os::console_text::read as text;
use crate::host::os::job::{Job, Limits};
use crate::host::os::{BorrowedFd, console, pipe};
use crate::host::pipe::PipeReader;
use crate::host::process::{self, KILLED};

/// A command that runs.
pub(super) struct Running {
    pub(super) child: Child,
    pub(super) pipes: [Option<PipeReader>; 2],
    job: Option<Job>,
}

/// Lets no window open for a command where this process has none to show it in.
pub(super) fn keep_quiet(command: &mut Command) {
    if !console::is_there() {
        command.creation_flags(CREATE_NO_WINDOW);
    }
}

/// Starts a command with both outputs read here.
pub(super) fn start(command: &mut Command, manner: Manner<'_>) -> io::Result<Running> {
    process::close_inherited();
    let (stdout, out) = pipe::pair()?;
    let (stderr, err) = pipe::pair()?;
    command.stdout(out).stderr(err);
    let child = command.spawn()?;
    // What it leaves in the background lives on when nobody holds the job any more.
    let job = manner.limit.and_then(|_| Job::new(false, Limits::default()).ok());
    // One that has ended already is in none, and needs none.
    let job = job.filter(|job| job.take_in(child.as_handle()).is_ok());
    // The ends that are written are the command's alone: else the pipes would never end.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    Ok(Running { child, pipes: [Some(stdout), Some(stderr)], job })
}

impl Running {
    /// Signaled when it has ended.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere there may be none")]
    pub(super) fn ending(&self) -> Option<BorrowedFd<'_>> {
        Some(self.child.as_handle())
    }

    /// Kills it, and with a limit also what it has started.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        if let Some(job) = &self.job {
            job.end(KILLED);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}
