//! Windows, which has no signals: what one process asks of another is a semaphore of the asked one's, named after it and
//! the request; a console says itself what is asked by it; and the end of a child is a call of the system's. A thread
//! hears all of that, and hands it to whoever waits.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::host::identity;
use crate::host::os::console::{self, Word};
use crate::host::os::event::{Event, Semaphore};
use crate::host::os::process::end_own;
use crate::host::os::wait;
use crate::host::rest::{AsFd as _, BorrowedFd};
use crate::model::status::ProcessIdentity;

/// The code of a process that a console has ended (`STATUS_CONTROL_C_EXIT`).
pub(in crate::host) const ENDED_BY_CONSOLE: u32 = 0xC000_013A;

/// What is asked of a process, in the numbers and names that it has elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

#[expect(missing_docs, reason = "they are those of signal(7)")]
impl Signal {
    pub const HUP: Self = Self(1);
    pub const INT: Self = Self(2);
    pub const QUIT: Self = Self(3);
    pub const ILL: Self = Self(4);
    pub const TRAP: Self = Self(5);
    pub const ABORT: Self = Self(6);
    pub const BUS: Self = Self(7);
    pub const FPE: Self = Self(8);
    pub const KILL: Self = Self(9);
    pub const USR1: Self = Self(10);
    pub const SEGV: Self = Self(11);
    pub const USR2: Self = Self(12);
    pub const PIPE: Self = Self(13);
    pub const ALARM: Self = Self(14);
    pub const TERM: Self = Self(15);
    pub const CHILD: Self = Self(17);
    pub const TSTP: Self = Self(20);
    pub const XCPU: Self = Self(24);
    pub const XFSZ: Self = Self(25);
    pub const SYS: Self = Self(31);

    /// Its number.
    #[must_use]
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

/// One or more requests, heard for as long as this lives.
#[derive(Debug)]
pub struct SignalPipe(Arc<Caught>);

#[derive(Debug)]
struct Caught {
    signals: Vec<Signal>,
    count: AtomicUsize,
    event: Event,
}

/// Who waits for what.
static CAUGHT: Mutex<Vec<Weak<Caught>>> = Mutex::new(Vec::new());

impl SignalPipe {
    /// Hears these from now on.
    pub fn new(signals: &[Signal]) -> io::Result<Self> {
        let caught = Caught { signals: signals.to_vec(), count: AtomicUsize::new(0), event: Event::new()? };
        let caught = Arc::new(caught);
        let mut all = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&caught));
        drop(all);
        // What comes from the console is heard as well as what other processes ask.
        console::hear(|word| {
            deliver(match word {
                Word::Interrupt => Signal::INT,
                Word::End => Signal::TERM,
                Word::HangUp => Signal::HUP,
            })
        })?;
        listen()?;
        Ok(Self(caught))
    }

    /// How many came since the last call.
    #[must_use]
    pub fn take(&self) -> usize {
        self.0.event.reset();
        self.0.count.swap(0, Ordering::SeqCst)
    }
}

impl std::os::windows::io::AsHandle for SignalPipe {
    fn as_handle(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}

/// Hands a request to whoever waits for it. Says whether anybody does.
pub(in crate::host) fn deliver(signal: Signal) -> bool {
    let all = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
    let mut heard = false;
    for caught in all.iter().filter_map(Weak::upgrade).filter(|one| one.signals.contains(&signal)) {
        caught.count.fetch_add(1, Ordering::SeqCst);
        caught.event.set();
        heard = true;
    }
    heard
}

/// What one process asks of another.
const ASKED: [Signal; 6] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::TERM];

/// Hears what other processes ask, on a thread of its own, from the first call on.
fn listen() -> io::Result<()> {
    static LISTENS: OnceLock<()> = OnceLock::new();
    static LOCK: Mutex<()> = Mutex::new(());
    let _one_at_a_time = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    if LISTENS.get().is_some() {
        return Ok(());
    }
    let own = identity::own();
    let semaphores = ASKED.map(|signal| Semaphore::create(&name(own, signal)).map(|one| (signal, one)));
    let semaphores: Vec<_> = semaphores.into_iter().collect::<io::Result<_>>()?;
    std::thread::Builder::new().name("requests".to_owned()).stack_size(128 << 10).spawn(move || {
        loop {
            let waited: Vec<_> = semaphores.iter().map(|(_, one)| one.as_fd()).collect();
            // It can't fail with semaphores that are ours.
            let Some((signal, _)) = wait::which(&waited).ok().and_then(|index| semaphores.get(index)) else {
                return;
            };
            if !deliver(*signal) {
                // Nobody waits any more for what ends a process by itself.
                end_by(*signal);
            }
        }
    })?;
    let _ = LISTENS.set(());
    Ok(())
}

fn name(process: ProcessIdentity, signal: Signal) -> String {
    format!(r"Global\mainstay.{}.{}.{}", process.pid, process.start_ticks, signal.as_raw())
}

/// Asks this of a process of ours. Says whether it is one that can be asked.
pub(in crate::host) fn ask(process: ProcessIdentity, signal: Signal) -> io::Result<bool> {
    Semaphore::add(&name(process, signal))
}

/// What a request does by itself is done: it ends this process.
pub(super) fn end_by(_signal: Signal) {
    end_own(ENDED_BY_CONSOLE);
}

/// Nothing is ignored that somebody else wanted ignored: there are no signals.
pub fn ignore_none() {}
