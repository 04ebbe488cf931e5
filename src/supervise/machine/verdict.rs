//! What follows an ending that nobody asked for.

use crate::model::duration::Span;
use crate::model::launch::RestartPolicy;
use crate::model::manifest::RestartWhen;
use crate::model::moment::BootMoment;
use crate::model::outcome::Outcome;
use crate::supervise::restarts::Restarts;

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The version on trial is taken back.
    TakenBack,
    /// The next run of the schedule.
    Sleep,
    /// A start at once, which does not count.
    AtOnce,
    /// A start after a pause, which counts.
    After(Span),
    /// No start, because too many have been made.
    UsedUp,
    /// No start: all is done.
    Completed,
    /// No start: the policy wants none.
    Failed,
    /// No start: it would fail too.
    Fatal,
}

/// What is known of the life that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) outcome: Outcome,
    /// Whether the program had not been ready, and its version is on trial.
    pub(super) on_trial: bool,
    /// Whether it has been ready, and its version is still on trial.
    pub(super) watched: bool,
    pub(super) scheduled: bool,
}

/// What the ending of a life means: a program that wants to be started again without ever having been ready would
/// do so for ever, so that counts as a failure.
pub(super) fn meaning(declared: Outcome, was_ready: bool, reconciled: bool) -> Outcome {
    match declared {
        Outcome::Restart if !was_ready => Outcome::Failure,
        Outcome::Success if !reconciled => Outcome::Partial,
        other => other,
    }
}

/// Decides. A restart that counts is noted in `restarts`.
pub(super) fn verdict(
    life: Life,
    policy: &RestartPolicy,
    restarts: &mut Restarts,
    now: BootMoment,
) -> Verdict {
    let done = matches!(life.outcome, Outcome::Success | Outcome::Partial);
    let failed = matches!(life.outcome, Outcome::Failure | Outcome::Fatal);
    if (life.on_trial && !(life.scheduled && done)) || (life.watched && failed) {
        return Verdict::TakenBack;
    }
    let again = match (life.outcome, policy.when) {
        (Outcome::Fatal, _) => return Verdict::Fatal,
        (Outcome::Restart, _) => return Verdict::AtOnce,
        _ if done && life.scheduled => return Verdict::Sleep,
        (_, RestartWhen::Always) => true,
        (_, RestartWhen::OnFailure) => !done,
        (_, RestartWhen::Never) => false,
    };
    match (again, done) {
        (true, _) => restarts.next(policy, now).map_or(Verdict::UsedUp, Verdict::After),
        (false, true) => Verdict::Completed,
        (false, false) => Verdict::Failed,
    }
}
