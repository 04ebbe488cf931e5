//! What stands in the way of a plan: a name, an account, a version or sockets that are not to be had.

use std::cmp::Ordering;

use camino::Utf8Path;

use crate::model::manifest::PlatformKind;
use crate::model::receipt::Receipt;
use crate::plan::observed::Observed;
use crate::plan::refusal::Refusal;
use crate::plan::step::Operation;
use crate::plan::undefined;
use crate::plan::wanted::Wanted;
use crate::platform::systemd::reading::outranks;

/// Refuses what must not be planned.
pub(super) fn guard(operation: Operation, wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    guard_name(wanted, observed)?;
    // Its way back would lead to a service without a definition.
    if matches!(operation, Operation::Upgrade | Operation::Rollback) {
        undefined::guard(&wanted.spec, &wanted.layout, observed, true)?;
    }
    guard_account(wanted, observed)?;
    guard_key(operation, wanted, observed)?;
    guard_version(operation, wanted, observed)?;
    guard_bad(operation, wanted, observed)?;
    guard_package(operation, wanted)?;
    guard_sockets(wanted, observed)
}

fn guard_name(wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let spec = &wanted.spec;
    if let Some(installed) = observed.other_platform {
        return Err(Refusal::OtherPlatform { name: spec.name.clone(), installed, wanted: spec.platform });
    }
    // One that comes after ours is passed over by systemd as soon as ours is there again.
    let passed_over = |path: &&String| observed.receipt.is_some() && !outranks(Utf8Path::new(path.as_str()));
    if let Some(definition) = observed.foreign.as_ref().filter(|path| !passed_over(path)) {
        return Err(Refusal::NotOurs { name: spec.name.clone(), definition: definition.clone() });
    }
    if let Some(definition) = &observed.foreign_socket {
        return Err(Refusal::NotOurs { name: spec.name.clone(), definition: definition.clone() });
    }
    let Some(marker) = &observed.marker else {
        return match &observed.definition {
            Some(_) if observed.unmarked || (observed.masked && observed.receipt.is_some()) => Ok(()),
            Some(_) => {
                let definition = wanted.definition.path.to_string();
                Err(Refusal::NotOurs { name: spec.name.clone(), definition })
            }
            None => Ok(()),
        };
    };
    if marker.folder != spec.deploy && observed.anchored && !wanted.wishes.take_over {
        return Err(Refusal::NameTaken { name: spec.name.clone(), folder: marker.folder.clone() });
    }
    if marker.component != spec.component && !wanted.wishes.take_over {
        return Err(Refusal::OtherComponent {
            name: spec.name.clone(),
            installed: marker.component.clone(),
            wanted: spec.component.clone(),
        });
    }
    Ok(())
}

/// Whoever can write the manifest could else exchange the key and then the program. Another key counts where the one
/// before says so; a way back changes no trust.
fn guard_key(operation: Operation, wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let remembered = observed.receipt.as_ref().and_then(|receipt| receipt.public_key.as_ref());
    let Some(remembered) = remembered.filter(|_| operation != Operation::Rollback) else { return Ok(()) };
    let introduced = wanted
        .archive
        .as_ref()
        .is_some_and(|archive| archive.introduces_key && archive.signed_by.as_ref() == Some(remembered));
    if wanted.public_key.as_ref() == Some(remembered) || (introduced && wanted.public_key.is_some()) {
        return Ok(());
    }
    Err(Refusal::OtherKey {
        name: wanted.spec.name.clone(),
        remembered: remembered.clone(),
        wanted: wanted.public_key.clone(),
    })
}

/// systemd holds sockets where they were opened, and a service that is not restarted goes on with them: its next start
/// would find its own elsewhere.
fn guard_sockets(wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let spec = &wanted.spec;
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    let moves = active.is_some_and(|active| active.sockets != spec.sockets);
    if moves && wanted.wishes.no_restart && observed.runs() && spec.platform == PlatformKind::Systemd {
        return Err(Refusal::SocketsMove(spec.name.clone()));
    }
    Ok(())
}

/// Folders that hold data can't be given to another account by a step that can be undone: what is in them is
/// that account's too, and may be much.
fn guard_account(wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let spec = &wanted.spec;
    let active = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    // Whoever is named as the caller is nobody else.
    let account = |user: &Option<String>| user.clone().filter(|user| *user != wanted.caller.name);
    match active {
        Some(active) if account(&active.user) != account(&spec.user) => Err(Refusal::OtherAccount {
            name: spec.name.clone(),
            installed: active.user.clone(),
            wanted: spec.user.clone(),
            data: wanted.layout.data(&spec.name),
        }),
        _ => Ok(()),
    }
}

/// A version that was taken back would be again; its archive may have been made anew under the same name.
fn guard_bad(operation: Operation, wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let spec = &wanted.spec;
    let Some(receipt) = &observed.receipt else { return Ok(()) };
    let is_active = receipt.active().is_some_and(|active| active.version == spec.version);
    if is_active || wanted.wishes.try_again || operation == Operation::Rollback {
        return Ok(());
    }
    let installed = observed.whole_tree(&spec.tree()).and_then(|tree| tree.whole);
    let digest = wanted.archive.as_ref().map(|archive| archive.digest).or(installed);
    match receipt.bad(&spec.version, digest.as_ref()) {
        Some(bad) => Err(Refusal::BadVersion { name: spec.name.clone(), bad: Box::new(bad.clone()) }),
        None => Ok(()),
    }
}

/// Success would be claimed of a program that the service does not run.
fn guard_package(operation: Operation, wanted: &Wanted) -> Result<(), Refusal> {
    let spec = &wanted.spec;
    let is_brought = wanted.archive.is_some() && operation == Operation::Upgrade && !wanted.wishes.force;
    if !is_brought || spec.names_package(&wanted.layout.install(&spec.name)) {
        return Ok(());
    }
    let program = spec.command.first().cloned().unwrap_or_default();
    Err(Refusal::OutsidePackage { name: spec.name.clone(), program })
}

fn guard_version(operation: Operation, wanted: &Wanted, observed: &Observed) -> Result<(), Refusal> {
    let active =
        observed.receipt.as_ref().and_then(Receipt::active).map(|activation| activation.version.clone());
    let (Some(from), Operation::Upgrade | Operation::Install, false) =
        (active, operation, wanted.wishes.force)
    else {
        return Ok(());
    };
    let to = wanted.spec.version.clone();
    if from == to {
        return Ok(());
    }
    match from.order(&to) {
        Some(Ordering::Less | Ordering::Equal) => Ok(()),
        Some(Ordering::Greater) => Err(Refusal::Downgrade { from, to }),
        None => Err(Refusal::NoOrder { from, to }),
    }
}
