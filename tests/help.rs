//! Help and manual pages: each command shows examples that can be typed, and all of it fits a terminal.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::path::Path;
use std::process::Command;

use clap::{CommandFactory as _, Parser as _};
use mainstay::cli::arguments::Arguments;
use real::{MAINSTAY, Place, left_out};

/// The columns of the terminal that everything has to fit.
const WIDTH: usize = 80;

/// The commands that are shown, and the tool itself.
fn commands() -> Vec<clap::Command> {
    let mut root = Arguments::command().term_width(WIDTH);
    root.build();
    let shown: Vec<clap::Command> =
        root.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect();
    [vec![root], shown].concat()
}

/// What stands below a command's arguments.
fn below(command: &clap::Command) -> String {
    command.get_after_help().map(ToString::to_string).unwrap_or_default()
}

/// The words of an example, as a shell would hand them over: without what explains it, and without other programs.
fn words(example: &str) -> Vec<String> {
    let inner = example.split_once("<(").map_or(example, |(_, inner)| inner);
    let typed = inner.split("  ").next().unwrap().split(" | ").next().unwrap().split(" > ").next().unwrap();
    typed.trim_end_matches(')').split(' ').map(|word| word.trim_matches('\'').to_owned()).collect()
}

#[test]
fn every_command_has_examples_that_can_be_typed() {
    for command in commands() {
        let below = below(&command);
        let name = command.get_name();
        let (_, examples) = below.split_once("Examples:\n").unwrap_or_else(|| {
            panic!("`mainstay {name} --help` has no examples: `after_help = \"Examples:…\"` in src/cli/arguments/")
        });
        let mut count = 0;
        for line in examples.lines().filter(|line| line.contains("mainstay ") && line.starts_with("  ")) {
            if line.trim().ends_with(':') || (!line.trim().starts_with("mainstay ") && !line.contains("<(")) {
                continue;
            }
            let words = words(line.trim());
            let error = Arguments::try_parse_from(&words).err();
            assert!(error.is_none(), "{name}: `{line}`: {}", error.unwrap());
            let shown = name == "mainstay" || words.get(1).is_some_and(|word| word == name);
            assert!(shown, "{name}: `{line}` is of another command");
            count += 1;
        }
        assert!(count > 0, "`mainstay {name} --help` shows no example that can be typed: {below}");
    }
}

#[test]
fn all_of_the_help_fits_a_terminal() {
    for mut command in commands() {
        let name = command.get_name().to_owned();
        // Lines that stand in columns would fall out of them.
        for line in below(&command).lines().filter(|line| line.starts_with(' ')) {
            assert!(line.chars().count() <= WIDTH, "{name}: {} columns: `{line}`", line.chars().count());
        }
        for help in [command.render_help(), command.render_long_help()] {
            for line in help.to_string().lines() {
                assert!(line.chars().count() <= WIDTH, "{name}: {} columns: `{line}`", line.chars().count());
            }
        }
    }
}

#[test]
fn every_command_has_a_manual_page_in_which_readers_find_no_fault() {
    let place = Place::new();
    let folder = place.top().join("man1");
    place.run(&["man", "--all", folder.as_str()]).good();
    let mut found: Vec<String> =
        folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    found.sort();
    let mut expected: Vec<String> = commands()
        .iter()
        .map(|command| match command.get_name() {
            "mainstay" => "mainstay.1".to_owned(),
            name => format!("mainstay-{name}.1"),
        })
        .collect();
    expected.sort();
    assert_eq!(found, expected);
    let one = place.run(&["man", "install"]).good().out;
    assert_eq!(one, std::fs::read_to_string(folder.join("mainstay-install.1")).unwrap());
    place.run(&["man", "instal"]).fails(2, "did you mean `install`?");
    for name in found {
        faultless("mandoc", &["-T", "lint", "-W", "warning"], folder.join(&name).as_std_path());
        faultless("man", &["--warnings", "-E", "UTF-8", "-l"], folder.join(&name).as_std_path());
    }
}

/// Has a page read by a program that names its faults.
fn faultless(reader: &str, arguments: &[&str], page: &Path) {
    let mut command = Command::new(reader);
    command.args(arguments).arg(page).env("MANPAGER", "cat").env("LC_ALL", "C.UTF-8");
    let Ok(output) = command.output() else { return left_out(&format!("manual pages in {reader}")) };
    let said = [output.stderr, if reader == "mandoc" { output.stdout } else { Vec::new() }].concat();
    // The pages of a version are the same wherever it was built, so they bear no date.
    let said: Vec<String> = String::from_utf8_lossy(&said)
        .lines()
        .filter(|line| !line.contains("cannot parse date"))
        .map(str::to_owned)
        .collect();
    let said = said.join("\n");
    assert!(said.is_empty(), "{reader}, {}: {said}", page.display());
    assert!(reader == "mandoc" || output.status.success(), "{reader}, {}", page.display());
}

#[test]
fn what_a_terminal_shows_is_what_was_checked() {
    let said = Command::new(MAINSTAY).args(["install", "--help"]).env("COLUMNS", "80").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("--binary <PROGRAM>") && said.lines().all(|line| line.chars().count() <= WIDTH),
        "{said}"
    );
}
