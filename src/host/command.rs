//! Commands that are run to their end and whose output is read.

use std::io::{self, BufRead as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;

use crate::host::pipe::PipeReader;
use crate::host::rest::{self, AsFd};
use crate::host::{account, environment};
use crate::model::owner::Owner;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// The most that is kept of an output, in bytes: enough for 10,000 units, too little to fill the memory.
const LARGEST_OUTPUT: usize = 64 << 20;
/// The most that a pipe holds, if nobody asked for a larger one (pipe(7): 64 KiB of 1 MiB that are allowed).
const LARGEST_PIPE: usize = 1 << 20;
/// The pause between two looks whether a command has ended, where the system can't say when it does.
const LOOK: Duration = Duration::from_millis(20);

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
    /// The most that is kept of each of its outputs, in bytes, if less than the usual; the rest is read and dropped.
    pub largest: Option<usize>,
}

/// Runs a command to its end, its input empty. An error says that it could not be run, or took too long.
pub fn output(argv: &[String], manner: Manner<'_>) -> io::Result<Output> {
    run(argv, manner, &mut |_| {})
}

/// The same, and each line of both outputs is told as it comes.
pub fn told(argv: &[String], manner: Manner<'_>, each: &mut dyn FnMut(&str)) -> io::Result<Output> {
    let mut told = [0, 0];
    let mut begun = [Vec::new(), Vec::new()];
    let output = run(argv, manner, &mut |outputs| {
        for ((output, told), begun) in outputs.iter().zip(&mut told).zip(&mut begun) {
            begun.extend_from_slice(output.get(*told..).unwrap_or_default());
            *told = output.len();
            let Some(end) = begun.iter().rposition(|byte| *byte == b'\n') else { continue };
            let lines: Vec<u8> = begun.drain(..=end).collect();
            String::from_utf8_lossy(&lines).lines().for_each(&mut *each);
        }
    });
    // A last line without an end.
    for begun in &begun {
        String::from_utf8_lossy(begun).lines().for_each(&mut *each);
    }
    output
}

fn run(argv: &[String], manner: Manner<'_>, heard: &mut dyn FnMut(&[Vec<u8>; 2])) -> io::Result<Output> {
    let mut command = prepared(argv)?;
    command.stdin(Stdio::null());
    if let Some(variables) = manner.environment {
        command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    }
    if let Some(folder) = manner.folder {
        command.current_dir(folder);
    }
    let mut running = system::start(&mut command, manner)?;
    let largest = manner.largest.unwrap_or(LARGEST_OUTPUT).min(LARGEST_OUTPUT);
    let read = read_both(&mut running, manner.limit, largest, heard);
    if !matches!(read, Ok(Some(_))) {
        running.kill()?;
    }
    let Some((code, [stdout, stderr])) = read? else {
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("`{}` took too long", argv[0])));
    };
    Ok(Output { code, stdout, stderr })
}

/// A command with the words of the C locale and without colours and pagers.
fn prepared(argv: &[String]) -> io::Result<Command> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"))?;
    #[expect(clippy::disallowed_methods, reason = "the door to processes is in this floor")]
    let mut command = Command::new(program);
    system::keep_quiet(&mut command);
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

/// Reads both outputs of a command as they come, until it has ended itself, and gives its exit code with them;
/// nothing if that takes too long. What it left in the background may keep the pipes open for days: that is not
/// waited for.
fn read_both(
    running: &mut system::Running,
    limit: Option<Duration>,
    largest: usize,
    heard: &mut dyn FnMut(&[Vec<u8>; 2]),
) -> io::Result<Option<(Option<i32>, [String; 2])>> {
    let until = limit.map(|limit| Instant::now() + limit);
    let mut outputs = [Vec::new(), Vec::new()];
    loop {
        // Asked before the pipes are read: what an ended command wrote is in them.
        let ended = running.child.try_wait()?;
        for (pipe, output) in running.pipes.iter_mut().zip(&mut outputs) {
            if pipe.as_mut().map_or(Ok(false), |pipe| take(pipe, output, largest))? {
                *pipe = None;
            }
        }
        heard(&outputs);
        if let Some(status) = ended {
            let texts = outputs.map(system::text);
            return Ok(Some((status.code(), texts)));
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(None);
        }
        let ending = running.ending();
        let pause = if ending.is_some() { left } else { Some(left.map_or(LOOK, |left| left.min(LOOK))) };
        let mut waited: Vec<_> = running.pipes.iter().flatten().map(AsFd::as_fd).collect();
        waited.extend(ending);
        rest::any(&waited, pause)?;
    }
}

/// Takes what is in a pipe now, and no more than it can hold: somebody may fill it all the time. Says whether it
/// has ended.
fn take(pipe: &mut PipeReader, output: &mut Vec<u8>, largest: usize) -> io::Result<bool> {
    let mut buffer = [0; 16 << 10];
    let mut taken = 0;
    while taken < LARGEST_PIPE {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(count) => {
                taken += count;
                let room = largest.saturating_sub(output.len()).min(count);
                output.extend_from_slice(&buffer[..room]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Runs a command and takes its lines as they come, until it ends or no more are wanted; then it is ended. What
/// it says on its standard error is heard as this program's own. Gives its exit code.
pub fn stream(argv: &[String], each: &mut dyn FnMut(&str) -> bool) -> io::Result<Option<i32>> {
    let mut command = prepared(argv)?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    match child.stdout.take() {
        Some(pipe) => heard(child, pipe, each),
        None => Ok(child.wait()?.code()),
    }
}

/// The same, with both of its outputs in the order in which they come.
pub fn stream_both(argv: &[String], each: &mut dyn FnMut(&str) -> bool) -> io::Result<Option<i32>> {
    let (reader, writer) = io::pipe()?;
    let mut command = prepared(argv)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn()?;
    // It holds ends of the pipe, which would never end then.
    drop(command);
    heard(child, reader, each)
}

/// Hands each line of a process on, until it ends or no more are wanted.
fn heard(
    mut child: Child,
    pipe: impl io::Read,
    each: &mut dyn FnMut(&str) -> bool,
) -> io::Result<Option<i32>> {
    let mut reader = io::BufReader::with_capacity(64 << 10, pipe);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if !each(String::from_utf8_lossy(&line).trim_end_matches('\n')) {
            child.kill()?;
            break;
        }
        line.clear();
    }
    Ok(child.wait()?.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::os::testing::{IS_UNIX, shell, waits};
    use crate::host::signal::Signal;
    use crate::host::{identity, tree};

    /// What a shell adds to the environment that it is given.
    fn of_the_shell(line: &str) -> bool {
        const NAMES: [&str; 10] = [
            "PWD=",
            "SHLVL=",
            "_=",
            "COMSPEC=",
            "PATH=",
            "PATHEXT=",
            "PROMPT=",
            "SystemRoot=",
            "SystemDrive=",
            "WINE",
        ];
        NAMES.iter().any(|name| line.starts_with(name))
    }

    /// The process that was given this word and no file, as soon as there is one.
    fn running(word: &str) -> u32 {
        loop {
            let words = |pid| tree::arguments(pid).unwrap_or_default();
            let found = tree::all().into_iter().map(|process| process.identity.pid);
            if let Some(pid) =
                found.into_iter().find(|pid| words(*pid).iter().skip(1).any(|next| next == word))
            {
                return pid;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_commands_outputs_and_code_are_read() {
        let command = shell("echo out; echo err >&2; exit 3", "echo out&echo err>&2&exit 3");
        let said = output(&command, Manner::default()).unwrap();
        assert_eq!((said.stdout.trim_end(), said.stderr.trim_end(), said.code), ("out", "err", Some(3)));
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed() {
        let manner = Manner { limit: Some(Duration::from_millis(50)), ..Manner::default() };
        let error = output(&waits(10), manner).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn what_a_command_leaves_in_the_background_is_not_waited_for() {
        let began = Instant::now();
        let manner = Manner { limit: Some(Duration::from_secs(20)), ..Manner::default() };
        for manner in [manner, Manner::default()] {
            let left = "start /b ping -n 31 127.0.0.1&exit 4";
            let said = output(&shell("sleep 30 & echo $!; exit 4", left), manner).unwrap();
            assert_eq!(said.code, Some(4));
            if let Ok(left) = said.stdout.trim().parse() {
                identity::signal(identity::identity_of(left).unwrap(), Signal::KILL).unwrap();
            }
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[test]
    fn what_takes_too_long_is_killed_with_what_it_started() {
        // Long enough to be seen, and no other test waits for so long.
        let began = std::thread::spawn(|| {
            let manner = Manner { limit: Some(Duration::from_secs(2)), ..Manner::default() };
            output(&waits(34), manner).unwrap_err()
        });
        let child = running(if IS_UNIX { "34" } else { "35" });
        assert_eq!(began.join().unwrap().kind(), io::ErrorKind::TimedOut);
        let until = Instant::now() + Duration::from_secs(5);
        let runs = || crate::host::identity::process(child).is_some_and(|process| !process.ended);
        while runs() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!runs());
    }

    #[test]
    fn lines_are_told_as_they_come_and_when_it_takes_too_long() {
        let mut lines = Vec::new();
        let mut each = |line: &str| lines.push(line.to_owned());
        let unix =
            "echo one; printf two; sleep 0.05; echo ' three'; echo four >&2; printf five; exec sleep 30";
        let windows =
            "echo one&<nul set /p=two&echo. three&echo four>&2&<nul set /p=five&ping -n 31 127.0.0.1 >nul";
        let limit = Duration::from_millis(if IS_UNIX { 400 } else { 3000 });
        let manner = Manner { limit: Some(limit), ..Manner::default() };
        let error = told(&shell(unix, windows), manner, &mut each).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(lines, ["one", "two three", "four", "five"]);
    }

    #[test]
    fn a_long_output_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("long");
        std::fs::write(&file, vec![b'x'; 3_000_000]).unwrap();
        let (unix, windows) = (format!("cat {}", file.display()), format!("type {}", file.display()));
        let said = output(&shell(&(unix + "; echo end >&2"), &(windows + "&echo end>&2")), Manner::default())
            .unwrap();
        assert_eq!((said.stdout.len(), said.stderr.trim_end()), (3_000_000, "end"));
    }

    #[test]
    fn a_given_environment_is_the_whole_environment() {
        let environment = [("A".to_owned(), "b c".to_owned())];
        let manner = Manner { environment: Some(&environment), ..Manner::default() };
        let said = output(&shell("exec /usr/bin/env", "set"), manner).unwrap().stdout;
        let known: Vec<&str> = said.lines().filter(|line| !of_the_shell(line)).collect();
        assert_eq!(known, ["A=b c"]);
    }
}
