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

impl Obstacle for Stops {
    fn at(&self, point: Point) -> Fate {
        let place = self.passed.replace(self.passed.get() + 1);
        self.points.borrow_mut().push(point);
        self.at.iter().find(|(at, _)| *at == place).map_or(Fate::Nothing, |(_, fate)| *fate)
    }
}
