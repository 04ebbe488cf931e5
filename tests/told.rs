//! What a person is told who types something that does not fit, and how it looks at a terminal.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;
mod terminal;

use std::os::unix::fs::PermissionsExt as _;

use real::{MAINSTAY, Place};
use terminal::Terminal;

/// A command in front of a terminal.
fn seen(place: &Place, columns: u16, typed: &[&str]) -> Terminal {
    let mut command = place.command(MAINSTAY, &place.deploy());
    command.args(typed).env("TERM", "xterm-256color").env("NO_COLOR", "1").env_remove("CI");
    Terminal::controlling(&command, columns, 40)
}

/// The lines that came to a terminal, which breaks none of them itself.
fn lines(terminal: &Terminal) -> Vec<String> {
    terminal
        .bytes()
        .split("\r\n")
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A server that is installed.
fn installed() -> Place {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    place
}

/// What a command says of how to go on.
fn hint(place: &Place, typed: &[&str]) -> String {
    let output = place.run_in(place.top(), typed).fails(2, "error:");
    output.err.lines().find_map(|line| line.trim().strip_prefix("tip: ")).unwrap_or_default().to_owned()
}

#[test]
fn a_word_too_many_is_understood() {
    let place = Place::new();
    std::fs::create_dir(place.top().join("packages")).unwrap();
    for (typed, expected) in [
        (
            &["install", "esbuild-linux-0.24.0.tgz"][..],
            "a package is named with `--from esbuild-linux-0.24.0.tgz`",
        ),
        (
            &["install", "--yes", "dist/tool-1.0-py3-none-any.whl"],
            "a package is named with `--from dist/tool-1.0-py3-none-any.whl`",
        ),
        (&["upgrade", "a b.zip"], "a package is named with `--from 'a b.zip'`"),
        (&["upgrade", "packages"], "a package is named with `--from packages`"),
        (&["upgrade", "rollback"], "did you mean `mainstay upgrade --rollback`?"),
        (&["upgrade", "rolback", "--yes"], "did you mean `mainstay upgrade --rollback`?"),
        (&["upgrade", "--rolback"], "a similar argument exists: '--rollback'"),
        (&["uninstall", "purge"], "did you mean `mainstay uninstall --purge`?"),
        (&["rollback"], "here it is `mainstay upgrade --rollback`"),
        (&["remove"], "here it is `mainstay uninstall`"),
        (&["status", "web"], "an instance is named with `--name web`"),
        (&["restart", "web"], "an instance is named with `--name web`"),
        (&["schema", "manifest", "web"], ""),
    ] {
        assert_eq!(hint(&place, typed), expected, "{typed:?}");
    }
    let similar = hint(&place, &["instal"]);
    assert!(similar.starts_with("some similar subcommands exist: 'install', "), "{similar}");
}

#[test]
fn an_archive_of_something_else_says_so() {
    let place = Place::new();
    let source = place.top().join("source");
    std::fs::create_dir_all(source.join("bin")).unwrap();
    std::fs::copy(real::program("server"), source.join("bin/server")).unwrap();
    let archive = place.top().join("esbuild-linux-0.24.0.tgz");
    mainstay::package::pack::pack(&source, &archive).unwrap();
    place.declare(&place.deploy(), "k", "");
    let manifest = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace(r#", "version": "1.0.0""#, "").replace("\"server\"", "\"k\""))
        .unwrap();
    let output = place
        .run(&["install", "--from", archive.as_str()])
        .fails(2, "is called like an archive of `esbuild`");
    assert!(
        output.err.contains("help: if it is the one that you mean, write `esbuild` as `package.name`"),
        "{output:?}"
    );
    assert!(
        output.err.contains("`--version 0.24.0`") && !output.err.contains("several versions"),
        "{output:?}"
    );
}

#[test]
fn messages_are_broken_between_words_at_a_terminal_and_nowhere_else() {
    let place = installed();
    for (columns, code, typed) in [
        (50, 2, &["logs", "--since", "today"][..]),
        (50, 3, &["status", "--name", "wbe"]),
        (24, 0, &["start"]),
        (50, 2, &["upgrade"]),
    ] {
        let piped = place.run(typed).fails(code, "");
        let piped = format!("{}{}", piped.out, piped.err);
        assert!(piped.lines().any(|line| line.chars().count() > usize::from(columns)), "{piped}");
        let mut terminal = seen(&place, columns, typed);
        assert_eq!(terminal.ended(), code, "{}", terminal.bytes());
        let shown = lines(&terminal);
        // A word that is wider stands alone.
        let fits = |line: &String| line.chars().count() <= usize::from(columns) || words(line).len() == 1;
        assert!(shown.iter().all(fits), "{shown:#?}");
        assert_eq!(words(&shown.join("\n")), words(&piped), "{typed:?}");
    }
}

#[test]
fn nothing_of_a_history_is_lost_in_a_narrow_terminal() {
    let place = installed();
    place.run(&["upgrade", "--from", &place.broken_archive("2.0.0"), "--yes"]).fails(7, "");
    let piped = place.run(&["history"]).good().out;
    let reason = piped.lines().find(|line| line.contains("taken back")).unwrap().to_owned();
    assert!(reason.chars().count() > 80, "{reason}");
    let mut terminal = seen(&place, 80, &["history"]);
    assert_eq!(terminal.ended(), 0);
    let shown = lines(&terminal);
    assert!(shown.iter().all(|line| line.chars().count() <= 80), "{shown:#?}");
    // One line for each thing that happened, and what does not fit below it.
    let events = shown.iter().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(events, piped.lines().count(), "{shown:#?}");
    let heading = |line: &str| line.starts_with("WHEN");
    let without = |text: &str| text.lines().filter(|line| !heading(line)).flat_map(words).collect::<Vec<_>>();
    assert_eq!(without(&shown.join("\n")), without(&piped));
}

#[test]
fn a_log_is_quoted_once_and_as_logs_shows_it() {
    let place = installed();
    let output = place.run(&["upgrade", "--from", &place.broken_archive("2.0.0"), "--yes"]).fails(7, "");
    let quoted: Vec<&str> =
        output.err.lines().skip_while(|line| *line != "help: its last lines:").skip(1).collect();
    let (line, rest) = quoted.split_first().unwrap_or_else(|| panic!("{output:?}"));
    assert!(line.starts_with("  20") && line.ends_with(" no luck"), "{output:?}");
    assert!(rest.iter().all(|line| line.starts_with("help: `mainstay")), "{output:?}");
    let logged = place.run(&["logs", "--no-follow", "--grep", "no luck"]).good().out;
    assert_eq!(line.trim(), logged.trim());
}

#[test]
fn that_nobody_vouches_for_an_archive_is_said_once_and_only_where_it_matters() {
    let place = installed();
    let archive = place.archive("1.1.0");
    let said = |text: &str| text.matches("is not signed").count();
    let digest = |text: &str| {
        let after = text.split("its sha256 is ").nth(1).unwrap_or_default();
        after.chars().take_while(char::is_ascii_hexdigit).count()
    };
    let mut terminal = seen(&place, 200, &["upgrade", "--from", &archive]);
    terminal.awaits("the question", |screen| screen.contains("[y/N]"));
    terminal.types("y\n");
    assert_eq!(terminal.ended(), 0, "{}", terminal.bytes());
    let shown = terminal.bytes();
    assert_eq!((said(&shown), digest(&shown)), (1, 12), "{shown}");
    // What it means for whoever uses the service, before anybody agrees.
    let meant = "In short: the service is down until it is ready again, at most ";
    assert!(shown.contains(meant) && shown.contains("; 1.0.0 stays as the way back."), "{shown}");
    assert!(!shown.contains("close the switch"), "{shown}");
    // What runs already.
    let again = place.run(&["upgrade", "--from", &archive, "--yes"]).good();
    assert!(again.out.contains("nothing to do") && said(&again.err) == 0, "{again:?}");
    let verbose = place.run(&["upgrade", "--from", &place.archive("1.2.0"), "--yes", "-v"]).good();
    assert_eq!((said(&verbose.err), digest(&verbose.err)), (1, 64), "{verbose:?}");
}

#[test]
fn a_rehearsal_has_done_nothing() {
    let place = installed();
    for typed in [&["upgrade", "--cleanup", "--dry-run"][..], &["start", "--dry-run"], &["start"]] {
        let output = place.run(typed).good();
        assert!(output.out.starts_with("nothing to do: "), "{typed:?}: {output:?}");
    }
}

#[test]
fn a_manual_page_is_read_at_a_terminal() {
    let place = Place::new();
    let folder = place.top().join("tools");
    std::fs::create_dir(&folder).unwrap();
    let reader = |text: &str| {
        std::fs::write(folder.join("man"), text).unwrap();
        std::fs::set_permissions(folder.join("man"), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let shown = |typed: &[&str]| {
        let mut command = place.command(MAINSTAY, &place.deploy());
        command.args(typed).env("PATH", format!("{folder}:/usr/bin:/bin"));
        let mut terminal = Terminal::controlling(&command, 80, 24);
        assert_eq!(terminal.ended(), 0);
        terminal.bytes()
    };
    reader("#!/bin/sh\necho \"read by man: ${1##*/}\"; grep -c '^\\.TH' \"$1\"\n");
    let page = shown(&["man", "install"]);
    assert!(page.contains("read by man: mainstay-install.1\r\n1\r\n") && !page.contains(".TH"), "{page}");
    // Where none is read, and where nobody looks, it is printed.
    reader("#!/bin/sh\nexit 1\n");
    assert!(shown(&["man", "install"]).contains(".TH"));
    assert!(place.run(&["man", "install"]).good().out.contains(".TH"));
}

#[test]
fn logs_that_go_on_say_so() {
    let place = installed();
    let terminal = seen(&place, 100, &["logs"]);
    terminal.awaits("how to end", |screen| screen.contains("following: Ctrl-C ends; `--no-follow` shows"));
    terminal.types("\u{3}");
    for typed in [&["logs"][..], &["logs", "--no-follow"]] {
        let output = place.run(typed).good();
        assert!(!output.err.contains("following"), "{output:?}");
    }
}

#[test]
fn a_history_does_not_end_with_an_ending_where_it_runs() {
    let place = installed();
    let last = || place.run(&["history"]).good().out.lines().last().unwrap().to_owned();
    assert!(last().contains("installed"), "{}", last());
    place.run(&["stop"]).good();
    assert!(last().contains("ended") && last().contains("stopped"), "{}", last());
    place.run(&["start"]).good();
    let words = words(&last());
    assert!(words.contains(&"started".to_owned()) && words.contains(&"1.0.0".to_owned()), "{words:?}");
}
