//! Removing services for development with the instance that they were for: after all else of it, so that nothing that
//! still could go back misses them. Where a command dies before, the record is there, and the next purge goes on.

use crate::engine::development::{given, hands, record, record_of, secret};
use crate::engine::failure::Failure;
use crate::host::{files, untrusted};
use crate::model::development::lines::without;
use crate::model::development::{DevelopmentContainer, DevelopmentRecord};
use crate::model::environment_file;
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::plan::step::{DevelopmentVerb, Step};

/// What a purge removes, as sentences.
pub(crate) fn doomed(layout: &Layout, of: &Marker) -> Result<Vec<String>, Failure> {
    let record = record_of(layout, of)?;
    let containers = record.iter().flat_map(DevelopmentRecord::all);
    Ok(containers.map(|container| removal(container).to_string()).collect())
}

fn removal(container: &DevelopmentContainer) -> Step {
    let volumes = container.volumes.keys().cloned().collect();
    Step::Development { container: Box::new(container.clone()), verb: DevelopmentVerb::Remove { volumes } }
}

/// What takes the variables that were given out of the environment file, and back.
pub(crate) fn lines(layout: &Layout, of: &Marker) -> Result<Option<(Step, Step)>, Failure> {
    let Some(record) = record_of(layout, of)? else { return Ok(None) };
    let folder = layout.development(&of.name);
    let given = given(&record.containers, |container| secret(&folder, container).ok().flatten());
    let path = record.environment_file;
    let Some(text) = untrusted::read(&path, environment_file::LARGEST)? else { return Ok(None) };
    let rest = without(&text, &given);
    if rest == text {
        return Ok(None);
    }
    // A file that was made for them goes with them.
    let rest = Some(rest).filter(|rest| !rest.trim().is_empty());
    let edit = |before: Option<String>, after: Option<String>| Step::Edit {
        path: path.clone(),
        before,
        after,
        mode: 0o600,
        rights: None,
        needed: false,
    };
    Ok(Some((edit(Some(text.clone()), rest.clone()), edit(rest, Some(text)))))
}

/// Removes them, with what is written down of them.
pub(crate) fn remove(layout: &Layout, of: &Marker) -> Result<Vec<String>, Failure> {
    let Some(record) = record(layout, &of.name)? else { return Ok(Vec::new()) };
    if record.of.folder != of.folder {
        let folder = &record.of.folder;
        return Ok(vec![format!(
            "the services for development of `{folder}`, which had this name before, stay"
        )]);
    }
    let mut left = Vec::new();
    for container in record.all() {
        let volumes: Vec<String> = container.volumes.keys().cloned().collect();
        if !is_there(container) {
            left.push(format!(
                "{} is not on this host any more, so what it has of {} and {} stays with it",
                container.engine,
                container.container,
                volumes.join(", ")
            ));
            continue;
        }
        hands::remove(&record.of, container, &volumes)?;
    }
    let folder = layout.development(&of.name);
    files::remove_tree(&folder)?;
    if let Some(all) = folder.parent() {
        files::remove_empty_folder(all)?;
    }
    Ok(left)
}

/// Whether the engine of a container is on this host at all.
fn is_there(container: &DevelopmentContainer) -> bool {
    let path = crate::host::environment::variable("PATH").unwrap_or_default();
    crate::host::machine::program(container.engine.as_str(), &path).is_some()
}

/// What is left of services for development of a name that nothing is installed by.
pub(crate) fn left_of(layout: &Layout, name: &InstanceName) -> Result<Option<Marker>, Failure> {
    Ok(record(layout, name)?.map(|record| record.of))
}

/// The containers and volumes that an uninstall keeps, for people.
#[must_use]
pub fn kept(layout: &Layout, name: &InstanceName) -> Vec<String> {
    let record = record(layout, name).ok().flatten();
    let containers = record.iter().flat_map(DevelopmentRecord::all);
    let words = containers.map(|container| {
        let own = format!("{} container {}", container.engine, container.container);
        let volumes = container.volumes.keys().map(|volume| format!("volume {volume}"));
        std::iter::once(own).chain(volumes).collect::<Vec<_>>().join(", ")
    });
    words.collect()
}
