//! What was typed does not fit.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::arguments::OutputArguments;
use crate::cli::report::Report;
use crate::model::answer::failure::FailureAnswer;
use crate::model::name::InstanceName;

/// What clap says of arguments that do not fit, and of `--help` and `--version`; the first as a document as well, where
/// one is asked for.
pub(crate) fn usage(mut error: clap::Error, json: bool) -> ExitCode {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::UnknownArgument
        && InstanceName::new(word.as_str()).is_ok()
    {
        let hint = format!("an instance is named with `--name {word}`");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
    // If nobody reads it, there is nobody to tell.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    if json {
        let output = OutputArguments { json, ..OutputArguments::default() };
        Report::new(output).document(&answer(&error.render().to_string()));
    }
    ExitCode::from(2)
}

/// The first paragraph is the message, what follows helps.
fn answer(said: &str) -> FailureAnswer {
    let mut paragraphs = said.trim().split("\n\n");
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let help = paragraphs.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
    let in_one_line = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    FailureAnswer::new(2, in_one_line, Vec::new(), help.map(str::to_owned).collect())
}
