//! Completions in real shells: what is typed is asked of bash, zsh and fish, and they ask the real binary.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails panics, and starts processes itself"
)]

mod real;

use std::path::Path;

use real::{MAINSTAY, Place, left_out};

/// A host with one instance, of which two versions are unpacked.
fn with_an_instance() -> Place {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    place
}

/// What a shell says to a script, with `mainstay` on its path; nothing if there is no such shell.
fn shell(place: &Place, shell: &str, arguments: &[&str]) -> Option<String> {
    let path = std::env::var("PATH").unwrap();
    if !path.split(':').any(|folder| Path::new(folder).join(shell).exists()) {
        left_out(&format!("completions in {shell}: it is not installed"));
        return None;
    }
    let folder = Path::new(MAINSTAY).parent().unwrap();
    let mut command = place.command(shell, &place.deploy());
    command.args(arguments).env("PATH", format!("{}:{path}", folder.display())).env("TERM", "dumb");
    let output = command.output().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shell}: {said}{failed}");
    Some(said.into_owned())
}

/// What is typed, the last word being the one that is completed, and what a shell has to offer.
const TYPED: [(&str, &[&str]); 9] = [
    ("mainstay stat", &["status"]),
    ("mainstay status --name ", &["web"]),
    ("mainstay status --name w", &["web"]),
    ("mainstay list --al", &["--all-users"]),
    ("mainstay upgrade --all --component ", &["server"]),
    ("mainstay upgrade --to ", &["2.0.0", "1.0.0"]),
    ("mainstay upgrade --name web --to 1", &["1.0.0"]),
    ("mainstay completions z", &["zsh"]),
    ("mainstay render --platform ", &["systemd", "embedded"]),
];

#[test]
fn bash_completes_commands_flags_instances_and_versions() {
    let place = with_an_instance();
    for (typed, expected) in TYPED {
        let words: Vec<&str> = typed.split(' ').collect();
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "source <(mainstay completions bash)\nCOMP_WORDS=({}) COMP_CWORD={} COMP_TYPE=9\n\
             _clap_complete_mainstay mainstay '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            quoted.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let Some(said) = shell(&place, "bash", &["--norc", "-c", &script]) else { return };
        let offered: Vec<&str> = said.lines().collect();
        assert!(expected.iter().all(|word| offered.contains(word)), "`{typed}`: {offered:?}");
    }
}

#[test]
fn fish_completes_commands_flags_instances_and_versions() {
    let place = with_an_instance();
    for (typed, expected) in TYPED {
        let script = format!("mainstay completions fish | source; complete -C '{typed}'");
        let Some(said) = shell(&place, "fish", &["--no-config", "-c", &script]) else { return };
        let offered: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
        assert!(expected.iter().all(|word| offered.contains(word)), "`{typed}`: {offered:?}");
    }
    let Some(said) = shell(
        &place,
        "fish",
        &["--no-config", "-c", "mainstay completions fish | source; complete -C 'mainstay status --name '"],
    ) else {
        return;
    };
    assert!(said.contains("server in "), "an instance says what it is: {said}");
}

/// zsh completes only at a terminal, so it is given one; a single thing to offer stands in the line then.
#[test]
fn zsh_completes_commands_flags_instances_and_versions() {
    let place = with_an_instance();
    let script = r#"
zmodload zsh/zpty zsh/datetime
zpty -b inner zsh -f -i
zpty -w inner 'PS1=; autoload -U compinit; compinit -u -D; setopt no_list_beep; source <(mainstay completions zsh); print ready'
function await() {
  local until=$((EPOCHSECONDS + 20)) chunk
  while ((EPOCHSECONDS < until)); do
    if zpty -r -t inner chunk; then seen+=$chunk; else sleep 0.05; fi
    [[ $seen == *$1* ]] && return 0
  done
  print -r -- "no ${1}: ${(V)seen}"
  return 1
}
seen=''
await $'\nready' || exit 1
seen=''
zpty -w -n inner "TYPED"$'\t'
await "EXPECTED" || exit 1
zpty -d inner
"#;
    let single = TYPED.iter().filter(|(_, expected)| expected.len() == 1);
    for (typed, expected) in single {
        let (before, _) = typed.rsplit_once(' ').unwrap();
        let expected = format!("{before} {}", expected[0]);
        let script = script.replace("TYPED", typed).replace("EXPECTED", &expected);
        if shell(&place, "zsh", &["-f", "-c", &script]).is_none() {
            return;
        }
    }
}

#[test]
fn powershell_is_given_a_completer_that_asks_the_binary() {
    let place = Place::new();
    let script = place.run(&["completions", "powershell"]).good().out;
    assert!(script.contains("Register-ArgumentCompleter -Native -CommandName mainstay"), "{script}");
    let count = |letter: char| script.matches(letter).count();
    assert_eq!((count('{'), count('(')), (count('}'), count(')')), "{script}");
    // What the script asks, asked by hand.
    let mut asked = place.command(MAINSTAY, &place.deploy());
    asked.args(["--", "mainstay", "stat"]).env("MAINSTAY_COMPLETE", "powershell");
    asked.env("_CLAP_COMPLETE_INDEX", "1");
    let said = String::from_utf8(asked.output().unwrap().stdout).unwrap();
    assert!(said.starts_with("status\t"), "{said}");
}

#[test]
fn a_host_without_instances_and_a_shell_that_nobody_knows_get_nothing() {
    let place = Place::new();
    for (shell, words) in
        [("fish", ["status", "--name", ""]), ("tcsh", ["sta", "", ""]), ("fish", ["upgrade", "--to", ""])]
    {
        let mut asked = place.command(MAINSTAY, &place.deploy());
        asked.args(["--", "mainstay"]).args(words).env("MAINSTAY_COMPLETE", shell);
        let output = asked.output().unwrap();
        assert!(
            output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
            "{output:?}"
        );
    }
}
