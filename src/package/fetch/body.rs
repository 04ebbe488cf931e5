//! What a server sends, taken into a file: from the beginning, or from where the last try ended.

use std::io::Read as _;

use reqwest::StatusCode;
use reqwest::blocking::Response;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderName, LAST_MODIFIED};

use super::answer::Trouble;
use super::part::{Facts, Part};
use super::{Fetcher, Progress};
use crate::host::disk;
use crate::model::size::Size;
use crate::package::fetch::error::{Cause, FetchError};
use crate::package::fetch::locator::Locator;

/// No archive is larger: what is inside may not be either.
const LARGEST: u64 = 8 << 30;
const CHUNK: usize = 64 << 10;

impl Fetcher {
    /// One try at a whole file. Says in `patched` whether it is put together from what came at different times.
    pub(super) fn body(
        &self,
        address: &Locator,
        part: &mut Part,
        has_digest: bool,
        patched: &mut bool,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<(), Trouble> {
        let rest = part.resume(has_digest);
        let response = self.ask(address, rest.as_ref())?;
        let total = match (response.status(), &rest) {
            (StatusCode::PARTIAL_CONTENT, Some((from, validator))) => {
                let total = rest_fits(address, &response, *from)?;
                let said = validator_of(&response);
                let known = part.facts.as_ref().and_then(|facts| facts.size);
                let other = validator.is_some() && said.is_some() && said != *validator;
                if other || known.is_some_and(|known| known != total) {
                    // It sends a part of another file, which `If-Range` should have kept it from.
                    return Err(changed(address, part)?);
                }
                part.cut(*from)?;
                *patched = true;
                Some(total)
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, _) => return Err(changed(address, part)?),
            _ => {
                let size = response.content_length();
                guard_size(address, size.unwrap_or(0))?;
                let validator = validator_of(&response);
                part.begin(Facts { address: address.identity(), validator, size })?;
                *patched = false;
                size
            }
        };
        guard_space(address, part, total)?;
        self.take(address, response, part, total, tell)
    }

    fn take(
        &self,
        address: &Locator,
        mut response: Response,
        part: &mut Part,
        total: Option<u64>,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<(), Trouble> {
        let mut buffer = vec![0; CHUNK];
        loop {
            tell(Progress::Got { read: part.length, total });
            let count = response.read(&mut buffer).map_err(|error| self.broken(address, part, error))?;
            if count == 0 {
                break;
            }
            if let Some(total) = total.filter(|total| part.length + count as u64 > *total) {
                let what = format!("more than the {total} bytes that it has announced");
                return Err(FetchError::Range { address: address.to_string(), what }.into());
            }
            guard_size(address, part.length + count as u64)?;
            part.write(&buffer[..count])?;
        }
        match total.filter(|total| part.length < *total) {
            None => Ok(()),
            Some(total) => {
                let source = Cause::new(format!("{total} bytes were announced"));
                let (address, got) = (address.to_string(), part.length);
                Err(Trouble::Again { error: FetchError::Broken { address, got, source }, after: None })
            }
        }
    }

    fn broken(&self, address: &Locator, part: &Part, error: std::io::Error) -> Trouble {
        let address = address.to_string();
        let error = match error.downcast::<reqwest::Error>() {
            Ok(error) if error.is_timeout() => FetchError::Silent { address, silence: self.silence },
            Ok(error) => FetchError::Broken { address, got: part.length, source: Cause::of(error) },
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                FetchError::Silent { address, silence: self.silence }
            }
            Err(error) => {
                FetchError::Broken { address, got: part.length, source: Cause::new(error.to_string()) }
            }
        };
        Trouble::Again { error, after: None }
    }

    /// One try at a small text.
    pub(super) fn small(&self, address: &Locator, limit: u64) -> Result<String, Trouble> {
        let response = self.ask(address, None)?;
        let mut bytes = Vec::new();
        response.take(limit + 1).read_to_end(&mut bytes).map_err(|error| {
            let source = Cause::new(error.to_string());
            let (address, got) = (address.to_string(), bytes.len() as u64);
            Trouble::Again { error: FetchError::Broken { address, got, source }, after: None }
        })?;
        if bytes.len() as u64 > limit {
            return Err(FetchError::TooLarge { address: address.to_string(), limit: Size::new(limit) }.into());
        }
        String::from_utf8(bytes).map_err(|_| FetchError::NoText(address.to_string()).into())
    }
}

/// What is there is of a file that is no more: the next try begins anew.
fn changed(address: &Locator, part: &mut Part) -> Result<Trouble, FetchError> {
    part.cut(0)?;
    let what = "the file has changed since the last try".to_owned();
    Ok(Trouble::Again { error: FetchError::Range { address: address.to_string(), what }, after: None })
}

/// Whether what comes is the rest that was asked for; gives the size of the whole.
fn rest_fits(address: &Locator, response: &Response, from: u64) -> Result<u64, FetchError> {
    let said = header(response, &CONTENT_RANGE).unwrap_or_default();
    let found = content_range(&said).filter(|(first, last, size)| *first == from && *last + 1 == *size);
    let Some((.., size)) = found else {
        let what = format!("asked for all from byte {from} on, it says `{said}`");
        return Err(FetchError::Range { address: address.to_string(), what });
    };
    guard_size(address, size)?;
    Ok(size)
}

/// The first byte, the last one, and the size of the whole (RFC 9110, 14.4).
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size) = (first.parse().ok()?, last.parse().ok()?, size.parse().ok()?);
    (first <= last && last < size).then_some((first, last, size))
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

/// What may be sent as `If-Range`. A weak tag may not: two files that are as good as each other differ in bytes.
fn validator_of(response: &Response) -> Option<String> {
    let tag = header(response, &ETAG).filter(|tag| tag.starts_with('"'));
    tag.or_else(|| header(response, &LAST_MODIFIED))
}

fn guard_size(address: &Locator, size: u64) -> Result<(), FetchError> {
    if size > LARGEST {
        return Err(FetchError::TooLarge { address: address.to_string(), limit: Size::new(LARGEST) });
    }
    Ok(())
}

/// Whether what is still to come has room, as far as that can be known.
fn guard_space(address: &Locator, part: &Part, total: Option<u64>) -> Result<(), FetchError> {
    let needed = total.unwrap_or(0).saturating_sub(part.length);
    match disk::room(part.folder()) {
        Some(room) if room.available < needed => Err(FetchError::Space {
            address: address.to_string(),
            folder: part.folder().to_owned(),
            needed,
            available: room.available,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_range_that_makes_sense_is_one() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 9, 10)));
        for text in
            ["", "bytes 5-9/*", "bytes 9-5/10", "bytes 5-10/10", "items 5-9/10", "bytes */10", "bytes 5-/10"]
        {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
