//! `pack`

use crate::cli::arguments::PackArguments;
use crate::cli::report::{Report, style, styled};
use crate::cli::words;
use crate::engine::failure::Failure;
use crate::engine::packing::{check_folder, pack_folder};
use crate::host::environment::quoted;

/// `pack`
pub(crate) fn pack(report: &Report, arguments: &PackArguments) -> Result<u8, Failure> {
    let answer = if arguments.check {
        check_folder(&arguments.folder)?
    } else {
        pack_folder(&arguments.folder, arguments.output.as_deref())?
    };
    if report.is_json() {
        report.document(&answer);
        return Ok(0);
    }
    if answer.version.is_none() {
        report.notice(
            "there is no `mainstay-package.json`: whoever installs it says in the manifest what to run",
        );
    }
    for warning in &answer.warnings {
        report.say(format!("{} {}", styled(style::DOUBTFUL, "warning:"), words::visible(warning)));
    }
    let size = format!("{} entries, {}", answer.entries, words::size(answer.size));
    if let Some(archive) = &answer.archive {
        report.say(format!("{} {archive}: {size}", styled(style::GOOD, "packed:")));
        // As sha256sum prints it, for those who compare.
        report.verbatim(format!("{}  {archive}", answer.sha256));
        if let (Some(component), Some(version)) = (&answer.component, &answer.version) {
            report.say(format!(
                "  to sign it: minisign -Sm {} -t 'name:{component} version:{version}'",
                quoted(archive.as_str())
            ));
        }
    } else {
        let folder = &arguments.folder;
        report.line(format!("{} {folder} can be packed and unpacked: {size}", styled(style::GOOD, "sound:")));
    }
    Ok(0)
}
