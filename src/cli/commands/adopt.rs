//! `adopt`.

use similar::TextDiff;

use crate::cli::arguments::AdoptArguments;
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::{layout, with_context};
use crate::cli::table::{Cell, Table};
use crate::cli::{confirm, interruption, words};
use crate::engine::adopt::{AdoptRequest, Change, Done, Kind, Prepared, Side, carry_out, prepare};
use crate::engine::failure::Failure;
use crate::engine::target::TargetError;
use crate::host::environment;
use crate::model::adoption::{AdoptedLine, Fate};
use crate::model::answer::adopt::AdoptAnswer;

/// How much of a line's value is shown, in letters.
const WIDEST: usize = 48;

/// `adopt`
pub(crate) fn adopt(report: &Report, arguments: &AdoptArguments) -> Result<u8, Failure> {
    let kind = match (&arguments.unit, &arguments.plist) {
        (Some(unit), _) => Kind::Unit(unit.clone()),
        (None, Some(plist)) => Kind::Plist(plist.clone()),
        (None, None) if arguments.compose.is_some() => Kind::Container {
            file: arguments.compose.clone().unwrap_or_default(),
            service: arguments.service.clone(),
        },
        (None, None) => {
            return Err(Failure::Usage(
                "name a unit, a property list (`--plist`), or a compose file (`--compose`)".to_owned(),
            ));
        }
    };
    let working = environment::working_folder()?;
    let folder = working.join(arguments.instance_dir.as_deref().unwrap_or("".into()));
    if !folder.is_dir() {
        return Err(TargetError::NoManifest(folder).into());
    }
    let request = AdoptRequest {
        kind,
        name: arguments.name.clone(),
        folder,
        leave_out: arguments.leave_out.clone(),
        no_start: arguments.no_start,
    };
    with_context(report, layout(arguments.scope)?, |context| {
        let prepared = prepare(context, &request)?;
        let show = arguments.dry_run || !arguments.yes;
        if !report.is_json() && show {
            shown(report, &prepared);
        }
        if arguments.dry_run {
            if report.is_json() {
                report.document(&answer(&prepared, true, None));
            } else {
                confirm::show(report, &prepared.plan, false);
            }
            return Ok(0);
        }
        interruption::tell(&context.layout, &prepared.declared.manifest.name);
        let agree = |plan: &_| confirm::agree(report, plan, arguments.yes, "Adopt it?");
        let done = carry_out(context, &prepared, &agree)?;
        told(report, &prepared, done);
        Ok(0)
    })
}

/// The manifest, what became of each line, and the difference of the definitions.
fn shown(report: &Report, prepared: &Prepared) {
    let declared = &prepared.declared;
    report.line(styled(style::STRONG, format!("the manifest, {}:", declared.path)));
    report.verbatim(declared.document.text().trim_end());
    report.line(styled(style::STRONG, format!("what becomes of {}:", prepared.service)));
    table(report, &prepared.lines);
    report.line(styled(style::STRONG, "its definition:"));
    for line in diff(prepared).lines() {
        report.verbatim(words::visible(line));
    }
}

fn table(report: &Report, lines: &[AdoptedLine]) {
    let mut table = Table::new(&["LINE", "SETTING", "BECOMES"]);
    for line in lines {
        let mut value: String = words::visible(&line.value).chars().take(WIDEST).collect();
        if value.chars().count() < line.value.chars().count() {
            value.push('…');
        }
        let place = format!("{}:{}", line.file.file_name().unwrap_or_default(), line.line);
        table.row(vec![Cell::from(place), Cell::from(format!("{}={value}", line.key)), becomes(line)]);
    }
    table.tell(report);
}

fn becomes(line: &AdoptedLine) -> Cell {
    let note = line.note.as_deref();
    let noted = |text: String| match note {
        Some(note) => format!("{text} ({note})"),
        None => text,
    };
    match line.fate {
        Fate::Carried => Cell::styled(style::GOOD, noted(line.field.clone().unwrap_or_default())),
        Fate::Same => Cell::styled(style::FAINT, noted("no line".to_owned())),
        Fate::Stays => Cell::styled(style::HINT, "stays in its file"),
        Fate::Refused | Fate::LeftOut => Cell::styled(style::DOUBTFUL, noted("left out".to_owned())),
    }
}

fn diff(prepared: &Prepared) -> String {
    let text = |side: &Side| side.as_ref().map(|(_, text)| text.clone()).unwrap_or_default();
    let name =
        |side: &Side| side.as_ref().map_or_else(|| "/dev/null".to_owned(), |(path, _)| path.to_string());
    let diffs = prepared.files.iter().map(|Change { old, new }| {
        let (before, after) = (text(old), text(new));
        let diff = TextDiff::from_lines(&before, &after);
        diff.unified_diff()
            .context_radius(3)
            .header(&name(old), &name(new))
            .missing_newline_hint(false)
            .to_string()
    });
    diffs.collect()
}

fn answer(prepared: &Prepared, dry_run: bool, done: Option<Done>) -> AdoptAnswer {
    let downtime = done.and_then(|done| done.downtime);
    AdoptAnswer {
        schema: "adopt.v1".to_owned(),
        name: prepared.declared.manifest.name.clone(),
        service: prepared.service.clone(),
        dry_run,
        manifest_path: prepared.declared.path.clone(),
        manifest: prepared.declared.document.text().to_owned(),
        lines: prepared.lines.clone(),
        diff: diff(prepared),
        steps: confirm::lines(&prepared.plan),
        notices: prepared.plan.notices.clone(),
        downtime_ms: downtime.map(confirm::milliseconds),
    }
}

fn told(report: &Report, prepared: &Prepared, done: Done) {
    if report.is_json() {
        return report.document(&answer(prepared, false, Some(done)));
    }
    for notice in &prepared.plan.notices {
        report.notice(notice);
    }
    let name = &prepared.declared.manifest.name;
    let downtime = done.downtime.map(|time| format!(", restarted in {} ms", time.as_millis()));
    report.done(format!("{name} is mainstay's{}", downtime.unwrap_or_default()));
    report.say(format!("  its manifest: {}", prepared.declared.path));
    if prepared.before().is_some() {
        report
            .say(format!("  `mainstay uninstall --name {name} --restore` brings back what was there before"));
    }
}
