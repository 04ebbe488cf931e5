//! `docs/errors.md` lists every message of an error that a user can cause, each with what to do.
//!
//! The messages are collected from the sources (`errors/messages.rs`) and from the parser of arguments, so that a new
//! one without a row fails here, and so does a row whose message is gone.
//!
//! `UPDATE_DOCS=1 cargo test --test errors` adds the rows that are missing, with an empty cell, and removes those
//! without a message. What to do is then written into `docs/errors.md` by hand, in full sentences. It is the second
//! best place: what a person needs at once belongs into `help` of `src/cli/failure.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and may read its environment"
)]

#[path = "errors/codes.rs"]
mod codes;
#[path = "errors/groups.rs"]
mod groups;
#[path = "errors/messages.rs"]
mod messages;
#[path = "errors/page.rs"]
mod page;
#[path = "errors/typed.rs"]
mod typed;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use groups::{EXCLUDED, GROUPS, group_of};
use messages::{Message, Names};
use page::Page;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

/// Every message of the crate, and of the parser of arguments.
fn all() -> Vec<Message> {
    let folder = root().join("src");
    let mut paths = Vec::new();
    sources(&folder, &mut paths);
    let is_test = |name: &str| name.ends_with("tests.rs") || name.contains("/tests/");
    let files: Vec<(String, syn::File)> = paths
        .iter()
        .map(|path| (path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| !is_test(name))
        .map(|(name, path)| (name, syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap()))
        .collect();
    let mut names = Names::default();
    for (_, file) in &files {
        names.look(file);
    }
    let found = files.iter().flat_map(|(name, file)| messages::collect(name, file, &names));
    let found: Vec<Message> = found.chain(typed::messages()).collect();
    assert!(found.len() > 400, "only {} messages are found", found.len());
    found
}

fn is_excluded(message: &Message) -> bool {
    EXCLUDED.iter().any(|excluded| excluded.covers(message))
}

#[test]
fn every_message_is_listed_with_what_to_do() {
    let path = root().join("docs/errors.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut page = Page::read(&text);
    let found: Vec<Message> = all().into_iter().filter(|message| !is_excluded(message)).collect();
    let faults = page.compare(&found);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        page.update(&found);
        std::fs::write(&path, page.written(&text)).unwrap();
    }
    let how = "`UPDATE_DOCS=1 cargo test --test errors` adds and removes rows; then write into docs/errors.md what \
               somebody who reads the message can do, in full sentences. A text that is no error belongs into \
               EXCLUDED of tests/errors/groups.rs, with the reason.";
    assert!(faults.is_empty(), "{how}\n\n{}", faults.join("\n"));
    assert_eq!(page.written(&text), text, "the page is not in the order of the sources: {how}");
}

/// What a script goes by is what the program does.
#[test]
fn the_exit_codes_on_the_page_are_those_of_the_program() {
    let text = std::fs::read_to_string(root().join("src/cli/failure.rs")).unwrap();
    let codes = codes::codes(&syn::parse_file(&text).unwrap());
    assert!(codes.len() > 25 && codes["TakenBack"] == "7" && !codes.contains_key("Archive"), "{codes:?}");
    let page = Page::read(&std::fs::read_to_string(root().join("docs/errors.md")).unwrap());
    let (mut looked, mut differ) = (0, Vec::new());
    for message in all().iter().filter(|message| !is_excluded(message)) {
        let (home, variant) = message.home.split_once("::").unwrap_or_default();
        let variant = match home {
            "Failure" => variant,
            "Refusal" => "Refused",
            "Distrust" => "Distrusted",
            _ => continue,
        };
        if let (Some(code), Some(told)) = (codes.get(variant), page.codes(message)) {
            looked += 1;
            if told != code {
                differ
                    .push(format!("{} says {told} and exits with {code}: `{}`", message.home, message.text));
            }
        }
    }
    assert!(differ.is_empty(), "the page and the program differ:\n{}", differ.join("\n"));
    assert!(looked > 50, "only {looked} messages have a code of their own");
}

#[test]
fn every_exclusion_and_every_group_is_of_use() {
    let all = all();
    for excluded in EXCLUDED {
        assert!(all.iter().any(|message| excluded.covers(message)), "nothing is excluded by {excluded:?}");
        assert!(excluded.reason.len() > 20, "{excluded:?} has no reason");
    }
    let used: BTreeSet<&str> =
        all.iter().filter(|message| !is_excluded(message)).map(|message| group_of(message).heading).collect();
    for group in GROUPS {
        assert!(used.contains(group.heading), "there is no message in `{}`", group.heading);
    }
}

#[test]
fn the_collector_sees_what_becomes_an_error() {
    let source = r#"
        #[derive(Debug, Error)]
        enum Broken {
            #[error("`{path}` is {} wide", width)]
            Wide { path: String },
            #[error(transparent)]
            Other(#[from] Other),
            #[error("{0}")]
            Text(String),
        }
        fn direct() -> Result<(), Broken> { Err(Broken::Text("a text stands here".to_owned())) }
        fn mapped() -> Result<(), String> { work().map_err(|error| format!("it can't {{work}}: {error}")) }
        fn bound() -> Result<(), Broken> {
            let hint = if cold() { "asked in an if" } else { "it is cold" };
            if let Some(why) = warm().then_some("it is warm") { return Err(Broken::Text(why.to_owned())); }
            Err(Broken::Text(hint.to_owned()))
        }
        fn helped() -> Result<(), Broken> { Err(Broken::Text(words(1))) }
        fn words(count: u8) -> String { format!("there are {count} words") }
        fn refuse(message: &str) {}
        fn asks() { refuse("it takes a message"); tell("it tells a story"); }
        #[cfg(test)]
        mod tests { fn direct() { Err(Broken::Text("only a test".to_owned())) } }
    "#;
    let file = syn::parse_file(source).unwrap();
    let mut names = Names::default();
    names.look(&file);
    let found = messages::collect("broken.rs", &file, &names);
    let texts: Vec<&str> = found.iter().map(|message| message.text.as_str()).collect();
    let expected = [
        "`…` is … wide",
        "a text stands here",
        "it can't {work}: …",
        "it is warm",
        "asked in an if",
        "it is cold",
        "there are … words",
        "it takes a message",
    ];
    assert_eq!(texts.iter().collect::<BTreeSet<_>>(), expected.iter().collect::<BTreeSet<_>>(), "{texts:?}");
    assert_eq!(found[0].home, "Broken::Wide");
}

#[test]
fn a_message_without_a_row_and_a_row_without_a_message_are_faults() {
    let message = |text: &str| Message {
        file: "plan/refusal.rs".to_owned(),
        home: "Refusal".to_owned(),
        text: text.to_owned(),
    };
    let mut page = Page::read("# Errors\n");
    let known = [message("one | two is refused"), message("three is refused")];
    page.update(&known);
    assert_eq!(page.compare(&known).len(), 2, "an empty cell is a fault");
    let text = page.written("# Errors\n\n").replace("|  |\n", "| Do what is said. |\n");
    let page = Page::read(&text);
    assert_eq!(page.compare(&known), Vec::<String>::new(), "{text}");
    assert_eq!(page.written(&text), text);
    assert_eq!(page.compare(&known[..1]).len(), 1, "a row without a message is a fault");
    let more = [known.to_vec(), vec![message("four is refused")]].concat();
    assert_eq!(page.compare(&more).len(), 1, "a message without a row is a fault");
}
