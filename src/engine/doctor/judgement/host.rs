//! What the host has of an instance: the index, who can change its files, and the clock.

use super::{Judged, doubtful, sound, wrong};
use crate::engine::doctor::facts::{Facts, Open};
use crate::engine::doctor::fix::Fix;
use crate::host::remedy;
use crate::model::answer::doctor::Check;

/// The beginning of 2025 (UTC), in seconds: before that nobody installed anything by this program.
const BEGINNING: i64 = 1_735_689_600;
/// By how much a clock may have been set back without anybody noticing, in seconds.
const SLACK: i64 = 60;

/// Looking for instances brings the index up to date, so what is still missing could not be written.
pub(super) fn index(facts: &Facts) -> Judged {
    if facts.indexed {
        return sound(Check::Index, "the index says the same as its definition");
    }
    let message = "the index does not say what its definition says, and could not be written";
    let hint = "it decides nothing, and finding an instance takes longer; `mainstay list` with the rights of its owner \
                writes it";
    doubtful(Check::Index, message, hint)
}

pub(super) fn permissions(facts: &Facts) -> Judged {
    match facts.open.first() {
        None => sound(Check::Permissions, "nobody else can change what runs it"),
        Some(Open::Mode { path, mode }) => wrong(
            Check::Permissions,
            format!("others than its owner can change `{path}` (mode {mode:04o})"),
            format!("`{}`", remedy::close_to_writers(path)),
        )
        .mended_by(Fix::Close(path.clone())),
        Some(Open::Owner { path, uid }) => wrong(
            Check::Permissions,
            format!("`{path}` belongs to the account {uid}, which can change what runs here"),
            format!(
                "see what that account did there, then `chown` it back, and `mainstay repair --name {}`",
                facts.status.name
            ),
        ),
    }
}

pub(super) fn clock(facts: &Facts) -> Judged {
    let (now, latest) = facts.clock;
    let now = now.0.as_second();
    let hint =
        "`timedatectl` says whether it is set from the network; a host without a clock of its own needs that";
    if now < BEGINNING {
        let message = "the clock of this host is years behind: certificates and schedules can't be relied on";
        return wrong(Check::Clock, message, hint);
    }
    match latest.map(|latest| latest.0.as_second() - now).filter(|ahead| *ahead > SLACK) {
        Some(ahead) => {
            let message =
                format!("the clock was set back: its active version was activated {ahead} s from now");
            doubtful(Check::Clock, message, hint)
        }
        None => sound(Check::Clock, "the clock is later than all that was done here"),
    }
}
