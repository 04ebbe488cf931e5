//! `validate`

use crate::cli::arguments::ValidateArguments;
use crate::cli::excerpt;
use crate::cli::report::{Report, style, styled};
use crate::cli::words;
use crate::engine::check::check;
use crate::engine::failure::Failure;
use crate::host::environment;
use crate::model::problem::{Problem, Severity};

/// `validate`
pub(crate) fn validate(report: &Report, arguments: &ValidateArguments) -> Result<u8, Failure> {
    let here = ["mainstay.json".into()];
    let folder = environment::working_folder()?;
    let named = if arguments.files.is_empty() { &[".".into()] } else { arguments.files.as_slice() };
    // In the working folder, the one usual file needs no `./` before its name.
    let only_here = arguments.files.is_empty() && folder.join(&here[0]).is_file();
    let answer = check(if only_here { &here } else { named }, &folder);
    let doubtful = answer.files.iter().any(|file| !file.warnings.is_empty());
    let refused = !answer.valid || arguments.strict && doubtful;
    let code = if refused { 2 } else { 0 };
    if report.is_json() {
        report.document(&answer);
        return Ok(code);
    }
    let width = report.columns().unwrap_or(excerpt::USUAL_WIDTH);
    for file in &answer.files {
        if file.problems.is_empty() && file.warnings.is_empty() {
            report.line(format!("{}: {}", words::visible(file.file.as_str()), styled(style::GOOD, "sound")));
        }
        let mut all: Vec<&Problem> = file.problems.iter().chain(&file.warnings).collect();
        all.sort_by_key(|problem| (problem.line, problem.column));
        for problem in all {
            if arguments.short {
                report.line(short(file.file.as_str(), problem));
            } else {
                report.text(&excerpt::of(file.file.as_str(), &file.text, problem, width));
            }
        }
    }
    let counted = |count: usize, one: &str, many: &str| match count {
        1 => format!("one {one}"),
        _ => format!("{count} {many}"),
    };
    let faults: usize = answer.files.iter().map(|file| file.problems.len()).sum();
    let warnings: usize = answer.files.iter().map(|file| file.warnings.len()).sum();
    let mut found = Vec::new();
    if faults > 0 {
        found.push(counted(faults, "fault", "faults"));
    }
    if warnings > 0 {
        found.push(counted(warnings, "warning", "warnings"));
    }
    let found = found.join(" and ");
    if refused {
        report.say(format!(
            "{} {found}; `mainstay schema` prints what is allowed, and editors read it from `$schema`",
            styled(style::BAD, "not sound:")
        ));
    } else if doubtful {
        report.say(format!("{} with {found}", styled(style::GOOD, "sound:")));
    }
    Ok(code)
}

fn short(file: &str, problem: &Problem) -> String {
    let place = format!("{}:{}:{}", words::visible(file), problem.line, problem.column);
    let place = styled(style::STRONG, place);
    match problem.severity {
        Severity::Error => format!("{place}: {problem}"),
        Severity::Warning => format!("{place}: {} {problem}", styled(style::DOUBTFUL, "warning:")),
    }
}
