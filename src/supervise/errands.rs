//! What is done beside the program: the hook that asks it to end, the reconcile command before a run, and the alert
//! after a bad ending.

use std::time::Duration;

use crate::host::identity;
use crate::host::process::Ended;
use crate::host::rest::BorrowedFd;
use crate::host::signal::Signal;
use crate::model::moment::{BootMoment, Present};
use crate::model::schedule::Reconcile;
use crate::model::status::Exit;
use crate::supervise::context::Context;
use crate::supervise::errand::{Errand, Finished};
use crate::supervise::log::Log;
use crate::supervise::program::Prepared;
use crate::supervise::standing::Standing;
use crate::supervise::transition::Input;

/// How long an alert may take: it runs beside everything else, but the supervisor's end waits for it.
const ALERT_LIMIT: Duration = Duration::from_secs(60);

/// What is told of an ending, as variables.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// The errands under way, at most one of each kind.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    hook: Option<Errand>,
    reconcile: Option<Errand>,
    alert: Option<Errand>,
    /// The latest alert that waits for the one before.
    waiting: Option<Facts>,
}

impl Errands {
    /// Asks the program to end by its hook, which has half of the time that the stop may take. `None`: it has none.
    pub(crate) fn ask_to_end(
        &mut self,
        context: &Context,
        prepared: &Prepared,
        now: BootMoment,
    ) -> Option<Result<(), String>> {
        let stop = &context.spec.stop;
        // One that hangs leaves the program the other half, with the signal.
        let limit = stop.timeout.duration() / 2;
        let errand = if let Some(address) = &stop.http {
            Errand::post(prepared, address, limit, now)
        } else if stop.command.is_empty() {
            return None;
        } else {
            Errand::command(context, prepared, &stop.command, &[], limit, now)
        };
        Some(errand.map(|errand| self.hook = Some(errand)))
    }

    /// Runs the reconcile command.
    pub(crate) fn reconcile(
        &mut self,
        context: &Context,
        prepared: &Prepared,
        now: BootMoment,
    ) -> Result<(), String> {
        let reconcile = context.spec.schedule.as_ref().and_then(|schedule| schedule.reconcile.as_ref());
        let Some(reconcile) = reconcile else { return Err("there is no reconcile command".to_owned()) };
        let errand = Errand::command(context, prepared, &reconcile.command, &[], Reconcile::LIMIT, now)?;
        self.reconcile = Some(errand);
        Ok(())
    }

    /// Asks the reconcile command to end.
    pub(crate) fn signal_reconcile(&self, signal: Signal) {
        let process = self.reconcile.as_ref().and_then(Errand::process).and_then(identity::identity_of);
        if let Some(process) = process {
            // One that can't be asked is killed later.
            let _ = identity::signal(process, signal);
        }
    }

    /// Tells somebody, once nobody is being told.
    pub(crate) fn alert(&mut self, facts: Facts, log: &mut Log) {
        if self.waiting.replace(facts).is_some() {
            log.note("an alert that waited for the one before is replaced by a later one");
        }
    }

    /// Whether somebody is being told, or is to be.
    pub(crate) fn alerting(&self) -> bool {
        self.alert.is_some() || self.waiting.is_some()
    }

    /// Starts the alert that waits, where it can.
    pub(crate) fn start_alert(&mut self, context: &Context, log: &mut Log, now: BootMoment) {
        if self.alert.is_some() {
            return;
        }
        let Some(facts) = self.waiting.take() else { return };
        let prepared = Prepared::aside(context);
        match Errand::command(context, &prepared, &context.spec.on_failure, &facts, ALERT_LIMIT, now) {
            Ok(errand) => self.alert = Some(errand),
            Err(reason) => log.warn(&format!("the alert can't be run: {reason}")),
        }
    }

    /// The process of the alert, which the end of the program must not reach.
    pub(crate) fn spared(&self) -> Option<u32> {
        self.alert.as_ref().and_then(Errand::process)
    }

    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.all().flat_map(Errand::descriptors)
    }

    pub(crate) fn deadline(&self) -> Option<BootMoment> {
        self.all().map(Errand::deadline).min()
    }

    fn all(&self) -> impl Iterator<Item = &Errand> {
        self.hook.iter().chain(&self.reconcile).chain(&self.alert)
    }

    /// Looks after all of them.
    pub(crate) fn attend(&mut self, now: BootMoment, log: &mut Log) -> Vec<Input> {
        self.each(log, |errand, log| errand.attend(now, log))
    }

    /// Takes note of a child that ended.
    pub(crate) fn ended(&mut self, ended: Ended, log: &mut Log) -> Vec<Input> {
        self.each(log, |errand, log| errand.answer_of(ended, log))
    }

    fn each(
        &mut self,
        log: &mut Log,
        mut look: impl FnMut(&mut Errand, &mut Log) -> Option<Finished>,
    ) -> Vec<Input> {
        let mut finished =
            |errand: &mut Option<Errand>, log: &mut Log| match errand.as_mut().and_then(|one| look(one, log))
            {
                Some(finished) => {
                    *errand = None;
                    Some(finished.failure())
                }
                None => None,
            };
        let mut inputs = Vec::new();
        if let Some(Some(reason)) = finished(&mut self.hook, log) {
            inputs.push(Input::HookFailed(reason));
        }
        if let Some(failure) = finished(&mut self.reconcile, log) {
            inputs.push(Input::Reconciled(failure.map_or(Ok(()), Err)));
        }
        if let Some(Some(reason)) = finished(&mut self.alert, log) {
            log.warn(&format!("the alert failed: {reason}"));
        }
        inputs
    }

    /// Ends what belongs to the program: with it there is nothing to ask and nothing to reconcile.
    pub(crate) fn end_with_program(&mut self, log: &mut Log) {
        for mut errand in self.hook.take().into_iter().chain(self.reconcile.take()) {
            errand.cancel(log);
        }
    }

    /// Ends the alert too.
    pub(crate) fn end_all(&mut self, log: &mut Log) {
        self.end_with_program(log);
        if self.waiting.take().is_some() {
            log.note("an alert that waited for the one before is given up, because a stop was asked for");
        }
        if let Some(mut alert) = self.alert.take() {
            alert.cancel(log);
            log.note("the alert is cut off, because a stop was asked for");
        }
    }
}

/// What an alert is told of the ending that the standing holds.
pub(crate) fn facts(standing: &Standing, now: Present) -> Facts {
    let outcome = standing.last_outcome.map(|outcome| outcome.to_string()).unwrap_or_default();
    let exit = standing.last_exit.map(exit_word).unwrap_or_default();
    let turn = standing.schedule.as_ref().and_then(|schedule| schedule.next);
    let next = standing.next_start.map(|point| now.shown(point)).or(turn);
    vec![
        ("MAINSTAY_OUTCOME", outcome),
        ("MAINSTAY_EXIT", exit),
        // No variable can hold a NUL (execve(2)).
        ("MAINSTAY_MESSAGE", standing.message.replace('\0', " ")),
        ("MAINSTAY_FAILURES", standing.failures.to_string()),
        ("MAINSTAY_NEXT_START", next.map(|moment| moment.to_string()).unwrap_or_default()),
    ]
}

/// The code, the name of the signal, or a word for an ending of the supervisor's making.
fn exit_word(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => code.to_string(),
        Exit::Signal(number) => signal_name(number).map_or_else(|| number.to_string(), str::to_owned),
        Exit::NotReady => "not-ready".to_owned(),
        Exit::NotStarted => "not-started".to_owned(),
        Exit::Unhealthy => "unhealthy".to_owned(),
        Exit::OverMemory => "over-memory".to_owned(),
    }
}

/// The name of a signal that ends processes (signal(7)).
fn signal_name(number: i32) -> Option<&'static str> {
    let names = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
        (Signal::SYS, "SIGSYS"),
    ];
    names.into_iter().find(|(signal, _)| signal.as_raw() == number).map(|(_, name)| name)
}
