//! A unit that somebody else wrote, read: from its files to a draft of a manifest, with a word on each line. Nothing is
//! passed over without a word, and nothing is asked of systemd, so that a unit can be read on any system.
//!
//! What systemd supposes where a unit says nothing is written into the draft wherever mainstay supposes something else.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::model::adoption::AdoptedLine;
use crate::model::manifest::{Hardening, Scope};
use crate::platform::adoption::Draft;

use self::collected::{Collected, line};
use self::lines::Assignment;
pub use self::specifiers::UnitFacts;

mod collected;
mod command;
mod commands;
mod environment;
mod lines;
mod policy;
mod quantities;
mod rest;
mod specifiers;
mod surroundings;
mod words;

/// The settings by which a service is stopped.
const WAY_OUT: [&str; 6] =
    ["ExecStop", "KillSignal", "TimeoutStopSec", "TimeoutSec", "SendSIGHUP", "FinalKillSignal"];

/// A unit with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitSource {
    /// What its specifiers stand for.
    pub facts: UnitFacts,
    /// Its files in systemd's order: the unit, then what changes it.
    pub files: Vec<UnitText>,
    /// The texts of its files of variables; nothing of one that is not there.
    pub environment_files: BTreeMap<Utf8PathBuf, Option<String>>,
    /// The run folder that the instance will have.
    pub run: Utf8PathBuf,
}

/// A file of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitText {
    /// Where it stands.
    pub path: Utf8PathBuf,
    /// What it says.
    pub text: String,
    /// Whether it changes a unit that stands elsewhere (a drop-in).
    pub is_drop_in: bool,
}

impl UnitText {
    /// Whether it has to go: it says what counts no more, or would undo what mainstay says. A drop-in that only adds
    /// what mainstay leaves alone stays where it is, and counts for the new unit too.
    #[must_use]
    pub fn moves(&self) -> bool {
        let (assignments, _) = lines::read(&self.path, &self.text);
        !self.is_drop_in || assignments.iter().any(rest::is_ours)
    }
}

impl UnitSource {
    /// The files of variables that the unit names.
    #[must_use]
    pub fn environment_files(&self) -> Vec<Utf8PathBuf> {
        let named = self.assignments().into_iter().filter(|found| found.key == "EnvironmentFile");
        let paths = named.filter_map(|found| surroundings::environment_file(&found.value, &self.facts).ok());
        paths.map(|(path, _)| path).collect()
    }

    fn assignments(&self) -> Vec<Assignment> {
        self.files.iter().flat_map(|file| lines::read(&file.path, &file.text).0).collect()
    }
}

/// How the service is stopped by its own old words, as a drop-in; nothing where it says none of its own.
#[must_use]
pub fn way_out(source: &UnitSource) -> Option<String> {
    let mut text = String::from("[Service]\n");
    let mut says = false;
    for found in source.assignments().into_iter().filter(|found| found.section == "Service") {
        // The command may need the variables.
        let is_way_out = WAY_OUT.contains(&found.key.as_str());
        if is_way_out || found.key.starts_with("Environment") {
            says |= is_way_out;
            text.extend([&found.key, "=", &found.value, "\n"]);
        }
    }
    says.then_some(text)
}

/// What is known while a unit is read.
struct Reader<'a> {
    source: &'a UnitSource,
    lines: Collected,
    draft: Draft,
    /// The variables as systemd would have them, for command lines.
    variables: command::Variables,
}

/// Reads a unit.
#[must_use]
pub fn read(source: &UnitSource) -> Draft {
    let mut lines = Collected::default();
    for file in &source.files {
        let moves = file.moves();
        let (assignments, strays) = lines::read(&file.path, &file.text);
        for assignment in assignments {
            if moves {
                lines.add(assignment);
            } else {
                lines.push(line(assignment).stays());
            }
        }
        for stray in strays {
            let (section, key) = (String::new(), String::new());
            let value = stray.text;
            let found = Assignment { file: file.path.clone(), line: stray.line, section, key, value };
            lines.push(line(found).same("it is no setting: systemd passes it over too"));
        }
    }
    let (draft, variables) = (Draft::default(), command::Variables::new());
    let mut reader = Reader { source, lines, draft, variables };
    reader.surroundings();
    reader.commands();
    reader.policy();
    reader.rest();
    let Reader { lines, mut draft, .. } = reader;
    draft.lines = lines.into_lines();
    draft.lines.sort_by_key(|line: &AdoptedLine| {
        let of = |path| source.files.iter().position(|file| file.path == path);
        (of(line.file.clone()), line.line)
    });
    draft
}

impl Reader<'_> {
    fn facts(&self) -> &UnitFacts {
        &self.source.facts
    }

    fn is_system(&self) -> bool {
        self.facts().scope == Scope::System
    }

    /// What is not said, where systemd supposes something else than mainstay.
    fn suppose(&mut self) {
        if self.is_system() {
            // A unit locks nothing in by itself.
            self.draft.service.hardening = Some(Hardening::Off);
        }
    }
}
