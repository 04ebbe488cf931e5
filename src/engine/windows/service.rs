//! An instance that is a service of Windows.

use std::time::Duration;

use super::program;
use crate::engine::guard;
use crate::engine::manager::{Seen, State};
use crate::engine::supervisor::at_start;
use crate::engine::switch;
use crate::host::holder::word_of;
use crate::host::service::{self, Rights, ServiceError};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::status::Exit;
use crate::platform::windows::answer::{self, Standing};
use crate::platform::windows::{self, Account, Registration, description};

/// An error with what helps.
fn told(error: &ServiceError) -> String {
    match error.help() {
        Some(help) => format!("{error}: {help}"),
        None => error.to_string(),
    }
}

/// What the definition wants to be registered, with the program where it really stands.
fn wanted(layout: &Layout, of: &Marker, definition: &str) -> Result<Registration, String> {
    let wanted =
        windows::wanted(definition).ok_or("the definition is damaged: `mainstay apply` makes it anew")?;
    wanted.with_program(&program(layout, of)).map_err(|error| error.to_string())
}

pub(super) fn register(layout: &Layout, of: &Marker, definition: &str) -> Result<(), String> {
    let wanted = wanted(layout, of, definition)?;
    let kept = service::registration(&wanted.name).map_err(|error| told(&error))?;
    let password = service::password().filter(|_| wanted.account.has_password());
    let is_new = kept.as_ref().is_none_or(|kept| kept.account != wanted.account);
    let before = kept.as_ref().map(|kept| kept.account.clone());
    if kept.is_some_and(|kept| wanted.differences(&kept).is_empty()) && password.is_none() {
        // Whoever registered it may have died before its account got its rights.
        return open_to(layout, of, Some(&wanted.account), before.as_ref());
    }
    if is_new && password.is_none() && wanted.account.has_password() {
        return Err(format!(
            "the account `{}` has a password, which Windows has to know: type it again with `--user-password`",
            wanted.account
        ));
    }
    service::register(&wanted, password).map_err(|error| told(&error))?;
    open_to(layout, of, Some(&wanted.account), before.as_ref())
}

/// Makes the switch that is written down where the account of the service may not: its guardian, which makes it elsewhere,
/// then finds it made. Data are moved only while nothing runs, so that is not done for such an account.
pub(super) fn switch_for_account(layout: &Layout, of: &Marker) -> Result<(), String> {
    let kept = service::registration(of.name.as_str()).map_err(|error| told(&error))?;
    let Some(kept) = kept.filter(|kept| kept.account.is_limited()) else { return Ok(()) };
    if switch::moves_data(layout, &of.name) {
        return Err(format!(
            "`upgrade.data` needs a service of `LocalSystem`: the account `{}` may not write the records of a switch",
            kept.account
        ));
    }
    at_start(layout, &of.name).map(|_| ()).map_err(|failure| failure.to_string())
}

/// Lets the account write what it has to, and no more: what the supervisor tells, the logs, what the program keeps, and
/// the pointer to the version. Version trees and records stay the administrators', so that a program that was taken over
/// changes nothing that an administrator's command acts upon. Locks and requests are its own files alone: they lie beside
/// those of all others. An account that ran it before loses what it had.
fn open_to(
    layout: &Layout,
    of: &Marker,
    account: Option<&Account>,
    before: Option<&Account>,
) -> Result<(), String> {
    let name = &of.name;
    let places = [
        (layout.report(name), Rights::Write),
        (layout.logs(name), Rights::Write),
        // There may be many, and they are the program's own.
        (layout.data(name), if before == account { Rights::WriteFolder } else { Rights::Write }),
        (layout.run(name, of.platform), Rights::Write),
        (layout.guardian_lock(name), Rights::WriteFile),
        (word_of(&layout.guardian_lock(name)), Rights::WriteFile),
        (layout.switch_lock(name), Rights::WriteFile),
        (guard::request_file(layout, name), Rights::WriteFile),
        (layout.locks(), Rights::Look),
        // The last one, because what stands there is the record of who had rights.
        (layout.install(name), Rights::ReplaceFiles),
    ];
    let limited = |account: &&Account| account.is_limited();
    let text = |account: Option<&Account>| account.filter(limited).map(ToString::to_string);
    let (account, before) = (text(account), text(before));
    service::open_to(account.as_deref(), before.as_deref(), &places).map_err(|error| told(&error))
}

/// Removes what is ours of this name; what is somebody else's stays. Its account may write nothing of it any more.
pub(super) fn unregister(layout: &Layout, of: &Marker, limit: Duration) -> Result<(), String> {
    let kept = service::registration(of.name.as_str()).map_err(|error| told(&error))?;
    let Some(kept) = kept.filter(|kept| is_ours(kept, of)) else { return Ok(()) };
    service::unregister(of.name.as_str(), limit).map_err(|error| told(&error))?;
    open_to(layout, of, None, Some(&kept.account))
}

pub(super) fn start(of: &Marker, limit: Duration) -> Result<(), String> {
    service::start(of.name.as_str(), limit).map_err(|error| told(&error))
}

/// Stops it through the manager, so that the manager knows of it. One that is still on its way up takes no request from
/// there, and one that was not started by the manager is not the manager's: both are asked themselves.
pub(super) fn stop(layout: &Layout, of: &Marker, limit: Duration) -> Result<(), String> {
    let name = of.name.as_str();
    let standing = service::standing(name).map_err(|error| told(&error))?;
    if standing.is_some_and(|standing| standing.state == answer::State::Running) {
        service::stop(name, limit).map_err(|error| told(&error))?;
    }
    guard::stop_guardian(layout, &of.name, limit).map_err(|error| error.to_string())?;
    service::stop(name, limit).map_err(|error| told(&error))
}

pub(super) fn seen(layout: &Layout, of: &Marker, definition: Option<&str>) -> Result<Seen, String> {
    let name = of.name.as_str();
    let standing = service::standing(name).map_err(|error| told(&error))?;
    let kept = service::registration(name).map_err(|error| told(&error))?;
    let kept = kept.filter(|kept| is_ours(kept, of));
    let needs_reload = match definition {
        Some(text) => {
            let wanted = wanted(layout, of, text)?;
            kept.as_ref().is_none_or(|kept| !wanted.differences(kept).is_empty())
        }
        None => kept.is_some(),
    };
    let at_boot = kept.as_ref().is_some_and(|kept| kept.start.is_at_boot());
    let Some(standing) = standing.filter(|_| kept.is_some()) else {
        return Ok(Seen { needs_reload, ..Seen::default() });
    };
    Ok(Seen {
        state: state(&standing),
        at_boot,
        main_pid: standing.pid,
        last_exit: exit(&standing),
        needs_reload,
        ..Seen::default()
    })
}

fn state(standing: &Standing) -> State {
    match standing.state {
        answer::State::Running | answer::State::Paused => State::Active,
        answer::State::StartPending => State::Starting,
        answer::State::StopPending => State::Stopping,
        answer::State::Stopped if failed(standing) => State::Failed,
        answer::State::Stopped => State::Inactive,
    }
}

fn failed(standing: &Standing) -> bool {
    !matches!(standing.exit_code, 0 | answer::NEVER_STARTED)
}

fn exit(standing: &Standing) -> Option<Exit> {
    let stopped = standing.state == answer::State::Stopped && standing.exit_code != answer::NEVER_STARTED;
    let code = if standing.exit_code == answer::OWN_CODE { standing.own_code } else { standing.exit_code };
    stopped.then(|| Exit::Code(code.cast_signed()))
}

/// A service of this name that is not ours, as a person finds it.
pub(super) fn taken(of: &Marker) -> Result<Option<String>, String> {
    let kept = service::registration(of.name.as_str()).map_err(|error| told(&error))?;
    Ok(kept.filter(|kept| !is_ours(kept, of)).map(|kept| format!("the Windows service `{}`", kept.name)))
}

/// Whether a service is this instance, wherever its folder is by now.
fn is_ours(kept: &Registration, of: &Marker) -> bool {
    let marker = description::read(&kept.description);
    let is_marked = marker.is_some_and(|marker| marker.name == of.name && marker.scope == of.scope);
    is_marked || kept.is_unfinished_of(&of.name)
}
