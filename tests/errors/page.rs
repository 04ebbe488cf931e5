//! The part of `docs/errors.md` that lists every message.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::groups::{GROUPS, Group, Manner, group_of};
use crate::messages::Message;

const BEGIN: &str =
    "<!-- From here on kept by tests/errors.rs: it finds the messages, people write what to do. -->\n";
/// The exit codes that there are.
const CODES: [&str; 16] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "130", "190"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    codes: String,
    advice: String,
}

/// The rows, by the heading of their group and their message.
#[derive(Debug, Default)]
pub(crate) struct Page {
    rows: BTreeMap<(String, String), Row>,
    /// What is said of a group as a whole.
    said: BTreeMap<String, String>,
    /// The order of the rows.
    order: Vec<(String, String)>,
}

impl Page {
    /// Reads what stands there.
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let Some((_, kept)) = text.split_once(BEGIN) else { return page };
        let mut heading = String::new();
        for line in kept.lines() {
            let known = |row: &str, page: &mut Self, told: Row, heading: &str| {
                let key = (heading.to_owned(), row.to_owned());
                page.order.push(key.clone());
                page.rows.insert(key, told);
            };
            if let Some(found) = line.strip_prefix("### ") {
                found.clone_into(&mut heading);
            } else if let Some(message) = line.strip_prefix("- ") {
                known(message, &mut page, Row::default(), &heading);
            } else if line.starts_with("| ") && line != HEAD.trim_end() {
                let cells = cells(line);
                if let [message, codes, advice] = cells.as_slice() {
                    let told = Row { codes: codes.clone(), advice: advice.clone() };
                    known(message, &mut page, told, &heading);
                }
            } else if !line.is_empty() && !line.starts_with('|') && !heading.is_empty() {
                page.said.insert(heading.clone(), line.to_owned());
            }
        }
        page
    }

    /// The exit codes that the page gives a message, where it gives each its own.
    pub(crate) fn codes(&self, message: &Message) -> Option<&str> {
        let row = self.rows.get(&key(message)).map(|row| row.codes.as_str());
        row.filter(|_| matches!(group_of(message).manner, Manner::Each))
    }

    /// What is missing, and what is too much.
    pub(crate) fn compare(&self, found: &[Message]) -> Vec<String> {
        let mut faults = Vec::new();
        let wanted: BTreeMap<(String, String), &Message> =
            found.iter().map(|message| (key(message), message)).collect();
        for (key, message) in &wanted {
            let group = group_of(message);
            let place = format!("src/{}, {}: `{}`", message.file, message.home, message.text);
            match (self.rows.get(key), group.manner) {
                (None, _) => faults.push(format!("not listed: {place}")),
                (Some(row), Manner::Each) if !is_said(&row.advice) => {
                    faults.push(format!("nothing says what to do: {place}"));
                }
                (Some(row), Manner::Each) if !row.codes.split(", ").all(|code| CODES.contains(&code)) => {
                    faults.push(format!("`{}` is no exit code: {place}", row.codes));
                }
                (Some(_), _) => {}
            }
        }
        for (heading, text) in self.rows.keys().filter(|key| !wanted.contains_key(*key)) {
            faults.push(format!("listed below `{heading}`, and nowhere in the sources: {text}"));
        }
        for group in GROUPS.iter().filter(|group| matches!(group.manner, Manner::Together)) {
            let is_there = wanted.keys().any(|(heading, _)| heading == group.heading);
            if is_there && !self.said.get(group.heading).is_some_and(|advice| is_said(advice)) {
                faults.push(format!("nothing says what to do about `{}`", group.heading));
            }
        }
        faults
    }

    /// Adds what is missing and takes away what is too much.
    pub(crate) fn update(&mut self, found: &[Message]) {
        self.order.clear();
        for group in GROUPS {
            for message in found.iter().filter(|message| std::ptr::eq(group_of(message), group)) {
                let key = key(message);
                if !self.order.contains(&key) {
                    let codes = group.codes.to_owned();
                    self.rows.entry(key.clone()).or_insert(Row { codes, advice: String::new() });
                    self.order.push(key);
                }
            }
        }
        let order = self.order.clone();
        self.rows.retain(|key, _| order.contains(key));
    }

    /// The whole document, with this part in its place.
    pub(crate) fn written(&self, document: &str) -> String {
        let (before, _) = document.split_once(BEGIN).unwrap_or((document, ""));
        let mut text = before.to_owned() + BEGIN;
        for group in GROUPS {
            let rows: Vec<&(String, String)> =
                self.order.iter().filter(|(heading, _)| heading == group.heading).collect();
            if !rows.is_empty() {
                self.group(&mut text, group, &rows);
            }
        }
        text
    }

    fn group(&self, text: &mut String, group: &Group, rows: &[&(String, String)]) {
        let said = self.said.get(group.heading).map_or("", String::as_str);
        let _ = write!(text, "\n### {}\n\n", group.heading);
        if !said.is_empty() {
            let _ = write!(text, "{said}\n\n");
        }
        if let Manner::Together = group.manner {
            for (_, message) in rows {
                let _ = writeln!(text, "- {message}");
            }
            return;
        }
        text.push_str(HEAD);
        text.push_str("|---|---|---|\n");
        for key in rows {
            let row = &self.rows[*key];
            let _ = writeln!(text, "| {} | {} | {} |", key.1.replace('|', "\\|"), row.codes, row.advice);
        }
    }
}

const HEAD: &str = "| message | code | what to do |\n";

fn key(message: &Message) -> (String, String) {
    (group_of(message).heading.to_owned(), message.text.trim().to_owned())
}

/// The cells of a line; `\|` in one is no border.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').replace("\\|", "\u{0}");
    let line = line.strip_suffix('|').unwrap_or(&line);
    line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

/// Whether a text is one or more sentences.
fn is_said(advice: &str) -> bool {
    advice.len() >= 15 && advice.ends_with(['.', '?', '`']) && advice.contains(' ')
}
