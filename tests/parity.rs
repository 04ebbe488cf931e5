//! `docs/parity.md` answers every line of the systems that mainstay was measured against, and names a test for each line
//! that it claims.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

/// How many lines each of the five descriptions has, by its letter.
const LINES: [(char, u32); 5] = [('K', 102), ('E', 19), ('W', 8), ('S', 15), ('A', 16)];

struct Row {
    lines: Vec<String>,
    state: String,
    text: String,
}

/// The lines that a first cell stands for: `K1`, `K65, K66` or `E12 to E13`.
fn lines(cell: &str) -> Vec<String> {
    let number = |name: &str| name[1..].parse::<u32>().unwrap();
    match cell.split_once(" to ") {
        Some((first, last)) => {
            (number(first)..=number(last)).map(|number| format!("{}{number}", &first[..1])).collect()
        }
        None => cell.split(", ").map(str::to_owned).collect(),
    }
}

fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/parity.md");
    let text = std::fs::read_to_string(page).unwrap();
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")).map(|line| line.split(" | "));
    let named =
        cells.filter(|cells| cells.clone().next().unwrap().ends_with(|last: char| last.is_ascii_digit()));
    named
        .map(|mut cells| {
            let lines = lines(cells.next().unwrap());
            let state = cells.nth(1).unwrap().to_owned();
            Row { lines, state, text: cells.collect::<Vec<_>>().join(" | ") }
        })
        .collect()
}

#[test]
fn every_line_has_its_row() {
    let found: Vec<String> = rows().into_iter().flat_map(|row| row.lines).collect();
    let wanted: BTreeSet<String> = LINES
        .into_iter()
        .flat_map(|(letter, count)| (1..=count).map(move |number| format!("{letter}{number}")))
        .collect();
    let distinct: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(distinct, wanted);
    assert_eq!(found.len(), wanted.len(), "a line has two rows");
}

/// That the test is there is looked at with all other files that documents name.
#[test]
fn every_line_that_is_claimed_names_its_test() {
    let mut without = Vec::new();
    for row in rows() {
        let is_shown = row.text.split('`').skip(1).step_by(2).any(|span| {
            span.starts_with("tests/")
                || (span.starts_with("src/") && span.contains("test"))
                || span.contains("::")
        });
        match row.state.as_str() {
            "works here" | "differs" if !is_shown => without.push(row.lines),
            "works here" | "differs" | "not ours" | "later" => {}
            other => panic!("{:?} is `{other}`", row.lines),
        }
    }
    assert!(without.is_empty(), "no test is named for {without:?}");
}
