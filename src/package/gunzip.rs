//! The first half of reading a `.tar.gz`: hash and inflate, in a thread of their own.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::model::digest::Digest;

const CHUNK: usize = 256 << 10;
/// Chunks under way: enough to keep both sides busy, little enough to stay in the processor's cache.
const AHEAD: usize = 8;

/// Why a stream ends before its end.
#[derive(Debug, Error)]
pub(crate) enum StreamError {
    #[error("the stream is cut short")]
    Truncated,
    #[error("the stream is broken")]
    Broken,
    #[error("something follows the end of the stream")]
    Trailing,
    #[error("reading failed")]
    Read(#[source] io::Error),
}

struct Chunk {
    bytes: Vec<u8>,
    /// Archive bytes read when this chunk was full.
    read: u64,
}

/// The inflated bytes, on the parsing side.
pub(crate) struct Stream {
    chunks: Receiver<Result<Chunk, StreamError>>,
    spare: SyncSender<Vec<u8>>,
    bytes: Vec<u8>,
    at: usize,
    ended: bool,
    /// Archive bytes read so far.
    pub(crate) read: u64,
    /// Bytes inflated so far.
    pub(crate) inflated: u64,
}

/// The hashing and inflating side: [`Inflater::run`] wants a thread.
pub(crate) struct Inflater {
    file: File,
    chunks: SyncSender<Result<Chunk, StreamError>>,
    spare: Receiver<Vec<u8>>,
}

/// The two ends of the pipe from an archive's bytes to what they inflate to.
pub(crate) fn pipe(file: File) -> (Inflater, Stream) {
    let (chunks, received) = sync_channel(AHEAD);
    let (spare, reused) = sync_channel(AHEAD + 2);
    let stream =
        Stream { chunks: received, spare, bytes: Vec::new(), at: 0, ended: false, read: 0, inflated: 0 };
    (Inflater { file, chunks, spare: reused }, stream)
}

/// A file whose bytes are hashed and counted as they are read.
pub(crate) struct Hashed {
    file: File,
    hasher: Sha256,
    count: u64,
}

impl Hashed {
    pub(crate) fn new(file: File) -> Self {
        Self { file, hasher: Sha256::new(), count: 0 }
    }

    /// The digest of what was read.
    pub(crate) fn finish(self) -> Digest {
        Digest::finish(self.hasher)
    }
}

/// The digest of a file, from its beginning to its end.
pub(crate) fn digest_of(mut file: File) -> io::Result<Digest> {
    file.seek(SeekFrom::Start(0))?;
    let mut hashed = Hashed::new(file);
    io::copy(&mut hashed, &mut io::sink())?;
    Ok(hashed.finish())
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.count += count as u64;
        Ok(count)
    }
}

impl Inflater {
    /// Inflates all members of the file, one after another as RFC 1952 (2.2) has them, and hashes every
    /// byte of it. Gives the digest, if it came to the end.
    pub(crate) fn run(self) -> Option<Digest> {
        let Self { file, chunks, spare } = self;
        let mut input = BufReader::with_capacity(CHUNK, Hashed::new(file));
        loop {
            let mut member = GzDecoder::new(input);
            loop {
                let mut bytes = match spare.try_recv() {
                    Ok(bytes) => bytes,
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => vec![0; CHUNK],
                };
                bytes.resize(CHUNK, 0);
                let (filled, outcome) = fill(&mut member, &mut bytes);
                bytes.truncate(filled);
                if filled > 0 {
                    let read = member.get_ref().get_ref().count;
                    // Nobody listens any more: the other side has refused what it saw.
                    chunks.send(Ok(Chunk { bytes, read })).ok()?;
                }
                match outcome {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        let _ = chunks.send(Err(error));
                        return None;
                    }
                }
            }
            input = member.into_inner();
            match input.fill_buf() {
                Ok([]) => return Some(input.into_inner().finish()),
                Ok([0x1f, ..]) => {}
                Ok(_) => {
                    let _ = chunks.send(Err(StreamError::Trailing));
                    return None;
                }
                Err(error) => {
                    let _ = chunks.send(Err(StreamError::Read(error)));
                    return None;
                }
            }
        }
    }
}

/// Fills a buffer as far as it goes. Says whether there may be more.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> (usize, Result<bool, StreamError>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => return (filled, Ok(false)),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(sorted(error))),
        }
    }
    (filled, Ok(true))
}

/// A failure of the system carries its number; what the decoder says of the data does not.
fn sorted(error: io::Error) -> StreamError {
    match error.kind() {
        _ if error.raw_os_error().is_some() => StreamError::Read(error),
        io::ErrorKind::UnexpectedEof => StreamError::Truncated,
        _ => StreamError::Broken,
    }
}

impl Stream {
    /// The next bytes, at most so many; none at the end.
    pub(crate) fn next(&mut self, most: usize) -> Result<&[u8], StreamError> {
        if self.at == self.bytes.len() && !self.ended {
            let used = std::mem::take(&mut self.bytes);
            self.at = 0;
            if used.capacity() > 0 {
                let _ = self.spare.try_send(used);
            }
            match self.chunks.recv() {
                Ok(Ok(chunk)) => {
                    self.inflated += chunk.bytes.len() as u64;
                    self.read = chunk.read;
                    self.bytes = chunk.bytes;
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => self.ended = true,
            }
        }
        let count = most.min(self.bytes.len() - self.at);
        let start = self.at;
        self.at += count;
        Ok(&self.bytes[start..start + count])
    }

    /// Fills a buffer, or says that the stream had ended before it. An end within it is a cut.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, StreamError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let bytes = self.next(buffer.len() - filled)?;
            if bytes.is_empty() {
                return if filled == 0 { Ok(false) } else { Err(StreamError::Truncated) };
            }
            let count = bytes.len();
            buffer[filled..filled + count].copy_from_slice(bytes);
            filled += count;
        }
        Ok(true)
    }

    /// Passes over bytes.
    pub(crate) fn skip(&mut self, mut count: usize) -> Result<(), StreamError> {
        while count > 0 {
            let passed = self.next(count)?.len();
            if passed == 0 {
                return Err(StreamError::Truncated);
            }
            count -= passed;
        }
        Ok(())
    }
}
