//! The program: parse, run, print the failure, choose the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    mainstay::cli::run()
}
