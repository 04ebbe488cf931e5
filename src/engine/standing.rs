//! Where an instance stands: the service manager's word and the supervisor's report, weighed.

use crate::engine::manager::State;
use crate::model::answer::status::InstanceState;
use crate::model::manifest::{PlatformKind, Supervision};
use crate::model::status::{Phase, Status};

/// What a supervisor has reported in this boot of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reported<'a> {
    /// Nothing.
    Nothing,
    /// Something that can't be read.
    Unreadable,
    /// By a supervisor that is dead.
    Late(&'a Status),
    /// By one that lives.
    Live(&'a Status),
}

/// Weighs what is known. The manager knows whether the supervisor runs; only that knows how the program is.
pub(crate) fn standing(
    manager: Option<State>,
    reported: Reported<'_>,
    platform: PlatformKind,
    supervision: Option<Supervision>,
) -> InstanceState {
    let Some(manager) = manager else { return InstanceState::Unknown };
    if let Reported::Live(status) = reported {
        return of_phase(status.phase, manager);
    }
    match manager {
        State::Stopping => InstanceState::Stopping,
        State::Starting => InstanceState::Starting,
        State::Failed => InstanceState::Failed,
        State::Active => match (platform, supervision) {
            // A unit is active when its program has said that it is ready, be it through the supervisor.
            // Whatever runs of a container is what its engine says of it.
            (PlatformKind::Systemd, Some(Supervision::Native)) | (PlatformKind::Compose, _) => {
                InstanceState::Ready
            }
            (PlatformKind::Systemd, _) if !matches!(reported, Reported::Late(_)) => InstanceState::Ready,
            // A guardian knows that a supervisor runs, and no more.
            (platform, _) if platform.keeps_logs() && reported == Reported::Unreadable => {
                InstanceState::Unknown
            }
            (platform, _) if platform.keeps_logs() => match reported {
                // The guardian has not noticed yet, or is about to end as well.
                Reported::Late(status) if matches!(status.phase, Phase::Completed | Phase::Failed) => {
                    of_phase(status.phase, manager)
                }
                _ => InstanceState::Starting,
            },
            // The supervisor is just being replaced.
            _ => InstanceState::Starting,
        },
        State::Inactive => match (platform, reported) {
            // Its guardian has told the manager that it is down, and does so last of all.
            (PlatformKind::Windows, Reported::Late(status))
                if status.phase.goes_down() && status.phase != Phase::Failed =>
            {
                InstanceState::Stopped
            }
            // Nobody else remembers how an instance of ours ended.
            (platform, Reported::Late(status))
                if platform.keeps_logs() && (status.phase == Phase::Failed || !status.phase.is_final()) =>
            {
                // One that died before it could report an ending was killed, and its guard with it.
                InstanceState::Failed
            }
            _ => InstanceState::Stopped,
        },
    }
}

fn of_phase(phase: Phase, manager: State) -> InstanceState {
    match phase {
        _ if manager == State::Stopping => InstanceState::Stopping,
        Phase::Starting => InstanceState::Starting,
        Phase::Ready => InstanceState::Ready,
        Phase::Sleeping => InstanceState::Sleeping,
        Phase::Idle => InstanceState::Idle,
        Phase::BackingOff => InstanceState::BackingOff,
        Phase::Stopping => InstanceState::Stopping,
        Phase::Stopped | Phase::Completed => InstanceState::Stopped,
        Phase::Failed => InstanceState::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::launch::LaunchSpec;
    use crate::model::manifest::Scope;
    use crate::model::marker::Marker;
    use crate::model::moment::Moment;
    use crate::model::status::ProcessIdentity;

    fn status(phase: Phase) -> Status {
        let marker = Marker {
            name: "web".parse().unwrap(),
            component: "server".parse().unwrap(),
            platform: PlatformKind::Embedded,
            scope: Scope::User,
            folder: "/d".into(),
        };
        let supervisor = ProcessIdentity { pid: 1, start_ticks: 1 };
        let began = Moment("2026-05-08T14:32:07Z".parse().unwrap());
        Status { phase, ..Status::begun(&LaunchSpec::bare(&marker), "", supervisor, began) }
    }

    #[test]
    fn the_manager_and_the_report_are_weighed() {
        use {InstanceState as I, Phase as P, PlatformKind as K, State as S, Supervision as W};
        let (failed, ready, waiting) = (status(P::Failed), status(P::Ready), status(P::BackingOff));
        let (stopped, done) = (status(P::Stopped), status(P::Completed));
        let live = Reported::Live;
        let late = Reported::Late;
        for (manager, reported, platform, supervision, expected) in [
            (None, live(&ready), K::Systemd, W::Mainstay, I::Unknown),
            (Some(S::Active), live(&ready), K::Systemd, W::Mainstay, I::Ready),
            (Some(S::Active), live(&waiting), K::Systemd, W::Mainstay, I::BackingOff),
            (Some(S::Starting), live(&waiting), K::Systemd, W::Mainstay, I::BackingOff),
            (Some(S::Stopping), live(&ready), K::Systemd, W::Mainstay, I::Stopping),
            (Some(S::Active), late(&ready), K::Systemd, W::Mainstay, I::Starting),
            (Some(S::Active), Reported::Nothing, K::Systemd, W::Native, I::Ready),
            (Some(S::Active), Reported::Nothing, K::Embedded, W::Mainstay, I::Starting),
            (Some(S::Active), Reported::Unreadable, K::Systemd, W::Mainstay, I::Ready),
            (Some(S::Active), Reported::Unreadable, K::Embedded, W::Mainstay, I::Unknown),
            (Some(S::Inactive), Reported::Unreadable, K::Embedded, W::Mainstay, I::Stopped),
            (Some(S::Active), late(&done), K::Embedded, W::Mainstay, I::Stopped),
            (Some(S::Active), late(&failed), K::Embedded, W::Mainstay, I::Failed),
            (Some(S::Active), late(&stopped), K::Embedded, W::Mainstay, I::Starting),
            (Some(S::Inactive), live(&ready), K::Embedded, W::Mainstay, I::Ready),
            (Some(S::Inactive), late(&failed), K::Embedded, W::Mainstay, I::Failed),
            (Some(S::Inactive), late(&failed), K::Windows, W::Mainstay, I::Failed),
            (Some(S::Inactive), late(&done), K::Windows, W::Mainstay, I::Stopped),
            (Some(S::Inactive), late(&failed), K::Systemd, W::Mainstay, I::Stopped),
            (Some(S::Failed), late(&failed), K::Systemd, W::Mainstay, I::Failed),
            (Some(S::Inactive), late(&ready), K::Embedded, W::Mainstay, I::Failed),
            (Some(S::Inactive), late(&stopped), K::Embedded, W::Mainstay, I::Stopped),
        ] {
            assert_eq!(
                standing(manager, reported, platform, Some(supervision)),
                expected,
                "{manager:?} {reported:?} {platform:?} {supervision:?}"
            );
        }
    }
}
