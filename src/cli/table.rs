//! Tables: columns as wide as their widest cell, styles not counted. Where a terminal is narrower, columns are
//! shortened, and the least important ones left out: no line is ever broken.

use anstyle::Style;

use crate::cli::report::{Report, style, styled};
use crate::cli::wrap::{width, without_beginning, without_end, wrap};

/// What stands between two columns.
const GAP: usize = 2;
/// How far in stands what follows below its row.
const BELOW: usize = 4;

/// A cell, and how it looks.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A text in a style.
    pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> Self {
        Self { text: text.to_string(), style }
    }
}

impl<T: std::fmt::Display> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(Style::new(), text)
    }
}

/// What of a cell is left out where it is too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing.
    Never,
    /// Its end.
    End,
    /// Its beginning.
    Beginning,
}

/// A column, and what becomes of it where there is no room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// What stands above it.
    pub(crate) heading: &'static str,
    /// The rank: 0 always stays, and of the others the highest goes first.
    pub(crate) rank: u8,
    /// What of its cells is left out first.
    pub(crate) cut: Cut,
    /// The width below which it is not shortened.
    pub(crate) least: usize,
}

impl Column {
    /// A column that stays as it is.
    pub(crate) const fn fixed(heading: &'static str) -> Self {
        Self { heading, rank: 0, cut: Cut::Never, least: 0 }
    }
}

/// A table under construction.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these headings, all of whose columns stay.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self::of(headings.iter().map(|heading| Column::fixed(heading)).collect())
    }

    /// A table of these columns.
    pub(crate) fn of(columns: Vec<Column>) -> Self {
        let headings = columns.iter().map(|column| Cell::styled(style::FAINT, column.heading)).collect();
        Self { columns, rows: vec![headings] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Tells the table. Of what may not be cut, the columns for which there is no room follow below their row.
    pub(crate) fn tell(&self, report: &Report) {
        for line in self.folded(report.columns().unwrap_or(usize::MAX)) {
            report.verbatim(line);
        }
    }

    /// The lines of the table, none wider than the room that there is.
    pub(crate) fn lines(&self, room: Option<usize>) -> Vec<String> {
        let columns = self.fitted(room.unwrap_or(usize::MAX));
        self.rows.iter().map(|row| self.line(row, &columns)).collect()
    }

    /// The lines of the table with all that is in it.
    fn folded(&self, room: usize) -> Vec<String> {
        let natural = self.natural();
        let beside = (1..=natural.len()).rev().find(|count| taken(&natural[..*count]) <= room).unwrap_or(1);
        let mut lines = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            lines.push(self.line(row, &natural[..beside]));
            // A heading without its column would stand above nothing.
            let below = row.iter().skip(beside).filter(|cell| index > 0 && !cell.text.is_empty());
            for cell in below {
                let broken = wrap(&cell.text, room.saturating_sub(BELOW));
                lines.extend(broken.iter().map(|line| " ".repeat(BELOW) + &styled(cell.style, line)));
            }
        }
        lines
    }

    /// All columns, each as wide as its widest cell.
    fn natural(&self) -> Vec<(usize, usize)> {
        let widest = |column: usize| {
            self.rows.iter().map(|row| row.get(column).map_or(0, |cell| width(&cell.text))).max().unwrap_or(0)
        };
        (0..self.columns.len()).map(|column| (column, widest(column))).collect()
    }

    /// The columns that are shown, each with its width.
    fn fitted(&self, room: usize) -> Vec<(usize, usize)> {
        let mut shown = self.natural();
        loop {
            let mut fitted = shown.clone();
            // The least important columns give first.
            let mut order: Vec<usize> = (0..fitted.len()).collect();
            order.sort_by_key(|at| std::cmp::Reverse(self.columns[fitted[*at].0].rank));
            let last = shown.iter().map(|(column, _)| self.columns[*column].rank).max().unwrap_or(0);
            for at in order {
                let over = taken(&fitted).saturating_sub(room);
                let column = &self.columns[fitted[at].0];
                // What always stays is whole for as long as something less important is there.
                if column.cut != Cut::Never && (column.rank > 0 || last <= 1) {
                    let give = fitted[at].1.saturating_sub(column.least.max(width(column.heading)));
                    fitted[at].1 -= give.min(over);
                }
            }
            if taken(&fitted) <= room || last == 0 {
                return fitted;
            }
            shown.retain(|(column, _)| self.columns[*column].rank < last);
        }
    }

    fn line(&self, row: &[Cell], columns: &[(usize, usize)]) -> String {
        let mut line = String::new();
        let cell = |column: &usize| row.get(*column).filter(|cell| !cell.text.is_empty());
        // What comes last needs no padding, and empty cells at the end need nothing.
        let last = columns.iter().rposition(|(column, _)| cell(column).is_some()).unwrap_or(0);
        for (at, (column, room)) in columns.iter().enumerate().take(last + 1) {
            let text = match (cell(column), self.columns[*column].cut) {
                (None, _) => String::new(),
                (Some(cell), Cut::Never) => cell.text.clone(),
                (Some(cell), Cut::End) => without_end(&cell.text, *room),
                (Some(cell), Cut::Beginning) => without_beginning(&cell.text, *room),
            };
            let padding = if at < last { room.saturating_sub(width(&text)) + GAP } else { 0 };
            let style = cell(column).map_or_else(Style::new, |cell| cell.style);
            line.push_str(&styled(style, &text));
            line.extend(std::iter::repeat_n(' ', padding));
        }
        line
    }
}

fn taken(columns: &[(usize, usize)]) -> usize {
    columns.iter().map(|(_, width)| width).sum::<usize>() + GAP * columns.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lines: &[String]) -> Vec<String> {
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", "STATE", "FOLDER"]);
        table.row(vec!["web".into(), Cell::styled(style::GOOD, "running and ready"), "/srv/web".into()]);
        table.row(vec!["größer".into(), "stopped".into(), "".into()]);
        assert_eq!(
            plain(&table.lines(None)),
            ["NAME    STATE              FOLDER", "web     running and ready  /srv/web", "größer  stopped",]
        );
    }

    #[test]
    fn what_finds_no_room_follows_below_its_row() {
        let mut table = Table::new(&["WHEN", "WHAT", "WHY"]);
        table.row(vec!["today".into(), "ended: failure".into(), "the program exited with code 3".into()]);
        table.row(vec!["today".into(), "started".into(), "".into()]);
        let narrow = [
            "WHEN   WHAT",
            "today  ended: failure",
            "    the program exited",
            "    with code 3",
            "today  started",
        ];
        assert_eq!(plain(&table.folded(24)), narrow);
        assert_eq!(plain(&table.folded(80)), plain(&table.lines(None)));
    }

    #[test]
    fn columns_are_shortened_and_then_left_out() {
        let mut table = Table::of(vec![
            Column { heading: "NAME", rank: 0, cut: Cut::End, least: 8 },
            Column { heading: "STATE", rank: 0, cut: Cut::Never, least: 0 },
            Column { heading: "SCOPE", rank: 4, cut: Cut::Never, least: 0 },
            Column { heading: "FOLDER", rank: 3, cut: Cut::Beginning, least: 10 },
        ]);
        table.row(vec![
            "orchestrator".into(),
            "ready".into(),
            "system".into(),
            "/srv/deploy/orchestrator".into(),
        ]);
        let row = |room| plain(&table.lines(Some(room))).remove(1);
        assert_eq!(row(60), "orchestrator  ready  system  /srv/deploy/orchestrator");
        assert_eq!(row(40), "orchestrator  ready  system  …chestrator");
        assert_eq!(row(36), "orchestrator  ready  …y/orchestrator");
        assert_eq!(row(31), "orchestrator  ready  …hestrator");
        assert_eq!(row(28), "orchestrator  ready");
        assert_eq!(row(16), "orchestr…  ready");
        for room in 16..70 {
            for line in plain(&table.lines(Some(room))) {
                assert!(width(&line) <= room, "{room}: {line}");
            }
        }
    }
}
