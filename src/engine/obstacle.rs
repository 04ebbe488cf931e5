//! What stands in an operation's way. Nothing does, but in tests that fail or kill it at each point in turn.

/// A point of an operation at which it can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The journal is about to be opened.
    Opening,
    /// A step is journalled as begun and not yet done.
    Begun(usize),
    /// A step is done and not yet journalled as ended.
    Done(usize),
    /// All steps have ended and the journal is about to be closed.
    Closing,
    /// A step is about to be undone.
    Undoing(usize),
    /// A point of a switch that moves data, by what comes before or after it.
    Moving(&'static str),
    /// What follows the journalled steps is about to be done.
    After(usize),
    /// A part of a take-back is done that the service's own start makes.
    Start(usize),
    /// A part of what is written down of a trial that has ended is done.
    Books(usize),
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    Nothing,
    /// The step fails, as on a full disk.
    Failure,
    /// The process is gone.
    Death,
}

/// Decides what happens at each point.
pub trait Obstacle {
    /// What happens here.
    fn at(&self, point: Point) -> Fate;

    /// Whether the journal can't be written, as on a full disk. Asked before each of its entries, and before
    /// it is closed.
    fn fills_journal(&self) -> bool {
        false
    }
}

/// No obstacle.
pub struct Clear;

impl Obstacle for Clear {
    fn at(&self, _: Point) -> Fate {
        Fate::Nothing
    }
}
