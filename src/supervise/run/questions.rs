//! The questions to a program, and what their answers mean at the point in its life that it has come to.

use std::time::Duration;

use super::Supervisor;
use crate::host::process::Ended;
use crate::model::moment::BootMoment;
use crate::supervise::inquiry::Reply;
use crate::supervise::transition::Input;

/// How long a command may take that says whether somebody needs the program.
const NEED_LIMIT: Duration = Duration::from_secs(10);

impl Supervisor {
    pub(super) fn ask_readiness(&mut self) {
        let Some(program) = &self.program else { return };
        if let Some(reply) = self.readiness.readiness(&self.context, program) {
            self.readiness_answered(reply);
        }
    }

    pub(super) fn ask_health(&mut self) {
        let (Some(program), Some(policy)) = (&self.program, &self.context.spec.health) else { return };
        if let Some(reply) = self.health.health(&self.context, &program.prepared, policy) {
            self.health_answered(reply);
        }
    }

    pub(super) fn ask_need(&mut self) {
        let (Some(program), Some(idle)) = (&self.program, &self.context.spec.idle) else { return };
        let reply = match &idle.busy {
            Some(command) => self.need.need(&self.context, &program.prepared, command, NEED_LIMIT),
            None => Some(match self.connected() {
                Ok(true) => Reply::Yes,
                Ok(false) => Reply::No("there is no connection".to_owned()),
                Err(error) => Reply::Unknown(error.to_string()),
            }),
        };
        if let Some(reply) = reply {
            self.need_answered(&reply);
        }
    }

    /// What nobody waits for any more is not asked further.
    pub(super) fn drop_questions(&mut self) {
        if !self.machine.awaits_readiness() {
            self.readiness.cancel();
        }
        if !self.machine.awaits_health() {
            self.health.cancel();
        }
        if !self.machine.awaits_need() {
            self.need.cancel();
        }
    }

    pub(super) fn attend_questions(&mut self, now: BootMoment) {
        if let Some(reply) = self.readiness.attend(now) {
            self.readiness_answered(reply);
        }
        if let Some(reply) = self.health.attend(now) {
            self.health_answered(reply);
        }
        if let Some(reply) = self.need.attend(now) {
            self.need_answered(&reply);
        }
    }

    /// A child that ended may have been a question.
    pub(super) fn answer_of(&mut self, ended: Ended) {
        if let Some(reply) = self.readiness.answer_of(ended) {
            self.readiness_answered(reply);
        }
        if let Some(reply) = self.health.answer_of(ended) {
            self.health_answered(reply);
        }
        if let Some(reply) = self.need.answer_of(ended) {
            self.need_answered(&reply);
        }
    }

    pub(super) fn port_answered(&mut self, reply: &Reply) {
        let input = if *reply == Reply::Yes { Input::PortTaken } else { Input::PortFree };
        self.inputs.push_back(input);
    }

    fn readiness_answered(&mut self, reply: Reply) {
        // Before the start the same question has the opposite meaning.
        if self.program.is_none() {
            self.port_answered(&reply);
        } else {
            let answer = reply.answer();
            self.inputs.push_back(answer.map_or_else(Input::ProbeFailed, |()| Input::ProbeOk));
        }
    }

    fn health_answered(&mut self, reply: Reply) {
        let answer = reply.answer();
        self.inputs.push_back(answer.map_or_else(Input::Unhealthy, |()| Input::Healthy));
    }

    /// Where it can't be known, somebody may need the program.
    fn need_answered(&mut self, reply: &Reply) {
        let nobody = matches!(reply, Reply::No(_));
        self.inputs.push_back(if nobody { Input::NotNeeded } else { Input::Needed });
    }
}
