//! Which domains have a service, and its way out of those that are not to have it.

use std::time::Duration;

use super::{Course, GOING, Goal, Heard, Job, Move, Printed, Stage, Trouble, printed, words};

impl Course {
    pub(super) fn searched(&mut self, place: usize, heard: Heard<'_>, now: Duration) -> Option<Move> {
        match printed(heard) {
            Printed::Job(job) if self.goal != Goal::Stop && self.kept.is_none() => {
                self.domain = Some(place);
                self.kept = Some((place, job));
            }
            // To be stopped, or one too many.
            Printed::Job(_) => {
                self.domain = Some(place);
                return self.go(Stage::Releasing, now);
            }
            Printed::NoService => {
                self.domain.get_or_insert(place);
            }
            Printed::NoDomain => {}
            Printed::Unknown { code, said } => return Some(self.refused("print", code, said)),
        }
        self.search_on(place, now)
    }

    fn search_on(&mut self, place: usize, now: Duration) -> Option<Move> {
        if place + 1 < self.subject.domains.len() {
            return self.go(Stage::Searching(place + 1), now);
        }
        if let Some((place, job)) = self.kept.take() {
            self.domain = Some(place);
            return self.found(&job, now);
        }
        match (self.goal, self.domain) {
            (Goal::Stop, _) => Some(Move::Done),
            (_, Some(_)) => self.go(Stage::Enabling, now),
            (_, None) => Some(Move::Failed(Trouble::NoDomain { domains: self.subject.domains.clone() })),
        }
    }

    fn found(&mut self, job: &Job, now: Duration) -> Option<Move> {
        let stale = job.is_stale(self.subject.definition.as_deref());
        match self.goal {
            Goal::Start if job.pid.is_some() => self.settle(now),
            _ if stale => {
                self.before = job.pid;
                self.go(Stage::Releasing, now)
            }
            Goal::Restart if job.pid.is_some() => {
                self.before = job.pid;
                self.go(Stage::Asking, now)
            }
            _ => self.go(Stage::Kicking { kill: false }, now),
        }
    }

    pub(super) fn released(&mut self, heard: Heard<'_>, now: Duration) -> Option<Move> {
        match heard {
            Heard::Answer(answer) if answer.code.is_none_or(|code| code != 0 && !GOING.contains(&code)) => {
                Some(self.refused("bootout", answer.code, words(answer)))
            }
            _ => self.go(Stage::Leaving, now),
        }
    }

    pub(super) fn left(&mut self, heard: Heard<'_>, now: Duration) -> Option<Move> {
        match printed(heard) {
            // Another domain may have it as well.
            Printed::NoService | Printed::NoDomain if self.goal == Goal::Stop || self.kept.is_some() => {
                self.search_on(self.place(), now)
            }
            Printed::NoService | Printed::NoDomain => {
                // A process of the same number would be another one.
                self.before = None;
                self.go(Stage::Enabling, now)
            }
            _ if now.saturating_sub(self.since) > self.release_limit() => {
                let limit = self.release_limit();
                Some(Move::Failed(Trouble::StillThere { target: self.target(), limit }))
            }
            _ => Some(Move::Pause(super::LOOK)),
        }
    }
}
