//! Captured logs: lines with their time and stream, in a file that is put away when it has its size.
//!
//! `<folder>/<name>.log` is written; `<name>.log.1` is the youngest that was put away. The form of a line is
//! that of [`LogLine`].

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::clock;
use crate::model::launch::LogPolicy;
use crate::model::log_line::{LogLine, Stream};

/// The longest line that is kept whole, in bytes; a longer one becomes several that continue each other.
pub const LONGEST_LINE: usize = 16 << 10;

/// The log of one instance, open for writing.
#[derive(Debug)]
pub struct LogWriter {
    path: Utf8PathBuf,
    policy: LogPolicy,
    file: fs_err::File,
    size: u64,
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
        fs_err::create_dir_all(folder)?;
        let path = log_file(folder, name);
        let file = append(&path)?;
        let size = file.metadata()?.len();
        let writer = Self { path, policy, file, size };
        writer.delete_surplus()?;
        Ok(writer)
    }

    /// Writes whole lines, putting the file away between two of them when it has its size. A file is larger
    /// than that only if a single line is.
    pub fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let line_end = |byte: &u8| *byte == b'\n';
        let mut rest = lines;
        while !rest.is_empty() {
            let room = self.policy.max_size.bytes().saturating_sub(self.size);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let fits = match rest.get(..room) {
                None => rest.len(),
                Some(start) => start.iter().rposition(line_end).map_or(0, |end| end + 1),
            };
            let length = if fits == 0 && self.size == 0 {
                rest.iter().position(line_end).map_or(rest.len(), |end| end + 1)
            } else {
                fits
            };
            if length == 0 {
                self.put_away()?;
                continue;
            }
            let (now, later) = rest.split_at(length);
            self.file.write_all(now)?;
            self.size += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// Writes a line of the supervisor's own.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        let mut buffer = Vec::new();
        for line in text.lines() {
            let line =
                LogLine { at: clock::now(), stream: Stream::Own, continues: false, text: line.as_bytes() };
            line.append_to(&mut buffer);
        }
        self.write(&buffer)
    }

    fn put_away(&mut self) -> io::Result<()> {
        let keep = self.policy.keep;
        for number in (1..keep).rev() {
            rename_if_there(&put_away_file(&self.path, number), &put_away_file(&self.path, number + 1))?;
        }
        if keep == 0 {
            fs_err::remove_file(&self.path)?;
        } else {
            rename_if_there(&self.path, &put_away_file(&self.path, 1))?;
        }
        self.file = append(&self.path)?;
        self.size = 0;
        Ok(())
    }

    /// Files beyond the number that is kept are left when that number is made smaller.
    fn delete_surplus(&self) -> io::Result<()> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else { return Ok(()) };
        for entry in folder.read_dir_utf8()?.flatten() {
            let number = entry.file_name().strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
            if number
                .and_then(|number| number.parse().ok())
                .is_some_and(|number: u32| number > self.policy.keep)
            {
                fs_err::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn append(path: &Utf8Path) -> io::Result<fs_err::File> {
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let mut options = fs_err::OpenOptions::new();
    options.append(true).create(true).options_mut().mode(0o640).custom_flags(no_follow);
    options.open(path)
}

fn rename_if_there(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    match fs_err::rename(from, to) {
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
mod tests {
    use super::*;
    use crate::model::size::Size;

    fn texts(buffer: &[u8]) -> Vec<(bool, Vec<u8>)> {
        let lines = buffer.strip_suffix(b"\n").unwrap_or_default().split(|byte| *byte == b'\n');
        lines
            .map(|line| LogLine::parse(line).unwrap())
            .map(|line| (line.continues, line.text.to_vec()))
            .collect()
    }

    #[test]
    fn pieces_become_lines() {
        let mut lines = Lines::new(Stream::Output);
        let mut buffer = Vec::new();
        for piece in [&b"one\ntw"[..], b"o\n\nthr", b"ee"] {
            lines.take(piece, &mut buffer);
        }
        lines.end(&mut buffer);
        let expected = ["one", "two", "", "three"].map(|text| (false, text.as_bytes().to_vec()));
        assert_eq!(texts(&buffer), expected);
    }

    #[test]
    fn a_line_that_is_too_long_is_continued() {
        let mut lines = Lines::new(Stream::Output);
        let mut buffer = Vec::new();
        lines.take(&vec![b'x'; 2 * LONGEST_LINE + 5], &mut buffer);
        lines.take(b"y\n", &mut buffer);
        let lengths: Vec<_> =
            texts(&buffer).into_iter().map(|(continues, text)| (continues, text.len())).collect();
        assert_eq!(lengths, [(true, LONGEST_LINE), (true, LONGEST_LINE), (false, 6)]);
    }

    #[test]
    fn files_are_put_away_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let policy = LogPolicy { max_size: Size::new(100), keep: 2, level: None };
        std::fs::write(folder.join("x.log.7"), "old").unwrap();
        std::fs::write(folder.join("x.log.old"), "not ours").unwrap();
        let mut writer = LogWriter::open(folder, "x", policy).unwrap();
        let lines: Vec<_> = (0..20).map(|number| format!("{number:039}\n")).collect();
        let lines = lines.concat();
        let (one, many) = lines.split_at(40);
        writer.write(one.as_bytes()).unwrap();
        writer.write(many.as_bytes()).unwrap();
        let mut names: Vec<_> =
            folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
        names.sort();
        assert_eq!(names, ["x.log", "x.log.1", "x.log.2", "x.log.old"]);
        let content = std::fs::read_to_string(folder.join("x.log.2")).unwrap();
        assert_eq!(content, format!("{:039}\n{:039}\n", 14, 15));
        let none = LogPolicy { max_size: Size::new(100), keep: 0, level: None };
        let mut writer = LogWriter::open(folder, "x", none).unwrap();
        writer.write(&[b'\n'; 90]).unwrap();
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 2);
        writer.write(&[b'x'; 500]).unwrap();
        writer.write(b"\ny\n").unwrap();
        assert_eq!(std::fs::read(folder.join("x.log")).unwrap(), b"\ny\n");
    }
}
