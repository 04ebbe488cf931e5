//! Two starts of one program at a time: a candidate becomes ready beside what runs, takes its place, and what ran
//! before drains. Pure, as the [machine](crate::supervise::machine) is, which knows of one program only.
//!
//! ```text
//! asked → launching → starting → ready ─ it is to stay ─→ promoted          (what ran: draining → gone)
//!             │           │        │
//!             └── failed ─┴────────┴─ it is not, or what runs has ended, or a stop ─→ dropping → gone
//! ```

use std::time::Duration;

use crate::model::launch::{LaunchSpec, Probe};
use crate::model::moment::BootMoment;
use crate::model::overlap::Word;
use crate::model::socket::{Listen, Socket};
use crate::model::status::Exit;

/// The shortest and the longest pause between two questions whether the candidate is ready.
const PROBE_PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What of a launch counts here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    probe: Probe,
    ready_limit: Duration,
    stop_limit: Duration,
    /// Whether somebody decides, when it is ready, that it is to stay.
    waits: bool,
}

impl Terms {
    /// Those of a candidate.
    #[must_use]
    pub fn of(spec: &LaunchSpec, waits: bool) -> Self {
        let timeout = spec.ready.timeout.duration();
        // A new version has its gate.
        let ready_limit = if waits { timeout.min(spec.gate.duration()) } else { timeout };
        Self { probe: spec.ready.probe.clone(), ready_limit, stop_limit: spec.stop.timeout.duration(), waits }
    }

    fn asks(&self) -> bool {
        !matches!(self.probe, Probe::Delay(_) | Probe::Notify)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Somebody wants a candidate.
    Asked(Terms),
    /// Its process is there.
    Started,
    /// There is no process, and why.
    StartFailed(String),
    /// It showed that it is ready, or said so.
    Ready,
    /// It did not, and why.
    NotReady(String),
    /// It asked for so much more time.
    Extend(Duration),
    /// It ended.
    Ended(Exit),
    /// Who wanted it is done, or gone. Whether it is to stay is what the current link names.
    Left {
        /// Whether that is the candidate.
        named: bool,
    },
    /// What runs is ready no longer.
    Lost,
    /// What drained has ended.
    RetiredEnded,
    /// All is to end.
    Stop,
    /// All is to end at once.
    Force,
    /// Time went by.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Start the candidate; say [`Happened::Started`] or [`Happened::StartFailed`].
    Start,
    /// Ask whether it is ready; say [`Happened::Ready`] or [`Happened::NotReady`].
    Probe,
    /// Tell who wanted it.
    Say(Word),
    /// It takes the place of what runs, which is asked to end.
    Promote,
    /// Ask the candidate to end.
    EndCandidate,
    /// Kill what is left of the candidate.
    KillCandidate,
    /// Kill what is left of what drained.
    KillRetired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    None,
    Launching(Terms),
    Starting { terms: Terms, since: BootMoment, until: BootMoment, next_probe: Option<BootMoment> },
    Ready(Terms),
    Dropping { until: BootMoment },
}

/// Who becomes ready beside what runs, and who drains.
#[derive(Clone, Debug)]
pub struct Overlap {
    state: State,
    refusal: Option<String>,
    /// Until when what ran before may drain.
    retired: Option<BootMoment>,
    /// How long what runs may take to end.
    stop_limit: Duration,
}

impl Overlap {
    /// Nobody beside a program that may take so long to end.
    #[must_use]
    pub fn new(stop_limit: Duration) -> Self {
        Self { state: State::None, refusal: None, retired: None, stop_limit }
    }

    /// Whether there is nobody beside what runs.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.state == State::None && self.retired.is_none()
    }

    /// Whether there is a candidate that may still take the place of what runs.
    #[must_use]
    pub fn has_candidate(&self) -> bool {
        !matches!(self.state, State::None | State::Dropping { .. })
    }

    /// Whether the answer to the question whether it is ready is still of interest.
    #[must_use]
    pub fn awaits_readiness(&self) -> bool {
        matches!(self.state, State::Starting { .. })
    }

    /// When [`Happened::Tick`] is due. `None`: nothing happens by time alone.
    #[must_use]
    pub fn deadline(&self) -> Option<BootMoment> {
        let candidate = match &self.state {
            State::Starting { until, next_probe, .. } => {
                Some(next_probe.map_or(*until, |probe| probe.min(*until)))
            }
            State::Dropping { until } => Some(*until),
            State::None | State::Launching(_) | State::Ready(_) => None,
        };
        candidate.into_iter().chain(self.retired).min()
    }

    /// Takes what happened, and says what is to be done.
    pub fn on(&mut self, happened: Happened, now: BootMoment) -> Vec<Wanted> {
        match (self.state.clone(), happened) {
            (_, Happened::RetiredEnded) if self.retired.is_some() => {
                self.retired = None;
                vec![Wanted::KillRetired]
            }
            (_, Happened::Force) => self.force(),
            (_, Happened::Tick) => self.tick(now),
            (State::None, Happened::Asked(terms)) if self.retired.is_none() => {
                self.state = State::Launching(terms);
                self.refusal = None;
                vec![Wanted::Say(Word::Starting), Wanted::Start]
            }
            (_, Happened::Asked(_)) => vec![Wanted::Say(Word::Busy)],
            (State::Launching(terms), Happened::Started) => self.started(terms, now),
            (State::Launching(_), Happened::StartFailed(reason)) => {
                self.state = State::None;
                vec![Wanted::KillCandidate, failed(reason, Some(Exit::NotStarted))]
            }
            (State::Starting { terms, .. }, Happened::Ready) => self.ready(terms, now),
            (State::Starting { terms, since, until, .. }, Happened::NotReady(reason)) => {
                self.refusal = Some(reason);
                let next_probe = Some(now.later(pause(since, now)));
                self.state = State::Starting { terms, since, until, next_probe };
                Vec::new()
            }
            (State::Starting { terms, since, until, next_probe }, Happened::Extend(more)) => {
                // The gate of a new version is the user's word against the program's.
                let until = if terms.waits { until } else { until.max(now.later(more)) };
                self.state = State::Starting { terms, since, until, next_probe };
                Vec::new()
            }
            (State::Ready(terms), Happened::Left { named: true }) => self.promote(&terms, now),
            (State::Starting { terms, since, until, next_probe }, Happened::Left { named: true }) => {
                // What is named runs, as soon as it can.
                let terms = Terms { waits: false, ..terms };
                self.state = State::Starting { terms, since, until, next_probe };
                Vec::new()
            }
            // A restart was wished for, and is brought to its end.
            (State::Starting { terms, .. }, Happened::Left { named: false }) if !terms.waits => Vec::new(),
            (State::Starting { terms, .. } | State::Ready(terms), Happened::Left { named: false }) => {
                self.drop_it(&terms, "who asked for it is gone", now)
            }
            (State::Starting { terms, .. } | State::Ready(terms), Happened::Lost) => {
                self.drop_it(&terms, "what ran beside it has ended meanwhile", now)
            }
            (State::Starting { terms, .. } | State::Ready(terms), Happened::Stop) => {
                self.drop_it(&terms, "the service is being stopped", now)
            }
            (State::Starting { .. } | State::Ready(_), Happened::Ended(exit)) => {
                self.state = State::None;
                let reason = format!("it {exit} before it took over");
                vec![Wanted::KillCandidate, failed(reason, Some(exit))]
            }
            (State::Dropping { .. }, Happened::Ended(_)) => {
                self.state = State::None;
                vec![Wanted::KillCandidate]
            }
            _ => Vec::new(),
        }
    }

    fn started(&mut self, terms: Terms, now: BootMoment) -> Vec<Wanted> {
        let until = match &terms.probe {
            // The time that the program is to stay alive is itself the limit.
            Probe::Delay(delay) => now.later(delay.duration()),
            _ => now.later(terms.ready_limit),
        };
        let next_probe = terms.asks().then(|| now.later(PROBE_PAUSES.0));
        self.state = State::Starting { terms, since: now, until, next_probe };
        Vec::new()
    }

    fn ready(&mut self, terms: Terms, now: BootMoment) -> Vec<Wanted> {
        if !terms.waits {
            return self.promote(&terms, now);
        }
        self.state = State::Ready(terms);
        vec![Wanted::Say(Word::Ready)]
    }

    fn promote(&mut self, terms: &Terms, now: BootMoment) -> Vec<Wanted> {
        self.state = State::None;
        self.retired = Some(now.later(self.stop_limit));
        self.stop_limit = terms.stop_limit;
        vec![Wanted::Promote, Wanted::Say(Word::Promoted)]
    }

    fn drop_it(&mut self, terms: &Terms, reason: &str, now: BootMoment) -> Vec<Wanted> {
        self.state = State::Dropping { until: now.later(terms.stop_limit) };
        vec![failed(reason.to_owned(), None), Wanted::EndCandidate]
    }

    fn tick(&mut self, now: BootMoment) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        if self.retired.is_some_and(|until| now >= until) {
            self.retired = None;
            wanted.push(Wanted::KillRetired);
        }
        match self.state.clone() {
            State::Starting { terms, until, .. } if now >= until => {
                if matches!(terms.probe, Probe::Delay(_)) {
                    wanted.extend(self.ready(terms, now));
                } else {
                    let why = self.refusal.take().map(|reason| format!(" ({reason})")).unwrap_or_default();
                    self.state = State::Dropping { until: now.later(terms.stop_limit) };
                    let reason = format!("it did not become ready in time{why}");
                    wanted.extend([failed(reason, Some(Exit::NotReady)), Wanted::EndCandidate]);
                }
            }
            State::Starting { terms, since, until, next_probe: Some(probe) } if now >= probe => {
                self.state = State::Starting { terms, since, until, next_probe: None };
                wanted.push(Wanted::Probe);
            }
            State::Dropping { until } if now >= until => {
                self.state = State::None;
                wanted.push(Wanted::KillCandidate);
            }
            _ => {}
        }
        wanted
    }

    fn force(&mut self) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        if std::mem::replace(&mut self.state, State::None) != State::None {
            wanted.push(Wanted::KillCandidate);
        }
        if self.retired.take().is_some() {
            wanted.push(Wanted::KillRetired);
        }
        wanted
    }
}

fn pause(since: BootMoment, now: BootMoment) -> Duration {
    (now.since(since) / 8).clamp(PROBE_PAUSES.0, PROBE_PAUSES.1)
}

fn failed(reason: String, exit: Option<Exit>) -> Wanted {
    Wanted::Say(Word::Failed { reason, exit })
}

/// Whether a launch shows that it is ready where either of the two starts may do so: at one of its sockets, or by a
/// file. `expanded` puts values in the place of `{env.NAME}`.
pub fn either_may_answer(spec: &LaunchSpec, expanded: impl Fn(&str) -> String) -> bool {
    if matches!(spec.ready.probe, Probe::File(_)) {
        return true;
    }
    let (Probe::Http(address) | Probe::Tcp(address)) = &spec.ready.probe else { return false };
    let address = expanded(address);
    let authority = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map_or(Some(80), |(_, port)| port.parse().ok());
    let held = |socket: &Socket| match &socket.listen {
        Listen::Tcp(address) => Some(address.port()),
        Listen::Unix(_) => None,
    };
    port.is_some() && spec.sockets.iter().any(|socket| held(socket) == port)
}

#[cfg(test)]
mod tests;
