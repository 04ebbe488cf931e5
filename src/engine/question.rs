//! Questions to the programs that know how a service stands: service managers and engines of containers.

use std::time::Duration;

use crate::engine::failure::CallError;
use crate::host::command::{self, Manner};
use crate::platform::observed::{Answer, NoAnswer};

/// Asks a program by a command, and reads its answer. Whoever has not answered within the limit is ended, and counts as one
/// that does not answer.
pub(crate) fn ask<T>(
    argv: &[String],
    limit: Duration,
    read: impl Fn(Answer<'_>) -> Result<T, NoAnswer>,
) -> Result<T, CallError> {
    let unavailable = |reason: String| CallError::Unavailable {
        manager: argv.first().cloned().unwrap_or_default(),
        reason,
    };
    let output = command::output(argv, Manner { limit: Some(limit), ..Manner::default() })
        .map_err(|error| unavailable(error.to_string()))?;
    let answer = Answer { code: output.code, stdout: &output.stdout, stderr: &output.stderr };
    read(answer).map_err(|error| unavailable(error.to_string()))
}
