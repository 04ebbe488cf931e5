//! Programs of pip: the package whose `RECORD` names the file, in the environment that the file is of.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::LARGEST;
use crate::host::{files, untrusted};
use crate::model::origin::{Bringer, Origin, python_package, recorded};

/// How many folders up an environment is looked for: a script lies in its `bin`, a module deeper.
const DEPTH: usize = 12;

/// The package that an entry point, or another file of an environment, is of.
pub(super) fn of_script(script: &Utf8Path) -> Option<Origin> {
    let roots = script.ancestors().skip(1).take(DEPTH);
    roots.into_iter().find_map(|root| {
        in_environment(root, script, |sites, path| {
            // With `--target` pip moves what it has installed elsewhere, and leaves the paths as they were there.
            let moved = || sites == root && root.join(path.trim_start_matches("../")) == script;
            normal(&sites.join(path)) == script || moved()
        })
    })
}

/// The package that brings a module to a Python.
pub(super) fn of_module(python: &Utf8Path, module: &str) -> Option<Origin> {
    let path = module.replace('.', "/");
    let files = [format!("{path}.py"), format!("{path}/__main__.py"), format!("{path}/__init__.py")];
    // Not its real file: an environment's own is a link to the one that it was made with.
    let root = python.parent()?.parent()?;
    let mut found = in_environment(root, python, |_, path| files.iter().any(|file| file == path))?;
    let sites = site_folders(root);
    let real = sites.iter().flat_map(|sites| files.iter().map(|file| sites.join(file)));
    if let Some(real) = real.into_iter().find(|path| path.is_file()) {
        found.program = real;
    }
    Some(found)
}

fn in_environment(
    root: &Utf8Path,
    program: &Utf8Path,
    is_it: impl Fn(&Utf8Path, &str) -> bool,
) -> Option<Origin> {
    for sites in site_folders(root) {
        for name in files::list(&sites).ok().flatten().unwrap_or_default() {
            if !name.ends_with(".dist-info") {
                continue;
            }
            let folder = sites.join(&name);
            let Ok(Some(record)) = untrusted::read(&folder.join("RECORD"), LARGEST) else { continue };
            if !recorded(&record).any(|path| is_it(&sites, &path)) {
                continue;
            }
            let Ok(Some(metadata)) = untrusted::read(&folder.join("METADATA"), LARGEST) else { continue };
            let Some((package, version)) = python_package(&metadata) else { continue };
            let python = Some(root.join("bin/python")).filter(|path| path.exists());
            let bringer = Bringer::Pip { package, python };
            return Some(Origin { program: program.to_owned(), version: Some(version), bringer });
        }
    }
    None
}

/// Where an environment keeps its packages: below `lib` by version of Python, as Debian has it, or, with `--target`,
/// in the root itself.
fn site_folders(root: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = vec![root.to_owned()];
    for library in ["lib", "lib64", "local/lib"] {
        let library = root.join(library);
        for name in files::list(&library).ok().flatten().unwrap_or_default() {
            if name.starts_with("python") || name.starts_with("pypy") {
                found.extend(["site-packages", "dist-packages"].map(|sites| library.join(&name).join(sites)));
            }
        }
    }
    found.retain(|folder| folder.is_dir());
    found
}

/// A path without `.` and `..`, by its text alone: links above it were followed before.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::ParentDir => {
                normal.pop();
            }
            Utf8Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}
