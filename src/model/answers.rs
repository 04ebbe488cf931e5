//! Answers to a package's questions, written down for an installation without a person.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::document::Document;
use crate::model::name::ComponentName;
use crate::model::package::{AnswerValue, PackageDescription, Question};
use crate::model::position::Segment;
use crate::model::problem::{Problem, Problems};

/// Where the schema of answers is published.
pub const SCHEMA_ADDRESS: &str =
    "https://raw.githubusercontent.com/mainstay-dev/mainstay/main/schema/answers.v1.json";

/// Answers to the questions of a package, for `--answers`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "mainstay answers")]
pub struct Answers {
    /// The address of this schema, for editors. mainstay ignores it.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [SCHEMA_ADDRESS]))]
    pub schema: Option<String>,
    /// The component whose questions these are; then no other package takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["orchestrator"]))]
    pub component: Option<ComponentName>,
    /// The answers by the words of their questions; `null` is none, as if it did not stand there.
    #[serde(default)]
    #[schemars(extend("default" = {}, "examples" = [{ "mode": "platform", "port": 4000, "key": null }]))]
    pub answers: BTreeMap<String, Option<AnswerValue>>,
}

impl Answers {
    /// A template for the questions of a package: each with its default, or `null`.
    #[must_use]
    pub fn template(description: &PackageDescription) -> Self {
        let answers = description.questions.iter();
        Self {
            schema: Some(SCHEMA_ADDRESS.to_owned()),
            component: Some(description.component.clone()),
            answers: answers.map(|question| (question.id.clone(), question.default.clone())).collect(),
        }
    }
}

/// Reads answers: their form, whether the package asks for them, and whether its rules take them.
pub fn read_answers<'a>(
    name: &str,
    text: &str,
    description: &'a PackageDescription,
) -> Result<Vec<(&'a Question, String)>, Problems> {
    let document = Document::parse(name, text)?;
    let answers: Answers = document.read()?;
    let mut problems: Vec<Problem> = Vec::new();
    let mut found = Vec::new();
    if let Some(other) = answers.component.as_ref().filter(|it| **it != description.component) {
        let message =
            format!("these are answers for `{other}`, and the package is `{}`", description.component);
        problems.push(document.problem(&["component".into()], message));
    }
    for (id, value) in &answers.answers {
        let path: [Segment; 2] = ["answers".into(), id.as_str().into()];
        let Some(question) = description.questions.iter().find(|question| question.id == *id) else {
            let known = description.questions.iter().map(|question| question.id.clone()).collect();
            let problem =
                document.key_problem(&path, format!("the package asks nothing that is called `{id}`"));
            problems.push(problem.instead_of(id, known));
            continue;
        };
        match value.as_ref().map(|value| question.accept(&value.to_string())) {
            None => {}
            Some(Ok(value)) => found.push((question, value)),
            Some(Err(reason)) => problems.push(document.problem(&path, reason)),
        }
    }
    if problems.is_empty() {
        return Ok(found);
    }
    // The lines at fault are not shown: secrets may stand in them.
    Err(Problems::new(name, "", problems))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> PackageDescription {
        let text = r#"{ "component": "jobs", "version": "1", "questions": [
            { "id": "port", "kind": "number", "ask": "?", "default": 4000, "maximum": 65535 },
            { "id": "tls", "kind": "yesNo", "ask": "?", "default": true },
            { "id": "key", "kind": "secret", "ask": "?", "minimum": 8 }
        ] }"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_a_package_does_not_ask_or_take_is_refused_with_its_place() {
        let text = "{\n \"component\": \"job\",\n \"answers\": {\n  \"prt\": 1,\n  \"port\": 70000,\n  \"tls\": \"perhaps\",\n  \"key\": \"hunter2\" } }";
        let problems = read_answers("a.json", text, &package()).unwrap_err().to_string();
        assert_eq!(
            problems,
            "a.json:2:15: component: these are answers for `job`, and the package is `jobs`\n\
             a.json:4:3: answers.prt: the package asks nothing that is called `prt`; did you mean `port`?\n\
             a.json:5:11: answers.port: 70000 is too large: at most 65535\n\
             a.json:6:10: answers.tls: `perhaps` is neither yes nor no\n\
             a.json:7:10: answers.key: at least 8 characters are needed"
        );
        let problems = read_answers("a.json", r#"{ "answers": { "port": [1] } }"#, &package()).unwrap_err();
        assert!(problems.to_string().contains("answers.port: "), "{problems}");
    }

    #[test]
    fn a_template_is_a_file_of_answers() {
        let package = package();
        let text = serde_json::to_string_pretty(&Answers::template(&package)).unwrap();
        let found = read_answers("a.json", &text, &package).unwrap();
        let told: Vec<(&str, &str)> = found.iter().map(|(question, it)| (&*question.id, &**it)).collect();
        assert_eq!(told, [("port", "4000"), ("tls", "true")]);
        assert!(text.contains("\"key\": null"), "{text}");
    }
}
