//! The sockets of a launch as a unit of their own (systemd.socket(5)): systemd listens, and hands the sockets to the
//! service at each of its starts.

use serde::Serialize;

use crate::model::launch::LaunchSpec;
use crate::model::manifest::{Scope, Supervision};
use crate::model::socket::Listen;
use crate::platform::systemd::{marker, text};
use crate::platform::{Inexpressible, stamp};

/// What the template needs.
#[derive(Serialize)]
struct Values<'a> {
    component: &'a str,
    name: &'a str,
    scope: &'a str,
    folder: &'a str,
    stamp: &'a str,
    description: &'a str,
    listens: Vec<String>,
    descriptor_name: &'a str,
    unix: bool,
    user: Option<&'a str>,
    group: Option<&'a str>,
}

/// The text of the unit; none where there is nothing to hold.
pub(in crate::platform) fn render(spec: &LaunchSpec) -> Result<Option<String>, Inexpressible> {
    if spec.sockets.is_empty() {
        return Ok(None);
    }
    let system = spec.scope == Scope::System;
    let text = text::fill_socket(Values {
        component: spec.component.as_str(),
        name: spec.name.as_str(),
        scope: spec.scope.as_str(),
        folder: spec.deploy.as_str(),
        stamp: stamp::BLANK,
        description: spec.description.trim(),
        listens: spec.sockets.iter().map(|socket| socket.listen.to_string()).collect(),
        descriptor_name: descriptor_name(spec)?,
        unix: spec.sockets.iter().any(|socket| matches!(socket.listen, Listen::Unix(_))),
        user: spec.user.as_deref().filter(|_| system),
        group: spec.group.as_deref().filter(|_| system),
    })?;
    Ok(Some(stamp::press(&text, marker::HASH)))
}

/// A unit has one name for all of its sockets. The supervisor gives each its own; without one, systemd's stays.
fn descriptor_name(spec: &LaunchSpec) -> Result<&str, Inexpressible> {
    let mut names =
        spec.sockets.iter().map(|socket| socket.name.as_deref().unwrap_or_else(|| spec.name.as_str()));
    let first = names.next().unwrap_or_else(|| spec.name.as_str());
    if spec.supervision == Supervision::Native && names.any(|name| name != first) {
        return Err(Inexpressible::new(
            "service.sockets",
            "under `native` supervision all sockets have one name: leave the names out, or use mainstay's own supervision",
        ));
    }
    Ok(first)
}
