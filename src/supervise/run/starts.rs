//! The beginning of a life: the launch read again, the reconcile command, the look at the port, the start.

use super::Supervisor;
use super::hearing::{listen, speaks};
use crate::host::clock;
use crate::host::notify::Listener;
use crate::model::launch::LaunchSpec;
use crate::model::moment::BootMoment;
use crate::supervise::changes::Changes;
use crate::supervise::context::LaunchReader;
use crate::supervise::log::Log;
use crate::supervise::program::{Prepared, Program};
use crate::supervise::run::memory;
use crate::supervise::started;
use crate::supervise::transition::Input;

impl Supervisor {
    pub(super) fn prepare(&mut self) -> Result<Prepared, String> {
        let number = self.next_start();
        let address = self.listener.as_ref().map(Listener::address);
        self.prepared.take().map_or_else(|| Prepared::new(&self.context, address, number), Ok)
    }

    /// The number of a start: what it starts carries it, so that two starts are told apart.
    pub(super) fn next_start(&mut self) -> u64 {
        self.starts += 1;
        self.starts
    }

    pub(super) fn check_port(&mut self) {
        // Files that a start reads are read at each start; only the start that follows at once takes what is read here.
        self.prepared = None;
        match self.prepare() {
            Ok(prepared) => {
                if let Some(reply) = self.readiness.check(&self.context, &prepared) {
                    self.port_answered(&reply);
                }
                self.prepared = Some(prepared);
            }
            Err(reason) => self.inputs.push_back(Input::StartFailed(reason)),
        }
    }

    pub(super) fn start(&mut self) {
        let started = self.start_program();
        self.inputs.push_back(match started {
            Ok(program) => {
                self.last_started = Some(program.started);
                self.program = Some(program);
                Input::Started
            }
            Err(reason) => Input::StartFailed(reason),
        });
    }

    fn start_program(&mut self) -> Result<Program, String> {
        if let Some(file) = &self.pid_file {
            file.check()?;
        }
        let prepared = self.prepare()?;
        let sockets = self.sockets.complete(&self.context)?;
        // Before the start, so that no change is missed.
        self.changes = Changes::begin(&self.context, &prepared, clock::boot_now());
        if let Some(remark) = self.changes.as_ref().and_then(Changes::remark) {
            self.log.warn(remark);
        }
        if prepared.earlier {
            self.log.warn(
                "the values in its files have failed: it is started with those of its last good start, until the files change or `mainstay apply` tries again",
            );
        }
        let program = Program::start(&self.context, prepared, sockets)?;
        started::record(&self.context, &program.prepared);
        if let Some(file) = &mut self.pid_file
            && let Err(reason) = file.write(program.identity.pid)
        {
            // Monitors miss it; the service need not.
            self.log.warn(&reason);
        }
        Ok(program)
    }

    pub(super) fn reconcile(&mut self, now: BootMoment) {
        // It may take long: the start that follows reads its files itself.
        self.prepared = None;
        let started =
            self.prepare().and_then(|prepared| self.errands.reconcile(&self.context, &prepared, now));
        if let Err(reason) = started {
            self.inputs.push_back(Input::Reconciled(Err(reason)));
        }
    }

    /// Adopts the launch as it stands now. What was fixed when this supervisor began stays: another version has its
    /// trial at a restart, and an account, sockets and a platform are not changed in passing.
    pub(super) fn read_launch(&mut self) {
        let read = self.context.reader.as_ref().and_then(LaunchReader::read);
        let read = read.filter(|spec| *spec != self.context.spec);
        let Some(spec) = read else {
            self.inputs.push_back(Input::Launch(None));
            return;
        };
        if !may_adopt(&self.context.spec, &spec) {
            self.log.warn("the launch has changed in what only a restart can change; the old one goes on");
            self.inputs.push_back(Input::Launch(None));
            return;
        }
        let relog = spec.logs != self.context.spec.logs;
        let before = std::mem::replace(&mut self.context.spec, spec.clone());
        self.keep_monitored(&before);
        self.prepared = None;
        if relog && let Ok(log) = Log::open(&self.context) {
            self.log = log;
        }
        if self.listener.is_none() && speaks(&spec) {
            match listen(&self.context) {
                Ok(listener) => self.listener = listener,
                // Then the program can't say anything, and its readiness is missed with the reason here.
                Err(error) => self.log.warn(&error.to_string()),
            }
        }
        self.memory = memory::Watch::of(&spec);
        self.reporter.adopt(&spec);
        self.inputs.push_back(Input::Launch(Some(Box::new(spec))));
    }
}

fn may_adopt(old: &LaunchSpec, new: &LaunchSpec) -> bool {
    let fixed = |spec: &LaunchSpec| {
        (spec.name.clone(), spec.tree(), spec.platform, spec.scope, spec.deploy.clone(), spec.credentials)
    };
    fixed(old) == fixed(new)
        && (&old.user, &old.group, &old.umask) == (&new.user, &new.group, &new.umask)
        && old.sockets == new.sockets
}
