//! What is asked of launchd so that a service starts, stops or restarts, as a pure machine: what was heard goes in, and
//! the next move comes out.
//!
//! It waits out what scripts stumble over: for seconds after a `bootout` a `bootstrap` fails with code 5 or 37; a label
//! outlives its `bootout`; a service is registered and does not start; a `kickstart -k` gives the process that was there
//! before. No verb of the old interface is used (`load`, `unload`, `list`), since those report success where nothing
//! happened. What it believes is what `print` says afterwards.
//!
//! A label can be in several domains at once: what was registered over ssh in `user/501` is loaded once more into `gui/501` at
//! the next login at the screen. Whatever is wanted, it is left in one at most, else the other one's would start after a stop.
//!
//! A restart does not begin with `kickstart -k`, which kills (SIGKILL) before anything can drain: the supervisor is asked to
//! end and to be started again, which launchd does by itself even if whoever asked is gone.

use std::time::Duration;

use crate::platform::launchd::printed::{Job, NO_DOMAIN, NO_SERVICE, Printed, service};
use crate::platform::observed::Answer;

mod search;
mod terms;

pub use terms::{Goal, Heard, Move, Strange, Subject, Trouble};

/// The codes by which launchctl says that it can't be done at this moment: an input/output error, and an operation that
/// is in progress.
const LATER: [i32; 2] = [5, 37];
/// Those by which a service is gone already, or going: no such process, or in progress.
const GOING: [i32; 5] = [3, 5, NO_SERVICE, 36, 37];
/// Its code for what a domain can't do.
const NOT_IN_DOMAIN: i32 = 125;
/// How long a registration is tried.
const REGISTRATION: Duration = Duration::from_secs(30);
/// How long a process may take to come.
const COMING: Duration = Duration::from_secs(15);
/// How long a process may stay that was killed.
const GOING_ON: Duration = Duration::from_secs(10);
/// After this time a start that was promised is asked for.
const NUDGE: Duration = Duration::from_secs(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Between two tries.
const TRY: Duration = Duration::from_millis(500);
/// What launchctl may take for one answer.
const ANSWER: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Looking which domain has it, or could.
    Searching(usize),
    /// Telling launchd to let it start by itself; without that a `bootstrap` has no effect.
    Enabling,
    Registering,
    /// Looking whether it is registered, and runs as another process than before.
    Verifying,
    Kicking {
        kill: bool,
    },
    Asking,
    /// Waiting for the end of a process, or for another one.
    Draining,
    Releasing,
    /// Waiting until its label is gone.
    Leaving,
    /// Telling launchd that it does not start by itself.
    Settling,
    Marking(usize),
}

/// The way to a goal.
#[derive(Clone, Debug)]
pub struct Course {
    subject: Subject,
    goal: Goal,
    stage: Stage,
    /// Whether the move of this stage was made, so that what is heard is its answer.
    moved: bool,
    /// When this stage's waiting began.
    since: Duration,
    /// When the first registration was tried.
    registering: Option<Duration>,
    /// The place of the domain among the subject's.
    domain: Option<usize>,
    /// What the first domain has that has it at all, and which that is.
    kept: Option<(usize, Job)>,
    /// The process that is to be replaced.
    before: Option<u32>,
    nudged: bool,
    kills: u32,
    said: String,
}

impl Course {
    /// The way to a goal.
    #[must_use]
    pub fn new(subject: Subject, goal: Goal) -> Self {
        let stage = match goal {
            Goal::Enable | Goal::Disable => Stage::Marking(0),
            Goal::Start | Goal::Restart | Goal::Stop => Stage::Searching(0),
        };
        Self {
            subject,
            goal,
            stage,
            moved: false,
            since: Duration::ZERO,
            registering: None,
            domain: None,
            kept: None,
            before: None,
            nudged: false,
            kills: 0,
            said: String::new(),
        }
    }

    /// The next move. `elapsed` is the time since the first.
    pub fn next(&mut self, heard: Heard<'_>, elapsed: Duration) -> Move {
        if self.moved {
            self.moved = false;
            let next = self.hear(heard, elapsed);
            if let Some(next) = next {
                return next;
            }
        }
        self.moved = true;
        match self.stage {
            Stage::Searching(place) => self.print(place),
            Stage::Verifying | Stage::Draining | Stage::Leaving => self.print(self.place()),
            Stage::Enabling => self.launchctl(&["enable"], ANSWER),
            Stage::Settling => self.launchctl(&["disable"], ANSWER),
            Stage::Registering => {
                self.registering.get_or_insert(elapsed);
                let domain = self.domain_at(self.place());
                let words = ["bootstrap".to_owned(), domain, self.subject.file.to_string()];
                Move::Launchctl(words.to_vec(), REGISTRATION)
            }
            Stage::Kicking { kill: false } => self.launchctl(&["kickstart"], ANSWER),
            Stage::Kicking { kill: true } => self.launchctl(&["kickstart", "-k"], ANSWER),
            Stage::Asking => Move::Ask(self.before.unwrap_or_default()),
            Stage::Releasing => self.launchctl(&["bootout"], self.release_limit()),
            Stage::Marking(place) => {
                let verb = if self.goal == Goal::Enable { "enable" } else { "disable" };
                Move::Launchctl(vec![verb.to_owned(), self.target_at(place)], ANSWER)
            }
        }
    }

    fn hear(&mut self, heard: Heard<'_>, now: Duration) -> Option<Move> {
        match self.stage {
            Stage::Searching(place) => self.searched(place, heard, now),
            Stage::Enabling => self.go(Stage::Registering, now),
            Stage::Registering => self.registered(heard, now),
            Stage::Verifying => self.verified(heard, now),
            Stage::Kicking { .. } => self.kicked(heard, now),
            Stage::Asking => match heard {
                Heard::Asked(true) => self.go(Stage::Draining, now),
                // What supervises nothing loses nothing when it is killed.
                _ => self.go(Stage::Kicking { kill: true }, now),
            },
            Stage::Draining => self.drained(heard, now),
            Stage::Releasing => self.released(heard, now),
            Stage::Leaving => self.left(heard, now),
            Stage::Settling => Some(Move::Done),
            Stage::Marking(place) => self.marked(place, heard, now),
        }
    }

    fn registered(&mut self, heard: Heard<'_>, now: Duration) -> Option<Move> {
        let Heard::Answer(answer) = heard else { return self.go(Stage::Verifying, now) };
        match answer.code {
            Some(0) => self.go(Stage::Verifying, now),
            Some(NO_DOMAIN | NOT_IN_DOMAIN) if self.place() + 1 < self.subject.domains.len() => {
                self.domain = Some(self.place() + 1);
                self.go(Stage::Enabling, now)
            }
            // It may have been registered all the same, or by somebody else: a look tells.
            Some(code) if LATER.contains(&code) => {
                self.said = words(answer);
                self.go(Stage::Verifying, now)
            }
            code => Some(self.refused("bootstrap", code, words(answer))),
        }
    }

    fn verified(&mut self, heard: Heard<'_>, now: Duration) -> Option<Move> {
        let waited = now.saturating_sub(self.since);
        let job = match printed(heard) {
            Printed::Job(job) => job,
            // It was not taken, or is gone again: the race after a `bootout`.
            Printed::NoService | Printed::NoDomain => return Some(self.try_again(now)),
            Printed::Unknown { code, said } if waited > COMING => {
                return Some(self.refused("print", code, said));
            }
            Printed::Unknown { .. } => return Some(Move::Pause(LOOK)),
        };
        if job.pid.is_some() && job.pid == self.before {
            if waited < GOING_ON {
                return Some(Move::Pause(LOOK));
            }
            if self.kills < 3 {
                return self.go(Stage::Kicking { kill: true }, now);
            }
            let pid = job.pid.unwrap_or_default();
            return Some(Move::Failed(Trouble::SameProcess { target: self.target(), pid }));
        }
        // One that was started and has ended already was started: how it fared is another question.
        let ran = job.runs.is_some_and(|runs| runs > 0) && job.last_exit.is_some() && self.before.is_none();
        if job.pid.is_some() || (ran && !job.is_coming() && self.nudged) {
            return self.settle(now);
        }
        if waited > COMING {
            return Some(Move::Failed(Trouble::NotStarted { target: self.target(), said: job.state }));
        }
        if !self.nudged && waited >= NUDGE {
            self.nudged = true;
            return self.go(Stage::Kicking { kill: false }, now);
        }
        Some(Move::Pause(LOOK))
    }

    fn try_again(&mut self, now: Duration) -> Move {
        let tried = now.saturating_sub(self.registering.unwrap_or(now));
        if tried > REGISTRATION {
            return Move::Failed(Trouble::NotRegistered {
                target: self.target(),
                said: self.said.clone(),
                limit: REGISTRATION,
            });
        }
        self.stage = Stage::Registering;
        Move::Pause(TRY)
    }

    fn kicked(&mut self, heard: Heard<'_>, now: Duration) -> Option<Move> {
        if self.stage == (Stage::Kicking { kill: true }) {
            self.kills += 1;
        }
        self.nudged = true;
        match heard {
            Heard::Answer(answer) => match answer.code {
                Some(0) => self.go(Stage::Verifying, now),
                Some(NO_SERVICE | NO_DOMAIN) => self.go(Stage::Enabling, now),
                Some(code) if LATER.contains(&code) => self.go(Stage::Verifying, now),
                code => Some(self.refused("kickstart", code, words(answer))),
            },
            // It waits for ever where launchd puts a start off; what `print` says counts.
            _ => self.go(Stage::Verifying, now),
        }
    }

    fn drained(&mut self, heard: Heard<'_>, now: Duration) -> Option<Move> {
        match printed(heard) {
            Printed::Job(job) if job.pid.is_some() && job.pid != self.before => self.settle(now),
            Printed::Job(job) if job.pid.is_none() => {
                // It has ended: launchd starts it again, and at once if it is asked.
                self.before = None;
                self.go(Stage::Kicking { kill: false }, now)
            }
            Printed::NoService => self.go(Stage::Enabling, now),
            _ if now.saturating_sub(self.since) > self.subject.stop_limit.duration() => {
                self.go(Stage::Kicking { kill: true }, now)
            }
            _ => Some(Move::Pause(LOOK)),
        }
    }

    fn marked(&mut self, place: usize, heard: Heard<'_>, now: Duration) -> Option<Move> {
        match heard {
            Heard::Answer(Answer { code: Some(0), .. }) => Some(Move::Done),
            _ if place + 1 < self.subject.domains.len() => self.go(Stage::Marking(place + 1), now),
            Heard::Answer(answer) => {
                let verb = if self.goal == Goal::Enable { "enable" } else { "disable" };
                Some(self.refused(verb, answer.code, words(answer)))
            }
            _ => Some(Move::Failed(Trouble::NoDomain { domains: self.subject.domains.clone() })),
        }
    }

    /// It runs. What is not to start by itself is told so last, because launchd registers nothing that is disabled.
    fn settle(&mut self, now: Duration) -> Option<Move> {
        if self.subject.at_boot { Some(Move::Done) } else { self.go(Stage::Settling, now) }
    }

    fn go(&mut self, stage: Stage, now: Duration) -> Option<Move> {
        // A look that follows a look goes on waiting.
        if self.stage != stage {
            self.since = now;
        }
        self.stage = stage;
        None
    }

    fn print(&self, place: usize) -> Move {
        Move::Launchctl(vec!["print".to_owned(), self.target_at(place)], ANSWER)
    }

    fn launchctl(&self, verb: &[&str], limit: Duration) -> Move {
        let verb = verb.iter().map(|word| (*word).to_owned());
        Move::Launchctl(verb.chain([self.target()]).collect(), limit)
    }

    fn refused(&self, command: &str, code: Option<i32>, said: String) -> Move {
        Move::Failed(Trouble::Refused { command: format!("{command} {}", self.target()), code, said })
    }

    fn release_limit(&self) -> Duration {
        self.subject.stop_limit.duration() + REGISTRATION
    }

    fn place(&self) -> usize {
        self.domain.unwrap_or_default()
    }

    fn domain_at(&self, place: usize) -> String {
        self.subject.domains.get(place).cloned().unwrap_or_default()
    }

    fn target_at(&self, place: usize) -> String {
        format!("{}/{}", self.domain_at(place), self.subject.label)
    }

    fn target(&self) -> String {
        self.target_at(self.place())
    }
}

fn printed(heard: Heard<'_>) -> Printed {
    match heard {
        Heard::Answer(answer) => service(answer),
        _ => Printed::Unknown { code: None, said: "it does not answer".to_owned() },
    }
}

/// launchctl's words, in one line.
fn words(answer: Answer<'_>) -> String {
    let text = if answer.stderr.trim().is_empty() { answer.stdout } else { answer.stderr };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
