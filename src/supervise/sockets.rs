//! The sockets that are held for the program: those that were handed over to the supervisor, and those that nobody
//! held, which it binds itself.

use crate::host::listening::HeldSockets;
use crate::host::rest::{AsFd, BorrowedFd};
use crate::supervise::context::Context;

#[derive(Debug)]
pub(crate) struct Sockets {
    held: HeldSockets,
    /// Whether one of them was bound here, and is nobody else's.
    bound: bool,
}

impl Sockets {
    /// What was handed over.
    pub(crate) fn of(context: &Context) -> Self {
        Self { held: context.sockets.clone(), bound: false }
    }

    /// All sockets of the launch, those that are missing bound now.
    pub(crate) fn complete(&mut self, context: &Context) -> Result<&HeldSockets, String> {
        let wanted = &context.spec.sockets;
        if !self.held.listens().eq(wanted.iter().map(|socket| &socket.listen)) {
            let there = self.held.copies().map_err(|error| format!("the sockets can't be kept: {error}"))?;
            let before = self.held.len();
            let account = context.account.credentials.as_ref();
            let (held, refused) = HeldSockets::gather(wanted, context.spec.name.as_str(), there, account);
            self.bound |= held.len() > before;
            self.held = held;
            if let Some(refusal) = refused.first() {
                return Err(refusal.to_string());
            }
        }
        Ok(&self.held)
    }

    /// What is held now.
    pub(crate) fn held(&self) -> &HeldSockets {
        &self.held
    }

    /// Descriptors that are readable while a connection waits.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.held.descriptors().map(AsFd::as_fd)
    }

    /// Nobody starts the program again from here: what is nobody else's is given up.
    pub(crate) fn give_up(&self, context: &Context) {
        if self.bound && context.guardian.is_none() {
            self.held.remove_files_but(&HeldSockets::default());
        }
    }
}
