//! One question to a server, and what its answer means.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::Response;
use reqwest::header::{ACCEPT_ENCODING, IF_RANGE, LOCATION, RANGE, RETRY_AFTER};

use super::{Fetcher, LONGEST_WISH};
use crate::package::fetch::error::{Cause, FetchError, is_distrust};
use crate::package::fetch::locator::Locator;

/// How often an answer may lead on.
const MOST_REDIRECTS: usize = 10;

/// What a try came to that did not work.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Another try would come to the same.
    Final(FetchError),
    /// Another try may work.
    Again {
        /// Why this one did not.
        error: FetchError,
        /// How long the server wants to be left alone.
        after: Option<Duration>,
    },
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        Self::Final(error)
    }
}

impl Fetcher {
    /// Asks for a file, or for the rest of it, and follows where the answers lead. What comes is an answer of success,
    /// or one that says that there is no such rest.
    pub(super) fn ask(
        &self,
        address: &Locator,
        rest: Option<&(u64, Option<String>)>,
    ) -> Result<Response, Trouble> {
        let mut at = address.clone();
        self.guard_way(&at)?;
        for _ in 0..=MOST_REDIRECTS {
            // Any other encoding would change the bytes on their way.
            let mut request = self.client.get(at.url()).header(ACCEPT_ENCODING, "identity");
            if let Some((from, validator)) = rest {
                request = request.header(RANGE, format!("bytes={from}-"));
                if let Some(validator) = validator {
                    request = request.header(IF_RANGE, validator);
                }
            }
            let response = request.send().map_err(|error| self.unanswered(&at, error))?;
            let status = response.status();
            let leads_on = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(to) = response.headers().get(LOCATION).filter(|_| leads_on) else {
                return judged(&at, response, rest.is_some());
            };
            let next = at.redirected(to)?;
            if next.is_plain() && !at.is_plain() {
                let (address, to) = (address.to_string(), next.to_string());
                return Err(FetchError::Downgraded { address, to }.into());
            }
            self.guard_way(&next)?;
            at = next;
        }
        Err(FetchError::Redirects(address.to_string()).into())
    }

    /// A way that anybody can listen at is gone only where nobody is, or where exchanged bytes would be noticed.
    fn guard_way(&self, address: &Locator) -> Result<(), FetchError> {
        if address.is_plain() && !address.is_loopback() && !self.pinned {
            return Err(FetchError::Plain(address.to_string()));
        }
        Ok(())
    }

    fn unanswered(&self, address: &Locator, error: reqwest::Error) -> Trouble {
        let address = address.to_string();
        if is_distrust(&error) {
            return FetchError::Tls { address, source: Cause::of(error) }.into();
        }
        if error.is_builder() {
            return FetchError::Address { address, what: Cause::of(error).to_string() }.into();
        }
        let error = if error.is_timeout() && !error.is_connect() {
            FetchError::Silent { address, silence: self.silence }
        } else {
            FetchError::Unreachable { address, source: Cause::of(error) }
        };
        Trouble::Again { error, after: None }
    }
}

fn judged(address: &Locator, response: Response, in_part: bool) -> Result<Response, Trouble> {
    let status = response.status();
    match status {
        StatusCode::OK => return Ok(response),
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if in_part => return Ok(response),
        _ => {}
    }
    let (address, code) = (address.to_string(), status.as_u16());
    match code {
        404 | 410 => Err(FetchError::Missing { address, status: code }.into()),
        408 | 429 | 500..=599 => {
            let after = wish(&response);
            if let Some(after) = after.filter(|after| *after > LONGEST_WISH) {
                return Err(FetchError::Later { address, status: code, after }.into());
            }
            Err(Trouble::Again { error: FetchError::Status { address, status: code }, after })
        }
        _ => Err(FetchError::Status { address, status: code }.into()),
    }
}

/// How long a server wants to be left alone: in seconds, or until a time (RFC 9110, 10.2.3).
fn wish(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // The form of mail (RFC 2822) is that of the header, but for the name of the zone.
    let until = jiff::fmt::rfc2822::parse(&text.replace("GMT", "+0000")).ok()?;
    let wait = until.timestamp().duration_since(crate::host::clock::now().0);
    Some(Duration::try_from(wait).unwrap_or_default())
}
