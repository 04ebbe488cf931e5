//! Making a host ready for a package: what is not done yet, shown; what may be done, done and written down with its
//! inverse; the rest printed as commands. No shell is involved.

mod hands;
mod others;
mod record;
mod shown;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::engine::Context;
use crate::engine::failure::Failure;
use crate::engine::preparation::others::Others;
use crate::engine::preparation::record::{Begun, Record};
use crate::engine::{active, requirements};
use crate::host::{account, descent, files, machine};
use crate::model::digest::Digest;
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::owner::Owner;
use crate::model::package::{Preparation, PreparationKind, Rights};
use crate::model::token::{Places, expand};
use crate::plan::apply::instance_folders;
use crate::plan::wanted::Beside;
use crate::plan::wanted::Wanted;

/// A step that is not done yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    step: Preparation,
    name: InstanceName,
    /// Where it makes something, absolute.
    path: Option<Utf8PathBuf>,
    /// The account that runs the service.
    account: Owner,
    /// Whether the caller may have it done.
    pub doable: bool,
}

/// What was done, or is about to be, with what undoes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    id: String,
    what: String,
    undo: Vec<Undo>,
}

/// What takes a step back. Each can be done twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Undo {
    /// Removes a file, if it is still what was written.
    Remove { path: Utf8PathBuf, digest: Digest, owner: Option<String> },
    /// Removes a folder, if nothing is in it.
    RemoveFolder { path: Utf8PathBuf, owner: Option<String> },
    /// Gives a setting of the kernel its value back, if it has still the one that was given.
    Setting { name: String, before: String, after: String },
    /// Says that a module of the kernel stays loaded: who uses it by now nobody knows.
    Loaded { module: String },
    /// Takes an account out of a group.
    Leave { user: String, group: String },
}

/// The steps of a package that are not done on this host, for an instance. A folder's owner has nothing done with root's
/// rights that is not root: a manifest can do only what its owner could do.
pub(crate) fn pending(
    layout: &Layout,
    spec: &LaunchSpec,
    coming: &[Beside],
    steps: &[Preparation],
    owner: Option<&Owner>,
) -> Vec<Pending> {
    if steps.is_empty() {
        return Vec::new();
    }
    let setting = requirements::setting(layout, spec, coming);
    let folders = Folders::of(spec, layout);
    let Some(account) = crate::engine::variables::account(spec) else { return Vec::new() };
    let root = account::effective_uid() == 0;
    let needed = steps.iter().filter(|step| step.when.holds(&setting));
    let pending = |step: &Preparation| {
        let path = step.path.as_ref().map(|path| placed(path, &folders.places()));
        let rights = match step.rights {
            Rights::Root => root && owner.is_none(),
            Rights::Account => root || account.uid == account::effective_uid(),
        };
        let doable = step.safe && step.kind != PreparationKind::Print && rights;
        Pending { step: step.clone(), name: spec.name.clone(), path, account: account.clone(), doable }
    };
    needed.map(pending).filter(|pending| !pending.is_done()).collect()
}

fn placed(path: &str, places: &Places<'_>) -> Utf8PathBuf {
    Utf8PathBuf::from(expand(path, places))
}

impl Pending {
    /// What kind of step it is.
    pub(crate) fn kind(&self) -> PreparationKind {
        self.step.kind
    }

    /// The value of a setting of the kernel, with the blanks with which the kernel's own are compared.
    fn value(&self) -> String {
        machine::in_single_blanks(self.step.value.as_deref().unwrap_or_default())
    }

    /// Whether the host is as the step would leave it, by whomever. What is only printed is never known to be done.
    fn is_done(&self) -> bool {
        let name = self.step.name.as_deref().unwrap_or_default();
        match self.step.kind {
            PreparationKind::KernelModule => machine::has_module(name),
            // What only runs is gone with the next boot.
            PreparationKind::Sysctl => {
                let value = self.value();
                machine::setting(name).as_ref() == Some(&value) && machine::is_kept(name, &value)
            }
            PreparationKind::Group => {
                let group = account::group(name);
                group.is_ok_and(|group| account::groups(&self.account).contains(&group))
            }
            PreparationKind::Folder => self.path.as_ref().is_some_and(|path| path.is_dir()),
            PreparationKind::Download => {
                let Some(path) = &self.path else { return false };
                let found = account::acting_as(hands::actor(self).as_ref(), || descent::digest(path));
                matches!(found, Ok(Ok(found)) if found.is_some() && found == self.step.sha256)
            }
            PreparationKind::Print => false,
        }
    }
}

/// Does the steps that may be done; if one fails, those before it are undone, last first. Until [`keep`] they are those of
/// an operation that may yet be undone.
pub(crate) fn carry_out(context: &Context<'_>, wanted: &Wanted, pending: &[Pending]) -> Result<(), Failure> {
    let layout = &context.layout;
    record::exclusively(layout, &wanted.spec.name, || {
        let mut record = Record::of(layout, &wanted.spec)?;
        record.begun = Some(Begun { known: record.steps.len(), tree: wanted.spec.tree() });
        for pending in pending.iter().filter(|pending| pending.doable) {
            context.tell(crate::engine::event::Event::Preparing(pending.to_string()));
            let undo = undoing(wanted, pending);
            record.steps.push(Done { id: pending.step.id.clone(), what: pending.to_string(), undo });
            record.write(layout)?;
            let outcome = own_folder(wanted, pending).map_err(|error| error.to_string());
            if let Err(reason) = outcome.and_then(|()| hands::perform(context, pending, &record.steps)) {
                let not_undone = take_back(layout, &mut record)?;
                return Err(Failure::Unprepared { step: pending.to_string(), reason, not_undone });
            }
        }
        Ok(())
    })
}

/// What takes a step back. The instance's own folders were not made with the rights of the step.
fn undoing(wanted: &Wanted, pending: &Pending) -> Vec<Undo> {
    let mut undo = hands::inverse(pending);
    let folders = instance_folders(wanted).into_iter().map(|(folder, ..)| folder);
    let own: Vec<Utf8PathBuf> = match &pending.path {
        Some(path) => folders.filter(|folder| path.starts_with(folder)).collect(),
        None => Vec::new(),
    };
    if own.is_empty() {
        return undo;
    }
    undo.retain(|undo| match undo {
        Undo::RemoveFolder { path, .. } => own.iter().any(|folder| path.starts_with(folder)),
        _ => true,
    });
    for undo in &mut undo {
        if let Undo::RemoveFolder { path, owner } = undo
            && own.contains(path)
        {
            *owner = None;
        }
    }
    undo
}

/// The instance's own data folder comes with its installation, which is later: a step that makes something in it has it
/// made as that would.
fn own_folder(wanted: &Wanted, pending: &Pending) -> Result<(), Failure> {
    let Some(path) = &pending.path else { return Ok(()) };
    for (folder, mode, owner) in instance_folders(wanted) {
        if path.starts_with(&folder) && files::facts(&folder)?.is_none() {
            files::create_folder(&folder, mode, owner.as_ref())?;
        }
    }
    Ok(())
}

/// Takes back what the operation under way has done, and says what could not be.
fn take_back(layout: &Layout, record: &mut Record) -> Result<Vec<String>, Failure> {
    let known = record.begun.as_ref().map_or(record.steps.len(), |begun| begun.known);
    let left = undo_down_to(layout, record, known)?;
    record.begun = None;
    record.write(layout)?;
    Ok(left)
}

/// Undoes steps, last first. What another instance lives by is handed over to it, and goes with that one.
fn undo_down_to(layout: &Layout, record: &mut Record, known: usize) -> Result<Vec<String>, Failure> {
    let others = Others::of(layout, &record.of.name);
    let mut left = Vec::new();
    // Written down as undone only when it is: whoever dies in between does it again, which does no harm.
    while record.steps.len() > known
        && let Some(last) = record.steps.last()
    {
        match others.need(last) {
            Some((by, why)) => {
                let mut theirs = Record::of_marker(layout, by)?;
                theirs.inherit(last.clone());
                theirs.write(layout)?;
                left.push(why);
            }
            None => left.extend(hands::take_back(&last.undo)),
        }
        record.steps.pop();
        record.write(layout)?;
    }
    Ok(left)
}

/// Keeps what an operation that is done has prepared.
pub(crate) fn keep(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    if !is_unfinished(layout, name)? {
        return Ok(());
    }
    record::exclusively(layout, name, || {
        let Some(mut record) = record::read(layout, name)? else { return Ok(()) };
        record.begun = None;
        record.write(layout)
    })
}

/// Brings to an end what an operation that is not under way any more has prepared: it stays if what it was for is active,
/// and is undone otherwise. Says which, and what could not be undone.
pub(crate) fn settle(
    layout: &Layout,
    name: &InstanceName,
) -> Result<Option<(Settled, Vec<String>)>, Failure> {
    if !is_unfinished(layout, name)? {
        return Ok(None);
    }
    record::exclusively(layout, name, || {
        let Some(mut record) = record::read(layout, name)? else { return Ok(None) };
        let Some(begun) = record.begun.clone() else { return Ok(None) };
        if active::launch(layout, &record.of).is_some_and(|active| active.tree() == begun.tree) {
            record.begun = None;
            record.write(layout)?;
            return Ok(Some((Settled::Kept, Vec::new())));
        }
        Ok(Some((Settled::Undone, take_back(layout, &mut record)?)))
    })
}

/// What has become of what was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It stays.
    Kept,
    /// It is undone.
    Undone,
}

/// Whether an operation has prepared the host for an instance and is neither done nor undone.
pub(crate) fn is_unfinished(layout: &Layout, name: &InstanceName) -> Result<bool, Failure> {
    Ok(record::read(layout, name)?.is_some_and(|record| record.begun.is_some()))
}

/// All instances of a scope of which that is so.
pub(crate) fn unfinished(layout: &Layout) -> Result<Vec<InstanceName>, Failure> {
    record::unfinished(layout)
}

/// The instance for which something was done on this host and not undone yet, also where nothing else of it is left.
pub fn prepared_for(layout: &Layout, name: &InstanceName) -> Result<Option<Marker>, Failure> {
    Ok(record::read(layout, name)?.map(|record| record.of))
}

/// What was done for an instance and would be undone, as sentences.
pub fn prepared(layout: &Layout, name: &InstanceName) -> Result<Vec<String>, Failure> {
    let steps = record::read(layout, name)?.map(|record| record.steps).unwrap_or_default();
    Ok(steps.iter().rev().map(|done| format!("undo: {}", done.what)).collect())
}

/// Undoes what was done for an instance, last first, and says what could not be, or is another's by now.
pub fn undo(layout: &Layout, name: &InstanceName) -> Result<Vec<String>, Failure> {
    if record::read(layout, name)?.is_none() {
        return Ok(Vec::new());
    }
    record::exclusively(layout, name, || {
        let Some(mut record) = record::read(layout, name)? else { return Ok(Vec::new()) };
        undo_down_to(layout, &mut record, 0)
    })
}
