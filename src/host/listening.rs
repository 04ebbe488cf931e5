//! Listening sockets that are held for a program, whoever bound them.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use thiserror::Error;

use crate::host::names;
use crate::host::process::{Credentials, as_account};
use crate::host::rest::OwnedFd;
use crate::model::socket::{Listen, Socket};

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Why a socket can't be held.
#[derive(Debug, Error)]
#[error("can't listen on {listen}: {source}")]
pub struct ListenError {
    /// Where.
    pub listen: Listen,
    /// Why.
    pub source: io::Error,
}

/// The sockets of one program, in the order of its manifest.
#[derive(Clone, Debug, Default)]
pub struct HeldSockets(Arc<Vec<Held>>);

#[derive(Debug)]
struct Held {
    name: String,
    listen: Listen,
    descriptor: OwnedFd,
    /// The device and the number of a Unix socket's file, as it was when it was bound or handed over.
    file: Option<(u64, u64)>,
    /// With whose rights its file is made and removed.
    account: Option<Credentials>,
}

impl HeldSockets {
    /// The sockets that are wanted: those that are there already, and the others bound now, with the rights of the
    /// account. With them, what could not be bound. What is there and not wanted is closed.
    #[must_use]
    pub fn gather(
        wanted: &[Socket],
        usual_name: &str,
        there: Vec<OwnedFd>,
        account: Option<&Credentials>,
    ) -> (Self, Vec<ListenError>) {
        let mut refused = Vec::new();
        let held = Self::choose(wanted, usual_name, there, account, |listen| {
            let refusal = |source| ListenError { listen: listen.clone(), source };
            system::bind(listen, account).map_err(|source| refused.push(refusal(source))).ok()
        });
        (held, refused)
    }

    /// Those of the wanted sockets that are there already.
    #[must_use]
    pub fn taken(wanted: &[Socket], usual_name: &str, there: Vec<OwnedFd>) -> Self {
        Self::choose(wanted, usual_name, there, None, |_| None)
    }

    fn choose(
        wanted: &[Socket],
        usual_name: &str,
        there: Vec<OwnedFd>,
        account: Option<&Credentials>,
        mut missing: impl FnMut(&Listen) -> Option<OwnedFd>,
    ) -> Self {
        let mut there: Vec<Option<OwnedFd>> = there.into_iter().map(Some).collect();
        let held = wanted.iter().filter_map(|socket| {
            let listen = &socket.listen;
            let found = there
                .iter_mut()
                .find(|one| one.as_ref().is_some_and(|descriptor| system::is_at(descriptor, listen)))
                .and_then(Option::take);
            let descriptor = found.or_else(|| missing(listen))?;
            let name = socket.name.clone().unwrap_or_else(|| usual_name.to_owned());
            let (file, account) = (system::file_of(listen), account.cloned());
            Some(Held { name, listen: listen.clone(), descriptor, file, account })
        });
        Self(Arc::new(held.collect()))
    }

    /// Copies of the descriptors, to gather others from.
    pub fn copies(&self) -> io::Result<Vec<OwnedFd>> {
        self.descriptors().map(OwnedFd::try_clone).collect()
    }

    /// The descriptors. One is readable while a connection waits.
    pub fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        self.0.iter().map(|held| &held.descriptor)
    }

    /// Where they listen.
    pub fn listens(&self) -> impl Iterator<Item = &Listen> {
        self.0.iter().map(|held| &held.listen)
    }

    /// Their names, as `LISTEN_FDNAMES` has them.
    #[must_use]
    pub fn names(&self) -> String {
        self.0.iter().map(|held| held.name.as_str()).collect::<Vec<_>>().join(":")
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes the files of Unix sockets that the others do not hold, where they are still those that were held:
    /// nobody answers there any more. The folder may be the account's, who may lay anything else there meanwhile: what
    /// it could not remove itself is not removed.
    pub fn remove_files_but(&self, others: &Self) {
        for held in self.0.iter().filter(|held| held.file.is_some()) {
            if let Listen::Unix(path) = &held.listen
                && others.listens().all(|other| *other != held.listen)
                && system::file_of(&held.listen) == held.file
            {
                // One that stays is recognised by the next who listens there.
                let _ = as_account(held.account.as_ref(), || std::fs::remove_file(path));
            }
        }
    }
}

/// Whether somebody listens at an address of this host, or one of those that a name stands for, so that nobody else can.
/// What can't be tried can't be known.
#[must_use]
pub fn is_taken(address: &str) -> bool {
    let Ok(addresses) = names::of_place(address) else { return false };
    let in_use = |error: io::Error| error.kind() == io::ErrorKind::AddrInUse;
    addresses.into_iter().any(|address| TcpListener::bind(address).is_err_and(in_use))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_while_somebody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert!(is_taken(&address));
        drop(listener);
        assert!(!is_taken(&address));
    }
}
