//! Commands that are run to their end and whose output is read.

use std::fs::File;
use std::io::{self, BufRead as _, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use rustix::event::{PollFd, PollFlags, poll};

use crate::host::{account, clock, environment};
use crate::model::owner::Owner;

/// The most that is kept of an output, in bytes: enough for 10,000 units, too little to fill the memory.
const LARGEST_OUTPUT: usize = 64 << 20;

/// What a command left behind.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// How a command is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner<'a> {
    /// Its whole environment; nothing for this program's own, with the words of the C locale.
    pub environment: Option<&'a [(String, String)]>,
    /// Where it starts.
    pub folder: Option<&'a Utf8Path>,
    /// With whose rights, if not the caller's.
    pub rights: Option<&'a Owner>,
    /// How long it may take; it is killed then.
    pub limit: Option<Duration>,
}

/// Runs a command to its end, its input empty. An error says that it could not be run, or took too long.
pub fn output(argv: &[String], manner: Manner<'_>) -> io::Result<Output> {
    let mut command = prepared(argv)?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(variables) = manner.environment {
        command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    }
    if let Some(folder) = manner.folder {
        command.current_dir(folder);
    }
    if let Some(owner) = manner.rights.filter(|owner| owner.uid != account::effective_uid()) {
        // The standard library drops the supplementary groups when it changes the user.
        command.uid(owner.uid).gid(owner.gid);
    }
    let mut child = command.spawn()?;
    let Some(texts) = read_both(&mut child, manner.limit)? else {
        child.kill()?;
        child.wait()?;
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("`{}` took too long", argv[0])));
    };
    let code = child.wait()?.code();
    let [stdout, stderr] = texts;
    Ok(Output { code, stdout, stderr })
}

/// A command with the words of the C locale and without colours and pagers.
fn prepared(argv: &[String]) -> io::Result<Command> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"))?;
    #[expect(clippy::disallowed_methods, reason = "the door to processes is in this floor")]
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8").env("SYSTEMD_COLORS", "0").env("SYSTEMD_PAGER", "");
    if account::effective_uid() != 0
        && environment::variable("XDG_RUNTIME_DIR").is_none()
        && let Some(folder) = environment::user_runtime_folder()
    {
        // `su`, `sudo -u` and cron leave it unset, and `systemctl --user` can't do without it.
        command.env("XDG_RUNTIME_DIR", folder);
    }
    Ok(command)
}

/// Reads both outputs of a command as they come, until both have ended; nothing if that takes too long.
fn read_both(child: &mut Child, limit: Option<Duration>) -> io::Result<Option<[String; 2]>> {
    let until = limit.map(|limit| Instant::now() + limit);
    let mut pipes = [
        child.stdout.take().map(|pipe| File::from(OwnedFd::from(pipe))),
        child.stderr.take().map(|pipe| File::from(OwnedFd::from(pipe))),
    ];
    let mut outputs = [Vec::new(), Vec::new()];
    let mut buffer = vec![0; 16 << 10];
    while pipes.iter().any(Option::is_some) {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(None);
        }
        for place in ready(&pipes, left)? {
            let Some(pipe) = &mut pipes[place] else { continue };
            let count = pipe.read(&mut buffer)?;
            let room = LARGEST_OUTPUT.saturating_sub(outputs[place].len()).min(count);
            outputs[place].extend_from_slice(&buffer[..room]);
            if count == 0 {
                pipes[place] = None;
            }
        }
    }
    Ok(Some(outputs.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())))
}

/// Which of the open pipes have something to be read, or have ended.
fn ready(pipes: &[Option<File>], limit: Option<Duration>) -> io::Result<Vec<usize>> {
    let open = pipes.iter().enumerate().filter_map(|(place, pipe)| Some((place, pipe.as_ref()?)));
    let (places, mut polled): (Vec<usize>, Vec<PollFd<'_>>) =
        open.map(|(place, pipe)| (place, PollFd::new(pipe, PollFlags::IN))).unzip();
    match poll(&mut polled, limit.map(clock::limit).as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let answered = polled.iter().map(|polled| !polled.revents().is_empty());
    Ok(places.into_iter().zip(answered).filter_map(|(place, answered)| answered.then_some(place)).collect())
}

/// Runs a command and takes its lines as they come, until it ends or no more are wanted; then it is ended. What
/// it says on its standard error is heard as this program's own. Gives its exit code.
pub fn stream(argv: &[String], each: &mut dyn FnMut(&str) -> bool) -> io::Result<Option<i32>> {
    let mut command = prepared(argv)?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    if let Some(pipe) = child.stdout.take() {
        let mut reader = io::BufReader::with_capacity(64 << 10, pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if !each(String::from_utf8_lossy(&line).trim_end_matches('\n')) {
                child.kill()?;
                break;
            }
            line.clear();
        }
    }
    Ok(child.wait()?.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().copied().map(str::to_owned).collect()
    }

    #[test]
    fn a_commands_outputs_and_code_are_read() {
        let output =
            output(&words(&["sh", "-c", "echo out; echo err >&2; exit 3"]), Manner::default()).unwrap();
        assert_eq!(
            (output.stdout.as_str(), output.stderr.as_str(), output.code),
            ("out\n", "err\n", Some(3))
        );
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed() {
        let manner = Manner { limit: Some(Duration::from_millis(50)), ..Manner::default() };
        let error = output(&words(&["sleep", "10"]), manner).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_given_environment_is_the_whole_environment() {
        let environment = [("A".to_owned(), "b c".to_owned())];
        let manner = Manner { environment: Some(&environment), ..Manner::default() };
        assert_eq!(output(&words(&["/usr/bin/env"]), manner).unwrap().stdout, "A=b c\n");
    }
}
