//! How the services for development of an instance stand, for whoever only looks.

use crate::engine::container::boot::engine_starts;
use crate::engine::development::{look, record};
use crate::model::answer::status::{DevelopmentState, DevelopmentStatus};
use crate::model::layout::Layout;
use crate::model::manifest::Scope;
use crate::model::name::InstanceName;

/// How they stand. Empty: there are none.
pub(crate) fn standings(layout: &Layout, name: &InstanceName) -> Vec<DevelopmentStatus> {
    let Some(record) = record(layout, name).ok().flatten() else { return Vec::new() };
    let of = &record.of;
    let standing = |container: &crate::model::development::DevelopmentContainer| {
        let (state, message) = match look(container) {
            Ok(Some(standing)) if !standing.is_of(of) => (
                DevelopmentState::Unknown,
                Some("a container that mainstay has not made has its name".to_owned()),
            ),
            Ok(Some(standing)) if standing.runs() => (DevelopmentState::Running, None),
            Ok(Some(standing)) => {
                let code = standing.exit_code.map(|code| format!("it ended with exit code {code}"));
                (DevelopmentState::Stopped, code)
            }
            Ok(None) => (DevelopmentState::Missing, None),
            Err(error) => (DevelopmentState::Unknown, Some(error.to_string())),
        };
        DevelopmentStatus {
            name: container.service.clone(),
            engine: container.engine,
            container: container.container.clone(),
            image: container.image.clone(),
            address: container.address(),
            volumes: container.volumes.keys().cloned().collect(),
            state,
            message,
            boot: engine_starts(container.engine, layout.scope == Scope::User),
        }
    };
    record.containers.iter().map(standing).collect()
}
