//! What killed processes have left of an instance, and its removal: archives half unpacked, trees put away and
//! not yet removed, files half written. Called under the instance's lock when no operation is unfinished, so
//! nothing of it is anybody's any more.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::failure::Failure;
use crate::engine::{Context, snapshot, switch};
use crate::host::files;
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::package::{fetch, tree};

/// How the name of a file begins that is being written ([`files::write`]).
pub(crate) const HALF_WRITTEN: &str = ".mainstay-";

/// Removes what is left over. Failing to is no failure: the next operation tries again.
pub(crate) fn sweep(context: &Context<'_>, name: &InstanceName) {
    if let Err(error) = try_to_sweep(&context.layout, name) {
        context.notice(format!("what an interrupted command has left of {name} stays for now: {error}"));
    }
}

fn try_to_sweep(layout: &Layout, name: &InstanceName) -> Result<(), Failure> {
    let (install, state, journal) = (layout.install(name), layout.state(name), layout.journal(name));
    tree::sweep(&install)?;
    fetch::sweep(&layout.downloads(name));
    for folder in [&install, &state, &layout.snapshots(name)] {
        if files::facts(folder)?.is_some() {
            tree::empty_trash(folder)?;
        }
    }
    // The folders that a purge puts away lie among other instances', whose own may still be needed.
    for folder in [&install, &state, &layout.config(name), &layout.logs(name), &layout.data(name)] {
        if let (Some(parent), Some(entry)) = (folder.parent(), folder.file_name())
            && files::facts(parent)?.is_some()
        {
            tree::empty_trash_of(parent, entry)?;
        }
    }
    if files::facts(&layout.snapshots(name))?.is_some() {
        switch::locked(layout, name, || snapshot::sweep(&layout.snapshots(name)))?;
    }
    // A plan that never got its name is of an operation that had not begun.
    files::remove(&layout.operation(name).with_extension("new"))?;
    let folders = [install, layout.launches(name), journal, state];
    let trial = files::facts(&layout.trial(name))?.is_some();
    if trial || folders.iter().any(|folder| !half_written(folder).is_empty()) {
        // A start of the service writes in the same folders, and holds this lock while it does.
        switch::locked(layout, name, || {
            switch::close_orphaned_trial(layout, name)?;
            folders.iter().flat_map(|folder| half_written(folder)).try_for_each(|path| {
                files::remove(&path)?;
                Ok(())
            })
        })?;
    }
    Ok(())
}

fn half_written(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let names = files::list(folder).ok().flatten().unwrap_or_default();
    names.iter().filter(|name| name.starts_with(HALF_WRITTEN)).map(|name| folder.join(name)).collect()
}
