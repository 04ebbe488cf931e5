//! What is looked at now and then: changed files, and connections that wait.

use super::Supervisor;
use crate::model::moment::BootMoment;
use crate::model::status::Phase;
use crate::supervise::changes::Changes;
use crate::supervise::connections;
use crate::supervise::transition::Input;
use crate::supervise::values;

impl Supervisor {
    /// When files are looked at next. `None`: a change would make no difference now.
    pub(super) fn changes_deadline(&self) -> Option<BootMoment> {
        self.changes.as_ref().filter(|_| self.machine.heeds_changes()).map(Changes::deadline)
    }

    /// Keeps the values of a start that has become ready: they are the way back.
    pub(super) fn keep_values(&mut self) {
        let ready = self.machine.standing().phase == Phase::Ready;
        if let Some(program) = self.program.as_ref().filter(|program| program.runs && ready)
            && self.kept_of != Some(program.started)
        {
            values::keep(&self.context, &program.prepared);
            self.kept_of = Some(program.started);
        }
    }

    pub(super) fn look_at_changes(&mut self, now: BootMoment) {
        if self.changes_deadline().is_none() {
            return;
        }
        if let Some(what) = self.changes.as_mut().and_then(|changes| changes.look(now)) {
            self.inputs.push_back(Input::Changed(what));
        }
    }

    /// Whether a connection wakes a program that nobody needed.
    pub(super) fn look_at_sockets(&mut self) {
        if self.machine.awaits_connection() && self.sockets.descriptors().any(connections::waits) {
            self.inputs.push_back(Input::Wake);
        }
    }

    /// Whether there are connections to the sockets that are held, others than those with which the supervisor itself
    /// asks the program. An error says that it can't be known.
    pub(super) fn connected(&self) -> std::io::Result<bool> {
        let sockets: Vec<_> = self.context.spec.sockets.iter().map(|socket| socket.listen.clone()).collect();
        let own = || self.health.own_ends().into_iter().chain(self.readiness.own_ends());
        // One may begin or end in the middle of the count.
        let before: Vec<_> = own().collect();
        let found = connections::others(&sockets)?;
        Ok(found
            .into_iter()
            .any(|other| other.is_none_or(|end| !before.contains(&end) && own().all(|own| own != end))))
    }
}
