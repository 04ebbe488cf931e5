use super::*;
use crate::model::environment_file;
use crate::model::package::PackageDescription;

fn package() -> PackageDescription {
    let text = r#"{
      "component": "jobs", "version": "1", "service": { "secrets": { "TOKEN": { "file": "token" } } },
      "questions": [
        { "id": "mode", "kind": "choice", "ask": "Mode?", "default": "alone",
          "choices": [{ "value": "alone" }, { "value": "platform" }, { "value": "hybrid" }], "variable": "MODE" },
        { "id": "port", "kind": "number", "ask": "Port?", "default": 4000, "maximum": 65535, "variable": "PORT" },
        { "id": "key", "kind": "secret", "ask": "Key?", "generate": "hex32", "secret": "KEY" },
        { "id": "url", "kind": "url", "ask": "Platform?", "variable": "PLATFORM_URL",
          "when": { "mode": ["platform", "hybrid"] } },
        { "id": "token", "kind": "secret", "ask": "Token?", "secret": "TOKEN", "when": { "mode": ["hybrid"] } },
        { "id": "keep", "kind": "number", "ask": "Keep?", "field": "upgrade.keep", "optional": true }
      ],
      "environment": {
        "MODE": { "describe": "With whom it works." },
        "LOG": { "describe": "How much it says.", "default": "info" },
        "NEEDED": { "describe": "What it can't do without.", "required": true, "example": "a b" }
      }
    }"#;
    crate::model::contradiction::read_package_description("p", text).unwrap().0
}

fn made() -> String {
    "made".to_owned()
}

fn ids(interview: &Interview<'_>) -> Vec<String> {
    interview.answers().map(|(question, _)| question.id.clone()).collect()
}

/// Answers what comes next, and says which question that was.
fn next(interview: &mut Interview<'_>, typed: &str) -> Result<String, String> {
    let question = interview.next().unwrap();
    interview.answer(question, typed, made).map(|()| question.id.clone())
}

#[test]
fn only_what_an_answer_asks_for_is_asked() {
    let package = package();
    let mut interview = Interview::new(&package.questions);
    assert_eq!(next(&mut interview, "2"), Ok("mode".to_owned()));
    assert_eq!(next(&mut interview, ""), Ok("port".to_owned()));
    assert_eq!(next(&mut interview, ""), Ok("key".to_owned()));
    assert_eq!(next(&mut interview, ""), Err("an answer is needed".to_owned()));
    assert_eq!(next(&mut interview, "https://p"), Ok("url".to_owned()));
    // Without `hybrid` there is no token.
    assert_eq!(next(&mut interview, ""), Ok("keep".to_owned()));
    assert_eq!(interview.next(), None);
    assert_eq!(ids(&interview), ["mode", "port", "key", "url", "keep"]);
    let settled = Settled::of(&interview);
    let variables: Vec<String> =
        settled.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(variables, ["MODE=platform", "PORT=4000", "PLATFORM_URL=https://p"]);
    assert_eq!(settled.secrets.len(), 1);
    assert_eq!(settled.fields, []);
}

#[test]
fn one_goes_back_and_finds_what_was_typed() {
    let package = package();
    let mut interview = Interview::new(&package.questions);
    assert_eq!(interview.back(), None);
    next(&mut interview, "hybrid").unwrap();
    next(&mut interview, "5000").unwrap();
    assert_eq!(interview.back().unwrap().id, "port");
    assert_eq!(interview.empty(interview.next().unwrap()), Empty::Value("5000".to_owned()));
    assert_eq!(interview.back().unwrap().id, "mode");
    next(&mut interview, "alone").unwrap();
    assert_eq!(next(&mut interview, ""), Ok("port".to_owned()));
    next(&mut interview, "").unwrap();
    next(&mut interview, "7").unwrap();
    assert_eq!(ids(&interview), ["mode", "port", "key", "keep"]);
    let settled = Settled::of(&interview);
    assert_eq!(settled.variables[1].1, "5000");
    assert_eq!(settled.fields, [("upgrade.keep".to_owned(), 7.into())]);
}

#[test]
fn another_answer_brings_the_questions_that_follow_from_it() {
    let package = package();
    let mut interview = Interview::new(&package.questions);
    for typed in ["alone", "", "", ""] {
        next(&mut interview, typed).unwrap();
    }
    assert_eq!(interview.next(), None);
    interview.revise(interview.question("mode").unwrap());
    next(&mut interview, "hybrid").unwrap();
    assert_eq!(next(&mut interview, "https://p"), Ok("url".to_owned()));
    assert_eq!(next(&mut interview, "t"), Ok("token".to_owned()));
    assert_eq!(interview.next(), None);
    // And takes them away again.
    interview.revise(interview.question("mode").unwrap());
    next(&mut interview, "alone").unwrap();
    assert_eq!(interview.next(), None);
    assert_eq!(interview.unasked().iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["url", "token"]);
    assert_eq!(Settled::of(&interview).variables.len(), 2);
}

#[test]
fn what_has_no_good_answer_is_named() {
    let package = package();
    let mut interview = Interview::new(&package.questions);
    let mode = interview.question("mode").unwrap();
    interview.give(mode, "hybrid", Source::Flag).unwrap();
    assert!(interview.give(interview.question("port").unwrap(), "x", Source::Flag).is_err());
    let open = interview.take_defaults(made);
    assert_eq!(open.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["url", "token"]);
    let key = interview.given(interview.question("key").unwrap()).unwrap();
    assert_eq!((key.value.as_deref(), key.source), (Some("made"), Source::Generated));
}

#[test]
fn answers_become_files_and_fields() {
    let package = package();
    let mut interview = Interview::new(&package.questions);
    for typed in ["3", "80", "", "https://p", "hunter2", "4"] {
        next(&mut interview, typed).unwrap();
    }
    let mut manifest = serde_json::json!({ "name": "x", "package": { "name": "jobs" } });
    let found = papers(&mut manifest, &package, &Settled::of(&interview), None);
    assert_eq!(
        manifest,
        serde_json::json!({
            "name": "x", "package": { "name": "jobs" }, "upgrade": { "keep": 4 },
            "service": {
                "environmentFile": "jobs.env",
                "secrets": { "KEY": { "file": "secrets/key" }, "TOKEN": { "file": "token" } }
            }
        })
    );
    let told: Vec<(&str, &str)> =
        found[..2].iter().map(|paper| (paper.path.as_str(), paper.text.as_str())).collect();
    assert_eq!(told, [("secrets/key", "made\n"), ("token", "hunter2\n")]);
    assert_eq!(
        found[2].text,
        "# Variables of the service, one a line: KEY=value. A value reaches to the end of its line.\n\
         # They are read at each start: `mainstay restart` takes up what was changed.\n\
         \n# How much it says.\n# where it is not set:\n# LOG=info\n\
         \n# With whom it works.\nMODE=hybrid\n\
         \n# What it can't do without.\n# needed; for example:\n# NEEDED=a b\n\
         \nPORT=80\nPLATFORM_URL=https://p\n"
    );
    assert_eq!(environment_file::parse(&found[2].text).unwrap().len(), 3);
}

#[test]
fn what_was_written_stays_and_only_what_it_lacks_is_added() {
    let package = package();
    let variables = ["MODE", "PORT"].map(|name| (name.to_owned().try_into().unwrap(), "1 #".to_owned()));
    let text = environment_text(&package.environment, &variables, Some("# mine\nMODE = 2"));
    assert_eq!(text, "# mine\nMODE = 2\nPORT=1 #\n");
}
