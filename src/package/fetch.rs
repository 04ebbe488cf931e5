//! Fetching a file over a network that breaks: tried again with growing pauses, gone on with where it ended, never
//! more trusted than the way it came.
//!
//! What vouches for its bytes is not decided here: the digest and the signature are looked at by whoever unpacks it.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use reqwest::blocking::{Client, ClientBuilder};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Identity, redirect};

use self::answer::Trouble;
use self::part::Part;
use crate::host::names;
use crate::model::digest::Digest;

pub use self::error::{Cause, FetchError};
pub use self::locator::{Locator, without_secrets};
pub use self::part::sweep;

mod answer;
mod body;
mod error;
mod locator;
mod part;

/// How long a server may be silent, where nothing else is said.
const USUAL_SILENCE: Duration = Duration::from_secs(60);
/// How long a connection may take to come about.
const LONGEST_CONNECT: Duration = Duration::from_secs(30);
/// How often it is tried again, where nothing else is said.
const USUAL_RETRIES: u32 = 5;
/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// For longer than this, nobody waits for a server that asks for patience.
const LONGEST_WISH: Duration = Duration::from_secs(300);
/// A try that brought so many bytes more than all before was worth it, and the count of failures begins anew.
const PROGRESS: u64 = 1 << 20;

/// How something is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Certificates (PEM) that are trusted beside the system's.
    pub ca: Option<String>,
    /// The certificate and the key (PEM) by which a server knows this host.
    pub certificate: Option<String>,
    /// How long a server may be silent.
    pub silence: Option<Duration>,
    /// How often it is tried again.
    pub retries: Option<u32>,
    /// Whether the bytes are vouched for by something that does not come the same way, so that it may be plain.
    pub pinned: bool,
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes are there.
    Got {
        /// How many.
        read: u64,
        /// Of how many, where the server says so.
        total: Option<u64>,
    },
    /// It failed, and is tried again.
    Again {
        /// Why it failed.
        why: String,
        /// After which pause.
        pause: Duration,
        /// Which of the further tries this is, and how many there are.
        count: (u32, u32),
    },
}

/// A file that was fetched. Another command that wants the same has to wait until this is dropped.
#[derive(Debug)]
pub struct Fetched {
    part: Part,
}

impl Fetched {
    /// The file, open at any place.
    pub fn file(&self) -> std::io::Result<File> {
        self.part.file.try_clone()
    }

    /// Removes it from where it is kept: it was used, or is good for nothing. Dropped without this, it is kept for the
    /// next command.
    pub fn discard(self) {
        self.part.discard();
    }
}

/// Who fetches. A proxy is taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    silence: Duration,
    retries: u32,
    pinned: bool,
}

impl Fetcher {
    /// Makes ready for addresses like this one.
    pub fn new(settings: &Settings, address: &Locator) -> Result<Self, FetchError> {
        // Only here: whatever else this program does, it does without cryptography of the network. That it is
        // installed already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let refused = |error: reqwest::Error| FetchError::Settings(Cause::of(error));
        let silence = settings.silence.unwrap_or(USUAL_SILENCE);
        let builder = || -> Result<ClientBuilder, FetchError> {
            let mut builder = Client::builder()
                .user_agent(concat!("mainstay/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .timeout(silence)
                .connect_timeout(silence.min(LONGEST_CONNECT))
                .referer(false)
                .dns_resolver(Arc::new(Names));
            if let Some(text) = &settings.ca {
                let authorities = Certificate::from_pem_bundle(text.as_bytes()).map_err(refused)?;
                if authorities.is_empty() {
                    return Err(FetchError::Settings(Cause::new("the file `ca` holds no certificate")));
                }
                builder = builder.tls_certs_merge(authorities);
            }
            if let Some(text) = &settings.certificate {
                builder = builder.identity(Identity::from_pem(text.as_bytes()).map_err(refused)?);
            }
            Ok(builder)
        };
        let client = match builder()?.build() {
            // A host without authorities can still fetch in plain text, and then trusts nobody.
            Err(_) if address.is_plain() => builder()?.tls_certs_only([]).build().map_err(refused)?,
            built => built.map_err(refused)?,
        };
        let retries = settings.retries.unwrap_or(USUAL_RETRIES);
        Ok(Self { client, silence, retries, pinned: settings.pinned })
    }

    /// Fetches a file into a folder where what is not whole yet is kept. `expected` is the digest that it is to have,
    /// where that is known; it is not yet checked.
    pub fn fetch(
        &self,
        address: &Locator,
        folder: &Utf8Path,
        expected: Option<Digest>,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, FetchError> {
        sweep(folder);
        let mut part = Part::open(folder, address, expected)?;
        let mut farthest = part.length;
        let mut patched = false;
        self.persist(tell, |tell, failures| {
            let outcome = self.body(address, &mut part, expected.is_some(), &mut patched, tell);
            if part.length >= farthest.saturating_add(PROGRESS) {
                *failures = 0;
            }
            farthest = farthest.max(part.length);
            outcome?;
            // Put together from several tries, it may be of two minds; one try's word counts as it is.
            if let Some(expected) = expected.filter(|_| patched)
                && part.digest()? != expected
            {
                part.cut(0)?;
                let what = "put together, the parts have another digest than the whole".to_owned();
                return Err(Trouble::Again {
                    error: FetchError::Range { address: address.to_string(), what },
                    after: None,
                });
            }
            Ok(())
        })?;
        Ok(Fetched { part })
    }

    /// Fetches a small text, or nothing where there is none.
    pub fn text(
        &self,
        address: &Locator,
        limit: u64,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Option<String>, FetchError> {
        match self.persist(tell, |_, _| self.small(address, limit)) {
            Err(FetchError::Missing { .. }) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// Tries until it works, or until it has failed too often.
    fn persist<T>(
        &self,
        tell: &mut dyn FnMut(Progress),
        mut attempt: impl FnMut(&mut dyn FnMut(Progress), &mut u32) -> Result<T, Trouble>,
    ) -> Result<T, FetchError> {
        let mut failures = 0;
        loop {
            let (error, after) = match attempt(tell, &mut failures) {
                Ok(outcome) => return Ok(outcome),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again { error, after }) => (error, after),
            };
            failures += 1;
            if failures > self.retries {
                return Err(error);
            }
            let pause = pause(failures, after);
            tell(Progress::Again { why: words(&error), pause, count: (failures, self.retries) });
            std::thread::sleep(pause);
        }
    }
}

/// Names mean what they mean to the host's other programs.
struct Names;

impl Resolve for Names {
    /// It is this program's one fetch that waits: nothing else runs on the client's thread.
    fn resolve(&self, name: Name) -> Resolving {
        let found = names::of_host(name.as_str(), 0);
        Box::pin(std::future::ready(
            found.map(|found| Box::new(found.into_iter()) as Addrs).map_err(Into::into),
        ))
    }
}

/// The pause before a further try: growing, and never the same for many who failed at the same time.
fn pause(failures: u32, wished: Option<Duration>) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let chance = std::hash::RandomState::new().build_hasher().finish() % 1000;
    let own = longest / 2 + (longest / 2).saturating_mul(u32::try_from(chance).unwrap_or(0)) / 1000;
    wished.map_or(own, |wished| wished.max(own))
}

/// A failure with its cause, in one line.
fn words(error: &FetchError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_vary_and_follow_the_servers_wish() {
        for failures in 1..40 {
            let longest = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_PAUSE);
            let pause = pause(failures, None);
            assert!(pause >= longest / 2 && pause <= longest, "{failures}: {pause:?}");
        }
        let of_one: std::collections::BTreeSet<Duration> = (0..50).map(|_| pause(8, None)).collect();
        assert!(of_one.len() > 10, "{of_one:?}");
        assert_eq!(pause(1, Some(Duration::from_secs(7))), Duration::from_secs(7));
    }
}
