//! The program: what it is started with, its process, and the pipes to it.

use std::collections::BTreeSet;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::identity::Process;
use crate::host::listening::HeldSockets;
use crate::host::process::{self, Input, Particulars, Sink, Start, Started};
use crate::host::rest::{BorrowedFd, OwnedFd};
use crate::host::{clock, identity, tree};
use crate::model::log_line::Stream;
use crate::model::manifest::{PlatformKind, Stdin};
use crate::model::moment::Moment;
use crate::model::size::Size;
use crate::model::status::ProcessIdentity;
use crate::model::umask::Umask;
use crate::model::variable::PATH;
use crate::supervise::context::{Context, ProgramOutput};
use crate::supervise::environment::{self, Environment, Made};
use crate::supervise::keeper;
use crate::supervise::log::Log;
use crate::supervise::pipe::Pipe;

/// How often the pipes are read at the end of a program: more than they can hold (see `pipe.rs`), but not for as long
/// as somebody goes on writing.
const LAST_READS: usize = 4;

/// All that one start needs, with every file read and every token expanded.
#[derive(Debug)]
pub(crate) struct Prepared {
    program: Utf8PathBuf,
    arguments: Vec<String>,
    folder: Utf8PathBuf,
    pub(crate) environment: Environment,
    /// The variables that came from files.
    pub(crate) given: BTreeSet<String>,
    /// Whether these have the values of an earlier start.
    pub(crate) earlier: bool,
    /// Which start it is, of all of this supervisor's.
    number: u64,
}

impl Prepared {
    pub(crate) fn new(context: &Context, notify_socket: Option<&str>, number: u64) -> Result<Self, String> {
        let mark = identity::own().to_string();
        let Made { mut environment, given, earlier } =
            environment::environment(context, &mark, notify_socket).map_err(|error| error.to_string())?;
        environment.insert(environment::START.to_owned(), number.to_string().into());
        let places = context.folders.places();
        let arguments = context.spec.arguments(&places);
        let program = find(context, &arguments, &environment)?;
        let folder = context.spec.start_folder(&places);
        // The system's own message would not say whether the program or the folder is missing.
        match std::fs::metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(format!("the working directory `{folder}` is not a folder")),
            Err(error) => return Err(format!("the working directory `{folder}` can't be used: {error}")),
        }
        Ok(Self { program, arguments, folder, environment, given, earlier, number })
    }

    /// What a command needs that runs whether or not the program can be started: where the program's own environment
    /// can't be made, or its folder is missing, it gets as much of them as there is.
    pub(crate) fn aside(context: &Context) -> Self {
        let mark = identity::own().to_string();
        let environment = environment::environment(context, &mark, None).or_else(|_| {
            let mut poorer = context.clone();
            poorer.spec.environment_file = None;
            poorer.spec.secrets.clear();
            environment::environment(&poorer, &mark, None)
        });
        let folder = context.spec.start_folder(&context.folders.places());
        let folder = if folder.is_dir() { folder } else { "/".into() };
        Self {
            program: Utf8PathBuf::new(),
            arguments: Vec::new(),
            folder,
            environment: environment.unwrap_or_default().environment,
            given: BTreeSet::new(),
            earlier: false,
            number: 0,
        }
    }

    /// The program's file.
    pub(crate) fn program(&self) -> &Utf8Path {
        &self.program
    }

    /// A variable as the program sees it.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// Starts another command as the program itself is started, with variables of its own beside the program's. It
    /// leads a process group.
    pub(crate) fn start_beside(
        &self,
        context: &Context,
        arguments: &[String],
        facts: &[(&str, String)],
        sink: impl Fn() -> Sink,
    ) -> Result<Started, String> {
        let program = find(context, arguments, &self.environment)?;
        let environment = (!facts.is_empty()).then(|| {
            let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), value.into()));
            self.environment.clone().into_iter().chain(facts).collect::<Environment>()
        });
        let start = Start {
            program: &program,
            arguments,
            environment: Some(environment.as_ref().unwrap_or(&self.environment)),
            folder: Some(&self.folder),
            account: context.account.credentials.as_ref(),
            leads_group: true,
            input: Input::Null,
            output: sink(),
            error: sink(),
        };
        process::start_with(&start, &Particulars { bound: true, ..Particulars::default() })
            .map_err(|error| format!("`{program}` can't be started: {error}"))
    }
}

fn find(context: &Context, arguments: &[String], environment: &Environment) -> Result<Utf8PathBuf, String> {
    let name = arguments.first().ok_or_else(|| "the command is empty".to_owned())?;
    let search = environment.get("PATH").and_then(|path| path.to_str()).unwrap_or(PATH);
    process::find_program(name, search, &context.folders.deploy)
        .map_err(|error| format!("the program `{name}` can't be started: {error}"))
}

/// A program that was started, until nothing is left of it.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) identity: ProcessIdentity,
    pub(crate) started: Moment,
    /// The start on the clock of files, for a file that shows readiness.
    pub(crate) file_clock: SystemTime,
    pub(crate) prepared: Prepared,
    /// Whether the process itself still runs; its descendants may outlive it.
    pub(crate) runs: bool,
    /// The names of those that it may leave behind, by the launch that it was started from.
    pub(crate) detach: Vec<String>,
    /// Held so that the program's standard input never ends.
    _input: Option<OwnedFd>,
    output: Pipe,
    error: Pipe,
}

impl Program {
    pub(crate) fn start(
        context: &Context,
        prepared: Prepared,
        sockets: &HeldSockets,
    ) -> Result<Self, String> {
        let sink = || match context.output {
            ProgramOutput::Inherit => Sink::Inherit,
            ProgramOutput::Capture { .. } => Sink::Pipe,
        };
        let start = Start {
            program: &prepared.program,
            arguments: &prepared.arguments,
            environment: Some(&prepared.environment),
            folder: Some(&prepared.folder),
            account: context.account.credentials.as_ref(),
            leads_group: true,
            input: match context.spec.stdin {
                Stdin::Null => Input::Null,
                Stdin::Open => Input::Pipe,
            },
            output: sink(),
            error: sink(),
        };
        // systemd has given this process what it is to give the program.
        let ours = context.spec.platform != PlatformKind::Systemd;
        let particulars = Particulars {
            mask: context.spec.umask.filter(|_| ours).map(Umask::bits),
            nice: context.spec.limits.nice.filter(|_| ours),
            sockets: Some(sockets),
            open_files: context.spec.limits.open_files,
            input: None,
            bound: true,
            leaves: !context.spec.detach.is_empty(),
            apart: false,
            memory: context.spec.limits.memory.filter(|_| ours).map(Size::bytes),
        };
        let (started, file_clock) = (clock::now(), clock::file_now());
        let child = process::start_with(&start, &particulars)
            .map_err(|error| format!("the program `{}` can't be started: {error}", prepared.program))?;
        // It is not reaped yet, so its number is its own even if it has ended.
        let identity =
            identity::identity_of(child.pid).unwrap_or(ProcessIdentity { pid: child.pid, start_ticks: 0 });
        Ok(Self {
            identity,
            started,
            file_clock,
            prepared,
            runs: true,
            detach: context.spec.detach.clone(),
            _input: child.input,
            output: Pipe::new(child.output, Stream::Output),
            error: Pipe::new(child.error, Stream::Error),
        })
    }

    /// The processes of this start that lead all others of it: the program itself, and what its parent has left
    /// behind, which is told by the mark that it carries.
    pub(crate) fn roots(&self, all: &[Process]) -> Vec<u32> {
        let number = self.prepared.number.to_string();
        let ours = tree::below(std::process::id(), &[], all);
        let orphans = ours.iter().filter(|process| process.parent == std::process::id());
        let marked = orphans
            .map(|process| process.identity.pid)
            .filter(|pid| *pid == self.identity.pid || tree::carries(*pid, environment::START, &number));
        marked.collect()
    }

    /// The pipes that still have another end.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.output.descriptor().into_iter().chain(self.error.descriptor())
    }

    /// Takes what it has written. Says whether there may be more at once.
    pub(crate) fn read(&mut self, log: &mut Log) -> bool {
        let mut lines = Vec::new();
        let more = [&mut self.output, &mut self.error].map(|pipe| pipe.read(&mut lines, log));
        log.write(&lines);
        more.contains(&true)
    }

    /// Takes the rest, when nobody is left to write more. Who writes all the same, because it could not be killed or is
    /// to live on, is heard as long as the pipes that are given back here are read: their end is its death.
    pub(crate) fn end(mut self, log: &mut Log) -> Remnants {
        for _ in 0..LAST_READS {
            if !self.read(log) {
                break;
            }
        }
        let mut pipes = vec![self.output, self.error];
        let mut lines = Vec::new();
        for pipe in &mut pipes {
            pipe.end(&mut lines);
        }
        log.write(&lines);
        pipes.retain(|pipe| pipe.descriptor().is_some());
        Remnants(pipes)
    }
}

/// The pipes of programs that have ended, to which something that they started still writes.
#[derive(Debug, Default)]
pub(crate) struct Remnants(Vec<Pipe>);

impl Remnants {
    pub(crate) fn add(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The pipes.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.0.iter().filter_map(Pipe::descriptor)
    }

    /// Has somebody read on when the supervisor is gone, who is to be spared like those that write.
    pub(crate) fn hand_over(&mut self, context: &Context) -> Vec<ProcessIdentity> {
        let pipes = std::mem::take(&mut self.0);
        pipes.iter().filter_map(|pipe| keeper::start(context, pipe.reader()?, pipe.stream())).collect()
    }

    /// Takes what was written, and lets go of the pipes that nobody holds any more.
    pub(crate) fn read(&mut self, log: &mut Log) {
        let mut lines = Vec::new();
        for pipe in &mut self.0 {
            pipe.read(&mut lines, log);
        }
        log.write(&lines);
        self.0.retain(|pipe| pipe.descriptor().is_some());
    }
}
