//! The roof: arguments in; tables, JSON and exit codes out. The only mouth.

pub mod arguments;
mod commands;
mod confirm;
mod demo;
mod draft;
mod failure;
mod report;
mod surroundings;
mod table;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::arguments::Arguments;
use crate::cli::report::Report;

/// Runs what was typed, and gives the exit code.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return report::usage(&error),
    };
    let report = Report::new(arguments.output);
    let code = match commands::run(arguments.command, &report) {
        Ok(code) => code,
        Err(failure) => failure::told(&report, &failure),
    };
    ExitCode::from(if code == 0 && report.lost_data() { 1 } else { code })
}
