//! `doctor`: what is wrong, and what mends it.

use crate::cli::arguments::DoctorArguments;
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::{layouts, target_to_see, with_context};
use crate::cli::{confirm, words};
use crate::engine::doctor::{Examination, Fix, carry_out, examine};
use crate::engine::failure::Failure;
use crate::engine::manager::HostManager;
use crate::engine::remove::left_of;
use crate::engine::target::{self, TargetError};
use crate::model::answer::doctor::{DoctorAnswer, Examined, Finding, Verdict};
use crate::model::layout::Layout;
use crate::model::marker::Marker;

/// The exit code where something is wrong.
const UNHEALTHY: u8 = 1;

/// An instance to be examined, and where it was found.
struct Patient {
    layout: Layout,
    of: Marker,
}

impl Patient {
    fn examine(&self) -> Examination {
        examine(&HostManager::new(self.layout.clone()), &self.layout, &self.of)
    }
}

/// `doctor`
pub(crate) fn doctor(report: &Report, arguments: &DoctorArguments) -> Result<u8, Failure> {
    let patients = patients(report, arguments)?;
    let examinations: Vec<Examination> = patients.iter().map(Patient::examine).collect();
    let fixes: Vec<(&Patient, Fix)> = patients
        .iter()
        .zip(&examinations)
        .flat_map(|(patient, examination)| examination.fixes.iter().map(move |fix| (patient, fix.clone())))
        .collect();
    let mut answer = DoctorAnswer {
        schema: "doctor.v1".to_owned(),
        healthy: true,
        instances: examinations.into_iter().map(|examination| examination.examined).collect(),
        mended: Vec::new(),
        failed: Vec::new(),
    };
    tell(report, &answer.instances);
    if arguments.fix && fixes.is_empty() {
        report.say("nothing here can be mended without a person");
    } else if arguments.fix {
        mend(report, arguments, &fixes, &mut answer)?;
        answer.instances = patients.iter().map(|patient| patient.examine().examined).collect();
        report.say("after that:");
        tell(report, &answer.instances);
    }
    let is_wrong = |finding: &Finding| finding.verdict == Verdict::Wrong;
    answer.healthy = !answer.instances.iter().flat_map(|examined| &examined.findings).any(is_wrong);
    if report.is_json() {
        report.document(&answer);
    } else if patients.is_empty() {
        report.say("no instance is installed here that this account may read");
    } else if !answer.healthy && !arguments.fix && !fixes.is_empty() {
        report.say("`mainstay doctor --fix` mends what can be mended without a person, after showing it");
    }
    Ok(if answer.healthy { 0 } else { UNHEALTHY })
}

/// The instance that was named, or whose folder this is; else all of them.
fn patients(report: &Report, arguments: &DoctorArguments) -> Result<Vec<Patient>, Failure> {
    match target_to_see(report, &arguments.target) {
        Ok(target) => {
            // One whose definition is gone is known by what it left.
            let of = match left_of(&target, false)? {
                Some(of) => of,
                None => target.installed()?.clone(),
            };
            Ok(vec![Patient { layout: target.layout, of }])
        }
        Err(Failure::Target(TargetError::Nothing { .. })) => {
            let mut patients = Vec::new();
            for layout in layouts(arguments.target.scope)? {
                let (markers, notices) = target::all(std::slice::from_ref(&layout));
                for notice in &notices {
                    report.notice(notice);
                }
                patients.extend(markers.into_iter().map(|of| Patient { layout: layout.clone(), of }));
            }
            Ok(patients)
        }
        Err(other) => Err(other),
    }
}

fn mend(
    report: &Report,
    arguments: &DoctorArguments,
    fixes: &[(&Patient, Fix)],
    answer: &mut DoctorAnswer,
) -> Result<(), Failure> {
    let told = |patient: &Patient, fix: &Fix| format!("{}: {fix}", patient.of.name);
    report.say("this can be mended:");
    for (patient, fix) in fixes {
        report.say(format!("  {}", told(patient, fix)));
    }
    if !confirm::asked(report, "doctor --fix", arguments.yes, "Mend it?")? {
        return Err(Failure::Declined);
    }
    for (patient, fix) in fixes {
        let outcome =
            with_context(report, patient.layout.clone(), |context| carry_out(context, &patient.of, fix));
        let line = told(patient, fix);
        match outcome {
            Ok(()) => {
                report.say(format!("{} {line}", styled(style::GOOD, "done:")));
                answer.mended.push(line);
            }
            Err(failure) => {
                report.notice(format!("not done: {line}: {failure}"));
                answer.failed.push(format!("{line}: {failure}"));
            }
        }
    }
    Ok(())
}

fn tell(report: &Report, instances: &[Examined]) {
    for examined in instances {
        let Examined { name, platform, scope, .. } = examined;
        report.line(format!("{} ({platform}, {scope} scope)", styled(style::STRONG, name)));
        for finding in &examined.findings {
            let mark = match finding.verdict {
                Verdict::Sound => styled(style::GOOD, "✓"),
                Verdict::Doubtful => styled(style::DOUBTFUL, "!"),
                Verdict::Wrong => styled(style::BAD, "✗"),
            };
            report.line(format!("  {mark} {}", words::visible(&finding.message)));
            if let Some(hint) = &finding.hint {
                report.line(format!("      {}", styled(style::FAINT, words::visible(hint))));
            }
        }
    }
}
