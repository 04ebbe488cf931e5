//! Programs of npm: the nearest `package.json` above the script that has programs, or a name that fits.

use camino::Utf8Path;

use super::LARGEST;
use crate::host::untrusted;
use crate::model::launch::LaunchSpec;
use crate::model::origin::{Bringer, Origin, node_package};

/// How many folders up a package is looked for.
const DEPTH: usize = 16;
/// The folder in which npm keeps packages.
const MODULES: &str = "node_modules";

/// The package that a script is of.
pub(super) fn origin(script: &Utf8Path, spec: &LaunchSpec) -> Option<Origin> {
    for folder in script.ancestors().skip(1).take(DEPTH) {
        if folder.file_name() == Some(MODULES) {
            return None;
        }
        let Ok(Some(text)) = untrusted::read(&folder.join("package.json"), LARGEST) else { continue };
        let Some(package) = node_package(&text) else { continue };
        let last = package.name.rsplit('/').next().unwrap_or(&package.name);
        let fits = folder.file_name() == Some(last) || spec.component.as_str() == last;
        if !package.has_programs && !fits {
            continue;
        }
        let bringer = Bringer::Npm { prefix: prefix(folder), package: package.name };
        return Some(Origin { program: script.to_owned(), version: Some(package.version), bringer });
    }
    None
}

/// The prefix below which a package is installed globally: `PREFIX/lib/node_modules/PACKAGE` (npm-folders(5)).
fn prefix(folder: &Utf8Path) -> Option<camino::Utf8PathBuf> {
    let modules = folder.ancestors().find(|folder| folder.file_name() == Some(MODULES))?;
    let library = modules.parent()?;
    (library.file_name() == Some("lib")).then(|| library.parent().map(Utf8Path::to_owned)).flatten()
}
