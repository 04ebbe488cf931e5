//! The process that a service manager starts where it runs nothing before a program and goes by no exit code: guard and
//! supervisor in one. Before each start it makes the switch, or takes it back; then it supervises, and acts on the ending.
//!
//! A version that fails in its trial is taken back in here, and the one before goes on in the same process: no restart
//! policy is needed for that. What ended for good ends with success, so that the manager leaves it alone; how it really
//! ended stand in the report and in the history. Only who was asked to come again ends otherwise, and so does one that
//! was killed: those the manager starts again.

use std::time::{Duration, Instant};

use crate::engine::guard::{self, AtStart, Event, Outcome};
use crate::engine::supervisor::{RunError, Unsupervised, Wishes, before_start, supervise};
use crate::host::clock;
use crate::host::rest::{self, AsFd as _};
use crate::host::signal::{Signal, SignalPipe};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::status::Exit;
use crate::model::trial::END_OF_TRIAL;
use crate::supervise::Ending;

/// The pauses after a start that something hindered; the last one again and again.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(30)];

/// How a resident ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residence {
    /// For good.
    Over(Ending),
    /// There is nothing to supervise, however often it is tried.
    Nothing,
    /// To be started again: a command has asked for it.
    Again,
}

/// Guards and supervises an instance until it has ended for good, or is to be started again by its service manager.
pub fn reside(
    layout: &Layout,
    name: &InstanceName,
    wishes: &Wishes,
    tell: &mut dyn FnMut(&Event),
) -> Result<Residence, RunError> {
    let asked = [Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1];
    let asked = SignalPipe::new(&asked)
        .map_err(|source| RunError::Guard(guard::GuardError::System { action: "catch signals", source }))?;
    // What was asked of an earlier life is no word about this one.
    let _ = guard::is_to_come_again(layout, name);
    let (_, left) = guard::clear(layout, name);
    if !left.is_empty() {
        tell(&Event::Left { name: name.clone(), processes: left });
    }
    let mut resident = Resident { layout, name, asked, hindered: 0, tell };
    loop {
        if let Some(residence) = resident.live(wishes) {
            return Ok(residence);
        }
    }
}

struct Resident<'a> {
    layout: &'a Layout,
    name: &'a InstanceName,
    asked: SignalPipe,
    /// How many starts in a row something hindered.
    hindered: usize,
    tell: &'a mut dyn FnMut(&Event),
}

impl Resident<'_> {
    /// One start and what follows. Nothing: it is to be started again, from here.
    fn live(&mut self, wishes: &Wishes) -> Option<Residence> {
        let name = self.name.clone();
        let found = before_start(self.layout, &name);
        if self.asked.take() > 0 {
            return Some(self.stopped());
        }
        match found {
            AtStart::Start { .. } | AtStart::First { .. } => {}
            AtStart::StayDown { reason } => {
                (self.tell)(&Event::Over { name, outcome: Outcome::StayedDown { reason } });
                return Some(Residence::Nothing);
            }
            AtStart::Later { reason } => {
                (self.tell)(&Event::NotStarted { name, reason });
                return self.pause();
            }
        }
        let began = Instant::now();
        match supervise(self.layout, &name, None, wishes.clone()) {
            Ok(Ending::TrialFailed) => {
                self.again(END_OF_TRIAL);
                // It can't be taken back twice in a row; whatever else it is, it must not be tried without end.
                if began.elapsed() < PAUSES[0] { self.pause() } else { self.go_on() }
            }
            Ok(Ending::Stopped) => Some(self.stopped()),
            Ok(ending) => Some(Residence::Over(ending)),
            Err(Unsupervised { on_trial: true, error }) => {
                (self.tell)(&Event::NotStarted { name, reason: error.to_string() });
                self.again(END_OF_TRIAL);
                None
            }
            Err(Unsupervised { error, .. }) if error.is_final() => {
                let outcome = Outcome::StayedDown { reason: error.to_string() };
                (self.tell)(&Event::Over { name, outcome });
                Some(Residence::Nothing)
            }
            Err(Unsupervised { error, .. }) => {
                (self.tell)(&Event::NotStarted { name, reason: error.to_string() });
                self.pause()
            }
        }
    }

    /// What a request to end means.
    fn stopped(&self) -> Residence {
        if guard::is_to_come_again(self.layout, self.name) {
            Residence::Again
        } else {
            Residence::Over(Ending::Stopped)
        }
    }

    fn again(&mut self, code: u8) {
        let exit = Exit::Code(i32::from(code));
        (self.tell)(&Event::Again { name: self.name.clone(), exit, pause: Duration::ZERO });
    }

    fn go_on(&mut self) -> Option<Residence> {
        self.hindered = 0;
        None
    }

    /// Waits before the next try, unless it is asked to end meanwhile.
    fn pause(&mut self) -> Option<Residence> {
        let pause = PAUSES[self.hindered.min(PAUSES.len() - 1)];
        self.hindered = self.hindered.saturating_add(1);
        let until = clock::boot_now().later(pause);
        while clock::boot_now() < until {
            if rest::wait(&[self.asked.as_fd()], Some(until)).is_err() || self.asked.take() > 0 {
                return Some(self.stopped());
            }
        }
        None
    }
}
