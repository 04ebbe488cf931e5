//! How an operation fails, by what the person can do about it.

use camino::Utf8PathBuf;
use thiserror::Error;

pub use self::step::{ANY_ENGINE, CallError, StepError};
use crate::engine::adopt::AdoptError;
use crate::engine::origin::OriginError;
use crate::engine::requirements::Lack;
use crate::engine::supervisor::RunError;
use crate::engine::target::TargetError;
use crate::engine::trust::Distrust;
use crate::host::account::AccountError;
use crate::host::disk::Shortage;
use crate::host::environment::EnvironmentError;
use crate::host::files::FileError;
use crate::host::lock::LockError;
use crate::model::launch::ResolveError;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::problem::Problems;
use crate::model::status::Exit;
use crate::package::fetch::FetchError;
use crate::package::pack::PackError;
use crate::package::signature::SignatureError;
use crate::package::tree::TreeError;
use crate::package::unpack::UnpackError;
use crate::package::version::FileNameError;
use crate::plan::refusal::Refusal;
use crate::plan::step::Operation;
use crate::platform::Inexpressible;

mod step;

/// Why an operation did not do what was asked.
#[derive(Debug, Error)]
pub enum Failure {
    /// What was typed does not make sense together.
    #[error("{0}")]
    Usage(String),
    /// The person who was asked said no.
    #[error("nothing was changed")]
    Declined,
    /// There is no such instance, or none was named.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A guard says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The deploy folder is not one that this account may trust.
    #[error(transparent)]
    Distrusted(#[from] Distrust),
    /// The manifest or the package's description is faulty.
    #[error("{0}")]
    Faulty(Problems),
    /// The manifest and the package do not make a service.
    #[error(transparent)]
    Unresolved(#[from] ResolveError),
    /// What somebody else has defined is not adopted.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The platform can't express what is asked.
    #[error(transparent)]
    Inexpressible(#[from] Inexpressible),
    /// The archive is not what it should be.
    #[error(transparent)]
    Archive(#[from] UnpackError),
    /// The archive can't be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The archive's signature does not vouch for it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// There is too little room, as was found out before anything was written.
    #[error(transparent)]
    Space(#[from] Shortage),
    /// The folder can't be packed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The archive is sound, and is not the one that was asked for.
    #[error("{0}")]
    OtherArchive(String),
    /// The version is not to be had from the archive.
    #[error(transparent)]
    NoVersion(FileNameError),
    /// A version tree could not be stored.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Another operation is under way.
    #[error("another operation on `{0}` is under way")]
    Busy(InstanceName),
    /// What the plan is now is not what was agreed to.
    #[error("what would be done to `{0}` has changed since you were asked")]
    Changed(InstanceName),
    /// The rights of another account are needed.
    #[error("{0}")]
    Rights(String),
    /// The new version failed its gate, and the old one runs again.
    #[error("{reason}; the version before runs again")]
    TakenBack {
        /// Why.
        reason: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// The version was not ready with new settings, and runs with those before.
    #[error("{reason}; it runs again with the settings before")]
    SettingsTakenBack {
        /// Why.
        reason: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// The program was not ready with the changed values of its files, and runs with those before.
    #[error("{reason}; it runs again with the values of its last good start")]
    ValuesTakenBack {
        /// Why.
        reason: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// The program was not ready with the changed values of its files, and those before are kept nowhere.
    #[error("{reason}, and there is no way back: {why}")]
    ValuesLost {
        /// The instance.
        name: InstanceName,
        /// Why it is not ready.
        reason: String,
        /// Why there is no way back.
        why: String,
        /// How the program ended.
        exit: Option<Exit>,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// The service is down, and nothing is left that would start it.
    #[error("{reason}; the service is down")]
    Down {
        /// Why.
        reason: String,
        /// How the program ended.
        exit: Option<Exit>,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// What ran before mainstay does not run again.
    #[error("{reason}; what ran before is back, and could not be started: {why}")]
    NotRevived {
        /// Why the operation was undone.
        reason: String,
        /// What starts it, as it would be typed.
        call: String,
        /// Why it does not run.
        why: String,
        /// The last lines of what took its place.
        log: Vec<String>,
    },
    /// The data of an instance are between two forms, and nothing of it may start.
    #[error("{reason}; nothing is started until they are as {tree} left them")]
    DataAway {
        /// The tree whose data they were.
        tree: String,
        /// Why.
        reason: String,
    },
    /// The new launch has been ready, and its data can't go back with the old one.
    #[error("{tree} has been ready, and its data are closed to {back}: it stays")]
    OneWay {
        /// The tree that stays.
        tree: String,
        /// The tree before.
        back: String,
    },
    /// All was done, and what follows failed.
    #[error("the {operation} is done, and `{step}` failed after it")]
    Afterwards {
        /// What was done.
        operation: Operation,
        /// The step.
        step: String,
        /// Why.
        #[source]
        source: Box<StepError>,
    },
    /// The program ended or did not become ready; its restart policy goes on trying.
    #[error("{reason}; it is tried again by its restart policy")]
    NotReady {
        /// Why.
        reason: String,
        /// How the program ended.
        exit: Option<Exit>,
        /// The last lines of its log.
        log: Vec<String>,
        /// Whether it is a start beside what runs, which goes on.
        beside: bool,
    },
    /// A service whose manifest was made on the way was never ready, and nothing of it is left.
    #[error("{reason}, so {name} was not installed, and its manifest is taken back")]
    NeverReady {
        /// The instance.
        name: InstanceName,
        /// Why.
        reason: String,
        /// The last lines of its log.
        log: Vec<String>,
        /// The folder of its log, where that stays.
        written: Option<Utf8PathBuf>,
    },
    /// The new version of a program that somebody else brought does not run, and there is no old one of it.
    #[error("{reason}; its program was replaced, so there is no old one to go back to")]
    NoWayBack {
        /// Why.
        reason: String,
        /// How the program ended.
        exit: Option<Exit>,
        /// The last lines of its log.
        log: Vec<String>,
        /// What brings the version before.
        bring: Option<String>,
    },
    /// What a launch starts is not what it should be.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The service can't be stopped or restarted, because processes of it do not end.
    #[error("{reason}")]
    Held {
        /// What did not come about.
        reason: String,
        /// The processes that it has, as sentences.
        holders: Vec<String>,
    },
    /// A step failed, and those before it were undone.
    #[error("the {operation} failed at `{step}`, and all before it was undone")]
    Step {
        /// What was done.
        operation: Operation,
        /// The step.
        step: String,
        /// Why.
        #[source]
        source: Box<StepError>,
    },
    /// A step failed, and undoing failed too.
    #[error("the {operation} failed at `{step}`, and undoing it failed too: {undo}")]
    Stuck {
        /// What was done.
        operation: Operation,
        /// The step.
        step: String,
        /// What could not be undone, and why.
        undo: String,
        /// Why the step failed.
        #[source]
        source: Box<StepError>,
    },
    /// All was done, or all was undone, and the record of it can't be closed.
    #[error("the {operation} {outcome}, and its journal can't be closed: `mainstay recover` tries again")]
    Unclosed {
        /// What was done.
        operation: Operation,
        /// What became of it.
        outcome: String,
        /// Why it can't be closed.
        #[source]
        source: Box<StepError>,
    },
    /// The service manager can't be asked.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The journal was written by a newer mainstay.
    #[error("`{path}` has format {found}, and this mainstay knows formats up to {known}")]
    Newer {
        /// The file.
        path: Utf8PathBuf,
        /// Its format.
        found: u64,
        /// The newest that is known.
        known: u32,
    },
    /// A file of mainstay's own does not parse.
    #[error("`{path}` is damaged: {reason}")]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A lock could not be taken.
    #[error(transparent)]
    Lock(LockError),
    /// An account could not be used.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The environment does not do.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The supervisor or its guardian.
    #[error(transparent)]
    Run(Box<RunError>),
    /// A command of the manifest failed.
    #[error(transparent)]
    Hook(Box<StepError>),
    /// The person who was asked did not want to go on.
    #[error("interrupted: nothing was written")]
    Interrupted,
    /// The host lacks what the package needs.
    #[error("this host lacks what `{component}` needs:{}", lacking(lacks))]
    HostLacks {
        /// The component.
        component: ComponentName,
        /// All that it lacks.
        lacks: Vec<Lack>,
        /// Whether some of it may be mended by preparing the host.
        can_be_prepared: bool,
    },
    /// The host could not be made ready.
    #[error("the host could not be prepared at `{step}`: {reason}")]
    Unprepared {
        /// The step.
        step: String,
        /// Why.
        reason: String,
        /// What of the steps before could not be undone, as sentences.
        not_undone: Vec<String>,
    },
    /// A crash was asked for by a test.
    #[error("killed")]
    Killed,
}

fn lacking(lacks: &[Lack]) -> String {
    lacks.iter().map(|lack| format!("\n  - {}", lack.what)).collect::<Vec<_>>().concat()
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Faulty(problems)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::Run(Box::new(error))
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        match error {
            StepError::File(error) => Self::File(error),
            StepError::Lock(error) => Self::Lock(error),
            StepError::Account(error) => Self::Account(error),
            StepError::Killed => Self::Killed,
            other => Self::Hook(Box::new(other)),
        }
    }
}
