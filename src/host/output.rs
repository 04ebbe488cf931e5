//! Captured logs: lines with their time and stream, in a file that is put away when it has its size.
//!
//! `<folder>/<name>.log` is written; `<name>.log.1` is the youngest that was put away. The form of a line is
//! that of [`LogLine`]. The first line of a file says in which file the lines before it are.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::host::{clock, files, own_file};
use crate::model::launch::LogPolicy;
use crate::model::log_line::{LogLine, Stream};
use crate::model::moment::Moment;

/// The longest line that is kept whole, in bytes; a longer one becomes several that continue each other.
pub const LONGEST_LINE: usize = 16 << 10;
/// Whether programs of this system end a line with a carriage return and a line feed.
const ENDS_IN_TWO: bool = cfg!(windows);

/// The log of one instance, open for writing.
#[derive(Debug)]
pub struct LogWriter {
    path: Utf8PathBuf,
    policy: LogPolicy,
    file: fs_err::File,
    size: u64,
    /// Whether nothing stands in the file but where the lines before it are.
    fresh: bool,
    /// Whether the file ends amid a line: the disk was full, or the writer was killed.
    broken: bool,
}

/// What could not be written.
#[derive(Debug, Error)]
#[error("{lost} bytes can't be written")]
pub struct Unwritten {
    /// How much of it.
    pub lost: usize,
    /// Why.
    pub source: io::Error,
}

/// The log file of an instance in its folder of logs.
#[must_use]
pub fn log_file(folder: &Utf8Path, name: &str) -> Utf8PathBuf {
    folder.join(format!("{name}.log"))
}

/// A log file that was put away; the youngest has the number 1.
#[must_use]
pub fn put_away_file(log: &Utf8Path, number: u32) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{log}.{number}"))
}

impl LogWriter {
    /// Opens the log, making folder and file where there are none, and deletes what is put away beyond the
    /// number that is kept.
    pub fn open(folder: &Utf8Path, name: &str, policy: LogPolicy) -> io::Result<Self> {
        files::make_folders(folder)?;
        let path = log_file(folder, name);
        let mut file = append(&path)?;
        let size = file.metadata()?.len();
        let mut last = [b'\n'];
        if let Some(end) = size.checked_sub(1) {
            // What is written goes to the end, wherever was read before.
            file.seek(SeekFrom::Start(end))?;
            file.read_exact(&mut last)?;
        }
        let mut writer = Self { path, policy, file, size, fresh: size == 0, broken: last != [b'\n'] };
        writer.delete_surplus();
        if writer.fresh && put_away_file(&writer.path, 1).exists() {
            // The one before was killed between putting a file away and beginning the next.
            writer.mark(clock::now());
        }
        Ok(writer)
    }

    /// Writes whole lines, putting the file away between two of them when it has its size. A file is larger
    /// than that only if a single line is, or if it can't be put away.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        let line_end = |byte: &u8| *byte == b'\n';
        let mut rest = lines;
        while !rest.is_empty() {
            let room = self.policy.max_size.bytes().saturating_sub(self.size);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let fits = match rest.get(..room) {
                None => rest.len(),
                Some(start) => start.iter().rposition(line_end).map_or(0, |end| end + 1),
            };
            let length = if fits > 0 {
                fits
            } else if self.fresh {
                rest.iter().position(line_end).map_or(rest.len(), |end| end + 1)
            } else if self.put_away(rest).is_ok() {
                continue;
            } else {
                // Rather in a file that is too large than nowhere.
                rest.len()
            };
            let (now, later) = rest.split_at(length);
            self.fresh = false;
            self.add(now)
                .map_err(|Unwritten { lost, source }| Unwritten { lost: lost + later.len(), source })?;
            rest = later;
        }
        Ok(())
    }

    /// Adds to the file as it is. What was begun and could not be ended stays a line of its own.
    fn add(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        if self.broken {
            self.file.write_all(b"\n").map_err(|source| Unwritten { lost: lines.len(), source })?;
            self.size += 1;
            self.broken = false;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            let count = match self.file.write(rest) {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other,
            };
            let (now, later) = rest.split_at(count.map_err(|source| Unwritten { lost: rest.len(), source })?);
            self.size += now.len() as u64;
            self.broken = now.last() != Some(&b'\n');
            rest = later;
        }
        Ok(())
    }

    /// Writes a line of the supervisor's own.
    pub fn note(&mut self, text: &str) -> Result<(), Unwritten> {
        self.write(&own_lines(clock::now(), text))
    }

    /// Puts the file away and begins the next, for these lines.
    fn put_away(&mut self, lines: &[u8]) -> io::Result<()> {
        let keep = self.policy.keep;
        for number in (1..keep).rev() {
            rename_if_there(&put_away_file(&self.path, number), &put_away_file(&self.path, number + 1))?;
        }
        // Also what is not kept gets another name first: on Windows a file may keep its own as long as it is open.
        let away = put_away_file(&self.path, 1);
        rename_if_there(&self.path, &away)?;
        self.file = append(&self.path)?;
        (self.size, self.fresh, self.broken) = (0, true, false);
        if keep == 0 {
            // One that stays is deleted when the log is opened the next time.
            let _ = fs_err::remove_file(&away);
        }
        // The lines of a file are in the order of their times.
        let first = lines.split(|byte| *byte == b'\n').next().and_then(LogLine::parse);
        self.mark(first.map_or_else(clock::now, |line| line.at));
        Ok(())
    }

    /// Says at the beginning of a file where the lines before it are.
    fn mark(&mut self, at: Moment) {
        let before = put_away_file(&self.path, 1);
        let text = match before.file_name() {
            Some(before) if self.policy.keep > 0 => format!("the lines before this one are in `{before}`"),
            _ => "the lines before this one are deleted, for none are kept".to_owned(),
        };
        // Where there is no room for this there is none for what follows either, and that is told.
        let _ = self.add(&own_lines(at, &text));
    }

    /// Files beyond the number that is kept are left when that number is made smaller. One that can't be deleted
    /// is no reason to keep no log.
    fn delete_surplus(&self) {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else { return };
        let Ok(entries) = folder.read_dir_utf8() else { return };
        for entry in entries.flatten() {
            if number_of(name, entry.file_name()).is_some_and(|number| number > self.policy.keep) {
                let _ = fs_err::remove_file(entry.path());
            }
        }
    }
}

/// The number of a log file that was put away, by its name and that of the log.
#[must_use]
pub fn number_of(log: &str, name: &str) -> Option<u32> {
    let digits = name.strip_prefix(log)?.strip_prefix('.')?;
    digits.parse().ok().filter(|number: &u32| *number > 0 && number.to_string() == digits)
}

fn own_lines(at: Moment, text: &str) -> Vec<u8> {
    let mut buffer = Vec::new();
    for line in text.lines() {
        LogLine { at, stream: Stream::Own, continues: false, text: line.as_bytes() }.append_to(&mut buffer);
    }
    buffer
}

fn append(path: &Utf8Path) -> io::Result<fs_err::File> {
    own_file::writing(0o640).read(true).append(true).create(true).open(path)
}

fn rename_if_there(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    match own_file::replace(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes lines of what comes from a pipe in pieces.
#[derive(Debug)]
pub struct Lines {
    stream: Stream,
    pending: Vec<u8>,
}

impl Lines {
    /// Nothing read yet.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self { stream, pending: Vec::new() }
    }

    /// Takes a piece and adds every line that it completes to the buffer.
    pub fn take(&mut self, piece: &[u8], buffer: &mut Vec<u8>) {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.pending.extend_from_slice(line);
            if ENDS_IN_TWO && self.pending.last() == Some(&b'\r') {
                self.pending.pop();
            }
            self.flush(false, buffer);
            rest = after.get(1..).unwrap_or_default();
        }
        self.pending.extend_from_slice(rest);
        while self.pending.len() >= LONGEST_LINE {
            let later = self.pending.split_off(LONGEST_LINE);
            self.line(true, buffer);
            self.pending = later;
        }
    }

    /// Adds a last line that has no line feed.
    pub fn end(&mut self, buffer: &mut Vec<u8>) {
        if !self.pending.is_empty() {
            self.flush(false, buffer);
        }
        // What a quiet program needs at rest is nothing.
        self.pending = Vec::new();
    }

    fn flush(&mut self, continues: bool, buffer: &mut Vec<u8>) {
        while self.pending.len() > LONGEST_LINE {
            let later = self.pending.split_off(LONGEST_LINE);
            self.line(true, buffer);
            self.pending = later;
        }
        self.line(continues, buffer);
        self.pending.clear();
    }

    fn line(&self, continues: bool, buffer: &mut Vec<u8>) {
        LogLine { at: clock::now(), stream: self.stream, continues, text: &self.pending }.append_to(buffer);
    }
}

#[cfg(test)]
mod tests;
