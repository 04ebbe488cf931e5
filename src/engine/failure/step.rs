//! How a step fails, and how a service manager does.

use std::io::ErrorKind;

use thiserror::Error;

use crate::host::account::AccountError;
use crate::host::files::FileError;
use crate::host::lock::LockError;
use crate::model::status::Exit;
use crate::package::tree::TreeError;

/// Why a step failed.
#[derive(Debug, Error)]
pub enum StepError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// An account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The tree store.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The service manager.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A hook.
    #[error("`{field}` failed: {reason}")]
    Hook {
        /// The manifest's field.
        field: String,
        /// What became of it, with its last output.
        reason: String,
    },
    /// The program is not ready.
    #[error("{reason}")]
    NotReady {
        /// Why.
        reason: String,
        /// How it ended.
        exit: Option<Exit>,
        /// Whether something still tries to start it.
        retrying: bool,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// A service for development does not answer.
    #[error("`{service}` in the container {container} is not ready: {reason}")]
    Unanswering {
        /// The service.
        service: String,
        /// Its container.
        container: String,
        /// Why.
        reason: String,
        /// The last lines that it wrote.
        log: Vec<String>,
    },
    /// What was there before mainstay does not run again.
    #[error("`{call}` failed: {reason}")]
    NotRevived {
        /// What starts it.
        call: String,
        /// Why it does not.
        reason: String,
    },
    /// Something of the engine's own.
    #[error("{0}")]
    Other(String),
    /// A failure that a test asked for.
    #[error("a failure was asked for")]
    Asked,
    /// A crash that a test asked for.
    #[error("killed")]
    Killed,
}

impl StepError {
    /// Whether the disk, or the account's share of it, is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::File(error) => error.is_full(),
            Self::Tree(TreeError::Step { source, .. }) => {
                matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// What failed, and what the system said to it, as one sentence.
    #[must_use]
    pub fn whole(&self) -> String {
        match self {
            Self::File(error) => format!("{error}: {}", error.source),
            Self::Tree(TreeError::Step { source, .. }) => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }
}

/// How an engine of containers is called where none answers.
pub const ANY_ENGINE: &str = "a container engine with Compose";

/// Why a service manager did not do what it was asked.
#[derive(Debug, Error)]
pub enum CallError {
    /// It said no.
    #[error("`{call}` failed: {reason}")]
    Failed {
        /// What was asked.
        call: String,
        /// What it said.
        reason: String,
    },
    /// It could not be reached.
    #[error("{manager} does not answer: {reason}")]
    Unavailable {
        /// Which.
        manager: String,
        /// Why.
        reason: String,
    },
}
