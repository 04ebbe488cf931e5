//! Whether there is room for an operation, on every file system that it touches, before anything is written.

use std::fs::File;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::Context;
use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::host::disk::{Need, require, room};
use crate::host::{environment, files};
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::package::limits::Limits;
use crate::package::need;

/// What the journal, the launch, the receipt and the history of one operation take at most, in bytes.
const RECORDS: u64 = 256 << 10;
/// With less than this a disk is full: hardly a record fits on it, in bytes.
const FULL: u64 = 64 << 10;
/// How many files and folders they are.
const RECORD_FILES: u64 = 32;

/// Whether an archive, and all that follows from it, will fit: where it is unpacked, and beside.
pub(crate) fn guard_archive(
    context: &Context<'_>,
    declared: &Declared,
    file: &mut File,
    archive: &Utf8Path,
    dry_run: bool,
) -> Result<(), Failure> {
    let layout = &context.layout;
    let name = &declared.manifest.name;
    let need = need::of(file, archive, &Limits::default());
    let tree = |folder| Need { folder, bytes: need.bytes, files: need.entries };
    let mut needs = vec![tree(layout.install(name))];
    if dry_run {
        // It is unpacked there to be looked at. What it would take is asked of both places, one by one.
        require(&[tree(environment::temporary_folder())])?;
    }
    needs.extend(runtime(context));
    needs.extend(records(layout, name, &declared.deploy.folder));
    Ok(require(&needs)?)
}

/// What can be added to a failure where a disk of the instance is full: whatever failed, that may well be why.
pub(crate) fn full(layout: &Layout, name: &InstanceName) -> String {
    let folders = [layout.state(name), layout.install(name), layout.data(name)];
    let is_full = |folder: &&Utf8PathBuf| {
        room(folder).is_some_and(|room| room.available < FULL || room.files.is_some_and(|files| files == 0))
    };
    let full = folders.iter().find(is_full);
    full.map(|folder| format!("; the file system of `{folder}` is full")).unwrap_or_default()
}

/// The copy of this tool that is laid beside the trees, where none of this version is there.
fn runtime(context: &Context<'_>) -> Option<Need> {
    let folder = context.layout.runtimes();
    let build = concat!(env!("CARGO_PKG_VERSION"), "-");
    let there = files::list(&folder).ok()?.unwrap_or_default().iter().any(|name| name.starts_with(build));
    let size = files::facts(&context.program).ok()??.size;
    (!there).then_some(Need { folder, bytes: size, files: 2 })
}

fn records(layout: &Layout, name: &InstanceName, deploy: &Utf8Path) -> [Need; 3] {
    let small = |folder: Utf8PathBuf, bytes| Need { folder, bytes, files: RECORD_FILES };
    [
        small(layout.state(name), RECORDS),
        small(layout.units().to_owned(), RECORDS / 8),
        small(deploy.to_owned(), RECORDS / 8),
    ]
}
