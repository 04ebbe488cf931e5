//! What fails on the way of an archive, and what its signature says.

use crate::package::fetch::FetchError;
use crate::package::signature::SignatureError;

/// The exit code.
pub(super) fn code(error: &FetchError) -> u8 {
    match error {
        FetchError::Address { .. } | FetchError::Settings(_) => 2,
        FetchError::Plain(_) | FetchError::Downgraded { .. } => 4,
        FetchError::Tls { .. } => 5,
        FetchError::Busy(_) => 6,
        FetchError::Redirects(_)
        | FetchError::Redirect { .. }
        | FetchError::Missing { .. }
        | FetchError::Status { .. }
        | FetchError::Later { .. }
        | FetchError::Unreachable { .. }
        | FetchError::Broken { .. }
        | FetchError::Silent { .. }
        | FetchError::Range { .. }
        | FetchError::TooLarge { .. }
        | FetchError::NoText(_)
        | FetchError::Space { .. }
        | FetchError::Write { .. } => 1,
    }
}

/// What the person can do.
pub(super) fn help(error: &FetchError) -> Vec<String> {
    let line = match error {
        FetchError::Plain(_) => {
            "use an address of https, or say what has to come: `package.sha256`, `package.publicKey` or `--sha256`"
        }
        FetchError::Downgraded { .. } => "use an address that stays with https",
        FetchError::Tls { .. } => {
            "a private authority is named by `package.download.ca`, and what a server knows this host by by `package.download.certificate`"
        }
        FetchError::Settings(_) => {
            "`package.download.ca` and `certificate` are files of PEM; where this host has no authorities at all, install its `ca-certificates`"
        }
        FetchError::Busy(_) => "wait for it to end, then try again",
        FetchError::Missing { .. } => "is the version right? `--version` says another, `--url` another place",
        FetchError::Status { status: 401 | 403, .. } => {
            "an account stands in the address: `https://NAME:PASSWORD@…`; it is shown and recorded nowhere"
        }
        FetchError::Unreachable { .. } => {
            "is a proxy needed? `HTTPS_PROXY` and `NO_PROXY` in the environment name it; without a network, `--from FOLDER` takes what lies there"
        }
        FetchError::Broken { .. } | FetchError::Silent { .. } => {
            "what has come so far is kept, and the same command goes on with it"
        }
        FetchError::Space { .. } | FetchError::Write { .. } => {
            "make room: `mainstay upgrade --cleanup` removes old versions; what has come so far is kept"
        }
        _ => return Vec::new(),
    };
    vec![line.to_owned()]
}

/// What the person can do about a signature.
pub(super) fn signature_help(error: &SignatureError) -> Vec<String> {
    let line = match error {
        SignatureError::Missing { .. } => {
            "get the signature as well: it lies beside the archive, with `.minisig` after its name, or is named by `--signature`"
        }
        SignatureError::Malformed { .. } | SignatureError::Wrong { .. } | SignatureError::OtherKey { .. } => {
            "get the archive and its signature again, and ask who made them"
        }
        SignatureError::Other { .. } => {
            "whoever signs it says for what: `minisign -Sm ARCHIVE -t 'name:COMPONENT version:VERSION'`"
        }
        SignatureError::Legacy { .. } => "let it be signed again: minisign of today signs a digest",
        SignatureError::Read { .. } => return Vec::new(),
    };
    vec![line.to_owned()]
}
