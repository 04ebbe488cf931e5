//! The protocol in which services tell their manager how they are: datagrams of `KEY=value` lines on a Unix
//! socket (`sd_notify(3)`). Both ends of it: to the manager of this process, and from a program of ours.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::host::environment;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::{Listener, Manager, Peer, tell_at_once, tell_journal};

/// How much more time a manager is asked for, again and again, and how often.
const MORE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(10);

/// Asks a manager for more time for as long as this lives (`EXTEND_TIMEOUT_USEC`, `sd_notify(3)`): it takes what takes
/// too long for stuck.
#[derive(Debug)]
pub struct MoreTime {
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MoreTime {
    /// Asks from now on, and says what it is for. Where there is no manager, nobody is asked.
    #[must_use]
    pub fn for_doing(what: &str) -> Self {
        let manager = environment::variable("NOTIFY_SOCKET").and_then(|address| Manager::at(&address).ok());
        let Some(manager) = manager else { return Self { end: None, thread: None } };
        let message = format!("EXTEND_TIMEOUT_USEC={}\nSTATUS={what}", MORE.as_micros());
        let (end, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            // What does not arrive is said again.
            let _ = manager.tell(&message);
            while ended.recv_timeout(AGAIN) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = manager.tell(&message);
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for MoreTime {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a program says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is ready.
    Ready,
    /// What it does, for people.
    Status(String),
    /// It needs so much longer.
    Extend(Duration),
    /// It still works.
    Alive,
}

/// A notice, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notices {
    /// Who sent it. `None`: the system does not tell; it may who has rights to the socket's file, which is the program's
    /// account.
    pub sender: Option<Peer>,
    /// What it said.
    pub notices: Vec<Notice>,
}

/// What a message says, line by line; what nobody asked for is left out.
#[must_use]
pub fn parse(text: &str) -> Vec<Notice> {
    let notice = |line: &str| {
        let (key, value) = line.split_once('=')?;
        match key {
            "READY" if value == "1" => Some(Notice::Ready),
            "WATCHDOG" if value == "1" => Some(Notice::Alive),
            "STATUS" => Some(Notice::Status(value.to_owned())),
            "EXTEND_TIMEOUT_USEC" => {
                value.parse().ok().map(|usec| Notice::Extend(Duration::from_micros(usec)))
            }
            _ => None,
        }
    };
    text.lines().filter_map(notice).collect()
}
