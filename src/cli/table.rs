//! Tables: columns as wide as their widest cell, styles not counted.

use anstyle::Style;

use crate::cli::report::{Report, style, styled};

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

/// A table under construction.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| Cell::styled(style::FAINT, heading)).collect()] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Tells the table.
    pub(crate) fn tell(&self, report: &Report) {
        for line in self.lines() {
            report.line(line);
        }
    }

    fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().map(|row| width(row, column)).max().unwrap_or(0))
            .collect();
        self.rows.iter().map(|row| line(row, &widths)).collect()
    }
}

fn width(row: &[Cell], column: usize) -> usize {
    row.get(column).map_or(0, |cell| cell.text.chars().count())
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut line = String::new();
    // What comes last needs no padding, and empty cells at the end need nothing.
    let last = row.iter().rposition(|cell| !cell.text.is_empty()).unwrap_or(0);
    for (index, (cell, width)) in row.iter().zip(widths).enumerate().take(last + 1) {
        line.push_str(&styled(cell.style, &cell.text));
        if index < last {
            let padding = width.saturating_sub(cell.text.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', padding));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", "STATE", "FOLDER"]);
        table.row(vec!["web".into(), Cell::styled(style::GOOD, "running and ready"), "/srv/web".into()]);
        table.row(vec!["größer".into(), "stopped".into(), "".into()]);
        let lines: Vec<String> =
            table.lines().iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(
            lines,
            ["NAME    STATE              FOLDER", "web     running and ready  /srv/web", "größer  stopped",]
        );
    }
}
