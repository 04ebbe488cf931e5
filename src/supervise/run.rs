//! The loop that feeds the state machine: one poll(2) for signals, pipes, answers and the next deadline. At rest
//! it has no deadline, so it does not wake up at all.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::time::Duration;

use camino::Utf8PathBuf;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use thiserror::Error;

use crate::host::holder::{HeldLock, HolderError};
use crate::host::notify::{Listener, Notice};
use crate::host::process::{self, Ended, as_account};
use crate::host::{clock, identity, probe, tree};
use crate::model::launch::Probe;
use crate::model::moment::{BootMoment, Moment};
use crate::model::status::Status;
use crate::supervise::context::{Context, supervisor_lock};
use crate::supervise::ending::Ending;
use crate::supervise::log::Log;
use crate::supervise::machine::Machine;
use crate::supervise::program::{Prepared, Program};
use crate::supervise::readiness::Readiness;
use crate::supervise::report::{Facts, Reporter, read_status};
use crate::supervise::signals::{self, Signals};
use crate::supervise::sockets::Sockets;
use crate::supervise::transition::{Input, Output};
use crate::supervise::watch::GuardianWatch;

/// How long what was sent SIGKILL may take to go. What is left then waits in the kernel, for a disk or a
/// network file system, and no signal can help.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// Why there is no supervisor.
#[derive(Debug, Error)]
pub enum SuperviseError {
    /// There is one already, or its lock can't be taken.
    #[error("can't become the supervisor of this instance")]
    Lock(#[from] HolderError),
    /// The folder of its report can't be made.
    #[error("can't make the folder of the status `{path}`")]
    Status {
        /// The status file.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It can't keep the program's output.
    #[error("can't write logs in `{folder}`")]
    Logs {
        /// The folder.
        folder: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The socket for the program's own word on its readiness can't be made.
    #[error("can't listen for the program's readiness at `{path}`")]
    Notify {
        /// The socket.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something that every process may do was refused by the system.
    #[error("can't {action}")]
    System {
        /// What was to be done.
        action: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

fn system(action: &'static str) -> impl FnOnce(std::io::Error) -> SuperviseError {
    move |source| SuperviseError::System { action, source }
}

/// Supervises a program until it is stopped or ends for good. This process becomes the reaper of all that the
/// program starts, and reaps every child that it has.
///
/// SIGTERM and SIGINT ask for a stop, and asked twice kill without waiting; SIGHUP asks for a stop.
pub fn run(context: &Context, observe: &mut dyn FnMut(&Status)) -> Result<Ending, SuperviseError> {
    let mut supervisor = Supervisor::new(context)?;
    supervisor.run(observe)
}

struct Supervisor<'a> {
    context: &'a Context,
    machine: Machine,
    inputs: VecDeque<Input>,
    signals: Signals,
    reporter: Reporter,
    log: Log,
    listener: Option<Listener>,
    readiness: Readiness,
    prepared: Option<Prepared>,
    program: Option<Program>,
    sockets: Sockets,
    last_started: Option<Moment>,
    noted: String,
    guardian: Option<GuardianWatch>,
    watchdog: Option<(Duration, BootMoment)>,
    ending: Option<Ending>,
    lock: HeldLock,
    /// Why the last report could not be written.
    unwritten: Option<String>,
}

impl<'a> Supervisor<'a> {
    fn new(context: &'a Context) -> Result<Self, SuperviseError> {
        process::close_inherited();
        // Before anything else: from here on a request to stop is heard.
        let signals = Signals::catch().map_err(system("catch signals"))?;
        let status_error = |source| SuperviseError::Status { path: context.status.clone(), source };
        if let Some(folder) = context.status.parent() {
            fs_err::create_dir_all(folder).map_err(status_error)?;
        }
        let mut lock = HeldLock::take_unnamed(&supervisor_lock(&context.status))?;
        // Where there is no room for it, this is said with the first report that there is room for.
        let _ = lock.name();
        tree::become_reaper().map_err(system("become the reaper of the program's processes"))?;
        let log = Log::open(context)
            .map_err(|source| SuperviseError::Logs { folder: context.folders.logs.clone(), source })?;
        let (boot_id, now) = (identity::boot_id(), clock::boot_now());
        let previous = read_status(&context.status);
        let machine = Machine::new(&context.spec, context.trial.as_ref(), previous.as_ref(), &boot_id, now);
        Ok(Self {
            context,
            machine,
            inputs: VecDeque::from([Input::Begin]),
            signals,
            reporter: Reporter::new(context, &boot_id).map_err(system("reach the service manager"))?,
            log,
            listener: listen(context)?,
            readiness: Readiness::new().map_err(system("make a pair of sockets"))?,
            prepared: None,
            program: None,
            sockets: Sockets::of(context),
            last_started: None,
            noted: String::new(),
            guardian: context.guardian.clone().map(|link| GuardianWatch::new(link, now)),
            // Half the period, as `sd_watchdog_enabled(3)` advises.
            watchdog: context.manager.watchdog.map(|period| (period / 2, now)),
            ending: None,
            lock,
            unwritten: None,
        })
    }

    fn run(&mut self, observe: &mut dyn FnMut(&Status)) -> Result<Ending, SuperviseError> {
        loop {
            while let Some(input) = self.inputs.pop_front() {
                let now = clock::boot_now();
                for output in self.machine.on(input, now) {
                    if output == Output::Report {
                        self.report(now);
                        observe(self.reporter.status());
                    } else {
                        self.act(output);
                    }
                }
            }
            if let Some(ending) = self.ending {
                self.sockets.give_up(self.context);
                return Ok(ending);
            }
            if !self.machine.waits_for_an_answer() {
                self.readiness.cancel();
            }
            self.wait().map_err(system("wait for events"))?;
            self.gather();
        }
    }

    /// A full disk must not keep the program down, nor take it down: what can't be written now is written at
    /// the next change.
    fn report(&mut self, now: BootMoment) {
        let running = self.program.as_ref().filter(|program| program.runs);
        let facts = Facts { program: running.map(|program| program.identity), started: self.last_started };
        let standing = self.machine.standing();
        if self.noted != standing.message {
            self.noted.clone_from(&standing.message);
            self.log.note(&self.noted);
        }
        let written = self.lock.name().and(self.reporter.report(standing, facts, now));
        let unwritten = written.err().map(|error| error.to_string());
        if self.unwritten != unwritten {
            if let Some(reason) = &unwritten {
                self.log.note(&format!("the status can't be written: {reason}"));
            }
            self.unwritten = unwritten;
        }
    }

    fn act(&mut self, output: Output) {
        match output {
            Output::CheckPort => self.check_port(),
            Output::Start => self.start(),
            Output::Probe => {
                let answer =
                    self.program.as_ref().and_then(|program| self.readiness.start(self.context, program));
                self.answered(answer);
            }
            Output::AskToEnd => {
                if let Some(program) = self.program.as_ref().filter(|program| program.runs) {
                    // One that ends at this moment is no error, and one that can't be asked is killed later.
                    let _ = identity::signal(program.identity, signals::of(self.context.spec.stop.signal));
                }
            }
            Output::KillAll => self.kill_all(),
            Output::End(ending) => self.ending = Some(ending),
            Output::Report => {}
        }
    }

    fn prepare(&mut self) -> Result<Prepared, String> {
        let address = self.listener.as_ref().map(Listener::address);
        self.prepared.take().map_or_else(|| Prepared::new(self.context, address), Ok)
    }

    fn check_port(&mut self) {
        match self.prepare() {
            Ok(prepared) => {
                match self.readiness.check(self.context, &prepared) {
                    None => {}
                    Some(Ok(())) => self.inputs.push_back(Input::PortTaken),
                    Some(Err(_)) => self.inputs.push_back(Input::PortFree),
                }
                self.prepared = Some(prepared);
            }
            Err(reason) => self.inputs.push_back(Input::StartFailed(reason)),
        }
    }

    fn start(&mut self) {
        let started = self.prepare().and_then(|prepared| {
            let sockets = self.sockets.complete(self.context)?;
            Program::start(self.context, prepared, sockets)
        });
        self.inputs.push_back(match started {
            Ok(program) => {
                self.last_started = Some(program.started);
                self.program = Some(program);
                Input::Started
            }
            Err(reason) => Input::StartFailed(reason),
        });
    }

    fn kill_all(&mut self) {
        let this = std::process::id();
        let spared: Vec<u32> = self.guardian.as_ref().and_then(GuardianWatch::spared).into_iter().collect();
        let mut ended = Vec::new();
        let left =
            tree::kill_all(KILL_LIMIT, || tree::below(this, &spared, &tree::all()), |one| ended.push(one));
        for one in ended {
            self.ended(one);
        }
        self.readiness.cancel();
        if let Some(program) = self.program.take() {
            program.end(&mut self.log);
        }
        let name = |process: &identity::Process| format!("{} ({})", process.name, process.identity.pid);
        self.inputs.push_back(Input::Cleared { left: left.iter().map(name).collect() });
    }

    fn wait(&mut self) -> std::io::Result<()> {
        let guardian = self.guardian.as_ref();
        let deadlines = [
            self.machine.deadline(),
            guardian.and_then(GuardianWatch::deadline),
            self.watchdog.map(|(_, next)| next),
        ];
        // The clock counts whole milliseconds, so the limit is rounded up: not to wake just before it.
        let limit = deadlines.into_iter().flatten().min().map(|deadline| {
            let left = deadline.since(clock::boot_now());
            clock::limit(if left.is_zero() { left } else { left + Duration::from_millis(1) })
        });
        let mut descriptors = vec![self.readiness.descriptor().as_fd()];
        descriptors.extend(self.signals.descriptors().map(AsFd::as_fd));
        descriptors.extend(self.listener.iter().map(|listener| listener.descriptor().as_fd()));
        descriptors.extend(self.program.iter().flat_map(Program::descriptors).map(AsFd::as_fd));
        descriptors.extend(guardian.and_then(GuardianWatch::descriptor).map(AsFd::as_fd));
        let mut polled: Vec<_> = descriptors
            .into_iter()
            .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
            .collect();
        match poll(&mut polled, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything is looked at after each wake-up; nothing here waits. What a program said before it ended
    /// comes before its end, and an answer over the network after it, for then another may have given it.
    fn gather(&mut self) {
        let now = clock::boot_now();
        self.inputs.extend(self.signals.take());
        self.hear();
        if let Some(program) = &mut self.program {
            program.read(&mut self.log);
        }
        if self.signals.child_ended() {
            for ended in process::reap() {
                self.ended(ended);
            }
        }
        let answer = self.readiness.answer();
        self.answered(answer);
        if let Some(guardian) = &mut self.guardian {
            guardian.attend(now, self.sockets.held());
        }
        if let Some((period, next)) = &mut self.watchdog
            && now >= *next
        {
            *next = now.later(*period);
            self.reporter.alive();
        }
        self.inputs.push_back(Input::Tick);
    }

    fn ended(&mut self, ended: Ended) {
        if let Some(program) = self.program.as_mut().filter(|program| program.identity.pid == ended.pid) {
            program.runs = false;
            self.inputs.push_back(Input::Exited(ended.exit));
        } else if let Some(guardian) = &mut self.guardian {
            guardian.ended(ended);
        }
        let answer = self.readiness.answer_of(ended);
        self.answered(answer);
    }

    fn answered(&mut self, answer: Option<probe::Answer>) {
        // Before the start the same question has the opposite meaning.
        let starts = self.program.is_none();
        self.inputs.extend(answer.map(|answer| match (starts, answer) {
            (true, Ok(())) => Input::PortTaken,
            (true, Err(_)) => Input::PortFree,
            (false, Ok(())) => Input::ProbeOk,
            (false, Err(reason)) => Input::ProbeFailed(reason),
        }));
    }

    fn hear(&mut self) {
        let said = self.listener.as_ref().map(Listener::take).unwrap_or_default();
        for one in said {
            if !self.believes(one.pid, one.uid) {
                continue;
            }
            for notice in one.notices {
                match notice {
                    Notice::Ready => self.inputs.push_back(Input::ProbeOk),
                    Notice::Extend(more) => self.inputs.push_back(Input::Extend(more)),
                    Notice::Status(word) => {
                        if self.reporter.hear(&word) {
                            // It is for people only; the next change is written again.
                            self.report(clock::boot_now());
                        }
                    }
                }
            }
        }
    }

    /// Whether a sender is the program or one of its descendants. A helper that has ended by now can't be
    /// traced any more, so its account has to do.
    fn believes(&self, pid: u32, uid: u32) -> bool {
        if self.program.is_none() {
            return false;
        }
        if identity::process(pid).is_some_and(|sender| !sender.ended) {
            let ours = tree::below(std::process::id(), &[], &tree::all());
            return ours.iter().any(|process| process.identity.pid == pid);
        }
        let own = rustix::process::getuid().as_raw();
        uid == self.context.account.credentials.as_ref().map_or(own, |account| account.uid)
    }
}

fn listen(context: &Context) -> Result<Option<Listener>, SuperviseError> {
    if context.spec.ready.probe != Probe::Notify {
        return Ok(None);
    }
    let path = context.folders.run.join("notify");
    let listener = fs_err::create_dir_all(&context.folders.run)
        .and_then(|()| as_account(context.account.credentials.as_ref(), || Listener::bind(&path)));
    listener.map(Some).map_err(|source| SuperviseError::Notify { path, source })
}
