//! The end of a pipe to which a program writes, and the lines that come out of it.

use std::io::ErrorKind;

use crate::host::output::Lines;
use crate::host::pipe::PipeReader;
use crate::host::rest::{AsFd, BorrowedFd};
use crate::model::log_line::Stream;
use crate::supervise::log::Log;

/// The size of one read from a pipe; a pipe holds 64 KiB (pipe(7)).
const PIECE: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Pipe {
    reader: Option<PipeReader>,
    stream: Stream,
    lines: Lines,
}

impl Pipe {
    /// A pipe, or none where the output goes elsewhere.
    pub(crate) fn new(reader: Option<PipeReader>, stream: Stream) -> Self {
        Self { reader, stream, lines: Lines::new(stream) }
    }

    /// Readable when something was written; none if the other end is closed.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.reader.as_ref().map(AsFd::as_fd)
    }

    /// The same, for another to read on from.
    pub(crate) fn reader(&self) -> Option<&PipeReader> {
        self.reader.as_ref()
    }

    pub(crate) fn stream(&self) -> Stream {
        self.stream
    }

    /// Reads so much that a program that writes without end does not hold up everything else. Says whether there
    /// may be more at once.
    pub(crate) fn read(&mut self, lines: &mut Vec<u8>, log: &mut Log) -> bool {
        let mut piece = [0_u8; PIECE];
        for _ in 0..8 {
            let Some(reader) = &mut self.reader else { return false };
            match reader.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Ok(0) | Err(_) => {
                    self.lines.end(lines);
                    self.reader = None;
                }
                Ok(length) => {
                    let piece = piece.get(..length).unwrap_or_default();
                    log.echo(piece, self.stream);
                    self.lines.take(piece, lines);
                }
            }
        }
        true
    }

    /// Adds a last line that has no line feed.
    pub(crate) fn end(&mut self, lines: &mut Vec<u8>) {
        self.lines.end(lines);
    }
}
