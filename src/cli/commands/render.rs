//! `render`.

use crate::cli::arguments::RenderArguments;
use crate::cli::report::Report;
use crate::cli::surroundings;
use crate::engine::failure::Failure;
use crate::engine::render;

/// `render`
pub(crate) fn render(report: &Report, arguments: &RenderArguments) -> Result<u8, Failure> {
    let target = surroundings::target_to_render(report, &arguments.target)?;
    let facts = surroundings::facts(arguments.systemd_version);
    let answer = render::render(&target, arguments.platform, &facts)?;
    if report.is_json() {
        report.document(&answer);
    } else {
        report.say(format!("# {}", answer.path));
        report.raw(&answer.text);
        for file in answer.socket.iter().chain(&answer.volumes) {
            report.say(format!("# {}", file.path));
            report.raw(&file.text);
        }
    }
    Ok(0)
}
