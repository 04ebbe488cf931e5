//! Waiting for a service, as a pure machine: what is seen goes in, and what is next comes out.
//!
//! The manager answers at once and does later. A service that is on its way moves its checkpoint, and as long as that
//! moves it is waited for; one whose checkpoint stands still for as long as it wanted, and for its limit, hangs. So does one
//! that says for longer than its limit that it is about to stop: a thread that says so proves nothing about the others.

use std::time::Duration;

use crate::platform::windows::answer::{self, Standing, State};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// It does not run.
    Stopped,
    /// It is on its way up, or up.
    Started,
    /// It is no longer there.
    Gone,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It stands so.
    Stands(Standing),
    /// There is no such service.
    Absent,
    /// What was asked last was refused.
    Refused(u32),
}

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is reached.
    Done,
    /// Look again after a pause.
    Look(Duration),
    /// Ask it to stop.
    AskStop,
    /// Start it.
    Start,
    /// Delete it.
    Delete,
    /// It hangs, in this state.
    Hangs(Option<State>),
    /// It was refused for good.
    Refused(u32),
}

const LOOK: Duration = Duration::from_millis(50);
/// What a service that says how far it is may take to stop beyond its limit.
const GRACE: Duration = Duration::from_secs(15);

/// A wait.
#[derive(Clone, Debug)]
pub struct Progress {
    goal: Goal,
    limit: Duration,
    checkpoint: Option<(State, u32)>,
    moved: Duration,
    /// When it was on its way down for the first time.
    going_down: Option<Duration>,
    /// Whether it was asked to stop.
    stop_asked: bool,
    /// Whether it was started, or deleted.
    acted: bool,
}

impl Progress {
    /// Waits for a goal, for as long as something moves and then at most for `limit`.
    #[must_use]
    pub fn new(goal: Goal, limit: Duration) -> Self {
        Self {
            goal,
            limit,
            checkpoint: None,
            moved: Duration::ZERO,
            going_down: None,
            stop_asked: false,
            acted: false,
        }
    }

    /// What is next, after what was seen at a time since the beginning.
    pub fn next(&mut self, sight: &Sight, since: Duration) -> Next {
        match sight {
            Sight::Absent => match self.goal {
                Goal::Started => Next::Refused(answer::NO_SUCH_SERVICE),
                Goal::Stopped | Goal::Gone => Next::Done,
            },
            Sight::Refused(code) => self.refused(*code, since),
            Sight::Stands(standing) => self.stands(standing, since),
        }
    }

    /// What was asked came too early, too late, or is done already: then the next look tells.
    fn refused(&mut self, code: u32, since: Duration) -> Next {
        let passes = match self.goal {
            Goal::Stopped => matches!(
                code,
                answer::NOT_ACTIVE | answer::CANNOT_ACCEPT | answer::TAKES_NO_SUCH | answer::SHUTS_DOWN
            ),
            // A service that has just stopped is for a moment neither: its process has still to go.
            Goal::Started => {
                matches!(code, answer::RUNS_ALREADY | answer::CANNOT_ACCEPT | answer::DATABASE_LOCKED)
            }
            Goal::Gone => matches!(
                code,
                answer::NOT_ACTIVE
                    | answer::CANNOT_ACCEPT
                    | answer::TAKES_NO_SUCH
                    | answer::MARKED_FOR_DELETE
                    | answer::NO_SUCH_SERVICE
            ),
        };
        if !passes {
            return Next::Refused(code);
        }
        if since > self.moved + self.limit {
            return match code {
                answer::MARKED_FOR_DELETE => Next::Refused(code),
                _ => Next::Hangs(self.checkpoint.map(|(state, _)| state)),
            };
        }
        // Whoever can't take it now is asked again.
        self.stop_asked = false;
        self.acted = code == answer::MARKED_FOR_DELETE;
        Next::Look(LOOK)
    }

    fn stands(&mut self, standing: &Standing, since: Duration) -> Next {
        let now = (standing.state, standing.checkpoint);
        if self.checkpoint != Some(now) {
            self.checkpoint = Some(now);
            self.moved = since;
        }
        let hint = Duration::from_millis(u64::from(standing.wait_hint));
        if standing.state == State::StopPending {
            self.going_down.get_or_insert(since);
        }
        // Whoever wants to start it has no limit of its stop to go by.
        let bounded = self.going_down.filter(|_| self.goal != Goal::Started);
        let hangs = since > self.moved + self.limit.max(hint)
            || bounded.is_some_and(|began| since > began + self.limit + GRACE);
        let look = |state| if hangs { Next::Hangs(Some(state)) } else { Next::Look(LOOK) };
        match (self.goal, standing.state) {
            (Goal::Stopped, State::Stopped) | (Goal::Started, State::Running | State::StartPending) => {
                Next::Done
            }
            (Goal::Started, State::Stopped) if !self.acted => {
                self.acted = true;
                Next::Start
            }
            // It has ended again, before anybody looked: whoever waits for readiness says why.
            (Goal::Started, State::Stopped) => Next::Done,
            (Goal::Gone, State::Stopped) if !self.acted => {
                self.acted = true;
                Next::Delete
            }
            (Goal::Stopped | Goal::Gone, State::Running | State::StartPending | State::Paused)
                if !self.stop_asked && !hangs =>
            {
                self.stop_asked = true;
                Next::AskStop
            }
            (_, state) => look(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands(state: State, checkpoint: u32) -> Sight {
        Sight::Stands(Standing { state, pid: None, exit_code: 0, own_code: 0, checkpoint, wait_hint: 0 })
    }

    /// Goes through what is seen, one look each 50 ms, and gives what was next.
    fn goes(goal: Goal, limit: u64, sights: &[Sight]) -> Vec<Next> {
        let mut progress = Progress::new(goal, Duration::from_millis(limit));
        let at = |index: usize| LOOK * u32::try_from(index).unwrap();
        sights.iter().enumerate().map(|(index, sight)| progress.next(sight, at(index))).collect()
    }

    const AGAIN: Next = Next::Look(LOOK);

    #[test]
    fn a_stop_is_waited_for_until_it_has_stopped() {
        let sights = [
            stands(State::Running, 0),
            stands(State::Running, 0),
            stands(State::StopPending, 1),
            stands(State::StopPending, 2),
            stands(State::Stopped, 0),
        ];
        assert_eq!(goes(Goal::Stopped, 500, &sights), [Next::AskStop, AGAIN, AGAIN, AGAIN, Next::Done]);
        assert_eq!(goes(Goal::Stopped, 500, &[Sight::Absent]), [Next::Done]);
    }

    #[test]
    fn one_that_moves_is_waited_for_and_one_that_stands_still_hangs() {
        let moving: Vec<Sight> = (0..20).map(|checkpoint| stands(State::StopPending, checkpoint)).collect();
        assert!(goes(Goal::Stopped, 100, &moving).iter().all(|next| *next == AGAIN));
        // For as long as it may take to stop, and not for ever.
        let mut progress = Progress::new(Goal::Stopped, Duration::from_secs(10));
        for second in 0..=25_u32 {
            let next = progress.next(&stands(State::StopPending, second), Duration::from_secs(second.into()));
            assert_eq!(next, AGAIN, "{second}");
        }
        let next = progress.next(&stands(State::StopPending, 26), Duration::from_secs(26));
        assert_eq!(next, Next::Hangs(Some(State::StopPending)));
        let still = vec![stands(State::StopPending, 3); 5];
        let hangs = Next::Hangs(Some(State::StopPending));
        assert_eq!(goes(Goal::Stopped, 100, &still), [AGAIN, AGAIN, AGAIN, hangs, hangs]);
    }

    #[test]
    fn what_came_at_the_wrong_moment_is_asked_again() {
        let sights = [
            stands(State::StartPending, 1),
            Sight::Refused(answer::CANNOT_ACCEPT),
            stands(State::Running, 0),
            Sight::Refused(answer::NOT_ACTIVE),
            stands(State::Stopped, 0),
        ];
        assert_eq!(
            goes(Goal::Stopped, 500, &sights),
            [Next::AskStop, AGAIN, Next::AskStop, AGAIN, Next::Done]
        );
        let denied = Sight::Refused(answer::ACCESS_DENIED);
        assert_eq!(goes(Goal::Stopped, 500, &[denied]), [Next::Refused(answer::ACCESS_DENIED)]);
    }

    #[test]
    fn a_start_waits_for_what_is_on_its_way_down() {
        let sights = [
            stands(State::StopPending, 1),
            stands(State::Stopped, 0),
            Sight::Refused(answer::RUNS_ALREADY),
            stands(State::StartPending, 1),
        ];
        assert_eq!(goes(Goal::Started, 500, &sights), [AGAIN, Next::Start, AGAIN, Next::Done]);
        assert_eq!(
            goes(Goal::Started, 500, &[Sight::Refused(1069), Sight::Absent]),
            [Next::Refused(1069), Next::Refused(answer::NO_SUCH_SERVICE)]
        );
        // It ended again before anybody looked: it is not started over and over.
        assert_eq!(
            goes(Goal::Started, 500, &[stands(State::Stopped, 0), stands(State::Stopped, 0)]),
            [Next::Start, Next::Done]
        );
    }

    #[test]
    fn what_is_deleted_is_gone_only_when_nobody_holds_it() {
        let marked = Sight::Refused(answer::MARKED_FOR_DELETE);
        let sights = [
            stands(State::Running, 0),
            stands(State::Stopped, 0),
            marked.clone(),
            stands(State::Stopped, 0),
            Sight::Absent,
        ];
        assert_eq!(goes(Goal::Gone, 500, &sights), [Next::AskStop, Next::Delete, AGAIN, AGAIN, Next::Done]);
        let held = vec![marked; 4];
        let last = goes(Goal::Gone, 100, &held).pop();
        assert_eq!(last, Some(Next::Refused(answer::MARKED_FOR_DELETE)));
    }
}
