//! The second half of reading a `.tar.gz`: parse what was inflated, and write it.

use std::collections::HashSet;
use std::io::Write as _;

use crate::package::crew::{Batch, Crew, SMALL};
use crate::package::disk::Writer;
use crate::package::entry::{EntryName, Named, shown};
use crate::package::extraction::Extraction;
use crate::package::fault::Fault;
use crate::package::flush::Flush;
use crate::package::gunzip::{Stream, StreamError};
use crate::package::header::{BLOCK, Header};
use crate::package::pax::{self, Extended};
use crate::package::unpack::{Progress, UnpackError};

/// What the headers before an entry say of it.
#[derive(Default)]
struct Announced {
    extended: Option<Extended>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

/// A tar on its way into a folder.
pub(crate) struct Untar<'e, 'a> {
    extraction: &'e mut Extraction<'a>,
    stream: Stream,
    writer: Writer<'a>,
    crew: &'e Crew,
    flush: &'e Flush,
    flushed: u64,
    batch: Batch,
    announced: Announced,
    /// The files that may be executed, which a hard link may name again.
    programs: HashSet<EntryName>,
    /// Whether no header was read yet.
    first: bool,
    /// The name of the entry at hand, for failures of the stream.
    current: Vec<u8>,
    reported: u64,
    size: u64,
    progress: &'e mut dyn FnMut(Progress),
}

impl<'e, 'a> Untar<'e, 'a> {
    pub(crate) fn new(
        extraction: &'e mut Extraction<'a>,
        stream: Stream,
        crew: &'e Crew,
        flush: &'e Flush,
        size: u64,
        progress: &'e mut dyn FnMut(Progress),
    ) -> Self {
        let writer = Writer::new(extraction.root);
        Self {
            extraction,
            stream,
            writer,
            crew,
            flush,
            flushed: 0,
            batch: Batch::default(),
            announced: Announced::default(),
            programs: HashSet::new(),
            first: true,
            current: b"its beginning".to_vec(),
            reported: 0,
            size,
            progress,
        }
    }

    /// Reads to the end of the stream: nothing may hide behind the end of the tar.
    pub(crate) fn run(mut self) -> Result<(), UnpackError> {
        let mut block = [0; BLOCK];
        loop {
            if !self.fill(&mut block)? {
                return Err(self.malformed("it has no end mark"));
            }
            if Header::is_end(&block) {
                break;
            }
            self.entry(&block)?;
        }
        if self.announced.extended.is_some()
            || self.announced.long_name.is_some()
            || self.announced.long_link.is_some()
        {
            return Err(self.malformed("its last header announces an entry that does not come"));
        }
        while self.fill(&mut block)? {
            if !Header::is_end(&block) {
                return Err(UnpackError::Trailing { archive: self.extraction.archive.to_owned() });
            }
            self.watch()?;
        }
        self.settle()
    }

    fn entry(&mut self, block: &[u8; BLOCK]) -> Result<(), UnpackError> {
        let header = match Header::new(block) {
            Ok(header) => header,
            Err(_) if self.first => return Err(self.malformed("what it holds is not a tar")),
            Err(fault) => {
                let name = block[..100].split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
                return Err(self.extraction.refuse(&name, fault));
            }
        };
        self.first = false;
        let kind = header.kind();
        if let b'x' | b'g' | b'L' | b'K' = kind {
            self.current = header.name();
            return self.announce(kind, &header).map_err(|trouble| self.told(trouble));
        }
        let announced = std::mem::take(&mut self.announced);
        let extended = announced.extended.unwrap_or_default();
        // Before ustar a folder was a file whose name ended with a slash.
        let slashed = kind == 0 && header.name().ends_with(b"/");
        let two_names = extended.path.is_some() && announced.long_name.is_some()
            || slashed && (extended.path.is_some() || announced.long_name.is_some())
            || extended.link_path.is_some() && announced.long_link.is_some();
        let kind = if slashed { b'5' } else { kind };
        let name = extended.path.or(announced.long_name).unwrap_or_else(|| header.name());
        let target =
            extended.link_path.or(announced.long_link).unwrap_or_else(|| header.link_name().to_vec());
        self.current = name;
        let checked = || {
            header.check_format()?;
            if two_names {
                return Err(Fault::Extended("it names the entry twice"));
            }
            let size = header.size()?;
            if let Some(extended) = extended.size.filter(|extended| *extended != size) {
                return Err(Fault::TwoSizes { header: size, extended });
            }
            let mode = header.mode()?;
            if mode & 0o7000 != 0 { Err(Fault::SpecialBits) } else { Ok((size, mode & 0o100 != 0)) }
        };
        let (size, program) = checked().map_err(|fault| self.refuse(fault))?;
        self.place(kind, size, program, &target)
    }

    /// Reads a header that says something of the next entry.
    fn announce(&mut self, kind: u8, header: &Header<'_>) -> Result<(), Trouble> {
        header.check_format()?;
        let size = header.size()?;
        let longest =
            if matches!(kind, b'L' | b'K') { self.extraction.limits.path as u64 + 1 } else { pax::LONGEST };
        if size > longest {
            return Err(Fault::Extended("it is too long").into());
        }
        let mut content = vec![0; usize::try_from(size).unwrap_or_default()];
        if !content.is_empty() && !self.stream.fill(&mut content)? {
            return Err(StreamError::Truncated.into());
        }
        self.stream.skip(padding(size))?;
        let announced = &mut self.announced;
        let taken = match kind {
            b'g' => {
                // git notes a commit here. What would hold for every entry that follows is refused.
                if !Extended::parse(&content)?.is_empty() {
                    return Err(Fault::Extended("it gives all entries one name or size").into());
                }
                false
            }
            b'x' => announced.extended.replace(Extended::parse(&content)?).is_some(),
            b'L' => announced.long_name.replace(long_name(content)?).is_some(),
            _ => announced.long_link.replace(long_name(content)?).is_some(),
        };
        if taken { Err(Fault::Extended("two announce one entry").into()) } else { Ok(()) }
    }

    /// Puts an entry where it belongs.
    fn place(&mut self, kind: u8, size: u64, program: bool, target: &[u8]) -> Result<(), UnpackError> {
        let raw = std::mem::take(&mut self.current);
        let named = self.extraction.name(&raw);
        self.current = raw;
        let named = named?;
        let slashed = !matches!(named, Named::Entry { folder: false, .. });
        match kind {
            b'0' | 0 if !slashed => {}
            b'0' | 0 | b'5' | b'1' | b'2' if size != 0 => return Err(self.refuse(Fault::UnexpectedContent)),
            b'0' | 0 | b'1' | b'2' if slashed => return Err(self.refuse(Fault::EmptyPart)),
            b'0' | 0 | b'5' | b'1' | b'2' => {}
            b'3' => return Err(self.refuse(Fault::Special("character device"))),
            b'4' => return Err(self.refuse(Fault::Special("block device"))),
            b'6' => return Err(self.refuse(Fault::Special("named pipe"))),
            b'S' => return Err(self.refuse(Fault::Sparse)),
            other => return Err(self.refuse(Fault::UnknownType(other.escape_ascii().to_string()))),
        }
        let Named::Entry { name, .. } = named else { return self.watch() };
        match kind {
            b'1' => self.hard_link(&name, program, target)?,
            b'2' => self.extraction.enter_link(&name, target)?,
            _ if slashed || kind == b'5' => {
                self.extraction.enter_folder(&name)?;
                self.writer
                    .folder(name.as_str())
                    .map_err(|source| self.extraction.failed(&self.current, source))?;
            }
            _ => self.file(&name, size, program)?,
        }
        self.watch()
    }

    fn hard_link(&mut self, name: &EntryName, program: bool, target: &[u8]) -> Result<(), UnpackError> {
        let found = self.extraction.enter_hard_link(name, target)?;
        // Some readers give the one file the mode of its last name.
        if self.programs.contains(&found) != program {
            return Err(self.refuse(Fault::Header("its mode is not that of the file which it names again")));
        }
        if program {
            self.programs.insert(name.clone());
        }
        self.settle()?;
        self.writer
            .hard_link(found.split(), name.split())
            .map_err(|source| self.extraction.failed(&self.current, source))
    }

    fn file(&mut self, name: &EntryName, size: u64, program: bool) -> Result<(), UnpackError> {
        self.extraction.enter_file(name, size)?;
        if program {
            self.programs.insert(name.clone());
        }
        if size <= SMALL {
            return self.small_file(name, size, program);
        }
        let (folder, last) = name.split();
        let mut file = self
            .writer
            .create(folder, last, program)
            .map_err(|source| self.extraction.failed(&self.current, source))?;
        let mut left = size;
        while left > 0 {
            let bytes = match self.stream.next(usize::try_from(left).unwrap_or(usize::MAX)) {
                Ok([]) => return Err(self.stream_failed(StreamError::Truncated)),
                Ok(bytes) => bytes,
                Err(error) => return Err(self.stream_failed(error)),
            };
            left -= bytes.len() as u64;
            file.write_all(bytes).map_err(|source| self.extraction.failed(&self.current, source))?;
            self.watch()?;
        }
        self.stream.skip(padding(size)).map_err(|error| self.stream_failed(error))
    }

    fn small_file(&mut self, name: &EntryName, size: u64, program: bool) -> Result<(), UnpackError> {
        let mut left = usize::try_from(size).unwrap_or_default();
        while left > 0 {
            let bytes = match self.stream.next(left) {
                Ok([]) => return Err(self.stream_failed(StreamError::Truncated)),
                Ok(bytes) => bytes,
                Err(error) => return Err(self.stream_failed(error)),
            };
            left -= bytes.len();
            self.batch.extend(bytes);
        }
        self.batch.close(name.clone(), program);
        if self.batch.is_full() {
            self.hand_over()?;
        }
        self.stream.skip(padding(size)).map_err(|error| self.stream_failed(error))
    }

    fn hand_over(&mut self) -> Result<(), UnpackError> {
        let batch = std::mem::take(&mut self.batch);
        self.batch = self.crew.push(batch).map_err(|failure| self.crew_failed(failure))?;
        Ok(())
    }

    /// Waits until every small file that came so far is written.
    fn settle(&mut self) -> Result<(), UnpackError> {
        self.hand_over()?;
        self.crew.settle().map_err(|failure| self.crew_failed(failure))
    }

    fn crew_failed(&self, (name, source): (EntryName, std::io::Error)) -> UnpackError {
        self.extraction.failed(name.as_str().as_bytes(), source)
    }

    /// Reports progress whenever more of the archive was read, and stops a bomb.
    fn watch(&mut self) -> Result<(), UnpackError> {
        if self.stream.read != self.reported {
            self.reported = self.stream.read;
            self.flushed = self.flush.tell(self.stream.inflated, self.flushed);
            let (read, written, entries) = (self.stream.read, self.stream.inflated, self.extraction.entries);
            (self.progress)(Progress { read, size: self.size, entries, written });
        }
        if self.extraction.limits.is_bomb(self.stream.read, self.stream.inflated) {
            return Err(self.refuse(Fault::Bomb(self.extraction.limits.ratio)));
        }
        Ok(())
    }

    fn fill(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, UnpackError> {
        self.stream.fill(block).map_err(|error| self.stream_failed(error))
    }

    fn refuse(&self, fault: Fault) -> UnpackError {
        self.extraction.refuse(&self.current, fault)
    }

    fn malformed(&self, what: &'static str) -> UnpackError {
        UnpackError::Malformed { archive: self.extraction.archive.to_owned(), what }
    }

    fn told(&self, trouble: Trouble) -> UnpackError {
        match trouble {
            Trouble::Fault(fault) => self.refuse(fault),
            Trouble::Stream(error) => self.stream_failed(error),
        }
    }

    fn stream_failed(&self, error: StreamError) -> UnpackError {
        let (archive, entry) = (self.extraction.archive.to_owned(), shown(&self.current));
        match error {
            StreamError::Truncated => UnpackError::Truncated { archive, entry },
            StreamError::Broken => UnpackError::Broken { archive, entry },
            StreamError::Trailing => UnpackError::Trailing { archive },
            StreamError::Read(source) => UnpackError::Read { archive, source },
        }
    }
}

/// What can stop the reading of a header.
enum Trouble {
    Fault(Fault),
    Stream(StreamError),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StreamError> for Trouble {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

/// GNU's long name: ends with a NUL, and nothing but NULs may follow it.
fn long_name(mut content: Vec<u8>) -> Result<Vec<u8>, Fault> {
    let end = content.iter().position(|byte| *byte == 0).unwrap_or(content.len());
    if content[end..].iter().any(|byte| *byte != 0) {
        return Err(Fault::Nul);
    }
    content.truncate(end);
    if content.is_empty() { Err(Fault::EmptyPart) } else { Ok(content) }
}

/// Bytes between a content and the next header.
fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}
