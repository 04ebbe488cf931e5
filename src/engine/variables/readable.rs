//! Whether the variables that come from files can be read, asked before a start that would fail for them.

use camino::Utf8PathBuf;

use crate::engine::supervisor::runs_as;
use crate::host::account;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::plan::wanted::Beside;
use crate::supervise::environment::from_files;

/// Why the next start of a launch could not read its environment file or a secret, as a sentence. Nothing where it can,
/// where the file comes with the operation, or where that can't be judged: Compose reads by rules of its own, and only root reads like another account.
pub(crate) fn unreadable(spec: &LaunchSpec, coming: &[Beside]) -> Option<String> {
    if spec.platform == PlatformKind::Compose {
        return None;
    }
    // As at the start itself: root's own files are handed over by the service manager.
    let account = runs_as(spec).ok()?.1.filter(|_| !spec.credentials);
    if account.is_some() && account::effective_uid() != 0 {
        return None;
    }
    let comes = |path: &Utf8PathBuf| coming.iter().any(|file| file.path == *path);
    let mut there = spec.clone();
    there.environment_file = there.environment_file.filter(|path| !comes(path));
    there.secrets.retain(|_, path| !comes(path));
    from_files(&there, None, account.as_ref()).err().map(|error| error.to_string())
}
