//! `completions`.

use super::man::text_told;
use crate::cli::arguments::CompletionsArguments;
use crate::cli::completion;
use crate::cli::report::Report;

/// `completions`
pub(crate) fn completions(report: &Report, arguments: &CompletionsArguments) -> u8 {
    let text = completion::script(arguments.shell);
    text_told(report, format!("completions for {}", arguments.shell), &text)
}
