//! The journal: the durable record of an operation under way. Its first line is the whole plan with its
//! undos, written before anything else; then a line at the beginning and end of each step. An operation is
//! committed by removing the file.
//!
//! The journal, and nothing else in mainstay, is made durable with `fdatasync`, so that a tracer can stop the
//! program exactly between its entries.

use std::fs::File;
use std::io::{Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::engine::failure::Failure;
use crate::host::files::{self, FileError};
use crate::host::own_file;
use crate::plan::step::Plan;

/// The format that this build writes.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    plan: Plan,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Entry {
    Begin(usize),
    End(usize),
    Undone(usize),
}

/// The journal of an operation that this process carries out.
#[derive(Debug)]
pub(crate) struct Journal {
    path: Utf8PathBuf,
    file: File,
    /// Whether the last entry may have been written in part.
    torn: bool,
}

/// An operation that was found unfinished.
#[derive(Debug)]
pub struct Unfinished {
    /// Its plan.
    pub plan: Plan,
    /// How many steps had begun.
    pub begun: usize,
    /// Which of them had ended.
    pub ended: Vec<bool>,
    /// Where undoing had come to: steps from here on are undone.
    pub undone_from: Option<usize>,
}

impl Journal {
    /// Writes down a plan before its first step.
    pub(crate) fn open(path: &Utf8Path, plan: &Plan) -> Result<Self, FileError> {
        let failed = |action| move |source| FileError { action, path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(path);
        files::create_folder(folder, 0o700, None)?;
        let header = serde_json::to_string(&Header { format: FORMAT, plan: plan.clone() })
            .map_err(|error| failed("write")(error.into()))?;
        let beside = path.with_extension("new");
        let mut file = fs_err::File::create(&beside).map_err(failed("create"))?.into_file();
        file.write_all(header.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed("write"))?;
        file.sync_data().map_err(failed("sync"))?;
        own_file::replace(&beside, path).map_err(failed("publish"))?;
        files::sync_folder(folder)?;
        Ok(Self { path: path.to_owned(), file, torn: false })
    }

    /// Goes on with a journal that was found. What a crash has torn off at its end is taken away, or it would
    /// spoil the entry that is added to it.
    pub(crate) fn reopen(path: &Utf8Path) -> Result<Self, FileError> {
        let failed = |action| move |source| FileError { action, path: path.to_owned(), source };
        let opened = fs_err::OpenOptions::new().read(true).append(true).open(path);
        let mut file = opened.map_err(failed("open"))?.into_file();
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(failed("read"))?;
        let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < content.len() {
            file.set_len(whole as u64).map_err(failed("mend"))?;
        }
        Ok(Self { path: path.to_owned(), file, torn: false })
    }

    /// A step begins.
    pub(crate) fn begin(&mut self, step: usize) -> Result<(), FileError> {
        self.add(Entry::Begin(step))
    }

    /// A step has ended well.
    pub(crate) fn end(&mut self, step: usize) -> Result<(), FileError> {
        self.add(Entry::End(step))
    }

    /// A step is undone.
    pub(crate) fn undone(&mut self, step: usize) -> Result<(), FileError> {
        self.add(Entry::Undone(step))
    }

    /// The operation is over: committed, or wholly undone.
    pub(crate) fn close(self) -> Result<(), FileError> {
        files::remove(&self.path).map(|_| ())
    }

    fn add(&mut self, entry: Entry) -> Result<(), FileError> {
        let failed = |source| FileError { action: "write", path: self.path.clone(), source };
        // An entry holds only a word and a number.
        let line = serde_json::to_string(&entry).map_err(|error| failed(error.into()))? + "\n";
        // What stands there in part must not spoil this one.
        let line = if self.torn { format!("\n{line}") } else { line };
        self.torn = true;
        self.file.write_all(line.as_bytes()).map_err(failed)?;
        self.torn = false;
        self.file.sync_data().map_err(failed)
    }
}

/// Reads the journal of an instance, if an operation was left unfinished.
pub(crate) fn read(path: &Utf8Path) -> Result<Option<Unfinished>, Failure> {
    // A header that never got its name is of an operation that had not begun.
    files::read(path)?.map(|text| parse(path, &text)).transpose()
}

/// What the text of a journal says. Its path is for messages.
pub fn parse(path: &Utf8Path, text: &str) -> Result<Unfinished, Failure> {
    let damaged = |reason: String| Failure::Damaged { path: path.to_owned(), reason };
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let format = serde_json::from_str::<serde_json::Value>(first)
        .ok()
        .and_then(|header| header.get("format").and_then(serde_json::Value::as_u64))
        .ok_or_else(|| damaged("its first line is no plan".to_owned()))?;
    if format > u64::from(FORMAT) {
        return Err(Failure::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    let header: Header = serde_json::from_str(first).map_err(|error| damaged(error.to_string()))?;
    let count = header.plan.steps.len();
    let mut unfinished =
        Unfinished { plan: header.plan, begun: 0, ended: vec![false; count], undone_from: None };
    for line in lines {
        // The last line may be torn by a crash: what it was to say had not begun, or is done again.
        let Ok(entry) = serde_json::from_str::<Entry>(line) else { continue };
        match entry {
            Entry::Begin(step) => unfinished.begun = unfinished.begun.max(step.saturating_add(1)),
            Entry::End(step) => {
                if let Some(ended) = unfinished.ended.get_mut(step) {
                    *ended = true;
                }
            }
            Entry::Undone(step) => unfinished.undone_from = Some(step),
        }
    }
    unfinished.begun = unfinished.begun.min(count);
    Ok(unfinished)
}
