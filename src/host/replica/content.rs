//! The content of a file.

use crate::host::os;
use crate::host::os::Errno;
use crate::host::os::OwnedFd;
use crate::host::os::fs::{SeekFrom, ftruncate, seek};

/// How much is copied at once, in bytes.
const PIECE: usize = 8 << 20;

/// How contents are copied; it learns what the file systems can.
#[derive(Debug, Default)]
pub(super) struct Content {
    cannot_clone: bool,
    cannot_range: bool,
}

impl Content {
    /// Copies a content, holes as holes.
    pub(super) fn copy(&mut self, from: &OwnedFd, to: &OwnedFd, size: u64) -> os::io::Result<()> {
        if !self.cannot_clone {
            match os::fs::ioctl_ficlone(to, from) {
                Ok(()) => return Ok(()),
                Err(
                    Errno::NOTSUP | Errno::XDEV | Errno::NOTTY | Errno::NOSYS | Errno::INVAL | Errno::PERM,
                ) => {
                    self.cannot_clone = true;
                }
                Err(error) => return Err(error),
            }
        }
        let mut at = 0;
        while at < size {
            let begin = match seek(from, SeekFrom::Data(at)) {
                Ok(begin) => begin,
                // The rest is a hole.
                Err(Errno::NXIO) => break,
                Err(Errno::INVAL) => at,
                Err(error) => return Err(error),
            };
            let end = match seek(from, SeekFrom::Hole(begin)) {
                Ok(end) => end.min(size),
                Err(Errno::INVAL | Errno::NXIO) => size,
                Err(error) => return Err(error),
            };
            self.range(from, to, begin, end)?;
            at = end;
        }
        ftruncate(to, size)
    }

    fn range(&mut self, from: &OwnedFd, to: &OwnedFd, begin: u64, end: u64) -> os::io::Result<()> {
        let mut at = begin;
        while at < end && !self.cannot_range {
            let (mut read, mut written) = (at, at);
            let length = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
            match os::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), length) {
                // Some file systems answer so instead of an error.
                Ok(0) => self.cannot_range = true,
                Ok(count) => at += count as u64,
                Err(Errno::XDEV | Errno::NOSYS | Errno::NOTSUP | Errno::INVAL | Errno::PERM) => {
                    self.cannot_range = true;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        if at >= end {
            return Ok(());
        }
        let mut buffer = vec![0; 1 << 20];
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(buffer.len()).min(buffer.len());
            let count = os::io::pread(from, &mut buffer[..wanted], at)?;
            if count == 0 {
                return Ok(());
            }
            let mut rest = &buffer[..count];
            while !rest.is_empty() {
                let written = os::io::pwrite(to, rest, at)?;
                at += written as u64;
                rest = rest.get(written..).unwrap_or_default();
            }
        }
        Ok(())
    }
}
