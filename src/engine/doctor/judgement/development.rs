//! The services for development beside the instance.

use super::{Judged, doubtful, sound, wrong};
use crate::engine::doctor::facts::Facts;
use crate::model::answer::doctor::Check;
use crate::model::answer::status::DevelopmentState;

/// Nothing where there are none.
pub(super) fn development(facts: &Facts) -> Option<Judged> {
    let services = &facts.status.development;
    let name = &facts.status.name;
    let first = services.first()?;
    let worst = services.iter().find(|service| service.state != DevelopmentState::Running);
    let Some(service) = worst else {
        let late = services.iter().find(|service| service.boot.starts == Some(false));
        return Some(match late {
            None => sound(
                Check::Development,
                format!("its services for development run in {} ({})", first.engine, services.len()),
            ),
            Some(late) => doubtful(
                Check::Development,
                format!("`{}` does not start with the host: {}", late.name, late.boot.reason),
                format!("after a boot `mainstay start --name {name}` starts it"),
            ),
        });
    };
    let because = service.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    let message = format!(
        "`{}` in the {} container {} is {}{because}",
        service.name, service.engine, service.container, service.state
    );
    Some(match service.state {
        DevelopmentState::Unknown => wrong(
            Check::Development,
            message,
            format!("`{} container inspect {}` says more", service.engine, service.container),
        ),
        _ => wrong(
            Check::Development,
            message,
            format!(
                "`mainstay start --name {name}` brings it up; `{} logs {}` shows what it said",
                service.engine, service.container
            ),
        ),
    })
}
