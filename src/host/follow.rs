//! Reading a captured log: the files that were put away, then the one that is written, then what is added to
//! it, through any number of rotations.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::files::{self, FileError};
use crate::host::output::put_away_file;
use crate::host::untrusted;

/// How many files are looked for at most; a manifest may keep fewer.
const MOST: u32 = 1000;

/// A log that is being read.
#[derive(Debug)]
pub struct LogReader {
    log: Utf8PathBuf,
    open: Option<Open>,
    /// The beginning of a line whose end is not written yet.
    pending: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    reader: BufReader<std::fs::File>,
    inode: u64,
}

impl LogReader {
    /// A log, read from its oldest line. Files that were last written before `since` are passed over.
    pub fn open(log: &Utf8Path, since: Option<SystemTime>) -> Result<Self, FileError> {
        let mut reader = Self { log: log.to_owned(), open: None, pending: Vec::new() };
        let young = |file: &std::fs::File| {
            let written = file.metadata().and_then(|metadata| metadata.modified());
            since.is_none_or(|since| written.is_ok_and(|written| written >= since))
        };
        for number in (1..=reader.oldest()?).rev() {
            if let Some(file) = untrusted::open(&put_away_file(log, number))?
                && young(&file)
            {
                reader.open = opened(file);
                return Ok(reader);
            }
        }
        reader.open = untrusted::open(log)?.and_then(opened);
        Ok(reader)
    }

    /// Calls back with each line that is there, without its line feed. Returns at the end of what is written, or
    /// when the caller wants no more.
    pub fn read(&mut self, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, FileError> {
        loop {
            if self.open.is_none() {
                self.open = untrusted::open(&self.log)?.and_then(opened);
            }
            let Some(open) = &mut self.open else { return Ok(true) };
            // Which file is the next is asked before the rest of this one is read: nothing is added to it later.
            let inode = open.inode;
            let next = self.next(inode)?;
            if !self.rest(each)? {
                return Ok(false);
            }
            match next {
                Next::Same => return Ok(true),
                Next::Other(file) => {
                    // A line that was never ended stays one.
                    let pending = std::mem::take(&mut self.pending);
                    if !pending.is_empty() && !each(&pending) {
                        return Ok(false);
                    }
                    self.open = opened(file);
                }
            }
        }
    }

    fn rest(&mut self, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool, FileError> {
        let Some(open) = &mut self.open else { return Ok(true) };
        loop {
            let read = open.reader.read_until(b'\n', &mut self.pending);
            let count =
                read.map_err(|source| FileError { action: "read", path: self.log.clone(), source })?;
            if count == 0 || self.pending.last() != Some(&b'\n') {
                return Ok(true);
            }
            self.pending.pop();
            let wants_more = each(&self.pending);
            self.pending.clear();
            if !wants_more {
                return Ok(false);
            }
        }
    }

    /// The file after the one of this number.
    fn next(&self, inode: u64) -> Result<Next, FileError> {
        let is = |path: &Utf8Path| path.symlink_metadata().ok().map(|metadata| metadata.ino() == inode);
        match is(&self.log) {
            Some(true) | None => return Ok(Next::Same),
            Some(false) => {}
        }
        let oldest = self.oldest()?;
        let own = (1..=oldest).find(|number| is(&put_away_file(&self.log, *number)) == Some(true));
        // One that was deleted meanwhile was older than all that are there.
        let next = own.map_or(oldest, |own| own - 1);
        let path = if next == 0 { self.log.clone() } else { put_away_file(&self.log, next) };
        Ok(untrusted::open(&path)?.map_or(Next::Same, Next::Other))
    }

    fn oldest(&self) -> Result<u32, FileError> {
        let mut oldest = 0;
        while oldest < MOST && files::facts(&put_away_file(&self.log, oldest + 1))?.is_some() {
            oldest += 1;
        }
        Ok(oldest)
    }
}

enum Next {
    Same,
    Other(std::fs::File),
}

fn opened(file: std::fs::File) -> Option<Open> {
    let inode = file.metadata().ok()?.ino();
    Some(Open { reader: BufReader::with_capacity(64 << 10, file), inode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_followed_through_rotations() {
        let folder = tempfile::tempdir().unwrap();
        let log = Utf8PathBuf::try_from(folder.path().join("x.log")).unwrap();
        let number = |number| put_away_file(&log, number);
        let mut reader = LogReader::open(&log, None).unwrap();
        let mut lines = Vec::new();
        let mut read = |reader: &mut LogReader| {
            lines.clear();
            assert!(
                reader
                    .read(&mut |line| {
                        lines.push(String::from_utf8(line.to_vec()).unwrap());
                        true
                    })
                    .unwrap()
            );
            lines.join(",")
        };
        assert_eq!(read(&mut reader), "");
        std::fs::write(&log, "c\n").unwrap();
        std::fs::write(number(1), "b\n").unwrap();
        std::fs::write(number(2), "a\n").unwrap();
        assert_eq!(read(&mut LogReader::open(&log, None).unwrap()), "a,b,c");
        let long_ago = SystemTime::UNIX_EPOCH;
        assert_eq!(read(&mut LogReader::open(&log, Some(long_ago)).unwrap()), "a,b,c");
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(read(&mut LogReader::open(&log, Some(later)).unwrap()), "c");
        let mut reader = LogReader::open(&log, Some(later)).unwrap();
        assert_eq!(read(&mut reader), "c");
        let add = |text: &str| {
            use std::io::Write as _;
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&log).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        add("d\ne");
        assert_eq!(read(&mut reader), "d");
        add("e\n");
        assert_eq!(read(&mut reader), "ee");
        // Put away twice between two looks.
        add("f\n");
        for next in ["g\n", "h\n"] {
            std::fs::rename(number(1), number(2)).unwrap();
            std::fs::rename(&log, number(1)).unwrap();
            add(next);
        }
        assert_eq!(read(&mut reader), "f,g,h");
        // Deleted instead of put away.
        std::fs::remove_file(number(1)).unwrap();
        std::fs::remove_file(number(2)).unwrap();
        std::fs::remove_file(&log).unwrap();
        assert_eq!(read(&mut reader), "");
        add("i\n");
        assert_eq!(read(&mut reader), "i");
    }
}
