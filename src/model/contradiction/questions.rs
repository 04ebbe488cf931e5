//! What the questions of a package can't mean.

use std::collections::BTreeMap;

use crate::model::contradiction::Check;
use crate::model::draft;
use crate::model::package::question::expression;
use crate::model::package::{PackageDescription, Question, QuestionKind};
use crate::model::position::Segment;

/// The fields of a manifest that an answer may become, with all that is below them. A package writes its questions and
/// their defaults itself: so none of these says whose rights the program has, or names a file that somebody else reads
/// or writes.
const OPEN: [&str; 20] = [
    "logs.keep",
    "logs.maxSize",
    "service.boot",
    "service.description",
    "service.environment",
    "service.health",
    "service.idle",
    "service.limits",
    "service.overlap",
    "service.ready.delay",
    "service.ready.http",
    "service.ready.notify",
    "service.ready.tcp",
    "service.ready.timeout",
    "service.restart",
    "service.schedule",
    "service.stop",
    "service.supervision",
    "upgrade.gate",
    "upgrade.keep",
];

impl Check<'_> {
    pub(super) fn questions(&mut self, description: &PackageDescription) {
        let questions = &description.questions;
        let mut destinations: BTreeMap<String, &str> = BTreeMap::new();
        for (index, question) in questions.iter().enumerate() {
            let place: [Segment; 2] = ["questions".into(), index.into()];
            let earlier = &questions[..index];
            if earlier.iter().any(|other| other.id == question.id) {
                self.question(&place, "id", format!("another question is called `{}` already", question.id));
            }
            if draft::FIELDS.contains(&question.id.as_str()) {
                let message = format!(
                    "`{}` is a field of the manifest, and `--set {}=…` would mean that: choose another word",
                    question.id, question.id
                );
                self.question(&place, "id", message);
            }
            self.words(question, &place);
            self.rules(question, &place);
            self.default(question, &place);
            self.conditions(question, questions, index);
            self.destination(question, &place);
            for (key, name) in targets(question) {
                if let Some(other) = destinations.insert(name.clone(), &question.id) {
                    let message = format!("the answer to `{other}` goes to `{name}` already");
                    self.question(&place, key, message);
                }
            }
        }
        for (name, meaning) in &description.environment {
            let asked = questions.iter().position(|question| question.variable.as_ref() == Some(name));
            let asked = asked.or_else(|| questions.iter().position(|it| it.secret.as_ref() == Some(name)));
            if let Some(index) = asked.filter(|index| meaning.required && !questions[*index].when.is_empty())
            {
                let path = ["environment".into(), name.as_str().into(), "required".into()];
                let message = format!(
                    "`{}` is not always asked, so what it answers can't be required",
                    questions[index].id
                );
                self.problems.push(self.document.problem(&path, message));
            }
            if meaning.describe.contains(char::is_control) {
                let path = ["environment".into(), name.as_str().into(), "describe".into()];
                let message = "this is one line, without control characters";
                self.problems.push(self.document.problem(&path, message));
            }
        }
    }

    /// What is shown to a person stays on its line.
    fn words(&mut self, question: &Question, place: &[Segment]) {
        let one_line = "this is one line, without control characters";
        let strays = |text: &str| text.contains(char::is_control);
        if strays(&question.ask) {
            self.question(place, "ask", one_line);
        }
        if question.explain.as_deref().is_some_and(strays) {
            self.question(place, "explain", one_line);
        }
        for (index, choice) in question.choices.iter().enumerate() {
            let texts = [Some(&choice.value), choice.label.as_ref(), choice.explain.as_ref()];
            let path = [place, &["choices".into(), index.into()]].concat();
            if texts.into_iter().flatten().any(|text| strays(text)) {
                self.problems.push(self.document.problem(&path, one_line));
            }
            if question.choices[..index].iter().any(|other| other.value == choice.value) {
                let message = format!("`{}` can be chosen already", choice.value);
                let path = [&path[..], &["value".into()]].concat();
                self.problems.push(self.document.problem(&path, message));
            }
        }
    }

    /// The fields that a kind needs, and no others; and what they say together.
    fn rules(&mut self, question: &Question, place: &[Segment]) {
        use QuestionKind::{Choice, Number, Secret, Text, Url};
        let kind = question.kind;
        let given = [
            ("choices", !question.choices.is_empty(), kind == Choice),
            ("minimum", question.minimum.is_some(), matches!(kind, Number | Text | Secret)),
            ("maximum", question.maximum.is_some(), matches!(kind, Number | Text | Secret)),
            ("schemes", !question.schemes.is_empty(), kind == Url),
            ("pattern", question.pattern.is_some(), matches!(kind, Text | Secret)),
            ("generate", question.generate.is_some(), kind == Secret),
        ];
        for (name, _, _) in given.into_iter().filter(|(_, given, possible)| *given && !possible) {
            let path = [place, &[name.into()]].concat();
            let message = format!("`{name}` has no meaning for this kind");
            self.problems.push(self.document.key_problem(&path, message));
        }
        if kind == Choice && question.choices.is_empty() {
            self.question(place, "kind", "this kind needs `choices`");
        }
        if let (Some(minimum), Some(maximum)) = (question.minimum, question.maximum)
            && minimum > maximum
        {
            self.question(place, "minimum", format!("{minimum} is more than the maximum of {maximum}"));
        }
        if let Some(pattern) = &question.pattern
            && let Err(error) = expression(pattern)
        {
            self.question(place, "pattern", format!("`{pattern}` is no regular expression: {error}"));
        }
        let bad = |scheme: &String| {
            scheme.is_empty()
                || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        };
        if let Some(scheme) = question.schemes.iter().find(|scheme| bad(scheme)) {
            let message = format!("`{scheme}` is no scheme: write what stands before `://`, as in `https`");
            self.question(place, "schemes", message);
        }
    }

    fn default(&mut self, question: &Question, place: &[Segment]) {
        let Some(default) = &question.default else { return };
        if question.kind == QuestionKind::Secret {
            let message = "a secret that every installation has is none: leave it out, or use `generate`";
            return self.question(place, "default", message);
        }
        if let Err(reason) = question.accept(&default.to_string()) {
            self.question(place, "default", format!("its own rule refuses this answer: {reason}"));
        }
    }

    fn conditions(&mut self, question: &Question, questions: &[Question], index: usize) {
        for (id, values) in &question.when {
            let path: Vec<Segment> =
                vec!["questions".into(), index.into(), "when".into(), id.as_str().into()];
            let asked = questions.iter().position(|other| other.id == *id);
            let problem = match asked {
                Some(at) if at < index => None,
                Some(at) if at == index => Some("a question can't depend on its own answer".to_owned()),
                Some(_) => Some(format!("`{id}` is asked later: conditions look back only")),
                None => {
                    let known = questions[..index].iter().map(|other| other.id.clone()).collect();
                    let problem = self.document.key_problem(&path, format!("no question is called `{id}`"));
                    self.problems.push(problem.instead_of(id, known));
                    continue;
                }
            };
            if let Some(message) = problem {
                self.problems.push(self.document.key_problem(&path, message));
                continue;
            }
            let Some(earlier) = asked.map(|at| &questions[at]) else { continue };
            if earlier.is_secret() {
                let message = format!("`{id}` is a secret: nothing may depend on it");
                self.problems.push(self.document.key_problem(&path, message));
                continue;
            }
            if values.is_empty() {
                let message = "with no answer at all it would never be asked";
                self.problems.push(self.document.problem(&path, message));
            }
            for (at, value) in values.iter().enumerate() {
                if let Err(reason) = earlier.accept(&value.to_string()) {
                    let path = [&path[..], &[at.into()]].concat();
                    let message = format!("this can't be the answer to `{id}`: {reason}");
                    self.problems.push(self.document.problem(&path, message));
                }
            }
        }
    }

    fn destination(&mut self, question: &Question, place: &[Segment]) {
        if let [_, (other, _), ..] = &targets(question)[..] {
            let path = [place, &[(*other).into()]].concat();
            let message = "an answer goes to one place: `variable`, `secret` or `field`";
            self.problems.push(self.document.key_problem(&path, message));
        }
        let Some(field) = &question.field else { return };
        if question.kind == QuestionKind::Secret {
            let message = "everybody can read a manifest: let a secret go to `secret` or `variable`";
            return self.question(place, "field", message);
        }
        if !draft::is_field(field) {
            return self.question(place, "field", format!("`{field}` is no field of a manifest"));
        }
        let opens = |open: &str| {
            field.strip_prefix(open).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if !OPEN.iter().any(|open| opens(open)) {
            let message = format!("`{field}` is not for a package to set");
            self.question(place, "field", message);
        }
    }

    fn question(&mut self, place: &[Segment], name: &str, message: impl Into<String>) {
        let path = [place, &[name.into()]].concat();
        self.problems.push(self.document.problem(&path, message));
    }
}

/// Where an answer goes: the key that says so, and the place.
fn targets(question: &Question) -> Vec<(&'static str, String)> {
    let variable = question.variable.iter().map(|name| ("variable", name.to_string()));
    let secret = question.secret.iter().map(|name| ("secret", name.to_string()));
    let field = question.field.iter().map(|field| ("field", field.clone()));
    variable.chain(secret).chain(field).collect()
}

#[cfg(test)]
mod tests {
    use crate::model::contradiction::read_package_description;

    fn faults(rest: &str) -> String {
        let text = format!("{{ \"component\": \"x\", \"version\": \"1\",\n{rest} }}");
        match read_package_description("p", &text) {
            Ok(_) => String::new(),
            Err(problems) => {
                let told = problems.list.iter().map(|it| format!("{}:{} {it}", it.line, it.column));
                told.collect::<Vec<_>>().join(" | ")
            }
        }
    }

    fn asked(questions: &str) -> String {
        faults(&format!("\"questions\": [{questions}]"))
    }

    #[test]
    fn what_questions_cannot_mean_is_refused_with_its_place() {
        let mode = r#"{ "id": "mode", "kind": "choice", "ask": "?", "choices": [{ "value": "a" }] }"#;
        for (questions, fault) in [
            (
                r#"{ "id": "Port", "kind": "text", "ask": "?" }"#.to_owned(),
                "2:23 questions[0].id: `Port` can't stand here as a name: use up to 40 small letters, digits and `-`",
            ),
            (
                format!("{mode}, {mode}"),
                "2:102 questions[1].id: another question is called `mode` already",
            ),
            (
                r#"{ "id": "service", "kind": "text", "ask": "?" }"#.to_owned(),
                "2:23 questions[0].id: `service` is a field of the manifest, and `--set service=…` would mean that: choose another word",
            ),
            (
                r#"{ "id": "a", "kind": "number", "ask": "?", "minimum": 5, "maximum": 4 }"#.to_owned(),
                "2:69 questions[0].minimum: 5 is more than the maximum of 4",
            ),
            (
                r#"{ "id": "a", "kind": "number", "ask": "?", "maximum": 4, "default": 5 }"#.to_owned(),
                "2:83 questions[0].default: its own rule refuses this answer: 5 is too large: at most 4",
            ),
            (
                r#"{ "id": "a", "kind": "secret", "ask": "?", "default": "x" }"#.to_owned(),
                "2:69 questions[0].default: a secret that every installation has is none: leave it out, or use `generate`",
            ),
            (
                r#"{ "id": "a", "kind": "text", "ask": "?", "schemes": ["x"] }"#.to_owned(),
                "2:56 questions[0].schemes: `schemes` has no meaning for this kind",
            ),
            (
                r#"{ "id": "a", "kind": "choice", "ask": "?" }"#.to_owned(),
                "2:36 questions[0].kind: this kind needs `choices`",
            ),
            (
                r#"{ "id": "a", "kind": "text", "ask": "a\nb" }"#.to_owned(),
                "2:51 questions[0].ask: this is one line, without control characters",
            ),
            (
                r#"{ "id": "a", "kind": "text", "ask": "?", "when": { "mode": ["a"] } }, "#.to_owned() + mode,
                "2:66 questions[0].when.mode: `mode` is asked later: conditions look back only",
            ),
            (
                mode.to_owned() + r#", { "id": "a", "kind": "text", "ask": "?", "when": { "mood": ["a"] } }"#,
                "2:145 questions[1].when.mood: no question is called `mood`; did you mean `mode`?",
            ),
            (
                mode.to_owned() + r#", { "id": "a", "kind": "text", "ask": "?", "when": { "mode": ["b"] } }"#,
                "2:154 questions[1].when.mode[0]: this can't be the answer to `mode`: `b` is none of `a`",
            ),
            (
                r#"{ "id": "a", "kind": "text", "ask": "?", "variable": "A" }, { "id": "b", "kind": "text", "ask": "?", "secret": "A" }"#
                    .to_owned(),
                "2:126 questions[1].secret: the answer to `a` goes to `A` already",
            ),
            (
                r#"{ "id": "a", "kind": "text", "ask": "?", "variable": "A", "field": "service.boot" }"#.to_owned(),
                "2:73 questions[0].field: an answer goes to one place: `variable`, `secret` or `field`",
            ),
            (
                r#"{ "id": "a", "kind": "text", "ask": "?", "field": "service.usr" }"#.to_owned(),
                "2:65 questions[0].field: `service.usr` is no field of a manifest",
            ),
            (
                r#"{ "id": "a", "kind": "secret", "ask": "?", "field": "service.user" }"#.to_owned(),
                "2:67 questions[0].field: everybody can read a manifest: let a secret go to `secret` or `variable`",
            ),
        ] {
            assert_eq!(asked(&questions), fault, "{questions}");
        }
        let required = r#""environment": { "A": { "describe": "x", "required": true } }"#;
        let conditional =
            r#"{ "id": "a", "kind": "text", "ask": "?", "variable": "A", "when": { "mode": ["a"] } }"#;
        assert_eq!(
            faults(&format!("\"questions\": [{mode}, {conditional}],\n{required}")),
            "3:54 environment.A.required: `a` is not always asked, so what it answers can't be required"
        );
        assert_eq!(asked(&format!("{mode}, {conditional}")), "");
    }

    #[test]
    fn an_answer_becomes_no_field_that_gives_rights_or_names_files() {
        for field in [
            "name",
            "package.sha256",
            "scope",
            "service.secrets.KEY.file",
            "service.environmentFile",
            "service.user",
            "service.group",
            "service.hardening",
            "service.healthFile",
            "service.ready.file",
            "service.pidFile",
            "service.workingDirectory",
            "systemd.service",
            "upgrade.hooks",
        ] {
            let fault = asked(&format!(r#"{{ "id": "a", "kind": "text", "ask": "?", "field": "{field}" }}"#));
            assert!(fault.ends_with(&format!("field: `{field}` is not for a package to set")), "{fault}");
        }
        for field in ["service.environment.PORT", "service.limits.memory", "upgrade.keep", "service.boot"] {
            assert_eq!(
                asked(&format!(r#"{{ "id": "a", "kind": "text", "ask": "?", "field": "{field}" }}"#)),
                ""
            );
        }
    }

    #[test]
    fn a_pattern_is_an_expression() {
        let fault = asked(r#"{ "id": "a", "kind": "text", "ask": "?", "pattern": "(" }"#);
        assert!(fault.starts_with("2:67 questions[0].pattern: `(` is no regular expression: "), "{fault}");
    }
}
