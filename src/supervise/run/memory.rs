//! The limit on memory where the kernel does not keep it: a look at what the program and its descendants use together.

use std::time::Duration;

use super::Supervisor;
use crate::host::{memory, tree};
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::moment::BootMoment;
use crate::model::size::Size;
use crate::supervise::program::Program;
use crate::supervise::transition::Input;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    limit: Size,
    /// The last look, and of which program.
    last: Option<(BootMoment, u32)>,
}

impl Watch {
    /// `None`: there is no limit, or the kernel keeps it (`MemoryMax=`, systemd.resource-control(5)). On hosts
    /// without the memory controller, and for users to whom it is not delegated, systemd lets such a limit pass and
    /// nobody keeps it.
    pub(super) fn of(spec: &LaunchSpec) -> Option<Self> {
        let kept = || spec.platform == PlatformKind::Systemd && memory::is_limited();
        let limit = spec.limits.memory.filter(|_| !kept())?;
        Some(Self { limit, last: None })
    }
}

impl Supervisor {
    /// When the next look is due. `None`: there is nothing to look at.
    pub(super) fn memory_deadline(&self) -> Option<BootMoment> {
        let watch = self.memory?;
        let program = self.program.as_ref().filter(|program| program.runs)?;
        match watch.last {
            Some((last, of)) if of == program.identity.pid => Some(last.later(PAUSE)),
            // A program that has just been started uses little yet.
            _ => Some(BootMoment(0)),
        }
    }

    pub(super) fn look_at_memory(&mut self, now: BootMoment) {
        if self.memory_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let pid = self.program.as_ref().map(|program: &Program| program.identity.pid);
        let used = memory::used(&self.split(&tree::all()).0);
        let Some((watch, pid)) = self.memory.as_mut().zip(pid) else { return };
        watch.last = Some((now, pid));
        if used > watch.limit.bytes() {
            let how_much = format!("{} MiB of {}", used >> 20, watch.limit);
            self.inputs.push_back(Input::OverMemory(how_much));
        }
    }
}
