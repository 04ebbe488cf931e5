//! What the documents show can be typed and used: commands parse, manifests are sound, links lead somewhere.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;

use std::collections::BTreeSet;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use documents::{documents, root};
use mainstay::cli::arguments::Arguments;
use mainstay::model::contradiction::{read_manifest, read_package_description};

/// The text of each block of a language; what an example leaves out is not looked at.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let all = documents::blocks(text).into_iter();
    all.filter(|block| block.language() == language).map(|block| block.text).collect()
}

/// What stands between backticks in the text, outside of fenced blocks.
fn spans(text: &str) -> Vec<String> {
    let outside: String = text.split("```").step_by(2).collect();
    outside.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")).collect()
}

/// The words of a line, as a shell splits it. What ends a command, `|`, `&&` or `;`, is a word of its own.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in line.split(" #").next().unwrap().chars() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None, ' ') => words.push(String::new()),
            (None, ';' | '|' | '&' | '(' | ')') => words.extend([";".to_owned(), String::new()]),
            (_, letter) => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The commands of mainstay in a line.
fn typed(line: &str) -> Vec<Vec<String>> {
    let words = words(line.strip_prefix("$ ").unwrap_or(line));
    let all = words.split(|word| word == ";");
    let of_mainstay = all.filter_map(|words| {
        let begin = words.iter().position(|word| word != "sudo" && !word.contains('='))?;
        let given = words[begin..].iter().take_while(|word| !word.starts_with(['>', '<'])).cloned();
        (words[begin] == "mainstay").then(|| given.collect())
    });
    of_mainstay.collect()
}

/// What is wrong with a command that a sentence names. It may lack what it needs, but what is there has to
/// exist.
fn faults(words: &[String]) -> Option<String> {
    let error = Arguments::try_parse_from(words).err()?;
    let unknown = matches!(error.kind(), ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument);
    unknown.then(|| error.to_string())
}

fn commands() -> BTreeSet<String> {
    let all = Arguments::command();
    all.get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|it| it.get_name().to_owned())
        .collect()
}

#[test]
fn every_command_that_is_shown_can_be_typed() {
    let mut shown = 0;
    for (path, text) in documents() {
        let shells = ["sh", "console"].into_iter().flat_map(|language| blocks(&text, language));
        for block in shells {
            let is_typed = |line: &&str| line.starts_with("$ ") || !block.starts_with("$ ");
            for line in block.replace("\\\n", " ").lines().filter(is_typed) {
                for command in typed(line) {
                    let error = Arguments::try_parse_from(command).err();
                    assert!(error.is_none(), "{}: `{line}`: {}", path.display(), error.unwrap());
                    shown += 1;
                }
            }
        }
        // An ellipsis is a gap in a message that docs/errors.md lists: what fills it is not known here.
        let whole = |span: &String| span.starts_with("mainstay ") && !span.contains('…');
        for span in spans(&text).into_iter().filter(whole) {
            let fault = faults(&words(&span));
            assert!(fault.is_none(), "{}: `{span}`: {}", path.display(), fault.unwrap());
        }
    }
    assert!(shown > 60, "only {shown} commands are shown");
}

#[test]
fn the_readme_names_every_command_and_no_other() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `mainstay "));
    let named: BTreeSet<String> = rows.map(|row| row.split('`').next().unwrap().to_owned()).collect();
    assert_eq!(named, commands());
}

#[test]
fn every_manifest_that_is_shown_is_sound() {
    let mut sound = 0;
    for (path, text) in documents() {
        for block in blocks(&text, "json") {
            // A package's description names its component, a manifest its instance.
            let name = path.to_str().unwrap();
            let fault = if block.contains("\n  \"component\":") {
                read_package_description(name, &block).err()
            } else {
                read_manifest(name, &block).err()
            };
            assert!(fault.is_none(), "{}: {}", path.display(), fault.unwrap());
            sound += 1;
        }
    }
    assert!(sound >= 3, "only {sound} manifests are shown");
    assert_eq!(blocks(&documents_named("README.md"), "json").len(), 1);
}

fn documents_named(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// The headings of a text, as a link within it names them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let titles = text.lines().filter_map(|line| line.strip_prefix('#'));
    titles.map(|title| {
        let title = title.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect()
    })
}

/// Whether a file is there, and the heading behind a `#`, if one is named.
fn leads_somewhere(link: &Path) -> bool {
    let link = link.to_str().unwrap();
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let has_heading =
        || std::fs::read_to_string(file).is_ok_and(|text| headings(&text).any(|known| known == heading));
    Path::new(file).exists() && (heading.is_empty() || has_heading())
}

#[test]
fn every_link_and_every_file_that_is_named_is_there() {
    for (path, text) in documents() {
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned());
        let folder = path.parent().unwrap();
        for link in links.filter(|link| !link.starts_with("http")) {
            let is_there = match link.strip_prefix('#') {
                Some(heading) => headings(&text).any(|known| known == heading),
                None => leads_somewhere(&folder.join(&link)),
            };
            assert!(is_there, "{} links to `{link}`", path.display());
        }
        let files = spans(&text).into_iter().filter(|span| {
            let known = ["docs/", "tests/", "src/"].iter().any(|start| span.starts_with(start));
            known && !span.contains(['*', ' '])
        });
        for named in files {
            let (file, test) = named.split_once("::").unwrap_or((&named, ""));
            assert!(root().join(file).exists(), "{} names `{file}`", path.display());
            let has_test =
                || std::fs::read_to_string(root().join(file)).unwrap().contains(&format!("fn {test}()"));
            assert!(test.is_empty() || has_test(), "{} names `{named}`", path.display());
        }
    }
}

/// Checks of suites on real systems and under Wine that a text names, as in `tests/systems/seeds`: `W4: …`, each with
/// its suite.
fn named_checks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in text.split("`tests/").skip(1) {
        let Some((suite, mut rest)) = part.split_once('`') else { continue };
        if !suite.starts_with("systems/") && !suite.starts_with("wine/") {
            continue;
        }
        while let Some((check, after)) = rest
            .strip_prefix(": `")
            .or_else(|| {
                rest.strip_prefix(", `").filter(|it| !it.starts_with("tests/") && !it.starts_with("src/"))
            })
            .and_then(|rest| rest.split_once('`'))
        {
            found.push((suite.to_owned(), check.to_owned()));
            rest = after;
        }
    }
    found
}

/// The text of a suite, with what it is made of.
fn suite(name: &str) -> String {
    let mut text = documents_named(&format!("tests/{name}"));
    if name == "systems/seeds" {
        for seed in std::fs::read_dir(root().join("tests/seeds")).unwrap() {
            text += &std::fs::read_to_string(seed.unwrap().path().join("suite")).unwrap_or_default();
        }
    }
    text
}

#[test]
fn every_check_that_is_named_is_made() {
    let mut named = 0;
    for (path, text) in documents() {
        for (suite_name, check) in named_checks(&text) {
            let words = suite(&suite_name);
            assert!(words.contains(&check), "{}: {suite_name} has no check `{check}`", path.display());
            named += 1;
        }
    }
    assert!(named > 20, "only {named} are named");
}

#[test]
fn the_checks_see_what_is_wrong() {
    let wrong = |line: &str| faults(&words(line));
    assert!(wrong("mainstay frobnicate").is_some() && wrong("mainstay status --nmae web").is_some());
    assert!(wrong("mainstay upgrade --from").is_none() && wrong("mainstay status --name web").is_none());
    assert_eq!(blocks("a\n```sh\nb\n```\nc\n```json\n{}\n```\n", "json"), ["{}\n"]);
    assert_eq!(spans("a `b c` d\n```sh\n`e`\n```\n`f`"), ["b c", "f"]);
    assert_eq!(words("mainstay status    # a `b`"), ["mainstay", "status"]);
    let line = "$ cd a && X=1 sudo mainstay b --c 'd e' > f; (echo mainstay | mainstay g)";
    assert_eq!(typed(line), [vec!["mainstay", "b", "--c", "d e"], vec!["mainstay", "g"]]);
}

#[test]
fn every_check_of_the_doctor_has_a_line_that_tells_what_it_is() {
    let text = std::fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let schema = std::fs::read_to_string(root().join("schema/doctor.v1.json")).unwrap();
    let named: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|it| it.0).collect();
    let checks = checks(&serde_json::from_str(&schema).unwrap());
    assert!(checks.len() > 15, "{checks:?}");
    for check in checks {
        assert!(named.contains(&check.as_str()), "`{check}` is not in the table of docs/troubleshooting.md");
    }
}

/// The values that the field `check` of a finding may have.
fn checks(schema: &serde_json::Value) -> Vec<String> {
    let property = &schema["definitions"]["Finding"]["properties"]["check"];
    let values = property["enum"].as_array().unwrap().iter();
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}
