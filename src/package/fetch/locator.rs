//! Addresses, and how they are shown: without what may be a secret.

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::model::digest::Digest;
use crate::package::fetch::error::FetchError;

/// An address from which something is fetched. Shown, it has neither the account, nor the password, nor the query
/// that it may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator(Url);

impl Locator {
    /// Takes an address of `https`, `http` or `file`.
    pub fn new(text: &str) -> Result<Self, FetchError> {
        let refused = |what: String| FetchError::Address { address: without_secrets(text), what };
        let url = Url::parse(text).map_err(|error| refused(error.to_string()))?;
        match url.scheme() {
            "https" | "http" if url.host().is_some() => Ok(Self(url)),
            "file" => Ok(Self(url)),
            scheme => Err(refused(format!("nothing is fetched by `{scheme}`"))),
        }
    }

    /// The file that an address of `file` names.
    #[must_use]
    pub fn file(&self) -> Option<camino::Utf8PathBuf> {
        let path = self.0.to_file_path().ok().filter(|_| self.0.scheme() == "file")?;
        camino::Utf8PathBuf::try_from(path).ok()
    }

    /// The last part of its path: the name of the file that it stands for.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.path().rsplit('/').next().unwrap_or_default()
    }

    /// The address of another file in the same place.
    #[must_use]
    pub fn beside(&self, name: &str) -> Self {
        let mut url = self.0.clone();
        let folder = url.path().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        url.set_path(&format!("{folder}/{name}"));
        Self(url)
    }

    /// What tells it from others: a digest of it, without account and password.
    #[must_use]
    pub(crate) fn identity(&self) -> Digest {
        Digest::of(bare(&self.0, true).as_bytes())
    }

    /// Where an answer of this address leads.
    pub(crate) fn redirected(&self, to: &HeaderValue) -> Result<Self, FetchError> {
        let refused = |what: &str| FetchError::Redirect { address: self.to_string(), what: what.to_owned() };
        let to = to.to_str().map_err(|_| refused("somewhere that is no address"))?;
        let mut next = self.0.join(to).map_err(|_| refused("somewhere that is no address"))?;
        if !matches!(next.scheme(), "http" | "https") || next.host().is_none() {
            return Err(refused(&format!("something of `{}`", next.scheme())));
        }
        let same = next.origin() == self.0.origin();
        if same && next.username().is_empty() && next.password().is_none() {
            // The same server knows this caller by the same name; nobody else is told it.
            let _ = next.set_username(self.0.username());
            let _ = next.set_password(self.0.password());
        }
        Ok(Self(next))
    }

    /// Whether what is fetched can be read and changed on its way.
    pub(crate) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether the way does not leave this host.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }
}

impl std::fmt::Display for Locator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&bare(&self.0, false))
    }
}

fn bare(url: &Url, with_query: bool) -> String {
    let mut url = url.clone();
    // Both fail only where there is no host, and so no account either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    if !with_query {
        url.set_query(None);
    }
    url.to_string()
}

/// A text that is meant as an address, without what may be a secret in it.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    // An account may hold the sign itself, wrongly; what follows the last one is the host.
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let text = "https://me:secret@example.com/a/b-1.tar.gz?token=secret#secret";
        let locator = Locator::new(text).unwrap();
        assert_eq!(locator.to_string(), "https://example.com/a/b-1.tar.gz");
        assert_eq!(without_secrets(text), locator.to_string());
        assert_eq!(locator.file_name(), "b-1.tar.gz");
        let wrong = "https://me:sec@ret@exa mple.com/a";
        assert!(!Locator::new(wrong).unwrap_err().to_string().contains("sec"));
        assert_eq!(
            locator.beside("SHA256SUMS").url().as_str(),
            "https://me:secret@example.com/a/SHA256SUMS?token=secret#secret"
        );
    }

    #[test]
    fn who_asks_is_told_to_the_same_server_only() {
        let locator = Locator::new("https://me:secret@example.com/a").unwrap();
        let next = |to: &'static str| locator.redirected(&HeaderValue::from_static(to)).unwrap();
        assert_eq!(next("/b").url().as_str(), "https://me:secret@example.com/b");
        assert_eq!(next("https://other.example.com/b").url().as_str(), "https://other.example.com/b");
        assert_eq!(next("https://example.com:444/b").url().as_str(), "https://example.com:444/b");
        assert!(locator.redirected(&HeaderValue::from_static("file:///etc/passwd")).is_err());
    }

    #[test]
    fn loopback_is_this_host_only() {
        for (text, is) in [
            ("http://127.0.0.1:80/", true),
            ("http://localhost/", true),
            ("http://[::1]:1/", true),
            ("http://127.0.0.1.example.com/", false),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(Locator::new(text).unwrap().is_loopback(), is, "{text}");
        }
    }
}
