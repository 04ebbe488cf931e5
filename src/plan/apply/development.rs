//! The services for development beside an instance: their files, then their containers, each with its way back. They
//! come before the service itself, which needs them to be ready.

use super::await_ready;
use crate::model::development::DevelopmentContainer;
use crate::plan::observed::{DevelopmentSeen, Observed};
use crate::plan::refusal::Refusal;
use crate::plan::step::files::written;
use crate::plan::step::{DevelopmentVerb, Plan, Step, Undo};
use crate::plan::wanted::{Development, Wanted};
use crate::platform::calls::{self, Sockets};
use crate::platform::development::Standing;
use crate::platform::identity;

/// The permission bits of what only its owner may read.
const OWNERS_ONLY: u32 = 0o600;

/// Refuses what would take somebody else's container, volume or port, or lose what a volume holds.
pub(super) fn guard(wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let Some(development) = &wanted.development else { return Ok(()) };
    let of = identity(&wanted.spec);
    let seen = observed.development.as_ref().unwrap_or(const { &DevelopmentSeen::NONE });
    for container in &development.record.containers {
        let engine = container.engine;
        let there = seen.containers.get(&container.container);
        if there.is_some_and(|standing| !standing.is_of(&of)) {
            let name = container.container.clone();
            return Err(Refusal::DevelopmentTaken { what: "container", name, engine });
        }
        for volume in container.volumes.keys() {
            let Some(standing) = seen.volumes.get(volume) else { continue };
            let name = volume.clone();
            if !standing.is_of(&of) {
                return Err(Refusal::DevelopmentTaken { what: "volume", name, engine });
            }
            let is_new = |secret: &crate::plan::wanted::Secret| secret.is_new;
            if development.secrets.get(&container.service).is_some_and(is_new) {
                return Err(Refusal::DevelopmentLocked { volume: name, engine });
            }
        }
        let holder = container.port.and_then(|port| Some((port.host, seen.ports.get(&port.host)?)));
        // What is made anew has the port that it had.
        let had = seen.record.as_ref().and_then(|record| record.container(&container.service));
        let own = there.is_some_and(Standing::runs) && had.is_some_and(|had| had.port == container.port);
        // What is described no more gives its port up first.
        let own = own || stopping(development, seen).any(|left| left.port == container.port);
        if let Some((port, holder)) = holder.filter(|_| !own) {
            let service = container.service.clone();
            return Err(Refusal::DevelopmentPort { service, port, holder: holder.clone() });
        }
    }
    Ok(())
}

/// Adds what brings them up.
pub(super) fn steps(plan: &mut Plan, wanted: &Wanted, observed: &Observed) {
    let Some(development) = &wanted.development else { return };
    let seen = observed.development.as_ref().unwrap_or(const { &DevelopmentSeen::NONE });
    files(plan, wanted, development, seen);
    for left in stopping(development, seen) {
        let up = Undo::step(step(left, DevelopmentVerb::Up));
        plan.push(step(left, DevelopmentVerb::Stop), up);
    }
    for container in &development.record.containers {
        if seen.runs(container) {
            variables(plan, container, development, seen);
            continue;
        }
        let there = seen.containers.get(&container.container);
        let before = there.and(seen.record.as_ref()).and_then(|record| record.container(&container.service));
        let as_wanted = there.is_some_and(|it| it.identity.as_deref() == Some(container.identity().as_str()));
        let up = |container: &DevelopmentContainer| step(container, DevelopmentVerb::Up);
        if there.is_some() && !as_wanted {
            let back = before.map_or(Undo::Nothing, |before| Undo::step(up(before)));
            plan.push(step(container, DevelopmentVerb::Exchange), back);
        }
        // After that, so that the way back has its old variables before it makes the old container.
        variables(plan, container, development, seen);
        let new = container.volumes.keys().filter(|volume| !seen.volumes.contains_key(*volume));
        let back = match there.filter(|_| as_wanted) {
            Some(_) => DevelopmentVerb::Stop,
            None => DevelopmentVerb::Remove { volumes: new.cloned().collect() },
        };
        plan.push(up(container), Undo::step(step(container, back)));
    }
}

/// What is described no more and runs still.
fn stopping<'a>(
    development: &'a Development,
    seen: &'a DevelopmentSeen,
) -> impl Iterator<Item = &'a DevelopmentContainer> {
    let record = &development.record;
    record.left.iter().filter(|left| {
        let is_gone = record.container(&left.service).is_none();
        is_gone && seen.containers.get(&left.container).is_some_and(Standing::runs)
    })
}

/// Has what runs started again with what it is given, where nothing else does.
pub(super) fn restart(plan: &mut Plan, wanted: &Wanted, observed: &Observed) {
    let Some(development) = wanted.development.as_ref().filter(|_| observed.runs()) else { return };
    let file = &development.record.environment_file;
    let changes = wanted.beside.iter().any(|it| it.path == *file && it.before.as_ref() != Some(&it.text));
    let waits = |step: &Step| matches!(step, Step::AwaitReady { .. });
    let steps = plan.steps.iter().map(|planned| &planned.step).chain(&plan.after);
    if changes && !wanted.wishes.no_restart && !{ steps }.any(waits) {
        let spec = &wanted.spec;
        let calls = calls::restart(&identity(spec), Sockets::Left);
        plan.after.extend(calls.into_iter().map(|call| Step::Call { call }));
        plan.after.push(await_ready(spec, spec.ready.timeout.and(spec.stop_limit())));
    }
}

/// The files come first, so that whoever finds a container finds what is known of it.
fn files(plan: &mut Plan, wanted: &Wanted, development: &Development, seen: &DevelopmentSeen) {
    let folder = wanted.layout.development(&wanted.spec.name);
    let mut texts = Vec::new();
    for container in &development.record.containers {
        let secret = development.secrets.get(&container.service);
        if let Some(secret) = secret {
            texts.push((folder.join(format!("{}.secret", container.service)), format!("{}\n", secret.text)));
        }
    }
    texts.push((folder.join(RECORD), development.record.text()));
    texts.retain(|(path, text)| seen.files.get(path) != Some(text));
    let is_new = |container: &DevelopmentContainer| variables_text(container, development, seen).is_some();
    if texts.is_empty() && !development.record.containers.iter().any(is_new) {
        return;
    }
    for path in folder.parent().into_iter().chain([folder.as_path()]) {
        let path = path.to_owned();
        plan.push(
            Step::Folder { path: path.clone(), mode: 0o700, owner: None },
            Undo::step(Step::RemoveFolder { path }),
        );
    }
    for (path, text) in texts {
        let (step, undo) = written(&path, &text, OWNERS_ONLY, seen.files.get(&path).map(String::as_str));
        plan.push(step, undo);
    }
}

/// What a container's file of variables is to hold, where that is not what it holds.
fn variables_text(
    container: &DevelopmentContainer,
    development: &Development,
    seen: &DevelopmentSeen,
) -> Option<String> {
    let secret = development.secrets.get(&container.service);
    let text = container.variables(secret.map(|secret| secret.text.as_str()).unwrap_or_default());
    let is_wanted = !container.environment.is_empty() && seen.files.get(&container.file) != Some(&text);
    is_wanted.then_some(text)
}

fn variables(
    plan: &mut Plan,
    container: &DevelopmentContainer,
    development: &Development,
    seen: &DevelopmentSeen,
) {
    if let Some(text) = variables_text(container, development, seen) {
        let before = seen.files.get(&container.file).map(String::as_str);
        let (step, undo) = written(&container.file, &text, OWNERS_ONLY, before);
        plan.push(step, undo);
    }
}

/// The name of the record in its folder.
pub const RECORD: &str = "record.json";

fn step(container: &DevelopmentContainer, verb: DevelopmentVerb) -> Step {
    Step::Development { container: Box::new(container.clone()), verb }
}

/// What brings the services for development up that are not, before whatever needs them.
#[must_use]
pub fn ahead(observed: &Observed) -> Vec<Step> {
    let Some(seen) = &observed.development else { return Vec::new() };
    let containers = seen.record.iter().flat_map(|record| &record.containers);
    let down =
        containers.filter(|container| !seen.containers.get(&container.container).is_some_and(Standing::runs));
    down.map(|container| step(container, DevelopmentVerb::Up)).collect()
}
