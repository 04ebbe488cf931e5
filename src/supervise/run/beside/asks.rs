//! What is asked of a supervisor over its control socket.

use std::time::Duration;

use super::Candidate;
use crate::host::clock;
use crate::host::control::{Connection, Control};
use crate::host::notify::Listener;
use crate::model::launch::LaunchSpec;
use crate::model::overlap::{Ask, Word, may_overlap};
use crate::model::status::Phase;
use crate::model::token::expand_variables;
use crate::supervise::changes::Changes;
use crate::supervise::context::LaunchReader;
use crate::supervise::inquiry::{Inquiry, Reply};
use crate::supervise::overlap::{Happened, Terms, either_may_answer};
use crate::supervise::program::Prepared;
use crate::supervise::run::Supervisor;
use crate::supervise::run::hearing::{listen_at, speaks};

/// The pause before a link that can't be read is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const NOT_READY_ITSELF: &str = "the program that runs is not ready itself";
const EITHER_MAY_ANSWER: &str = "whether it is ready is asked where the one that runs would answer as well";

impl Supervisor {
    /// One is heard at a time; who comes meanwhile is to come again. Who has nothing started keeps nobody from it.
    pub(super) fn take_asks(&mut self) {
        self.hear_asker();
        while let Some(mut other) = self.beside.control.as_ref().and_then(Control::accept) {
            let wanted = self.beside.checked.is_some() || self.beside.overlap.has_candidate();
            if self.beside.connection.is_some() && wanted {
                let _ = other.say(&Word::Busy.line());
            } else {
                self.beside.connection = Some(other);
                self.hear_asker();
            }
        }
    }

    fn hear_asker(&mut self) {
        while let Some(line) = self.beside.connection.as_mut().and_then(Connection::line) {
            match serde_json::from_str(&line) {
                // Who says so has moved the link before, which is what counts.
                Ok(Ask::Promote) => self.go_by_the_link(),
                Ok(Ask::Restart) => match self.context.reader.as_ref().and_then(LaunchReader::read) {
                    Some(spec) => self.ask(spec, false),
                    None => self.beside.say(&Word::Refused("the launch can't be read".to_owned())),
                },
                Ok(Ask::Switch(spec)) => self.ask(*spec, true),
                Err(error) => self.beside.say(&Word::Refused(format!("this is not understood: {error}"))),
            }
        }
        if self.beside.connection.as_ref().is_some_and(Connection::is_closed) {
            self.beside.connection = None;
            if self.beside.checked.take().is_some() {
                self.beside.candidate = None;
            }
            self.go_by_the_link();
        }
    }

    /// A candidate stays if the current link names it. Where that can't be read, it is looked at again.
    pub(super) fn go_by_the_link(&mut self) {
        self.beside.look_again = None;
        if !self.beside.overlap.has_candidate() {
            return;
        }
        let Some(reader) = &self.context.reader else {
            self.beside(Happened::Left { named: false });
            return;
        };
        match reader.read() {
            Some(spec) => {
                let candidate = self.beside.candidate.as_ref();
                let named = candidate.is_some_and(|candidate| candidate.context.spec == spec);
                self.beside(Happened::Left { named });
            }
            None => self.beside.look_again = Some(clock::boot_now().later(LOOK_AGAIN)),
        }
    }

    fn ask(&mut self, spec: LaunchSpec, waits: bool) {
        if !self.beside.overlap.is_quiet() || self.beside.checked.is_some() {
            self.beside.say(&Word::Busy);
            return;
        }
        let terms = Terms::of(&spec, waits);
        match self.candidate(spec) {
            Ok((mut candidate, prepared)) => {
                let reply = candidate.readiness.check(&candidate.context, &prepared);
                candidate.prepared = Some(prepared);
                self.beside.candidate = Some(candidate);
                self.beside.checked = Some(terms);
                if let Some(reply) = reply {
                    self.checked(&reply);
                }
            }
            Err(word) => self.beside.say(&word),
        }
    }

    /// Before the candidate starts, whoever answers for it can only be what runs, and would answer afterwards too.
    pub(super) fn checked(&mut self, reply: &Reply) {
        let Some(terms) = self.beside.checked.take() else { return };
        let refusal = if *reply == Reply::Yes {
            EITHER_MAY_ANSWER
        } else if self.machine.standing().phase != Phase::Ready {
            NOT_READY_ITSELF
        } else {
            self.beside(Happened::Asked(terms));
            return;
        };
        self.beside.candidate = None;
        self.beside.say(&Word::Refused(refusal.to_owned()));
    }

    fn candidate(&mut self, spec: LaunchSpec) -> Result<(Candidate, Prepared), Word> {
        let refused = |reason: &str| Err(Word::Refused(reason.to_owned()));
        if self.machine.standing().phase != Phase::Ready {
            return refused(NOT_READY_ITSELF);
        }
        if !may_overlap(&self.context.spec, &spec) {
            return refused("what changes can't change while it runs");
        }
        let mut context = self.context.clone();
        if let Some(trees) = self.context.folders.package.parent() {
            context.folders.package = trees.join(spec.tree());
        }
        context.spec = spec;
        context.trial = None;
        let failed = |reason: String| Word::Failed { reason, exit: None };
        let number = self.next_start();
        let listener = speaks(&context.spec).then(|| listen_at(&context, &format!("notify-{number}")));
        let listener = listener.transpose().map_err(|error| failed(error.to_string()))?;
        let address = listener.as_ref().map(Listener::address);
        let prepared = Prepared::new(&context, address, number).map_err(failed)?;
        let expanded = |text: &str| expand_variables(text, |name| prepared.variable(name));
        if either_may_answer(&context.spec, expanded) {
            return refused(EITHER_MAY_ANSWER);
        }
        let readiness = Inquiry::new().map_err(|error| failed(error.to_string()))?;
        let changes = Changes::begin(&context, &prepared, clock::boot_now());
        let candidate = Candidate { context, listener, readiness, changes, prepared: None, program: None };
        Ok((candidate, prepared))
    }
}
