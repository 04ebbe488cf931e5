//! A second start of the program beside what runs: what is asked over the control socket, and what is done about it.

use super::Supervisor;
use super::memory;
use crate::host::control::{Connection, Control};
use crate::host::notify::{Listener, Notice, Peer};
use crate::host::process::{Ended, as_account};
use crate::host::rest::{AsFd, BorrowedFd};
use crate::host::{account, clock, files, identity, tree};
use crate::model::launch::{LaunchSpec, Probe};
use crate::model::moment::BootMoment;
use crate::model::overlap::{self, Word};
use crate::model::status::Phase;
use crate::supervise::changes::Changes;
use crate::supervise::context::{Context, LaunchReader};
use crate::supervise::health_file::HealthKeeper;
use crate::supervise::inquiry::Inquiry;
use crate::supervise::log::Log;
use crate::supervise::overlap::{Happened, Overlap, Terms, Wanted};
use crate::supervise::pid_file::PidFile;
use crate::supervise::program::{Prepared, Program};
use crate::supervise::transition::{Input, Output};
use crate::supervise::{signals, started};

mod asks;

/// Who is beside what runs.
pub(super) struct Beside {
    overlap: Overlap,
    control: Option<Control>,
    connection: Option<Connection>,
    candidate: Option<Candidate>,
    /// Asked for, while it is looked whether what runs would answer for it; nothing is started yet.
    checked: Option<Terms>,
    /// When to look again at a link that could not be read.
    look_again: Option<BootMoment>,
    /// What ran before, and drains.
    retired: Option<Program>,
}

/// What is to take the place of what runs.
struct Candidate {
    context: Context,
    listener: Option<Listener>,
    readiness: Inquiry,
    /// What it was started with: a file that changes from here on changes for it.
    changes: Option<Changes>,
    prepared: Option<Prepared>,
    program: Option<Program>,
}

impl Beside {
    /// Nobody yet. Nothing can be asked of a launch that has no use for it.
    pub(super) fn of(context: &Context, log: &mut Log) -> Self {
        let folder = &context.folders.run;
        let bind = || {
            files::make_folders(folder)?;
            as_account(context.account.credentials.as_ref(), || Control::bind(folder, overlap::SOCKET))
        };
        let wanted = context.spec.overlap && !context.spec.sockets.is_empty();
        let control = wanted.then(bind).transpose().unwrap_or_else(|error| {
            log.warn(&format!("nothing can be started beside the program: {error}"));
            None
        });
        let overlap = Overlap::new(context.spec.stop.timeout.duration());
        Self {
            overlap,
            control,
            connection: None,
            candidate: None,
            checked: None,
            look_again: None,
            retired: None,
        }
    }

    /// Whether there is nobody.
    pub(super) fn is_quiet(&self) -> bool {
        self.overlap.is_quiet()
    }

    pub(super) fn deadline(&self) -> Option<BootMoment> {
        let readiness = self.candidate.as_ref().and_then(|candidate| candidate.readiness.deadline());
        readiness.into_iter().chain(self.overlap.deadline()).chain(self.look_again).min()
    }

    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let candidate = self.candidate.iter().flat_map(|candidate| {
            let program = candidate.program.iter().flat_map(Program::descriptors);
            let listener = candidate.listener.iter().map(AsFd::as_fd);
            program.chain(listener).chain([candidate.readiness.descriptor()])
        });
        let retired = self.retired.iter().flat_map(Program::descriptors);
        let asked = self.control.iter().map(AsFd::as_fd).chain(self.connection.iter().map(AsFd::as_fd));
        asked.chain(candidate).chain(retired)
    }

    /// The programs, with the numbers of their starts.
    fn programs(&self) -> impl Iterator<Item = &Program> {
        self.candidate.iter().filter_map(|candidate| candidate.program.as_ref()).chain(&self.retired)
    }

    fn say(&mut self, word: &Word) {
        if let Some(connection) = &mut self.connection {
            // Who does not listen any more is gone, which is seen at the next look.
            let _ = connection.say(&word.line());
        }
    }
}

impl Supervisor {
    /// Looks after everything beside what runs. First of all that is looked at, while nothing waits to be told to the
    /// machine: what it is told then is of the program that runs after this.
    pub(super) fn attend_beside(&mut self, now: BootMoment) {
        self.take_asks();
        if self.beside.look_again.is_some_and(|moment| now >= moment) {
            self.go_by_the_link();
        }
        if self.beside.checked.is_some()
            && let Some(reply) = self.beside.candidate.as_mut().and_then(|one| one.readiness.attend(now))
        {
            self.checked(&reply);
        }
        let mut happened = self.hear_candidate();
        if let Some(candidate) = &mut self.beside.candidate {
            if !self.beside.overlap.awaits_readiness() && self.beside.checked.is_none() {
                candidate.readiness.cancel();
            }
            if let Some(reply) = candidate.readiness.attend(now) {
                happened.push(reply.answer().map_or_else(Happened::NotReady, |()| Happened::Ready));
            }
            if let Some(program) = &mut candidate.program {
                program.read(&mut self.log);
            }
        }
        if let Some(program) = &mut self.beside.retired {
            program.read(&mut self.log);
        }
        happened.push(Happened::Tick);
        for one in happened {
            self.beside(one);
        }
    }

    /// After the machine has decided: a candidate takes the place of a program that is ready, and of no other.
    pub(super) fn watch_beside(&mut self) {
        if self.beside.overlap.has_candidate() && self.machine.standing().phase != Phase::Ready {
            let stopped = self.hurried;
            self.beside(if stopped { Happened::Stop } else { Happened::Lost });
        }
    }

    /// A child that ended may be one of those beside.
    pub(super) fn ended_beside(&mut self, ended: Ended) {
        let is_it = |program: &mut Program| {
            let is_it = program.identity.pid == ended.pid;
            program.runs &= !is_it;
            is_it
        };
        if self.beside.retired.as_mut().is_some_and(is_it) {
            self.beside(Happened::RetiredEnded);
        }
        let Some(candidate) = &mut self.beside.candidate else { return };
        let reply = candidate.readiness.answer_of(ended);
        if candidate.program.as_mut().is_some_and(is_it) {
            self.beside(Happened::Ended(ended.exit));
        } else if let Some(reply) = reply {
            self.beside(reply.answer().map_or_else(Happened::NotReady, |()| Happened::Ready));
        }
    }

    pub(super) fn force_beside(&mut self) {
        self.beside(Happened::Force);
    }

    /// The processes of those beside, with all that they have started: what a kill of the program spares.
    pub(super) fn pids_beside(&self, all: &[identity::Process]) -> Vec<u32> {
        self.beside.programs().flat_map(|program| program.roots(all)).collect()
    }

    fn beside(&mut self, happened: Happened) {
        // What has ended can't be relieved; the machine has not heard of it yet.
        let runs = self.program.as_ref().is_some_and(|program| program.runs);
        let relieves = matches!(happened, Happened::Ready | Happened::Left { named: true });
        let happened = if relieves && !runs { Happened::Lost } else { happened };
        for wanted in self.beside.overlap.on(happened, clock::boot_now()) {
            match wanted {
                Wanted::Start => {
                    let started = self.start_candidate();
                    self.beside(started);
                }
                Wanted::Probe => {
                    let reply = self.beside.candidate.as_mut().and_then(|candidate| {
                        candidate.readiness.readiness(&candidate.context, candidate.program.as_ref()?)
                    });
                    if let Some(reply) = reply {
                        self.beside(reply.answer().map_or_else(Happened::NotReady, |()| Happened::Ready));
                    }
                }
                Wanted::Say(word) => {
                    if let Word::Failed { reason, .. } = &word {
                        self.log.warn(&format!("the new start beside the program is given up: {reason}"));
                    }
                    self.beside.say(&word);
                }
                Wanted::Promote => self.promote(),
                Wanted::EndCandidate => {
                    if let Some(candidate) = &self.beside.candidate
                        && let Some(program) = &candidate.program
                    {
                        // One that ends at this moment is what is wanted; what can't be asked is killed later.
                        let signal = signals::of(candidate.context.spec.stop.signal);
                        let _ = identity::signal(program.identity, signal);
                    }
                }
                Wanted::KillCandidate => {
                    let candidate = self.beside.candidate.take();
                    if let Some(program) = candidate.and_then(|candidate| candidate.program) {
                        self.kill_start(program);
                    }
                }
                Wanted::KillRetired => {
                    if let Some(program) = self.beside.retired.take() {
                        self.kill_start(program);
                    }
                }
            }
        }
    }

    fn start_candidate(&mut self) -> Happened {
        let Some(candidate) = &mut self.beside.candidate else {
            return Happened::StartFailed("there is nothing to start".to_owned());
        };
        let Some(prepared) = candidate.prepared.take() else {
            return Happened::StartFailed("it was started already".to_owned());
        };
        self.log.note(&format!("{} is started beside what runs", candidate.context.spec.tree()));
        match Program::start(&candidate.context, prepared, self.sockets.held()) {
            Ok(program) => {
                candidate.program = Some(program);
                Happened::Started
            }
            Err(reason) => Happened::StartFailed(reason),
        }
    }

    fn hear_candidate(&mut self) -> Vec<Happened> {
        let Some(candidate) = &self.beside.candidate else { return Vec::new() };
        let (Some(listener), Some(program)) = (&candidate.listener, &candidate.program) else {
            return Vec::new();
        };
        let said = listener.take();
        if said.is_empty() {
            return Vec::new();
        }
        let own = account::effective_uid();
        let account = candidate.context.account.credentials.as_ref().map_or(own, |account| account.uid);
        let all = tree::all();
        let roots = program.roots(&all);
        let believes = |pid: u32, uid: u32| match identity::process(pid) {
            Some(sender) if !sender.ended => {
                roots.contains(&pid)
                    || roots.iter().any(|root| {
                        tree::below(*root, &[], &all).iter().any(|process| process.identity.pid == pid)
                    })
            }
            // It has ended, and can't be traced any more.
            _ => uid == account,
        };
        let heard =
            said.into_iter().filter(|one| one.sender.is_none_or(|Peer { pid, uid }| believes(pid, uid)));
        let happened = heard.flat_map(|one| one.notices).filter_map(|notice| match notice {
            Notice::Ready if candidate.context.spec.ready.probe == Probe::Notify => Some(Happened::Ready),
            Notice::Extend(more) => Some(Happened::Extend(more)),
            Notice::Ready | Notice::Alive | Notice::Status(_) => None,
        });
        happened.collect()
    }

    /// The candidate takes the place of what runs, which is asked to end: by its signal, for a hook could not tell the
    /// two apart.
    fn promote(&mut self) {
        let Some(candidate) = self.beside.candidate.take() else { return };
        let Some(program) = candidate.program else { return };
        let before = std::mem::replace(&mut self.context, candidate.context);
        let spec = self.context.spec.clone();
        self.listener = candidate.listener;
        for inquiry in [&mut self.readiness, &mut self.health, &mut self.need] {
            inquiry.cancel();
        }
        self.prepared = None;
        self.memory = memory::Watch::of(&spec);
        self.changes = candidate.changes;
        if before.spec.logs != spec.logs
            && let Ok(log) = Log::open(&self.context)
        {
            self.log = log;
        }
        self.keep_monitored(&before.spec);
        if let Some(file) = &mut self.pid_file
            && let Err(reason) = file.write(program.identity.pid)
        {
            // Monitors miss it; the service need not.
            self.log.warn(&reason);
        }
        self.last_started = Some(program.started);
        started::record(&self.context, &program.prepared);
        self.reporter.adopt(&spec);
        if let Some(old) = self.program.replace(program) {
            let _ = identity::signal(old.identity, signals::of(before.spec.stop.signal));
            self.beside.retired = Some(old);
        }
        // At once: whoever is told of it reads the report next.
        let now = clock::present();
        // It was written down before the link was moved, which comes before this.
        let trial = self.context.reader.as_ref().and_then(LaunchReader::trial).map(Box::new);
        for output in self.machine.on(Input::Promoted(Box::new(spec), trial), now) {
            match output {
                Output::Report => self.report(now),
                output => self.act(output, now),
            }
        }
    }

    /// The files for monitors, where the launch names others now.
    pub(super) fn keep_monitored(&mut self, before: &LaunchSpec) {
        let monitored = |spec: &LaunchSpec| (spec.health_file.clone(), spec.pid_file.clone());
        if monitored(before) != monitored(&self.context.spec) {
            if let Some(mut file) = self.pid_file.take() {
                file.remove();
            }
            self.pid_file = PidFile::of(&self.context);
            self.health_file = HealthKeeper::of(&self.context);
        }
    }
}
