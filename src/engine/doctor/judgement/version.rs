//! The active version, and the way back from it.

use super::{Judged, doubtful, trial, wrong};
use crate::engine::doctor::facts::Facts;
use crate::engine::doctor::fix::Fix;
use crate::model::answer::doctor::Check;

/// The judgement of the active version.
pub(super) fn version(facts: &Facts) -> Judged {
    let tree = &facts.tree;
    let name = &facts.status.name;
    let Some(target) = &tree.target else {
        let message = format!("the current link `{}` leads nowhere", tree.link);
        let hint = "`mainstay upgrade --to VERSION` chooses one that is unpacked";
        return wrong(Check::Version, message, hint).mended_by(Fix::Recover);
    };
    if !tree.whole {
        let message = format!("the active version `{target}` is not there, or not whole");
        let hint = format!(
            "`mainstay repair --name {name} --from ARCHIVE` rebuilds it, `mainstay recover --name {name}` ends what was interrupted"
        );
        return wrong(Check::Version, message, hint).mended_by(Fix::Recover);
    }
    if let Err(reason) = &tree.spec {
        let message = format!("the launch of `{target}` can't be used: {reason}");
        return wrong(Check::Version, message, "`mainstay apply` in its folder writes it anew");
    }
    if let Some((holds, expected)) =
        tree.content.as_ref().filter(|(holds, expected)| !holds.contains(expected))
    {
        let found = if expected < holds.start() { holds.start() } else { holds.end() };
        let message = format!(
            "the files of the active version `{target}` hold {found} bytes, and its archive had {expected}: they were changed"
        );
        let hint = format!("`mainstay repair --name {name} --from ARCHIVE` says which, and rebuilds them");
        return wrong(Check::Version, message, hint);
    }
    if let Some(previous) = &tree.damaged_before {
        let message =
            format!("the version before, `{previous}`, is damaged: there is no safe way back to it");
        let version = facts.status.previous_version.as_ref().map(ToString::to_string).unwrap_or_default();
        let hint = format!("`mainstay repair --name {name} --version {version} --from ARCHIVE` rebuilds it");
        return doubtful(Check::Version, message, hint);
    }
    trial::of_whole(facts, target)
}
