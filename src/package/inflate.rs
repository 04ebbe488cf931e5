//! One member of a zip: inflate, check, write.

use std::fs::File;
use std::io::{self, Write as _};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::package::attributes::Kind;
use crate::package::central::{Member, STORED};
use crate::package::disk::Writer;
use crate::package::fault::Fault;
use crate::package::unzip::{Job, Shared};

const BUFFER: usize = 256 << 10;

/// What stops a member.
#[derive(Debug)]
pub(crate) enum Trouble {
    Fault(Fault),
    Write(io::Error),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// What one thread needs to extract members, one after another.
pub(crate) struct Content<'root> {
    writer: Writer<'root>,
    inflater: Decompress,
    buffer: Vec<u8>,
}

/// Where a member's content goes.
enum Sink {
    File(File),
    Memory(Vec<u8>),
}

/// What has come out of a member so far.
struct Output {
    sink: Sink,
    checksum: Crc,
    size: u64,
}

impl Output {
    fn take(&mut self, bytes: &[u8], member: &Member) -> Result<(), Trouble> {
        self.size += bytes.len() as u64;
        if self.size > member.size {
            return Err(Fault::Checksum.into());
        }
        self.checksum.update(bytes);
        match &mut self.sink {
            Sink::File(file) => file.write_all(bytes)?,
            Sink::Memory(memory) => memory.extend_from_slice(bytes),
        }
        Ok(())
    }
}

impl<'root> Content<'root> {
    pub(crate) fn new(writer: Writer<'root>) -> Self {
        Self { writer, inflater: Decompress::new(false), buffer: vec![0; BUFFER] }
    }

    /// Extracts one member.
    pub(crate) fn extract<'m>(&mut self, job: &Job<'m>, shared: &Shared<'m>) -> Result<(), Trouble> {
        let member = job.member;
        let sink = match (&member.name, member.kind) {
            (Some(name), Kind::File { program }) => {
                let (folder, last) = name.split();
                Sink::File(self.writer.create(folder, last, program)?)
            }
            (Some(name), Kind::Folder) => {
                self.writer.folder(name.as_str())?;
                Sink::Memory(Vec::new())
            }
            _ => Sink::Memory(Vec::new()),
        };
        let mut output = Output { sink, checksum: Crc::new(), size: 0 };
        // Some writers mark a folder as deflated, and give it no content to inflate.
        if member.method == STORED || (member.packed, member.size) == (0, 0) {
            for chunk in &job.chunks {
                output.take(&chunk, member)?;
                if !shared.release(chunk.len()) {
                    return Ok(());
                }
            }
        } else if !self.inflate(job, shared, &mut output)? {
            return Ok(());
        }
        if (output.size, output.checksum.sum()) != (member.size, member.checksum) {
            return Err(Fault::Checksum.into());
        }
        if let (Sink::Memory(target), Kind::Link) = (output.sink, member.kind) {
            shared.keep_link(member, target);
        }
        Ok(())
    }

    /// Inflates a member's chunks. False: somebody else has failed.
    fn inflate(&mut self, job: &Job<'_>, shared: &Shared<'_>, output: &mut Output) -> Result<bool, Trouble> {
        self.inflater.reset(false);
        let mut filled = 0;
        let mut ended = false;
        for chunk in &job.chunks {
            let mut input = &chunk[..];
            while !input.is_empty() || !ended && filled == self.buffer.len() {
                if ended {
                    // The stream is over, and there is more: two readers would disagree on what it is.
                    return Err(Fault::Inflate.into());
                }
                if filled == self.buffer.len() {
                    output.take(&self.buffer, job.member)?;
                    filled = 0;
                }
                let (taken, given) = (self.inflater.total_in(), self.inflater.total_out());
                let status = self
                    .inflater
                    .decompress(input, &mut self.buffer[filled..], FlushDecompress::None)
                    .map_err(|_| Fault::Inflate)?;
                let taken = usize::try_from(self.inflater.total_in() - taken).unwrap_or_default();
                let given = usize::try_from(self.inflater.total_out() - given).unwrap_or_default();
                input = &input[taken..];
                filled += given;
                ended = status == Status::StreamEnd;
                if !ended && (taken, given) == (0, 0) {
                    if !input.is_empty() {
                        return Err(Fault::Inflate.into());
                    }
                    break;
                }
            }
            if !shared.release(chunk.len()) {
                return Ok(false);
            }
        }
        output.take(&self.buffer[..filled], job.member)?;
        if ended { Ok(true) } else { Err(Fault::Inflate.into()) }
    }
}
