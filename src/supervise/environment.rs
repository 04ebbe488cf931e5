//! The environment of a program: a clean base, under the spec's variables, under the environment file, under
//! the secrets. Nothing of the supervisor's own environment comes through.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::host::process::{self, Credentials, as_account};
use crate::host::untrusted;
use crate::model::environment_file::{self, EnvironmentFileError};
use crate::model::launch::LaunchSpec;
use crate::supervise::context::Context;
use crate::supervise::values;

/// Where programs are looked for, unless the spec says otherwise: the folders that every system has, and none
/// of a version manager's, which come and go.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The variable that tells which supervisor started a process.
pub use crate::host::tree::MARK;
/// The variable that tells which of its starts a process belongs to.
pub const START: &str = "MAINSTAY_START";
/// The name of the environment file among the credentials.
pub const CREDENTIAL: &str = "environment";

/// A program's environment.
pub type Environment = BTreeMap<String, OsString>;

/// Why a program's environment can't be made. Values are never part of the message.
#[derive(Debug, Error)]
pub enum EnvironmentError {
    /// The environment file can't be read.
    #[error("can't read the environment file `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The environment file is not text.
    #[error("the environment file `{path}` is not UTF-8 text")]
    NotText {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The environment file does not follow its grammar.
    #[error("the environment file `{path}` is wrong in {source}")]
    Grammar {
        /// The file.
        path: Utf8PathBuf,
        /// Where and why.
        source: EnvironmentFileError,
    },
    /// A secret's file can't be read.
    #[error("can't read the secret {name} from `{path}`: {source}")]
    Secret {
        /// The variable.
        name: String,
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A secret holds what no variable can.
    #[error("the secret {name} in `{path}` holds a NUL character, which can't stand in the environment")]
    SecretNul {
        /// The variable.
        name: String,
        /// The file.
        path: Utf8PathBuf,
    },
}

/// An environment that was made, and where it comes from.
#[derive(Debug, Default)]
pub struct Made {
    /// All variables.
    pub environment: Environment,
    /// The names of those that came from files.
    pub given: BTreeSet<String>,
    /// Whether these have the values of an earlier start, because those in the files have failed.
    pub earlier: bool,
}

/// Makes the environment of a program, reading its files again.
pub fn environment(
    context: &Context,
    mark: &str,
    notify_socket: Option<&str>,
) -> Result<Made, EnvironmentError> {
    let spec = &context.spec;
    let mut environment = Environment::new();
    let mut given = BTreeSet::new();
    let none = BTreeSet::new();
    let mut set = |name: &str, value: OsString| put(&mut environment, name, value, &none);
    set("PATH", PATH.into());
    // What the programs of this system can't do without takes the place of what others have.
    for (name, value) in process::base() {
        set(name, value.into());
    }
    set("HOME", context.account.home.as_str().into());
    set("USER", context.account.name.as_str().into());
    set("LOGNAME", context.account.name.as_str().into());
    if let Some(language) = &context.language {
        set("LANG", language.into());
    }
    for (name, value) in spec.told() {
        set(name, value.into());
    }
    for (name, value) in spec.variables(&context.folders.places()) {
        set(name.as_str(), value.into());
    }
    // The service manager has read the files already, where the account could not.
    let credentials = context.manager.credentials.as_deref().filter(|_| spec.credentials);
    let files =
        from_files(spec, credentials, context.account.credentials.as_ref().filter(|_| !spec.credentials))?;
    let kept = values::instead(context, &files);
    let earlier = kept.is_some();
    for (name, value) in kept.unwrap_or(files) {
        put(&mut environment, &name, value, &given);
        given.insert(name);
    }
    // Last, for nobody else may say these.
    let mut set = |name: &str, value: OsString| environment.insert(name.to_owned(), value);
    set(MARK, mark.into());
    if let Some(address) = notify_socket {
        set("NOTIFY_SOCKET", address.into());
        if let Some(period) = spec.longest_silence() {
            set("WATCHDOG_USEC", period.duration().as_micros().to_string().into());
        }
    }
    Ok(Made { environment, given, earlier })
}

/// Sets a variable. Where names that differ in the size of letters alone are one variable, it takes the place of the other,
/// unless that comes from the same files.
fn put(environment: &mut Environment, name: &str, value: OsString, same: &BTreeSet<String>) {
    if process::NAMES_FOLD {
        let folded = name.to_lowercase();
        environment.retain(|known, _| known.to_lowercase() != folded || same.contains(known));
    }
    environment.insert(name.to_owned(), value);
}

/// The variables that come from files: those of the environment file under the secrets. Read in the folder of
/// credentials, if there is one, and with an account's rights.
pub fn from_files(
    spec: &LaunchSpec,
    credentials: Option<&Utf8Path>,
    account: Option<&Credentials>,
) -> Result<Environment, EnvironmentError> {
    let mut variables = Environment::new();
    if let Some(path) = &spec.environment_file {
        let path = credentials.map_or_else(|| path.clone(), |folder| folder.join(CREDENTIAL));
        let read = environment_file(&path, account)?;
        variables.extend(read.into_iter().map(|(name, value)| (name.to_string(), value.into())));
    }
    for (name, path) in &spec.secrets {
        let path = credentials.map_or_else(|| path.clone(), |folder| folder.join(name.as_str()));
        variables.insert(name.to_string(), secret(name.as_str(), &path, account)?);
    }
    Ok(variables)
}

fn environment_file(
    path: &Utf8Path,
    account: Option<&Credentials>,
) -> Result<environment_file::Variables, EnvironmentError> {
    let content = read(path, account)
        .map_err(|source| EnvironmentError::Unreadable { path: path.to_owned(), source })?;
    let text = String::from_utf8(content).map_err(|_| EnvironmentError::NotText { path: path.to_owned() })?;
    environment_file::parse(&text)
        .map_err(|source| EnvironmentError::Grammar { path: path.to_owned(), source })
}

fn secret(name: &str, path: &Utf8Path, account: Option<&Credentials>) -> Result<OsString, EnvironmentError> {
    let mut content = read(path, account).map_err(|source| EnvironmentError::Secret {
        name: name.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    if content.last() == Some(&b'\n') {
        content.pop();
    }
    if content.contains(&0) {
        return Err(EnvironmentError::SecretNul { name: name.to_owned(), path: path.to_owned() });
    }
    // Elsewhere than on Unix a variable is text.
    process::variable(content).map_err(|source| EnvironmentError::Secret {
        name: name.to_owned(),
        path: path.to_owned(),
        source,
    })
}

/// Reads a file with the rights of the program's account, so that no manifest can make root read for it.
fn read(path: &Utf8Path, account: Option<&Credentials>) -> io::Result<Vec<u8>> {
    as_account(account, || {
        use std::io::Read;
        // The path is part of the error above, so the plain message is what is wanted here.
        let mut content = Vec::new();
        let file = untrusted::open_followed(path)?;
        file.take(environment_file::LARGEST + 1).read_to_end(&mut content)?;
        if content.len() as u64 > environment_file::LARGEST {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(content)
    })
}
