//! Windows: a queue, and an event that says that something is in it.

use std::collections::VecDeque;
use std::io;
use std::os::windows::io::{AsHandle, BorrowedHandle};
use std::sync::{Arc, Mutex, PoisonError};

use crate::host::os::event::Event;

/// Where messages arrive.
#[derive(Debug)]
pub(in crate::host) struct Mailbox(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    messages: Mutex<VecDeque<Vec<u8>>>,
    event: Event,
}

impl Mailbox {
    pub(in crate::host) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Queue { messages: Mutex::default(), event: Event::new()? })))
    }

    /// Who sends, on another thread.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(in crate::host) fn sender(&self) -> io::Result<Sender> {
        Ok(Sender(Arc::clone(&self.0)))
    }

    /// The next message, which is not longer than the room for it.
    pub(in crate::host) fn take(&self, room: &mut [u8]) -> Option<usize> {
        let mut messages = self.0.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let message = messages.pop_front();
        if messages.is_empty() {
            self.0.event.reset();
        }
        let message = message?;
        let length = message.len().min(room.len());
        room.iter_mut().zip(message).for_each(|(to, from)| *to = from);
        Some(length)
    }
}

impl AsHandle for Mailbox {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.event.as_handle()
    }
}

#[derive(Debug)]
pub(in crate::host) struct Sender(Arc<Queue>);

impl Sender {
    /// Sends a message.
    pub(in crate::host) fn send(&self, message: &[u8]) {
        let mut messages = self.0.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push_back(message.to_vec());
        self.0.event.set();
    }
}
