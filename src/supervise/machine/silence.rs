//! For how long nothing of a service could answer: from the request to end, or the death, of what was up, until
//! something is up again.

use crate::model::moment::BootMoment;
use crate::model::status::Status;

#[derive(Clone, Debug, Default)]
pub(super) struct Silence {
    /// Since when nothing answers, while that is so and known.
    since: Option<BootMoment>,
    /// Whether something was up under this supervisor.
    was_up: bool,
    /// How long it lasted until then, in milliseconds.
    lasted: Option<u64>,
}

impl Silence {
    /// As the supervisor before has left it, in the same boot of the host. One that was killed has said nothing.
    pub(super) fn after(earlier: Option<&Status>) -> Self {
        let ended = earlier.filter(|status| !status.phase.is_up());
        Self { since: ended.and_then(|status| status.silent_since), ..Self::default() }
    }

    /// Another start has taken over from what answered until then.
    pub(super) fn never(&mut self) {
        *self = Self { since: None, was_up: true, lasted: Some(0) };
    }

    pub(super) fn look(&mut self, was_up: bool, is_up: bool, now: BootMoment) {
        if was_up && !is_up {
            self.since = Some(now);
        }
        if is_up {
            let since = self.since.take().filter(|_| !self.was_up);
            if let Some(since) = since {
                self.lasted = u64::try_from(now.since(since).as_millis()).ok();
            }
            self.was_up = true;
        }
    }

    pub(super) fn since(&self) -> Option<BootMoment> {
        self.since
    }

    pub(super) fn lasted(&self) -> Option<u64> {
        self.lasted
    }
}
