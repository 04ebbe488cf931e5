//! The files of a deploy folder that come with an installation: what stands in their places, and what is to.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::Context;
use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::engine::trust::Deploy;
use crate::host::files::{self, Kind};
use crate::host::{account, untrusted};
use crate::model::environment_file;
use crate::model::interview::Paper;
use crate::model::launch::{ResolveError, own_paths_only};
use crate::model::package::PackageDescription;
use crate::plan::wanted::Beside;

/// A file of variables that was typed, read once: what comes through a pipe is there only once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariablesFile {
    /// Its path, as it was typed.
    pub path: Utf8PathBuf,
    /// What it says.
    pub text: String,
}

impl VariablesFile {
    /// Reads it.
    pub fn read(path: &Utf8Path) -> Result<Self, Failure> {
        let text = files::read(path)?;
        let text =
            text.ok_or_else(|| Failure::Usage(format!("the environment file `{path}` is not there")))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// The manifest with this file at the place that it names, or that its package names; one that is there stays as it
    /// is. Nothing where neither names any.
    pub(crate) fn with(
        &self,
        context: &Context<'_>,
        declared: &Declared,
        description: Option<&PackageDescription>,
    ) -> Result<Option<Declared>, Failure> {
        let of_package = description.map(|description| &description.service);
        let named = match (&declared.manifest.service.environment_file, of_package) {
            (Some(named), _) => named,
            (None, Some(service)) => {
                let Some(named) = &service.environment_file else { return Ok(None) };
                own_paths_only(service)?;
                straight(&declared.deploy, "service.environmentFile", named)?;
                named
            }
            (None, None) => return Ok(None),
        };
        let Deploy { folder, owner } = &declared.deploy;
        let path = folder.join(named);
        let mut declared = declared.clone();
        if account::acting_as(owner.as_ref(), || files::facts(&path))??.is_some() {
            context.notice(format!("`{path}` is kept as it is, and `{}` left aside", self.path));
        } else {
            let paper = Paper { path: named.clone(), text: self.text.clone() };
            declared.beside.extend(of(&declared, vec![paper])?);
        }
        Ok(Some(declared))
    }

    /// Why it can't be taken where nobody says where it belongs.
    pub(crate) fn homeless() -> Failure {
        Failure::Usage(
            "`--env-file` needs a place to be copied to: name one with `service.environmentFile` in the manifest, or `--set service.environmentFile=NAME`"
                .to_owned(),
        )
    }
}

/// The files with what stands there before, without those that are right already.
pub fn of(declared: &Declared, papers: Vec<Paper>) -> Result<Vec<Beside>, Failure> {
    let (folder, owner) = (&declared.deploy.folder, declared.deploy.owner.as_ref());
    let mut found: Vec<Beside> = Vec::new();
    for Paper { path, text } in papers {
        let path = folder.join(path);
        let before = account::acting_as(owner, || untrusted::read(&path, environment_file::LARGEST))??;
        if before.as_ref() == Some(&text) {
            continue;
        }
        let parent = path.parent().filter(|parent| parent != folder).map(Utf8Path::to_owned);
        let parent = match parent {
            Some(parent) if account::acting_as(owner, || files::facts(&parent))??.is_none() => Some(parent),
            _ => None,
        };
        let parent = parent.filter(|parent| found.iter().all(|file| file.folder.as_ref() != Some(parent)));
        found.push(Beside { path, before, text, folder: parent });
    }
    Ok(found)
}

/// Refuses links on the way to a file that a package names: what leads out of the deploy folder has to be named by the
/// manifest itself.
pub fn straight(deploy: &Deploy, field: &str, path: &Utf8Path) -> Result<(), Failure> {
    for part in path.ancestors().filter(|part| !part.as_str().is_empty()) {
        let path = deploy.folder.join(part);
        let facts = account::acting_as(deploy.owner.as_ref(), || files::facts(&path))??;
        if facts.is_some_and(|facts| facts.kind == Kind::Link) {
            return Err(ResolveError::PackageLink { field: field.to_owned(), path }.into());
        }
    }
    Ok(())
}
