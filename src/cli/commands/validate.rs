//! `validate`

use crate::cli::arguments::ValidateArguments;
use crate::cli::report::{Report, style, styled};
use crate::engine::check::check;
use crate::engine::failure::Failure;
use crate::host::environment;

/// `validate`
pub(crate) fn validate(report: &Report, arguments: &ValidateArguments) -> Result<u8, Failure> {
    let here = ["mainstay.json".into()];
    let folder = environment::working_folder()?;
    let named = if arguments.files.is_empty() { &[".".into()] } else { arguments.files.as_slice() };
    // In the working folder, the one usual file needs no `./` before its name.
    let only_here = arguments.files.is_empty() && folder.join(&here[0]).is_file();
    let answer = check(if only_here { &here } else { named }, &folder);
    if report.is_json() {
        report.document(&answer);
        return Ok(if answer.valid { 0 } else { 2 });
    }
    let mut count = 0;
    for file in &answer.files {
        if file.problems.is_empty() {
            report.line(format!("{}: {}", file.file, styled(style::GOOD, "sound")));
        }
        for problem in &file.problems {
            count += 1;
            let place = format!("{}:{}:{}", file.file, problem.line, problem.column);
            report.line(format!("{}: {problem}", styled(style::STRONG, place)));
        }
        for doubt in &file.warnings {
            let place = format!("{}:{}:{}", file.file, doubt.line, doubt.column);
            let warning = styled(style::DOUBTFUL, "warning:");
            report.line(format!("{}: {warning} {doubt}", styled(style::STRONG, place)));
        }
    }
    if answer.valid {
        return Ok(0);
    }
    let faults = if count == 1 { "one fault".to_owned() } else { format!("{count} faults") };
    report.say(format!(
        "{} {faults}; `mainstay schema` prints what is allowed, and editors read it from `$schema`",
        styled(style::BAD, "not sound:")
    ));
    Ok(2)
}
