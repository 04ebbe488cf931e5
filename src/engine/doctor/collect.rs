//! Collecting what a doctor looks at. What can't be read is left out.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::doctor::facts::{Disk, Enabled, Facts, Lock, Manifest, Open, PidFile, Runtime, Tree};
use crate::engine::failure::Failure;
use crate::engine::holders::{self, Role};
use crate::engine::manager::Manager;
use crate::engine::observe::read_receipt;
use crate::engine::registry;
use crate::engine::remarks::{of_environment_file, open_secrets};
use crate::engine::requirements::{self, Lack};
use crate::engine::runtimes;
use crate::engine::status::status;
use crate::engine::supervisor::active_launch;
use crate::engine::target::{Choice, TargetError, manifest_in};
use crate::engine::variables::readable::unreadable;
use crate::host::files::Kind;
use crate::host::tree as processes;
use crate::host::{account, clock, disk, files, identity, lock, untrusted};
use crate::model::answer::status::StatusAnswer;
use crate::model::doubt::doubts;
use crate::model::launch::{Folders, LaunchSpec, tree_name};
use crate::model::layout::Layout;
use crate::model::manifest::{FILE_NAME, PlatformKind, Scope, Supervision};
use crate::model::marker::Marker;
use crate::model::socket::Listen;
use crate::package::{measure, tree};

/// The largest pid file that is read, in bytes.
const LARGEST: u64 = 64;

/// Looks at an instance from all sides.
pub(super) fn collect(manager: &dyn Manager, layout: &Layout, of: &Marker) -> Facts {
    let name = &of.name;
    let status = status(manager, layout, of);
    let seen = manager.seen(of);
    let launch = active_launch(layout, name);
    let spec = launch.as_ref().ok();
    let holders = holders::holders(layout, of);
    let by_systemd = of.platform == PlatformKind::Systemd;
    let at_boot = seen.as_ref().is_ok_and(|seen| seen.at_boot);
    let now = SystemTime::now();
    let receipt = read_receipt(&layout.receipt(name)).ok().flatten();
    let has_trees = spec.is_some_and(|spec| spec.source.has_trees());
    let target = files::read_pointer(&layout.current(name, &of.component)).ok().flatten();
    // Of one that has no definition the index knows nothing.
    let defined = registry::is_defined(layout, of);
    Facts {
        defined,
        lost_socket: spec
            .filter(|spec| by_systemd && !spec.sockets.is_empty())
            .map(|_| layout.socket_definition(name))
            .filter(|path| matches!(files::facts(path), Ok(None))),
        manager: seen.as_ref().map(|_| ()).map_err(ToString::to_string),
        boot: spec
            .filter(|_| by_systemd && seen.is_ok())
            .map(|spec| Enabled { wanted: spec.boot, is: at_boot }),
        unlingering: spec
            .filter(|spec| by_systemd && of.scope == Scope::User && spec.boot)
            .and_then(|_| unlingering()),
        runtime: runtime(layout, of, &status),
        tree: Tree {
            whole: target.as_ref().is_some_and(|target| tree::is_whole(&layout.tree(name, target))),
            link: layout.current(name, &of.component),
            spec: launch.as_ref().map(|_| ()).map_err(ToString::to_string),
            content: target
                .as_ref()
                .filter(|_| has_trees)
                .and_then(|target| content(&layout.tree(name, target))),
            damaged_before: status
                .previous_version
                .as_ref()
                .map(|version| tree_name(&of.component, version))
                .filter(|tree| has_trees && is_damaged(&layout.tree(name, tree))),
            target,
        },
        indexed: !defined || registry::is_indexed(layout, of),
        open: open(layout, of),
        clock: (clock::now(), receipt.and_then(|receipt| Some(receipt.active()?.at))),
        manifest: manifest(layout, of, spec),
        locks: [layout.operation_lock(name), layout.switch_lock(name)].into_iter().filter_map(held).collect(),
        pid_file: spec.and_then(|spec| pid_file(layout, spec, &status)),
        dead_sockets: spec.map(dead_sockets).unwrap_or_default(),
        // Of a native program the manager itself is the supervisor.
        supervised: holders.iter().any(|holder| holder.role != Role::Program)
            || spec.is_some_and(|spec| spec.supervision == Supervision::Native && status.state.runs()),
        holders,
        unchanged_for: files::changed(&layout.status(name)).and_then(|at| now.duration_since(at).ok()),
        stop_limit: spec.map_or_else(|| LaunchSpec::bare(of).stop_limit(), LaunchSpec::stop_limit).duration(),
        unreadable: spec.and_then(|spec| unreadable(spec, &[])),
        open_secrets: spec.map(open_secrets).unwrap_or_default(),
        logs: spec.filter(|_| !by_systemd).map(|spec| logs(layout, spec)),
        lacks: spec.and_then(|spec| lacks(layout, spec, status.state.runs())),
        disks: disks(layout, of),
        status,
    }
}

/// What the files of a tree hold, and what its archive had.
fn content(tree: &Utf8Path) -> Option<(RangeInclusive<u64>, u64)> {
    let complete = tree::read_complete(tree)?;
    Some((measure::holds(tree).ok()?, complete.bytes))
}

/// Whether a tree is there and can't be used. One that a clean-up has removed is not missed.
fn is_damaged(tree: &Utf8Path) -> bool {
    matches!(files::facts(tree), Ok(Some(_)))
        && (!tree::is_whole(tree)
            || content(tree).is_some_and(|(holds, expected)| !holds.contains(&expected)))
}

/// What runs an instance, where somebody can change it who should not.
fn open(layout: &Layout, of: &Marker) -> Vec<Open> {
    let name = &of.name;
    let runtime = files::canonical(&runtimes::program(layout, name));
    let paths = [
        layout.definition(name, of.platform),
        layout.state(name),
        layout.install(name),
        layout.launches(name),
    ];
    let caller = account::effective_uid();
    let own = |uid: u32| uid == 0 || ((of.scope == Scope::User || layout.root.is_some()) && uid == caller);
    let judged = |path: Utf8PathBuf| {
        let facts = files::facts(&path).ok().flatten().filter(|facts| facts.kind != Kind::Link)?;
        match facts {
            facts if !own(facts.uid) => Some(Open::Owner { path, uid: facts.uid }),
            facts if facts.mode & 0o022 != 0 => Some(Open::Mode { path, mode: facts.mode }),
            _ => None,
        }
    };
    paths.into_iter().chain(runtime).filter_map(judged).collect()
}

/// The caller, if its services end with its login.
fn unlingering() -> Option<String> {
    let user = account::by_uid(account::effective_uid()).ok()?.name;
    (account::lingers(&user) == Some(false)).then_some(user)
}

fn runtime(layout: &Layout, of: &Marker, status: &StatusAnswer) -> Runtime {
    let path = runtimes::program(layout, &of.name);
    let link = files::read_link(&layout.runtime_link(&of.name)).ok().flatten();
    let build = link.as_deref().and_then(|link| link.rsplit('/').next());
    let present = files::canonical(&path).ok();
    let running = status.supervisor_pid.and_then(processes::program);
    let running = running.and_then(|program| program.into_os_string().into_string().ok());
    let can_run =
        |path: &Utf8PathBuf| matches!(files::facts(path), Ok(Some(facts)) if facts.mode & 0o111 != 0);
    Runtime {
        runs: present.as_ref().is_some_and(can_run),
        version: build.and_then(|build| build.rsplit_once('-')).map(|(version, _)| version.to_owned()),
        own: env!("CARGO_PKG_VERSION").to_owned(),
        other_build: status.other_runtime.is_some(),
        replaced: running.is_some_and(|running| present.is_some_and(|present| running != present)),
        path,
    }
}

fn manifest(layout: &Layout, of: &Marker, spec: Option<&LaunchSpec>) -> Manifest {
    let choice = Choice { name: Some(of.name.clone()), component: Some(of.component.clone()), folder: None };
    match manifest_in(&of.folder, &choice) {
        Err(Failure::Target(TargetError::NoManifest(_))) => Manifest::Missing(of.folder.join(FILE_NAME)),
        Err(fault) => Manifest::Faulty(fault.to_string()),
        Ok(declared) => {
            let receipt = read_receipt(&layout.receipt(&of.name)).ok().flatten();
            Manifest::Sound {
                changed: receipt.is_some_and(|receipt| receipt.manifest != declared.document.text()),
                doubts: doubts(&declared.document)
                    .iter()
                    .map(ToString::to_string)
                    .chain(spec.map(|spec| of_environment_file(spec, &[])).unwrap_or_default())
                    .collect(),
            }
        }
    }
}

fn held(path: Utf8PathBuf) -> Option<Lock> {
    if lock::is_held(&path) != Some(true) {
        return None;
    }
    let process = lock::holder_of(&path).and_then(identity::process);
    Some(Lock { path, holder: process.map(|found| (found.identity.pid, found.name, found.state)) })
}

fn pid_file(layout: &Layout, spec: &LaunchSpec, status: &StatusAnswer) -> Option<PidFile> {
    let folders = Folders::of(spec, layout);
    let named = crate::model::token::expand(spec.pid_file.as_ref()?, &folders.places());
    let path = folders.deploy.join(named);
    let account = spec.user.as_deref().map(account::by_name).transpose().ok()?;
    let read = account::acting_as(account.as_ref(), || untrusted::read(&path, LARGEST)).ok()?;
    let pid = read.ok()??.trim().parse().ok();
    let written = files::changed(&path);
    let process = pid.and_then(identity::process).filter(|process| {
        !process.ended && !written.is_some_and(|written| identity::is_younger(process.identity, written))
    });
    Some(PidFile {
        ours: pid.is_some() && pid == status.pid,
        process: process.map(|process| process.name),
        account: spec.user.clone(),
        path,
        pid,
    })
}

/// The files of Unix sockets at which nobody listens. Asking there would wake a service that is idle.
fn dead_sockets(spec: &LaunchSpec) -> Vec<Utf8PathBuf> {
    let Ok(Some(table)) = files::read(Utf8Path::new("/proc/net/unix")) else { return Vec::new() };
    let listening = listening(&table);
    let own = spec.sockets.iter().filter_map(|socket| match &socket.listen {
        Listen::Unix(path) => Some(Utf8PathBuf::from(path)),
        Listen::Tcp(_) => None,
    });
    let dead =
        |path: &Utf8PathBuf| matches!(files::facts(path), Ok(Some(_))) && !listening.contains(path.as_str());
    own.filter(dead).collect()
}

/// The paths at which somebody listens, of `/proc/net/unix` (proc(5)): number, references, protocol, flags, type,
/// state, inode, path.
fn listening(table: &str) -> BTreeSet<&str> {
    table.lines().skip(1).filter_map(listening_at).collect()
}

fn listening_at(line: &str) -> Option<&str> {
    /// `__SO_ACCEPTCON` among the flags.
    const ACCEPTS: u32 = 0x10000;
    let mut fields = line.split_ascii_whitespace();
    let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
    // A path may have blanks in it, and is all that follows.
    let path = line.find(fields.nth(3)?)?;
    (flags & ACCEPTS != 0).then(|| line[path..].trim_end())
}

fn logs(layout: &Layout, spec: &LaunchSpec) -> (u64, u64) {
    let folder = layout.logs(&spec.name);
    let names = files::list(&folder).ok().flatten().unwrap_or_default();
    let size = |name: &String| files::facts(&folder.join(name)).ok().flatten().map_or(0, |facts| facts.size);
    let expected = spec.logs.max_size.bytes().saturating_mul(u64::from(spec.logs.keep) + 1);
    (names.iter().map(size).sum(), expected)
}

/// What the host lacks of what the active package needs.
fn lacks(layout: &Layout, spec: &LaunchSpec, runs: bool) -> Option<Vec<Lack>> {
    let checks = requirements::host_of(layout, spec).checks;
    (!checks.is_empty()).then(|| requirements::lacks(layout, spec, &[], &checks, runs))
}

fn disks(layout: &Layout, of: &Marker) -> Vec<Disk> {
    let name = &of.name;
    let folders = [layout.state(name), layout.install(name), layout.data(name), layout.logs(name)];
    let mut seen = BTreeSet::new();
    let room = |folder: Utf8PathBuf| {
        let room = disk::room(&folder)?;
        seen.insert(room.device).then_some(Disk {
            folder,
            available: room.available,
            size: room.size,
            no_files: room.files == Some(0),
        })
    };
    folders.into_iter().filter_map(room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_at_which_somebody_listens_are_found() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 4242 /run/web.sock\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 4243 /run/other.sock\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 4244\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 4245 /run/a b.sock\n";
        assert_eq!(listening(table), BTreeSet::from(["/run/web.sock", "/run/a b.sock"]));
    }
}
