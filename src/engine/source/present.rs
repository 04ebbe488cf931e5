//! Whether a tree that is here already will do: what an archive would have to prove, it has to as well.

use crate::engine::change::Request;
use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::model::receipt::Receipt;
use crate::model::version::Version;
use crate::package::tree::Complete;
use crate::plan::step::Operation;

/// Refuses a tree that was not unpacked from what is asked for. Nobody can verify a signature over a tree.
pub(crate) fn guard(
    declared: &Declared,
    request: &Request,
    version: &Version,
    receipt: Option<&Receipt>,
    tree: &Complete,
) -> Result<(), Failure> {
    let package = &declared.manifest.package;
    let name = format!("{}-{version}", package.name);
    let bring = "bring the right archive with `--from ARCHIVE` or `--url ADDRESS`";
    let typed = request.proof.sha256.map(|digest| (digest, "`--sha256`"));
    // A way back goes to what was trusted then.
    let binds = request.operation != Operation::Rollback
        && package.version.as_ref().is_none_or(|pinned| pinned == version);
    let pinned = package.sha256.filter(|_| binds).map(|digest| (digest, "the manifest"));
    for (digest, by) in typed.into_iter().chain(pinned) {
        if digest != tree.digest {
            return Err(Failure::OtherArchive(format!(
                "`{name}`, which is unpacked here, is of an archive with the sha256 {}, and {by} says {digest}: {bring}",
                tree.digest
            )));
        }
    }
    if request.proof.signature.is_some() {
        return Err(Failure::Usage(format!(
            "`--signature` verifies an archive, and none is opened: `{name}` is unpacked here already; {bring}"
        )));
    }
    let remembered = receipt.and_then(|receipt| receipt.public_key.as_ref());
    // What runs already runs: to pin a key from now on is no reason to refuse the settings beside it.
    let is_active = receipt.and_then(Receipt::active).is_some_and(|active| active.version == *version);
    let has_to_prove = !is_active && request.operation != Operation::Rollback;
    if package.public_key.is_some() && remembered.is_none() && has_to_prove {
        return Err(Failure::OtherArchive(format!(
            "`{name}` was unpacked before `package.publicKey` stood in the manifest, and nobody has verified its \
             signature: `mainstay upgrade --from ARCHIVE`, with the signature beside the archive, does that"
        )));
    }
    Ok(())
}
