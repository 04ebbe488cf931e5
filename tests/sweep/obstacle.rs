//! Obstacles that stop an operation at chosen points.

use std::cell::{Cell, RefCell};

use mainstay::engine::obstacle::{Fate, Obstacle, Point};

/// Stops at the points of these numbers, in the order in which they come by, each in its own way.
pub(crate) struct Stops {
    at: Vec<(usize, Fate)>,
    passed: Cell<usize>,
    /// The points that came by, for messages.
    pub(crate) points: RefCell<Vec<Point>>,
}

impl Stops {
    pub(crate) fn new(at: &[(usize, Fate)]) -> Self {
        Self { at: at.to_vec(), passed: Cell::new(0), points: RefCell::default() }
    }

    pub(crate) fn never() -> Self {
        Self::new(&[])
    }

    /// How many points came by.
    pub(crate) fn count(&self) -> usize {
        self.passed.get()
    }

    /// Whether it has stopped everything that it was to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.at.iter().all(|(place, _)| *place < self.count())
    }

    pub(crate) fn last(&self) -> Option<Point> {
        self.points.borrow().last().copied()
    }
}

/// A disk that is full after so many entries of the journal, and has room again for a later operation.
pub(crate) struct FullAfter {
    entries: Cell<usize>,
    /// Whether only one entry fails.
    pub(crate) once: bool,
    /// Whether it has been full.
    pub(crate) met: Cell<bool>,
}

impl FullAfter {
    pub(crate) fn new(entries: usize, once: bool) -> Self {
        Self { entries: Cell::new(entries), once, met: Cell::new(false) }
    }
}

impl Obstacle for FullAfter {
    fn at(&self, _: Point) -> Fate {
        Fate::Nothing
    }

    fn fills_journal(&self) -> bool {
        let Some(left) = self.entries.get().checked_sub(1) else {
            let full = !(self.once && self.met.get());
            self.met.set(true);
            return full;
        };
        self.entries.set(left);
        false
    }
}

impl Obstacle for Stops {
    fn at(&self, point: Point) -> Fate {
        let place = self.passed.replace(self.passed.get() + 1);
        self.points.borrow_mut().push(point);
        self.at.iter().find(|(at, _)| *at == place).map_or(Fate::Nothing, |(_, fate)| *fate)
    }
}
