//! What is wrong with an instance, what mends it, and, where that is safe, mending it. Looking changes nothing and
//! takes no lock; nothing is ever killed.

mod collect;
mod facts;
mod fix;
mod judgement;

pub use fix::{Fix, carry_out};

use crate::engine::manager::Manager;
use crate::model::answer::doctor::Examined;
use crate::model::layout::Layout;
use crate::model::marker::Marker;

/// What an examination has found, and what would mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// The findings.
    pub examined: Examined,
    /// What could be mended, each once.
    pub fixes: Vec<Fix>,
}

/// Examines one instance.
#[must_use]
pub fn examine(manager: &dyn Manager, layout: &Layout, of: &Marker) -> Examination {
    let mut judged = judgement::judge(&collect::collect(manager, layout, of));
    let mut fixes: Vec<Fix> = Vec::new();
    for fix in judged.iter_mut().filter_map(|judged| judged.fix.take()) {
        if !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    let findings = judged.into_iter().map(|judged| judged.finding).collect();
    let examined = Examined { name: of.name.clone(), platform: of.platform, scope: of.scope, findings };
    Examination { examined, fixes }
}
