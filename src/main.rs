//! The program: parse, run, print the failure, choose the exit code.
fn main() {}
