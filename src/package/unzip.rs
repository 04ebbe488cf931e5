//! Reading a zip from its first byte to its last: one thread reads and hashes, others inflate and write.
//!
//! What is hashed is what is unpacked, because each byte is read once; the directory, which has to be read
//! before, is read again in its turn and compared.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::model::digest::Digest;
use crate::package::central::{self, Central, DESCRIBED_LATER, Extra, Member, u16_at, u32_at, u64_at};
use crate::package::disk::Writer;
use crate::package::entry::shown;
use crate::package::extraction::Extraction;
use crate::package::fault::Fault;
use crate::package::flush::Flush;
use crate::package::gunzip::Hashed;
use crate::package::inflate::{Content, Trouble};
use crate::package::unpack::{Flushing, Progress, UnpackError};

const CHUNK: usize = 256 << 10;
/// Packed bytes that may wait for a free thread.
const WAITING: usize = 64 << 20;
const MOST_THREADS: usize = 8;

/// A member whose content is on its way.
pub(crate) struct Job<'m> {
    pub(crate) member: &'m Member,
    pub(crate) chunks: Receiver<Vec<u8>>,
}

/// What the reading thread and the others share.
pub(crate) struct Shared<'m> {
    state: Mutex<State<'m>>,
    changed: Condvar,
}

#[derive(Default)]
struct State<'m> {
    jobs: VecDeque<Job<'m>>,
    waiting: usize,
    closed: bool,
    failure: Option<(Vec<u8>, Trouble)>,
    links: Vec<(&'m Member, Vec<u8>)>,
}

impl<'m> Shared<'m> {
    fn new() -> Self {
        Self { state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<'m>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many bytes may be read. False: somebody has failed.
    fn reserve(&self, count: usize) -> bool {
        let mut state = self.lock();
        while state.failure.is_none() && state.waiting > 0 && state.waiting + count > WAITING {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting += count;
        state.failure.is_none()
    }

    /// Gives bytes back that were worked off. False: somebody has failed.
    pub(crate) fn release(&self, count: usize) -> bool {
        let mut state = self.lock();
        state.waiting -= count;
        self.changed.notify_all();
        state.failure.is_none()
    }

    fn push(&self, job: Job<'m>) {
        self.lock().jobs.push_back(job);
        self.changed.notify_all();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn pop(&self) -> Option<Job<'m>> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn fail(&self, member: &Member, trouble: Trouble) {
        self.lock().failure.get_or_insert_with(|| (member.raw.clone(), trouble));
        self.changed.notify_all();
    }

    pub(crate) fn keep_link(&self, member: &'m Member, target: Vec<u8>) {
        self.lock().links.push((member, target));
    }
}

/// Unpacks a zip and gives the digest of its bytes.
pub(crate) fn run(
    mut file: File,
    size: u64,
    extraction: &mut Extraction<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Digest, UnpackError> {
    let central = central::read(&mut file, size, extraction)?;
    extraction.check_space(extraction.bytes)?;
    if extraction.limits.is_bomb(size, extraction.bytes) {
        let largest = central.members.iter().max_by_key(|member| member.size);
        let name = largest.map(|member| &member.raw[..]).unwrap_or_default();
        return Err(extraction.refuse(name, Fault::Bomb(extraction.limits.ratio)));
    }
    let early = extraction.flushing == Flushing::Early;
    let (shared, flush) = (Shared::new(), Flush::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let root = extraction.root;
    let mut pass = Pass {
        input: BufReader::with_capacity(CHUNK, Hashed::new(file)),
        at: 0,
        size,
        central: &central,
        shared: &shared,
        flush: &flush,
        extraction,
    };
    let read = std::thread::scope(|scope| {
        if early {
            scope.spawn(|| flush.run(root));
        }
        for _ in 0..threads {
            scope.spawn(|| {
                let mut content = Content::new(Writer::new(root));
                while let Some(job) = shared.pop() {
                    if let Err(trouble) = content.extract(&job, &shared) {
                        shared.fail(job.member, trouble);
                        // What waits for this member is never worked off, and need not be: all stop.
                        return;
                    }
                }
            });
        }
        let read = pass.run(progress);
        if read.is_err() {
            shared.lock().jobs.clear();
        }
        shared.close();
        flush.close();
        read
    });
    let digest = pass.finish(read)?;
    let links = std::mem::take(&mut shared.lock().links);
    for (member, target) in links {
        if let Some(name) = &member.name {
            extraction.set_target(name, &target)?;
        }
    }
    Ok(digest)
}

/// The reading thread's pass over the file.
struct Pass<'p, 'e, 'm> {
    input: BufReader<Hashed>,
    at: u64,
    size: u64,
    central: &'m Central,
    shared: &'p Shared<'m>,
    flush: &'p Flush,
    extraction: &'p mut Extraction<'e>,
}

impl<'m> Pass<'_, '_, 'm> {
    /// Reads every member, then the directory once more.
    fn run(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), UnpackError> {
        let members = &self.central.members;
        let (mut written, mut flushed) = (0, 0);
        for (index, member) in members.iter().enumerate() {
            let next = members.get(index + 1).map_or(self.central.start, |next| next.offset);
            if !self.member(member, next)? {
                return Ok(());
            }
            written += member.size;
            flushed = self.flush.tell(written, flushed);
            progress(Progress { read: self.at, size: self.size, entries: index as u64 + 1, written });
        }
        let mut tail = vec![0; self.central.tail.len()];
        self.read(&mut tail)?;
        if tail != self.central.tail {
            return Err(self.malformed("it changed while it was read"));
        }
        Ok(())
    }

    /// What came of it, and the digest.
    fn finish(self, read: Result<(), UnpackError>) -> Result<Digest, UnpackError> {
        if let Some((name, trouble)) = self.shared.lock().failure.take() {
            return Err(match trouble {
                Trouble::Fault(fault) => self.extraction.refuse(&name, fault),
                Trouble::Write(source) => self.extraction.failed(&name, source),
            });
        }
        read?;
        if self.at != self.size {
            return Err(self.malformed("it changed while it was read"));
        }
        Ok(self.input.into_inner().finish())
    }

    /// Reads one member up to where the next begins. False: somebody has failed.
    fn member(&mut self, member: &'m Member, next: u64) -> Result<bool, UnpackError> {
        let mut header = [0; 30];
        self.read(&mut header)?;
        let mut names = vec![0; usize::from(u16_at(&header, 26)) + usize::from(u16_at(&header, 28))];
        if self.at + names.len() as u64 + member.packed > next {
            return Err(self.extraction.refuse(&member.raw, Fault::Mismatch("it reaches into what follows")));
        }
        self.read(&mut names)?;
        let (name, extra) = names.split_at(usize::from(u16_at(&header, 26)));
        check_local(member, &header, name, extra)
            .map_err(|fault| self.extraction.refuse(&member.raw, fault))?;
        if !self.content(member)? {
            return Ok(false);
        }
        let mut rest = vec![0; usize::try_from(next - self.at).unwrap_or(usize::MAX).min(32)];
        self.read(&mut rest)?;
        if self.at != next {
            return Err(self
                .extraction
                .refuse(&member.raw, Fault::Mismatch("more follows it than belongs to it")));
        }
        check_descriptor(member, &rest).map_err(|fault| self.extraction.refuse(&member.raw, fault))?;
        Ok(true)
    }

    /// Hands a member's content to whoever is free.
    fn content(&mut self, member: &'m Member) -> Result<bool, UnpackError> {
        let (sender, chunks): (Sender<Vec<u8>>, _) = channel();
        let mut job = Some(Job { member, chunks });
        let mut left = member.packed;
        loop {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
            if !self.shared.reserve(count) {
                return Ok(false);
            }
            let mut chunk = vec![0; count];
            self.read(&mut chunk)?;
            left -= count as u64;
            // Nobody receives: a failure, which `reserve` tells.
            let _ = sender.send(chunk);
            if let Some(job) = job.take() {
                self.shared.push(job);
            }
            if left == 0 {
                return Ok(true);
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), UnpackError> {
        self.at += buffer.len() as u64;
        self.input.read_exact(buffer).map_err(|source| {
            let archive = self.extraction.archive.to_owned();
            match source.kind() {
                io::ErrorKind::UnexpectedEof => UnpackError::Truncated { archive, entry: shown(b"its end") },
                _ => UnpackError::Read { archive, source },
            }
        })
    }

    fn malformed(&self, what: &'static str) -> UnpackError {
        UnpackError::Malformed { archive: self.extraction.archive.to_owned(), what }
    }
}

/// Compares the header beside the content (4.3.7) with the directory's.
fn check_local(member: &Member, header: &[u8], name: &[u8], extra: &[u8]) -> Result<(), Fault> {
    if !header.starts_with(b"PK\x03\x04") {
        return Err(Fault::Mismatch("there is no header at its place"));
    }
    if name != member.raw {
        return Err(Fault::Mismatch("its names differ"));
    }
    if u16_at(header, 6) != member.flags {
        return Err(Fault::Mismatch("its flags differ"));
    }
    if u16_at(header, 8) != member.method {
        return Err(Fault::Mismatch("its methods differ"));
    }
    let checksum = u32_at(header, 14);
    let mut size = u64::from(u32_at(header, 22));
    let mut packed = u64::from(u32_at(header, 18));
    let fields = Extra::parse(extra)?;
    fields.check_name(name)?;
    let later = member.flags & DESCRIBED_LATER != 0;
    if !later || (size, packed) != (0, 0) {
        fields.widen(&mut [&mut size, &mut packed])?;
    }
    let open = later && (checksum, size, packed) == (0, 0, 0);
    if !open && checksum != member.checksum {
        return Err(Fault::Mismatch("its checksums differ"));
    }
    if !open && (size, packed) != (member.size, member.packed) {
        return Err(Fault::Mismatch("its sizes differ"));
    }
    Ok(())
}

/// Compares what follows the content (4.3.9): nothing, or checksum and sizes once more, with or without a
/// signature, in 32 or 64 bits.
fn check_descriptor(member: &Member, rest: &[u8]) -> Result<(), Fault> {
    if member.flags & DESCRIBED_LATER == 0 {
        return if rest.is_empty() {
            Ok(())
        } else {
            Err(Fault::Mismatch("more follows it than belongs to it"))
        };
    }
    let rest = match rest.len() {
        16 | 24 if rest.starts_with(b"PK\x07\x08") => &rest[4..],
        12 | 20 => rest,
        _ => return Err(Fault::Mismatch("what follows it describes nothing")),
    };
    let (packed, size) = if rest.len() == 12 {
        (u64::from(u32_at(rest, 4)), u64::from(u32_at(rest, 8)))
    } else {
        (u64_at(rest, 4), u64_at(rest, 12))
    };
    if (u32_at(rest, 0), packed, size) == (member.checksum, member.packed, member.size) {
        Ok(())
    } else {
        Err(Fault::Mismatch("what follows it describes another"))
    }
}
