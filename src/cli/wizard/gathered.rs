//! The answers that nobody has to be asked for: `--set`, `--answers`, the file of variables, and what is there already.

use super::{Standing, Wizard, looked};
use crate::engine::failure::Failure;
use crate::host::{environment, files};
use crate::model::answers::read_answers;
use crate::model::environment_file;
use crate::model::interview::{Interview, Source};
use crate::model::nearest::nearest;
use crate::model::package::{PackageDescription, Question};

/// Gives an interview what is known. `exists` says whether the file of a question's secret is there.
pub(super) fn gather<'q>(
    wizard: &Wizard<'_>,
    description: &'q PackageDescription,
    interview: &mut Interview<'q>,
    standing: &Standing<'_>,
    exists: &dyn Fn(&Question) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    for (id, value) in &wizard.settings {
        let question = interview.question(id).ok_or_else(|| unknown(id, description))?;
        let refused = |reason: String| Failure::Usage(format!("`--set {id}`: {reason}"));
        let value = looked(question, value).map_err(refused)?;
        interview.give(question, &value, Source::Flag).map_err(refused)?;
        if question.is_secret() {
            wizard.report.notice(format!(
                "what is typed after `--set {id}=` can be read in the list of processes: `--answers FILE` keeps it secret"
            ));
        }
    }
    from_file(wizard, description, interview)?;
    from_variables(wizard, interview, standing)?;
    for question in &description.questions {
        if exists(question)? {
            if interview.given(question).is_some() {
                wizard
                    .report
                    .notice(format!("the file of `{}` is there already and is kept as it is", question.id));
            }
            interview.set(question, Some(String::new()), Source::Kept);
        }
    }
    Ok(())
}

fn from_file<'q>(
    wizard: &Wizard<'_>,
    description: &'q PackageDescription,
    interview: &mut Interview<'q>,
) -> Result<(), Failure> {
    let Some(path) = &wizard.typed.answers else { return Ok(()) };
    let from = environment::working_folder()?.join(path);
    let Some(text) = files::read(&from)? else {
        return Err(Failure::Usage(format!("the file of answers `{path}` is not there")));
    };
    for (question, value) in read_answers(path.as_str(), &text, description)? {
        // What was typed wins over what stands in a file.
        if interview.given(question).is_none() {
            let refused = |reason| Failure::Usage(format!("`{}` in `{path}`: {reason}", question.id));
            let value = looked(question, &value).map_err(refused)?;
            interview.give(question, &value, Source::Answers).map_err(refused)?;
        }
    }
    Ok(())
}

/// The lines of the environment file are answers too. It stays as it is, so nothing else may say something else.
fn from_variables(
    wizard: &Wizard<'_>,
    interview: &mut Interview<'_>,
    standing: &Standing<'_>,
) -> Result<(), Failure> {
    let Some(text) = standing.written.as_ref().or(standing.brought.as_ref()) else { return Ok(()) };
    let file = match wizard.variables.filter(|_| standing.written.is_none()) {
        Some(typed) => format!("`{}`", typed.path),
        None => "the environment file that is there".to_owned(),
    };
    let variables = environment_file::parse(text)
        .map_err(|error| Failure::Usage(format!("{file} is wrong in {error}")))?;
    for question in interview.questions() {
        let Some(name) = &question.variable else { continue };
        let Some((_, value)) = variables.iter().find(|(known, _)| known == name) else { continue };
        match interview.given(question) {
            None => interview
                .give(question, value, Source::Variables)
                .map_err(|reason| Failure::Usage(format!("{name} in {file}: {reason}")))?,
            Some(given) if given.value.as_ref() == Some(value) => {}
            Some(_) => {
                return Err(Failure::Usage(format!(
                    "{file} says another {name} than the answer to `{}`, and it is kept as it is: leave one of the two out",
                    question.id
                )));
            }
        }
    }
    Ok(())
}

fn unknown(id: &str, description: &PackageDescription) -> Failure {
    let words = description.questions.iter().map(|question| question.id.as_str());
    let meant = nearest(id, words).map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
    Failure::Usage(format!(
        "`--set {id}=…`: there is no such field, and `{}` asks nothing that is called so{meant}",
        description.component
    ))
}
