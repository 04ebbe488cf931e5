//! What other instances of this host need of what was done for one of them: that stays when the one goes.

use super::{Done, Undo};
use crate::engine::{registry, requirements, status, variables};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::package::{PreparationKind, RequirementKind};

/// The needs of all instances but one.
pub(super) struct Others(Vec<Needs>);

struct Needs {
    instance: InstanceName,
    account: Option<String>,
    /// The settings and modules of the kernel that its package asks for.
    kernel: Vec<String>,
}

impl Others {
    /// Looks at the instances of a scope.
    pub(super) fn of(layout: &Layout, but: &InstanceName) -> Self {
        let others = registry::instances(layout).markers.into_iter().filter(|marker| marker.name != *but);
        let needs = |spec: crate::model::launch::LaunchSpec| {
            let host = requirements::host_of(layout, &spec);
            let setting = requirements::setting(layout, &spec);
            let steps = host.prepare.iter().filter(|step| {
                matches!(step.kind, PreparationKind::Sysctl | PreparationKind::KernelModule)
                    && step.when.holds(&setting)
            });
            let checks = host.checks.iter().filter(|check| {
                matches!(check.kind, RequirementKind::Sysctl | RequirementKind::KernelModule)
                    && check.when.holds(&setting)
            });
            let names = steps.map(|step| &step.name).chain(checks.map(|check| &check.name));
            Needs {
                instance: spec.name.clone(),
                account: variables::account(&spec).map(|account| account.name),
                kernel: names.flatten().map(|name| name.replace('/', ".")).collect(),
            }
        };
        Self(others.filter_map(|marker| status::active(layout, &marker)).map(needs).collect())
    }

    /// Why a step can't be undone, if another instance lives by it.
    pub(super) fn need(&self, done: &Done) -> Option<String> {
        done.undo.iter().find_map(|undo| match undo {
            Undo::Leave { user, group } => {
                let other = self.0.iter().find(|other| other.account.as_ref() == Some(user))?;
                Some(format!(
                    "{user} stays in the group `{group}`: `{}` runs as {user} as well",
                    other.instance
                ))
            }
            Undo::Setting { name, .. } | Undo::Loaded { module: name } => {
                let name = name.replace('/', ".");
                let other = self.0.iter().find(|other| other.kernel.contains(&name))?;
                Some(format!("`{name}` of the kernel stays as it is: `{}` needs it as well", other.instance))
            }
            Undo::Remove { .. } | Undo::RemoveFolder { .. } => None,
        })
    }
}
