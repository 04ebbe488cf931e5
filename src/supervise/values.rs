//! Keeping the variables that come from files: those of the last start that became ready are the way back where changed
//! ones do not do.

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::untrusted;
use crate::model::values::{Refused, kept_text, read_kept};
use crate::supervise::context::Context;
use crate::supervise::environment::Environment;
use crate::supervise::program::Prepared;

/// The largest file of kept values, in bytes: the kernel takes less for a whole environment (execve(2)).
const LARGEST: u64 = 4 << 20;

/// The kept values of an instance, beside its status.
fn place(status: &Utf8Path) -> Utf8PathBuf {
    status.with_file_name("values")
}

/// The kept values. Nothing where there are none, or they can't be read.
#[must_use]
pub fn kept(status: &Utf8Path) -> Option<Environment> {
    let bytes = untrusted::read_bytes(&place(status), LARGEST).ok()??;
    let text = |(name, value)| Some((name, String::from_utf8(value).ok()?.into()));
    read_kept(&bytes)?.into_iter().map(text).collect()
}

/// Keeps the values of a start that has become ready, for the account's and root's eyes alone. What a service manager
/// hands over as credentials is kept nowhere: its files are for root alone, and a copy would be for the account.
pub(crate) fn keep(context: &Context, prepared: &Prepared) {
    let values: Environment = prepared
        .given
        .iter()
        .filter_map(|name| Some((name.clone(), prepared.environment.get(name)?.clone())))
        .filter(|_| !context.spec.has_credentials())
        .collect();
    let path = place(&context.status);
    let there = kept(&context.status);
    if values.is_empty() && there.is_some() {
        let _ = fs_err::remove_file(&path);
    } else if !values.is_empty() && there.as_ref() != Some(&values) {
        // Without them there is no way back, which keeps no program from running.
        let _ = untrusted::replace(&path, &kept_text(bytes(&values)), 0o600);
    }
}

/// The kept values, where those of the files have failed and are still the same.
pub(crate) fn instead(context: &Context, files: &Environment) -> Option<Environment> {
    let text = untrusted::read(&context.refused, LARGEST).ok()??;
    let refused: Refused = serde_json::from_str(&text).ok()?;
    let kept = kept(&context.status)?;
    refused.applies(&context.spec.identity(), bytes(files), bytes(&kept)).then_some(kept)
}

/// Variables as bytes.
#[must_use]
pub fn bytes(values: &Environment) -> Vec<(&str, &[u8])> {
    values.iter().map(|(name, value)| (name.as_str(), value.as_encoded_bytes())).collect()
}
