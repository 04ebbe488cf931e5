//! The variables of an instance's program, as far as the caller may read them: for addresses, conditions and commands
//! beside the program. The supervisor makes the program's own.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::engine::failure::Failure;
use crate::host::{account, environment, files, untrusted};
use crate::model::environment_file::{self, Variables};
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::owner::Owner;
use crate::plan::wanted::Beside;
use crate::supervise::environment::PATH;

pub(crate) mod readable;
pub(crate) mod required;

/// The variables that are no secrets: those of the settings, under those of the environment file. Of a file that comes
/// with the operation counts what it is to say.
pub(crate) fn open(layout: &Layout, spec: &LaunchSpec, coming: &[Beside]) -> BTreeMap<String, String> {
    let folders = Folders::of(spec, layout);
    let own = spec.variables(&folders.places());
    let mut variables: BTreeMap<String, String> =
        own.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect();
    let file = spec.environment_file.as_deref().and_then(|path| of_file(&spec.deploy, path, coming));
    let file = file.unwrap_or_default().into_iter();
    variables.extend(file.map(|(name, value)| (name.as_str().to_owned(), value)));
    variables
}

/// Those of an environment file as it is, or as the operation is about to make it: none where it is not there, nothing
/// where it can't be read. What is wrong with the file, the start tells.
pub(crate) fn of_file(deploy: &Utf8Path, path: &Utf8Path, coming: &[Beside]) -> Option<Variables> {
    let text = match Beside::coming(coming, path) {
        Some(planned) => planned.to_owned(),
        None => read(deploy, path).ok()?.unwrap_or_default(),
    };
    environment_file::parse(&text).ok()
}

/// All of them, for a command that is run as the program is.
pub(crate) fn all(layout: &Layout, spec: &LaunchSpec, account: &Owner) -> Vec<(String, String)> {
    let mut variables = BTreeMap::from([
        ("PATH".to_owned(), PATH.to_owned()),
        ("USER".to_owned(), account.name.clone()),
        ("LOGNAME".to_owned(), account.name.clone()),
        ("MAINSTAY_NAME".to_owned(), spec.name.to_string()),
        ("MAINSTAY_VERSION".to_owned(), spec.version.to_string()),
    ]);
    if let Some(home) = environment::home(account.uid) {
        variables.insert("HOME".to_owned(), home.into_string());
    }
    variables.extend(open(layout, spec, &[]));
    for (name, path) in &spec.secrets {
        // What can't be read the start tells.
        if let Ok(Some(secret)) = read(&spec.deploy, path) {
            let value = secret.strip_suffix('\n').unwrap_or(&secret).to_owned();
            variables.insert(name.as_str().to_owned(), value);
        }
    }
    variables.into_iter().collect()
}

/// The account that runs an instance's program.
pub(crate) fn account(spec: &LaunchSpec) -> Option<Owner> {
    match &spec.user {
        Some(user) => account::by_name(user).ok(),
        None => account::by_uid(account::effective_uid()).ok(),
    }
}

/// A file that a deploy folder names, with the rights of the folder's owner, whose file it is; nothing where there is none.
fn read(deploy: &Utf8Path, path: &Utf8Path) -> Result<Option<String>, Failure> {
    let owner = files::facts(deploy)?.and_then(|facts| account::by_uid(facts.uid).ok());
    let owner = owner.filter(|_| account::effective_uid() == 0);
    Ok(account::acting_as(owner.as_ref(), || untrusted::read(path, environment_file::LARGEST))??)
}
