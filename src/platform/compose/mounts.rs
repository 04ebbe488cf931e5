//! What a container sees of the host: what was asked for, and the folders that its command and variables name, which are
//! seen under their own names.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::compose::ContainerSpec;
use crate::model::launch::{LaunchSpec, Probe};
use crate::model::token::{Places, expand, words};

/// Something of the host's, or of the engine's, that a container sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::platform) struct Mount {
    /// A path of the host, or the name of a volume.
    pub(in crate::platform) source: String,
    /// Whether it is a path.
    pub(in crate::platform) is_path: bool,
    /// Where it is seen.
    pub(in crate::platform) target: String,
    /// Whether it can't be written there.
    pub(in crate::platform) read_only: bool,
    /// Whether somebody else has made the volume.
    pub(in crate::platform) external: bool,
}

/// All that a container sees.
pub(in crate::platform) fn of(
    spec: &LaunchSpec,
    container: &ContainerSpec,
    places: &Places<'_>,
) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for volume in &container.wanted.volumes {
        let source = if volume.is_path() {
            let expanded = expand(&volume.source, places);
            normal(&spec.deploy.join(expanded)).into_string()
        } else {
            volume.source.clone()
        };
        mounts.push(Mount {
            source,
            is_path: volume.is_path(),
            target: volume.target.clone(),
            read_only: volume.read_only,
            external: volume.external,
        });
    }
    let ready = match &spec.ready.probe {
        Probe::Command(command) => command.as_slice(),
        _ => &[],
    };
    let texts = spec
        .command
        .iter()
        .chain(spec.environment.values())
        .chain(container.wanted.entrypoint.iter().flatten())
        .chain(ready)
        .chain([&spec.working_directory]);
    let named: BTreeSet<&str> = texts.flat_map(|text| words(text)).collect();
    for (token, folder, read_only) in
        [("config", places.config, true), ("data", places.data, false), ("deploy", places.deploy, true)]
    {
        let seen = mounts.iter().any(|mount| mount.target == *folder);
        if named.contains(token) && !seen {
            let target = folder.to_string();
            let source = target.clone();
            mounts.push(Mount { source, is_path: true, target, read_only, external: false });
        }
    }
    mounts
}

/// A path without `.` and without `..` where that can be left out.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other.as_str()),
        }
    }
    normal
}
