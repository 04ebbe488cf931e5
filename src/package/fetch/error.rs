//! Why something can't be fetched. No message holds an account, a password or a query of an address.

use std::io;
use std::time::Duration;

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::model::size::Size;

/// Why something can't be fetched.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Not an address.
    #[error("`{address}` is no address to fetch from: {what}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        what: String,
    },
    /// Anybody on the way could exchange it, and nothing would tell.
    #[error(
        "`{0}` would be fetched in plain text, and nothing says what has to come: anybody on the way could exchange it"
    )]
    Plain(String),
    /// The answer leads from an encrypted way to one that is not.
    #[error("`{address}` leads from https to `{to}`: from there on anybody could read and exchange it")]
    Downgraded {
        /// What was asked for.
        address: String,
        /// Where it leads.
        to: String,
    },
    /// The answers lead from one address to the next.
    #[error("`{0}` leads on more than ten times")]
    Redirects(String),
    /// The answer leads nowhere.
    #[error("`{address}` leads to {what}")]
    Redirect {
        /// What was asked for.
        address: String,
        /// Where it leads.
        what: String,
    },
    /// There is nothing of that name.
    #[error("there is nothing at `{address}` (the server answers {status})")]
    Missing {
        /// What was asked for.
        address: String,
        /// The status of the answer.
        status: u16,
    },
    /// The server does not give it.
    #[error("the server of `{address}` answers {status}{}", reason(*status))]
    Status {
        /// What was asked for.
        address: String,
        /// The status of the answer.
        status: u16,
    },
    /// The server asks for more patience than anybody has.
    #[error("the server of `{address}` answers {status} and asks to come back in {} s", after.as_secs())]
    Later {
        /// What was asked for.
        address: String,
        /// The status of the answer.
        status: u16,
        /// For how long it does not want to be asked.
        after: Duration,
    },
    /// The server is not who it should be, or does not accept who asks.
    #[error("no trusted connection to the server of `{address}` comes about")]
    Tls {
        /// What was asked for.
        address: String,
        /// What is wrong.
        source: Cause,
    },
    /// What the manifest says of certificates does not do.
    #[error("nothing can be fetched with these settings of `package.download`")]
    Settings(#[source] Cause),
    /// No server answers.
    #[error("the server of `{address}` can't be reached")]
    Unreachable {
        /// What was asked for.
        address: String,
        /// Why.
        source: Cause,
    },
    /// The connection broke.
    #[error("the connection for `{address}` broke after {got} bytes")]
    Broken {
        /// What was asked for.
        address: String,
        /// How many bytes are there.
        got: u64,
        /// Why.
        source: Cause,
    },
    /// The server says nothing any more.
    #[error("the server of `{address}` was silent for {} s", silence.as_secs_f32())]
    Silent {
        /// What was asked for.
        address: String,
        /// For how long.
        silence: Duration,
    },
    /// Other bytes than those that were asked for.
    #[error("the server of `{address}` sends other bytes than it was asked for: {what}")]
    Range {
        /// What was asked for.
        address: String,
        /// What was wanted, and what it sends.
        what: String,
    },
    /// It is larger than anything that is fetched.
    #[error("`{address}` is larger than {limit}, which is more than is fetched")]
    TooLarge {
        /// What was asked for.
        address: String,
        /// The limit.
        limit: Size,
    },
    /// It is text that should be, and is not.
    #[error("`{0}` is no text")]
    NoText(String),
    /// Known before: it will not fit.
    #[error("`{address}` needs {needed} bytes, and the disk of `{folder}` has {available} left")]
    Space {
        /// What was asked for.
        address: String,
        /// Where it would lie.
        folder: Utf8PathBuf,
        /// Bytes that are still to come.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// It can't be kept.
    #[error("`{path}` can't be written")]
    Write {
        /// What is fetched goes here.
        path: Utf8PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another command fetches the same.
    #[error("another command is fetching `{0}`")]
    Busy(String),
}

fn reason(status: u16) -> String {
    let known = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    known.map(|reason| format!(" ({reason})")).unwrap_or_default()
}

/// The innermost cause of what a library says in several layers.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    pub(crate) fn of(error: reqwest::Error) -> Self {
        // Its own words would name the address, with all that stands in it.
        let error = error.without_url();
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self(innermost.to_string())
    }

    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Whether a failure is one of trust between the two ends, which no second try mends.
pub(crate) fn is_distrust(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<rustls::Error>().is_some_and(is_verdict) {
            return true;
        }
        // An error of input and output hides the one that it carries from `source`.
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    false
}

fn is_verdict(error: &rustls::Error) -> bool {
    use rustls::Error as E;
    matches!(
        error,
        E::InvalidCertificate(_)
            | E::AlertReceived(_)
            | E::NoCertificatesPresented
            | E::UnsupportedNameType
            | E::PeerIncompatible(_)
            | E::PeerMisbehaved(_)
            | E::InvalidMessage(_)
    )
}
