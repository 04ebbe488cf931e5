//! `export`

use crate::cli::arguments::{ExportArguments, ExportedTool};
use crate::cli::report::Report;
use crate::engine::export;
use crate::engine::failure::Failure;
use crate::host::environment::{self, quoted};

/// `export`
pub(crate) fn export(report: &Report, arguments: &ExportArguments) -> Result<u8, Failure> {
    let folder = environment::working_folder()?.join(&arguments.folder);
    let answer = match arguments.tool {
        ExportedTool::Ansible => export::collection(&folder, arguments.force, arguments.dry_run)?,
    };
    if report.is_json() {
        report.document(&answer);
        return Ok(0);
    }
    if let Some(aside) = &answer.put_aside {
        report.notice(format!("what was there is {aside} now"));
    }
    if !answer.changed {
        report.line(format!("nothing to do: {} is the collection of this mainstay", answer.folder));
    } else if arguments.dry_run {
        report.line(format!("write {}:", answer.folder));
        for file in &answer.files {
            report.line(format!("  {file}"));
        }
    } else {
        let (count, version) = (answer.files.len(), &answer.version);
        report.done(format!("mainstay.mainstay {version} is in {}, {count} files", answer.folder));
        report.say(format!(
            "  `ansible-galaxy collection install {}` makes it known to Ansible",
            quoted(answer.folder.as_str())
        ));
    }
    Ok(0)
}
