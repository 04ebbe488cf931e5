//! The lines of a unit by their settings, while it is decided what becomes of each.

use std::collections::BTreeMap;

use super::lines::Assignment;
use crate::model::adoption::{AdoptedLine, Fate};

/// A section and a setting in it.
type Key = (String, String);

/// All lines, and which of them nobody has looked at yet.
#[derive(Debug, Default)]
pub(super) struct Collected {
    lines: Vec<AdoptedLine>,
    open: BTreeMap<Key, Vec<usize>>,
}

impl Collected {
    /// Adds an assignment that is to be carried over.
    pub(super) fn add(&mut self, assignment: Assignment) {
        let key = (assignment.section.clone(), assignment.key.clone());
        let place = self.push(line(assignment));
        self.open.entry(key).or_default().push(place);
    }

    /// Adds a line of which it is decided what becomes of it. Gives its place.
    pub(super) fn push(&mut self, line: AdoptedLine) -> usize {
        self.lines.push(line);
        self.lines.len() - 1
    }

    /// The lines that count of a setting that may be said several times: those after the last empty one. Of one with a
    /// single value, that is [`Collected::last`].
    pub(super) fn many(&mut self, section: &str, key: &str) -> Vec<usize> {
        let places = self.open.remove(&(section.to_owned(), key.to_owned())).unwrap_or_default();
        let reset = places.iter().rposition(|place| self.lines[*place].value.is_empty());
        let counting = places[reset.map_or(0, |reset| reset + 1)..].to_vec();
        if let Some(reset) = reset {
            let by = self.lines[places[reset]].place();
            for place in &places[..reset] {
                self.same(*place, format!("{by} takes it back"));
            }
            self.same(places[reset], "it takes back what was said before");
        }
        counting
    }

    /// The one line of several that counts, the last; the others are marked.
    pub(super) fn last(&mut self, section: &str, key: &str) -> Option<(usize, String)> {
        let mut places = self.many(section, key);
        let last = places.pop()?;
        let by = self.lines[last].place();
        for place in places {
            self.same(place, format!("{by} says it again, and counts"));
        }
        Some((last, self.value(last)))
    }

    /// What nobody has looked at, of a section: settings with the places of all their lines, empty ones too.
    pub(super) fn rest(&mut self, section: &str) -> Vec<(String, Vec<usize>)> {
        let keys: Vec<Key> = self.open.keys().filter(|(of, _)| of == section).cloned().collect();
        let rest = keys.into_iter().filter_map(|key| Some((key.1.clone(), self.open.remove(&key)?)));
        rest.collect()
    }

    /// The sections of what nobody has looked at.
    pub(super) fn sections(&self) -> Vec<String> {
        let mut sections: Vec<String> = self.open.keys().map(|(section, _)| section.clone()).collect();
        sections.dedup();
        sections
    }

    /// The value that will count of a setting, which is not looked at by this.
    pub(super) fn peek(&self, section: &str, key: &str) -> Option<String> {
        self.peek_many(section, key).last().map(|place| self.value(*place))
    }

    /// The lines of a setting since the last empty one, which are not looked at by this.
    pub(super) fn peek_many(&self, section: &str, key: &str) -> Vec<usize> {
        let places = self.open.get(&(section.to_owned(), key.to_owned())).cloned().unwrap_or_default();
        let reset = places.iter().rposition(|place| self.lines[*place].value.is_empty());
        places[reset.map_or(0, |reset| reset + 1)..].to_vec()
    }

    pub(super) fn line(&self, place: usize) -> AdoptedLine {
        self.lines[place].clone()
    }

    pub(super) fn value(&self, place: usize) -> String {
        self.lines[place].value.clone()
    }

    pub(super) fn carried(&mut self, place: usize, field: impl Into<String>) {
        self.turn(place, |line| line.carried(field));
    }

    pub(super) fn same(&mut self, place: usize, note: impl Into<String>) {
        self.turn(place, |line| line.same(note));
    }

    pub(super) fn refused(&mut self, place: usize, note: impl Into<String>) {
        self.turn(place, |line| line.refused(note));
    }

    pub(super) fn noting(&mut self, place: usize, note: impl Into<String>) {
        self.turn(place, |line| line.noting(note));
    }

    fn turn(&mut self, place: usize, change: impl FnOnce(AdoptedLine) -> AdoptedLine) {
        if let Some(line) = self.lines.get_mut(place) {
            *line = change(line.clone());
        }
    }

    /// All lines, in the order of the files.
    pub(super) fn into_lines(self) -> Vec<AdoptedLine> {
        self.lines
    }
}

/// A line of which nothing is decided.
pub(super) fn line(assignment: Assignment) -> AdoptedLine {
    AdoptedLine {
        file: assignment.file,
        line: assignment.line,
        key: assignment.key,
        value: assignment.value,
        fate: Fate::Refused,
        field: None,
        note: None,
    }
}
