//! The loop that feeds the state machine: one poll(2) for signals, pipes, answers and the next deadline. At rest
//! it has no deadline, so it does not wake up at all.

use std::collections::VecDeque;
use std::time::Duration;

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::host::holder::{HeldLock, HolderError};
use crate::host::notify::Listener;
use crate::host::process::{self, Ended};
use crate::host::rest::AsFd;
use crate::host::{clock, files, identity, rest, signal, tree};
use crate::model::event_line::{EventKind, EventLine};
use crate::model::moment::{BootMoment, Moment, Present};
use crate::model::status::Status;
use crate::supervise::changes::Changes;
use crate::supervise::context::{Context, supervisor_lock};
use crate::supervise::ending::Ending;
use crate::supervise::errands::{Errands, facts};
use crate::supervise::events::Events;
use crate::supervise::health_file::HealthKeeper;
use crate::supervise::inquiry::Inquiry;
use crate::supervise::log::Log;
use crate::supervise::machine::{Machine, Place};
use crate::supervise::pid_file::PidFile;
use crate::supervise::program::{Prepared, Program, Remnants};
use crate::supervise::report::{Facts, Reporter, read_status};
use crate::supervise::signals::Signals;
use crate::supervise::sockets::Sockets;
use crate::supervise::transition::{Input, Output};
use crate::supervise::watch::GuardianWatch;

use self::beside::Beside;
use self::hearing::listen;

mod beside;
mod ends;
mod hearing;
mod looks;
mod memory;
mod questions;
mod starts;

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
/// SIGTERM, SIGINT and SIGHUP ask for a stop; a SIGTERM or SIGINT after that kills without waiting.
pub fn run(context: &Context, observe: &mut dyn FnMut(&Status)) -> Result<Ending, SuperviseError> {
    let mut supervisor = Supervisor::new(context)?;
    supervisor.run(observe)
}

struct Supervisor {
    context: Context,
    machine: Machine,
    inputs: VecDeque<Input>,
    signals: Signals,
    /// Whether a stop was asked for: then nothing is waited for at the end.
    hurried: bool,
    reporter: Reporter,
    log: Log,
    listener: Option<Listener>,
    readiness: Inquiry,
    health: Inquiry,
    need: Inquiry,
    errands: Errands,
    changes: Option<Changes>,
    events: Events,
    health_file: Option<HealthKeeper>,
    pid_file: Option<PidFile>,
    prepared: Option<Prepared>,
    program: Option<Program>,
    remnants: Remnants,
    sockets: Sockets,
    beside: Beside,
    /// How many starts there were.
    starts: u64,
    last_started: Option<Moment>,
    /// The start whose values were kept last.
    kept_of: Option<Moment>,
    noted: String,
    guardian: Option<GuardianWatch>,
    watchdog: Option<(Duration, BootMoment)>,
    memory: Option<memory::Watch>,
    ending: Option<Ending>,
    lock: HeldLock,
    /// Why the last report could not be written.
    unwritten: Option<String>,
    /// Likewise the health file.
    unkept: Option<String>,
}

impl Supervisor {
    fn new(context: &Context) -> Result<Self, SuperviseError> {
        process::close_inherited();
        // Before anything else: from here on a request to stop is heard.
        let signals = Signals::catch().map_err(system("catch signals"))?;
        signal::ignore_none();
        let status_error = |source| SuperviseError::Status { path: context.status.clone(), source };
        if let Some(folder) = context.status.parent() {
            files::make_folders(folder).map_err(status_error)?;
        }
        let mut lock = HeldLock::take_unnamed(&supervisor_lock(&context.status))?;
        // Where there is no room for it, this is said with the first report that there is room for.
        let _ = lock.name();
        tree::become_reaper().map_err(system("become the reaper of the program's processes"))?;
        let mut log = Log::open(context)
            .map_err(|source| SuperviseError::Logs { folder: context.folders.logs.clone(), source })?;
        let (boot_id, now) = (identity::boot_id(), clock::present());
        // Finding it out takes 150 KiB, the names of all zones there are.
        let zone = context.spec.schedule.as_ref().map(|_| clock::zone()).unwrap_or_default();
        let previous = read_status(&context.status);
        let place = Place { boot_id: &boot_id, zone: &zone };
        let machine = Machine::new(&context.spec, context.trial.as_ref(), previous.as_ref(), place, now);
        let beside = Beside::of(context, &mut log);
        let inquiry = || Inquiry::new().map_err(system("make a pair of sockets"));
        Ok(Self {
            context: context.clone(),
            machine,
            inputs: VecDeque::from([Input::Begin]),
            signals,
            hurried: false,
            reporter: Reporter::new(context, &boot_id, previous.as_ref())
                .map_err(system("reach the service manager"))?,
            log,
            listener: listen(context)?,
            readiness: inquiry()?,
            health: inquiry()?,
            need: inquiry()?,
            errands: Errands::default(),
            changes: None,
            events: Events::beside(&context.status),
            health_file: HealthKeeper::of(context),
            pid_file: PidFile::of(context),
            prepared: None,
            program: None,
            remnants: Remnants::default(),
            sockets: Sockets::of(context),
            beside,
            starts: 0,
            last_started: None,
            kept_of: None,
            noted: String::new(),
            guardian: context.guardian.clone().map(|link| GuardianWatch::new(link, now.boot)),
            // Half the period, as `sd_watchdog_enabled(3)` advises.
            watchdog: context.manager.watchdog.map(|period| (period / 2, now.boot)),
            memory: memory::Watch::of(&context.spec),
            ending: None,
            lock,
            unwritten: None,
            unkept: None,
        })
    }

    fn run(&mut self, observe: &mut dyn FnMut(&Status)) -> Result<Ending, SuperviseError> {
        self.tell_of_the_killed();
        loop {
            while let Some(input) = self.inputs.pop_front() {
                self.hurried |= matches!(input, Input::Stop | Input::Force);
                if input == Input::Force {
                    self.force_beside();
                }
                let now = clock::present();
                for output in self.machine.on(input, now) {
                    if output == Output::Report {
                        self.report(now);
                        observe(self.reporter.status());
                    } else {
                        self.act(output, now);
                    }
                }
            }
            self.watch_beside();
            self.errands.start_alert(&self.context, &mut self.log, clock::boot_now());
            if let Some(ending) = self.ending
                && (self.hurried || !self.errands.alerting())
                && self.beside.is_quiet()
            {
                self.errands.end_all(&mut self.log);
                let kept = self.hand_over_output();
                if self.reporter.status().telling || kept {
                    self.report(clock::present());
                    observe(self.reporter.status());
                }
                self.sockets.give_up(&self.context);
                if let Some(file) = &mut self.pid_file {
                    file.remove();
                }
                return Ok(ending);
            }
            self.drop_questions();
            self.wait().map_err(system("wait for events"))?;
            self.gather();
        }
    }

    /// A full disk must not keep the program down, nor take it down: what can't be written now is written at
    /// the next change.
    fn report(&mut self, now: Present) {
        let running = self.program.as_ref().filter(|program| program.runs);
        let facts = Facts { program: running.map(|program| program.identity), started: self.last_started };
        self.keep_values();
        let standing = self.machine.standing();
        if self.noted != standing.message {
            self.noted.clone_from(&standing.message);
            if standing.is_after_an_alarm() {
                self.log.warn(&self.noted);
            } else {
                self.log.note(&self.noted);
            }
        }
        self.reporter.telling(standing.phase.is_final() && self.errands.alerting());
        let written = self.lock.name().and(self.reporter.report(standing, facts, now));
        let unwritten = written.err().map(|error| error.to_string());
        if self.unwritten != unwritten {
            if let Some(reason) = &unwritten {
                self.log.note(&format!("the status can't be written: {reason}"));
            }
            self.unwritten = unwritten;
        }
        let unkept = self.health_file.as_mut().and_then(|file| file.update(self.reporter.status()).err());
        if self.unkept != unkept {
            if let Some(reason) = &unkept {
                self.log.note(reason);
            }
            self.unkept = unkept;
        }
    }

    fn act(&mut self, output: Output, now: Present) {
        match output {
            Output::CheckPort => self.check_port(),
            Output::Start => self.start(),
            Output::Probe => self.ask_readiness(),
            Output::AskHealth => self.ask_health(),
            Output::AskNeed => self.ask_need(),
            Output::ReadLaunch => self.read_launch(),
            Output::Reconcile => self.reconcile(now.boot),
            Output::AskToEnd => self.ask_to_end(now.boot),
            Output::Signal => self.signal_to_end(),
            Output::KillAll => self.kill_all(),
            Output::Alert => {
                if !self.context.spec.on_failure.is_empty() {
                    self.errands.alert(facts(self.machine.standing(), now), &mut self.log);
                }
            }
            Output::Remember(event) => {
                let standing = self.machine.standing();
                self.events.add(&EventLine {
                    at: now.wall,
                    event,
                    outcome: standing.last_outcome.filter(|_| is_ending(event)),
                    exit: standing.last_exit.filter(|_| is_ending(event)),
                    message: standing.message.clone(),
                });
            }
            Output::Report => {}
            Output::End(ending) => self.ending = Some(ending),
        }
    }

    fn wait(&mut self) -> std::io::Result<()> {
        let guardian = self.guardian.as_ref();
        let inquiries = [&self.readiness, &self.health, &self.need];
        let deadlines = [
            self.machine.deadline(),
            guardian.and_then(GuardianWatch::deadline),
            self.watchdog.map(|(_, next)| next),
            self.errands.deadline(),
            self.memory_deadline(),
            self.beside.deadline(),
            self.changes_deadline(),
        ];
        let deadlines = deadlines.into_iter().chain(inquiries.map(Inquiry::deadline));
        let mut descriptors: Vec<_> = inquiries.map(Inquiry::descriptor).into_iter().collect();
        descriptors.extend(self.signals.descriptors());
        descriptors.extend(self.listener.iter().map(AsFd::as_fd));
        descriptors.extend(self.program.iter().flat_map(Program::descriptors));
        descriptors.extend(self.remnants.descriptors());
        descriptors.extend(self.errands.descriptors());
        descriptors.extend(self.beside.descriptors());
        if self.machine.awaits_connection() {
            descriptors.extend(self.sockets.descriptors());
        }
        descriptors.extend(guardian.and_then(GuardianWatch::descriptor));
        rest::wait(&descriptors, deadlines.flatten().min())
    }

    /// Everything is looked at after each wake-up; nothing here waits. What a program said before it ended
    /// comes before its end, and an answer over the network after it, for then another may have given it.
    fn gather(&mut self) {
        let now = clock::boot_now();
        self.attend_beside(now);
        self.inputs.extend(self.signals.take(now));
        self.hear();
        if let Some(program) = &mut self.program {
            program.read(&mut self.log);
        }
        self.remnants.read(&mut self.log);
        if self.signals.child_ended() {
            for ended in process::reap() {
                self.ended(ended);
            }
        }
        self.attend_questions(now);
        let finished = self.errands.attend(now, &mut self.log);
        self.inputs.extend(finished);
        if let Some(guardian) = &mut self.guardian {
            guardian.attend(now, self.sockets.held());
        }
        if let Some((period, next)) = &mut self.watchdog
            && now >= *next
        {
            *next = now.later(*period);
            self.reporter.alive();
        }
        self.look_at_memory(now);
        self.look_at_changes(now);
        self.look_at_sockets();
        self.inputs.push_back(Input::Tick);
    }

    fn ended(&mut self, ended: Ended) {
        if let Some(program) = self.program.as_mut().filter(|program| program.identity.pid == ended.pid) {
            program.runs = false;
            self.inputs.push_back(Input::Exited(ended.exit));
        } else if let Some(guardian) = &mut self.guardian {
            guardian.ended(ended);
        }
        self.answer_of(ended);
        self.ended_beside(ended);
        let finished = self.errands.ended(ended, &mut self.log);
        self.inputs.extend(finished);
    }
}

fn is_ending(event: EventKind) -> bool {
    matches!(event, EventKind::Ended | EventKind::Unhealthy)
}
