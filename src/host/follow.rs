//! Reading a captured log: the files that were put away, then the one that is written, then what is added to
//! it, through any number of rotations.

use std::io::{BufRead as _, BufReader};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::files::{self, FileError};
use crate::host::os;
use crate::host::output::{self, put_away_file};
use crate::host::untrusted;

/// How often files are looked at again that are being put away just then.
const LOOKS: u32 = 100;

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
        'look: for _ in 0..LOOKS {
            for seen in reader.seen()?.iter().rev() {
                let Some(file) = seen.open()? else { continue 'look };
                if young(&file) {
                    reader.open = opened(file);
                    return Ok(reader);
                }
            }
            break;
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

    /// The file after the one of this number. Files that are being put away just then are looked at until two looks
    /// see the same: else a file would be passed over.
    fn next(&self, inode: u64) -> Result<Next, FileError> {
        if inode_of(&self.log).is_none_or(|log| log == inode) {
            return Ok(Next::Same);
        }
        for _ in 0..LOOKS {
            let seen = self.seen()?;
            if seen != self.seen()? {
                continue;
            }
            let own = seen.iter().position(|one| one.inode == inode);
            // One that was deleted meanwhile was older than all that are there.
            let Some(next) = own.unwrap_or(seen.len()).checked_sub(1) else { return Ok(Next::Same) };
            if let Some(file) = seen.get(next).map(Seen::open).transpose()?.flatten() {
                return Ok(Next::Other(file));
            }
        }
        Ok(Next::Same)
    }

    /// The files of the log, the youngest first: the log itself, and then as they were put away. One number may be
    /// missing, if whoever put them away was killed at that.
    fn seen(&self) -> Result<Vec<Seen>, FileError> {
        let (Some(folder), Some(log)) = (self.log.parent(), self.log.file_name()) else {
            return Ok(Vec::new());
        };
        let names = files::list(folder)?.unwrap_or_default();
        let mut numbers: Vec<_> = names.iter().filter_map(|name| output::number_of(log, name)).collect();
        numbers.sort_unstable();
        let paths = numbers.into_iter().map(|number| put_away_file(&self.log, number));
        let paths = std::iter::once(self.log.clone()).chain(paths);
        Ok(paths.filter_map(|path| inode_of(&path).map(|inode| Seen { path, inode })).collect())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    path: Utf8PathBuf,
    inode: u64,
}

impl Seen {
    /// Opens the file, if it still is where it was seen.
    fn open(&self) -> Result<Option<std::fs::File>, FileError> {
        let file = untrusted::open(&self.path)?;
        Ok(file.filter(|file| os::fs::fstat(file).is_ok_and(|stat| stat.st_ino == self.inode)))
    }
}

fn inode_of(path: &Utf8Path) -> Option<u64> {
    os::fs::lstat(path.as_str()).ok().map(|stat| stat.st_ino)
}

enum Next {
    Same,
    Other(std::fs::File),
}

fn opened(file: std::fs::File) -> Option<Open> {
    let inode = os::fs::fstat(&file).ok()?.st_ino;
    Some(Open { reader: BufReader::with_capacity(64 << 10, file), inode })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::host::output::{Lines, LogWriter};
    use crate::model::launch::LogPolicy;
    use crate::model::log_line::{LogLine, Stream};
    use crate::model::size::Size;

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
        let later = SystemTime::now() + Duration::from_secs(60);
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

    const LINES: usize = 200_000;
    const KEEP: u32 = 6;

    /// The number in a line of the program; none in a line of the supervisor.
    fn number(line: &[u8]) -> Option<usize> {
        let line = LogLine::parse(line).unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(line)));
        let text = std::str::from_utf8(line.text).unwrap();
        (line.stream == Stream::Output).then(|| text.strip_prefix("line ").unwrap().parse().unwrap())
    }

    #[test]
    fn no_line_is_lost_and_none_comes_twice_through_many_rotations() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let log = output::log_file(&folder, "x");
        let policy = LogPolicy { max_size: Size::new(128 << 10), keep: KEEP, level: None };
        let mut writer = LogWriter::open(&folder, "x", policy).unwrap();
        let followed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                let text: Vec<_> = (0..LINES).map(|number| format!("line {number}\n")).collect();
                let text = text.concat();
                let (mut rest, mut lines, mut buffer) =
                    (text.as_bytes(), Lines::new(Stream::Output), Vec::new());
                let mut size = 1;
                while !rest.is_empty() {
                    // Pieces of all sizes, as they come out of a pipe.
                    size = (size * 31 + 7) % 9973 + 1;
                    let (piece, later) = rest.split_at(size.min(rest.len()));
                    lines.take(piece, &mut buffer);
                    writer.write(&buffer).unwrap();
                    buffer.clear();
                    rest = later;
                    // What is deleted before it could be read is lost to any reader: it is three files behind at most.
                    let written = (text.len() - rest.len()) / 12;
                    let until = Instant::now() + Duration::from_secs(20);
                    while written > followed.load(Ordering::Relaxed) + 8000 {
                        assert!(Instant::now() < until, "nobody follows");
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
            });
            let mut reader = LogReader::open(&log, None).unwrap();
            let mut next = 0;
            while next < LINES {
                let ended = writing.is_finished();
                reader
                    .read(&mut |line| {
                        if let Some(number) = number(line) {
                            assert_eq!(number, next);
                            next += 1;
                            followed.store(next, Ordering::Relaxed);
                        }
                        true
                    })
                    .unwrap();
                assert!(!ended || next == LINES, "the follower ends at line {next}");
            }
        });
        let mut kept = Vec::new();
        LogReader::open(&log, None)
            .unwrap()
            .read(&mut |line| {
                kept.extend(number(line));
                true
            })
            .unwrap();
        assert!(kept.len() > 5000 && kept.len() < LINES / 2, "{}", kept.len());
        assert!(kept.iter().copied().eq(LINES - kept.len()..LINES));
        for number in 1..=KEEP {
            assert!(put_away_file(&log, number).exists());
        }
        assert!(!put_away_file(&log, KEEP + 1).exists());
    }

    #[test]
    fn a_number_that_is_missing_hides_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let log = Utf8PathBuf::try_from(folder.path().join("x.log")).unwrap();
        for (number, text) in [(2, "a\n"), (4, "0\n")] {
            std::fs::write(put_away_file(&log, number), text).unwrap();
        }
        std::fs::write(&log, "b\n").unwrap();
        let mut lines = Vec::new();
        let mut reader = LogReader::open(&log, None).unwrap();
        reader
            .read(&mut |line| {
                lines.push(line.to_vec());
                true
            })
            .unwrap();
        assert_eq!(lines, [b"0", b"a", b"b"]);
    }
}
