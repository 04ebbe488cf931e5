//! What a command and a running supervisor say to each other, while a new start of the program becomes ready beside
//! the old one: a line of JSON each.

use serde::{Deserialize, Serialize};

use crate::model::launch::LaunchSpec;
use crate::model::status::Exit;

/// The name of the socket in the run folder of an instance.
pub const SOCKET: &str = "control";

/// What a command asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ask {
    /// Start the launch that is in force, and put it in the place of what runs as soon as it is ready.
    Restart,
    /// Start this launch, and say when it is ready. Whether it stays is decided then.
    Switch(Box<LaunchSpec>),
    /// The current link names it now: put it in the place of what runs.
    Promote,
}

/// What the supervisor says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Word {
    /// It is being started.
    Starting,
    /// It is ready, and waits for the word that it is to stay.
    Ready,
    /// It has taken the place of what ran before, which finishes what it has begun.
    Promoted,
    /// It is not started now; a little later it may be.
    Busy,
    /// It is not started: this has to be done in another way.
    Refused(String),
    /// It did not become ready, and is gone.
    Failed {
        /// Why.
        reason: String,
        /// How it ended, if it did by itself.
        exit: Option<Exit>,
    },
}

impl Word {
    /// As a line.
    #[must_use]
    pub fn line(&self) -> String {
        // A word holds only strings and numbers.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

impl Ask {
    /// As a line.
    #[must_use]
    pub fn line(&self) -> String {
        // So does a launch.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// Whether one launch can run beside the other, below one supervisor, and take its place.
#[must_use]
pub fn may_overlap(old: &LaunchSpec, new: &LaunchSpec) -> bool {
    let fixed = |spec: &LaunchSpec| {
        (spec.name.clone(), spec.component.clone(), spec.platform, spec.scope, spec.deploy.clone())
    };
    let account = |spec: &LaunchSpec| (spec.user.clone(), spec.group.clone(), spec.credentials);
    fixed(old) == fixed(new)
        && account(old) == account(new)
        && old.sockets == new.sockets
        && !new.sockets.is_empty()
        && new.overlap
        && new.schedule.is_none()
        // A guardian knows how long a stop may take from the start that it made itself.
        && new.stop_limit().duration() <= old.stop_limit().duration()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::duration::Span;
    use crate::model::manifest::{PlatformKind, Scope};
    use crate::model::marker::Marker;

    #[test]
    fn what_may_take_longer_to_stop_takes_over_in_no_overlap() {
        let mut old = LaunchSpec::bare(&Marker {
            name: "web".parse().unwrap(),
            component: "server".parse().unwrap(),
            platform: PlatformKind::Embedded,
            scope: Scope::User,
            folder: "/deploy".into(),
        });
        old.overlap = true;
        old.sockets = serde_json::from_str(r#"[{ "listen": "127.0.0.1:8080" }]"#).unwrap();
        let with = |seconds: u64| {
            let mut spec = old.clone();
            spec.stop.timeout = Span::milliseconds(seconds * 1_000);
            spec
        };
        assert!(may_overlap(&with(30), &with(30)) && may_overlap(&with(30), &with(10)));
        assert!(!may_overlap(&with(30), &with(31)));
    }
}
