//! The roof: arguments in; tables, JSON and exit codes out. The only mouth.

pub mod arguments;
mod commands;
mod completion;
mod confirm;
mod demo;
mod difference;
mod draft;
mod excerpt;
mod failure;
mod interruption;
mod password;
mod plain_run;
mod report;
mod screen;
mod surroundings;
mod table;
mod wizard;
mod words;
mod wrap;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::arguments::{Arguments, Command, OutputArguments};
use crate::cli::report::Report;
use crate::engine::failure::Failure;
use crate::host::{environment, handover};
use crate::supervise::keep_output;

/// Runs what was typed, and gives the exit code.
#[must_use]
pub fn run() -> ExitCode {
    report::settle_colours();
    if let Some(shell) = environment::completing_shell() {
        return completion::complete(&Report::new(OutputArguments::default()), &shell);
    }
    let words: Option<Vec<String>> =
        std::env::args_os().skip(1).map(|word| word.into_string().ok()).collect();
    if let Some(words) = words {
        if let Some(code) = handover::taken_over(&words).or_else(|| keep_output(&words)) {
            return ExitCode::from(code);
        }
        if let Some(arguments) = plain_run::plain_run(&words) {
            return ran(Command::Run(arguments), OutputArguments::default());
        }
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::usage(error, asks_for_json()),
    };
    ran(arguments.command, arguments.output)
}

/// Whether what was typed asks for a document, where it can't be parsed.
fn asks_for_json() -> bool {
    std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json")
}

fn ran(command: Command, output: OutputArguments) -> ExitCode {
    let report = Report::new(output);
    let outcome = commands::run(command, &report);
    if !matches!(outcome, Err(Failure::Faulty(_) | Failure::Distrusted(_))) {
        report.tell_held();
    }
    let code = match outcome {
        Ok(code) => code,
        Err(failure) => failure::told(&report, &failure),
    };
    ExitCode::from(if code == 0 && report.lost_data() { 1 } else { code })
}
