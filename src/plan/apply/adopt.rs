//! The plan that makes a service mainstay's that somebody else has defined: its definition is exchanged, and one restart
//! goes through the gate, with the old definition as the way back.

use camino::{Utf8Path, Utf8PathBuf};

use super::records::records;
use super::runtime::runtime;
use super::{await_ready, beside, folders, in_place, relink, write};
use crate::model::adoption::{Attempt, AttemptStage, Before, FORMAT};
use crate::model::trial::{DefinitionBefore, Trial};
use crate::plan::definition::definition;
use crate::plan::observed::Observed;
use crate::plan::refusal::Refusal;
use crate::plan::step::files::written;
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::wanted::Wanted;
use crate::platform::call::Call;
use crate::platform::calls::{self, Sockets};
use crate::platform::identity;
use crate::platform::launchd::course::{Goal, Strange};

/// What is adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopting {
    /// As it is now.
    pub before: Before,
    /// Files beside the definition that go, since the manifest says now what they said; and what takes their place.
    pub moved: Vec<(Utf8PathBuf, Option<String>)>,
    /// How what runs now is stopped, by its own old words: a file that lasts only as long as the adoption, and what it
    /// says.
    pub way_out: Option<(Utf8PathBuf, String)>,
    /// The service of launchd, whose label is another one than the instance's will be.
    pub strange: Option<Strange>,
}

/// Decides how a service is adopted. One that is stopped stays so.
pub fn adopt(wanted: &Wanted, observed: &Observed, adopting: &Adopting) -> Result<Plan, Refusal> {
    guard(wanted, observed)?;
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let (name, tree) = (&spec.name, spec.tree());
    let of = identity(spec);
    let mut plan = Plan::new(Operation::Adopt, spec);
    folders(&mut plan, wanted, observed);
    beside(&mut plan, wanted);
    runtime(&mut plan, wanted, observed);
    if let Some(found) = &wanted.standing {
        plan.notices.extend(found.notices.iter().cloned());
        in_place::marks(&mut plan, wanted, found, observed);
    }
    write(&mut plan, &layout.launch(name, &tree), &spec.text(), 0o644, None);
    relink(&mut plan, &layout.current(name, &spec.component), &tree, observed.link.as_deref());
    keep(&mut plan, wanted, &adopting.before);
    let strange = adopting.strange.as_ref();
    let runs = observed.runs() || (strange.is_some() && adopting.before.ran);
    let restarts = runs && !wanted.wishes.no_start;
    if let Some(strange) = strange {
        // It may be registered and not run. Once its file is back, it is started again if it ran.
        let call = calls::of_strange(&of, strange, Goal::Stop);
        let back = adopting.before.ran.then(|| calls::of_strange(&of, strange, Goal::Start));
        plan.push(Step::Call { call }, Undo::calls(back));
    } else if restarts {
        let attempt = Attempt {
            format: FORMAT,
            before: with_way_out(adopting),
            launch: spec.identity(),
            stage: AttemptStage::Pending,
        };
        write(&mut plan, &layout.adoption(name), &attempt.text(), 0o600, None);
        write(&mut plan, &layout.trial(name), &Trial::of(spec, None).text(), 0o644, None);
    }
    let reload = calls::after_definition_written(&of);
    for (path, text) in &adopting.moved {
        let before = adopting.before.files.iter().find(|file| file.path == *path);
        let (step, undo) = if let Some(text) = text {
            written(path, text, 0o644, before.and_then(|file| file.text.as_deref()))
        } else {
            let back = before.map_or(Undo::Nothing, |before| Undo::step(given_back(before)));
            (Step::Remove { path: path.clone() }, back)
        };
        if let Some(folder) = path.parent().filter(|_| text.is_some()) {
            plan.push(Step::Folder { path: folder.to_owned(), mode: 0o755, owner: None }, Undo::Nothing);
        }
        plan.push(step, undo.and_calls(reload.clone()));
    }
    if let Some((path, text)) = adopting.way_out.as_ref().filter(|_| restarts) {
        way_out(&mut plan, path, text, &reload);
    }
    definition(&mut plan, wanted, observed);
    with_old_rights(&mut plan, &adopting.before);
    if restarts && strange.is_some() {
        start(&mut plan, wanted);
    } else if restarts {
        restart(&mut plan, wanted, adopting, &reload);
    }
    records(&mut plan, Operation::Adopt, wanted, observed);
    if !restarts {
        plan.notices.push(if runs {
            "what runs goes on as it is until its next start".to_owned()
        } else {
            "the service is stopped and stays so: `mainstay start` starts it".to_owned()
        });
    }
    Ok(plan)
}

/// Brings a file back as it was.
pub(in crate::plan) fn given_back(file: &DefinitionBefore) -> Step {
    let (path, text) = (file.path.clone(), file.text.clone().unwrap_or_default());
    Step::Write { path, text, mode: file.mode(), owner: file.owner.clone() }
}

/// What brings an old file back gives it its old rights too: secrets may stand in it.
fn with_old_rights(plan: &mut Plan, before: &Before) {
    for planned in &mut plan.steps {
        let Undo::Steps(steps) = &mut planned.undo else { continue };
        for step in steps {
            let Step::Write { path, .. } = step else { continue };
            if let Some(file) = before.files.iter().find(|file| file.path == *path && file.text.is_some()) {
                *step = given_back(file);
            }
        }
    }
}

/// Refuses what is mainstay's already, and what it could not manage.
fn guard(wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let name = &wanted.spec.name;
    if let Some(marker) = &observed.marker {
        return Err(Refusal::AlreadyOurs { name: name.clone(), folder: marker.folder.clone() });
    }
    if let Some(installed) = observed.other_platform {
        return Err(Refusal::OtherPlatform { name: name.clone(), installed, wanted: wanted.spec.platform });
    }
    match &observed.foreign_socket {
        Some(definition) => Err(Refusal::HasSocket { name: name.clone(), definition: definition.clone() }),
        None => Ok(()),
    }
}

/// What was there, for whoever wants it back one day, and for people to look at.
fn keep(plan: &mut Plan, wanted: &Wanted, before: &Before) {
    let (layout, name) = (&wanted.layout, &wanted.spec.name);
    write(plan, &layout.before(name), &before.text(), 0o600, None);
    for file in &before.files {
        if let (Some(text), Some(called)) = (&file.text, file.path.file_name()) {
            let kept = layout.state(name).join(format!("{called}.before-mainstay"));
            write(plan, &kept, text, 0o600, None);
        }
    }
}

/// The way back, from which the way out is gone.
fn with_way_out(adopting: &Adopting) -> Before {
    let mut before = adopting.before.clone();
    let gone = adopting.way_out.iter().map(|(path, _)| DefinitionBefore::plain(path.clone(), None));
    before.files.extend(gone);
    before
}

fn way_out(plan: &mut Plan, path: &Utf8Path, text: &str, reload: &[Call]) {
    if let Some(folder) = path.parent() {
        let folder = folder.to_owned();
        let undo = Undo::step(Step::RemoveFolder { path: folder.clone() });
        plan.push(Step::Folder { path: folder, mode: 0o755, owner: None }, undo);
    }
    // The old variables may stand in it.
    let (step, undo) = written(path, text, 0o600, None);
    plan.push(step, undo.and_calls(reload.to_vec()));
}

/// The first start under another label, and the wait until the program is ready: what was stopped for it comes back if it
/// is not.
fn start(plan: &mut Plan, wanted: &Wanted) {
    let (spec, of) = (&wanted.spec, identity(&wanted.spec));
    let mut undo = Undo::calls(calls::stop(&of, spec.stop_limit(), Sockets::Left));
    for call in calls::start(&of) {
        plan.push(Step::Call { call }, std::mem::replace(&mut undo, Undo::Nothing));
    }
    plan.push(await_ready(spec, spec.gate), Undo::Nothing);
}

/// One restart, and the wait until the program is ready. From then on the old definition is no way back any more.
fn restart(plan: &mut Plan, wanted: &Wanted, adopting: &Adopting, reload: &[Call]) {
    let (layout, spec) = (&wanted.layout, &wanted.spec);
    let (name, of) = (&spec.name, identity(spec));
    let call = |call: &Call| Step::Call { call: call.clone() };
    let ends = [layout.trial(name), layout.adoption(name)].map(|path| Step::Remove { path });
    let files = with_way_out(adopting).files.into_iter().map(|file| match &file.text {
        Some(_) => given_back(&file),
        None => Step::Remove { path: file.path },
    });
    let first = files.chain(ends.clone()).chain(reload.iter().map(call)).collect();
    let again = calls::restart_and_wait(&of);
    let mut undo = Undo::Restore(first, again);
    for call in calls::restart(&of, Sockets::Left) {
        plan.push(Step::Call { call }, std::mem::replace(&mut undo, Undo::Nothing));
    }
    plan.push(await_ready(spec, spec.gate), Undo::Nothing);
    if let Some((path, _)) = &adopting.way_out {
        plan.push(Step::Remove { path: path.clone() }, Undo::Nothing);
        if let Some(folder) = path.parent() {
            plan.push(Step::RemoveFolder { path: folder.to_owned() }, Undo::Nothing);
        }
        for reload in reload {
            plan.push(call(reload), Undo::Nothing);
        }
    }
    for end in ends {
        plan.push(end, Undo::Nothing);
    }
}
