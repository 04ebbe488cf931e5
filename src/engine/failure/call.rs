//! How those fail who are asked: a service manager, an engine of containers.

use thiserror::Error;

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
