//! What a shell may put in the place of a word that is being typed: commands and flags, and what there is on this host,
//! instances and versions.
//!
//! The script that `mainstay completions` prints asks this program at each key, by a variable and the words.

use std::process::ExitCode;

use clap::{Command, CommandFactory as _, ValueHint};
use clap_complete::Shell;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;

use crate::cli::arguments::{Arguments, ScopeArguments};
use crate::cli::report::Report;
use crate::cli::surroundings;
use crate::engine::target::{Choice, all, find};
use crate::host::environment;
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::schema::Published;
use crate::package::tree;

/// The program's name, by which the scripts call it.
const NAME: &str = "mainstay";

/// The script for a shell.
pub(crate) fn script(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(shell) = Shells::builtins().completer(&shell.to_string()) {
        // A vector takes all that is written to it.
        let _ = shell.write_registration(environment::COMPLETING, NAME, NAME, NAME, &mut text);
    }
    text
}

/// Answers a shell. It shows no errors of ours, so there are none.
pub(crate) fn complete(report: &Report, shell: &str) -> ExitCode {
    // The script says `mainstay -- mainstay status --na`.
    let words = environment::words().into_iter().skip(1).skip_while(|word| word != "--").skip(1).collect();
    let folder = environment::working_folder().ok();
    let mut text = Vec::new();
    if let Some(shell) = Shells::builtins().completer(shell) {
        let folder = folder.as_ref().map(|folder| folder.as_std_path());
        let mut command = with_values(Arguments::command());
        command.build();
        let _ = shell.write_complete(&mut command, words, folder, &mut text);
    }
    report.raw(&String::from_utf8_lossy(&text));
    ExitCode::SUCCESS
}

/// The commands, with what can stand for their values on this host.
fn with_values(command: Command) -> Command {
    command.mut_subcommands(|command| {
        let of = command.get_name().to_owned();
        command.mut_args(|argument| {
            let candidates = match (of.as_str(), argument.get_id().as_str()) {
                ("schema", "name") => ArgValueCandidates::new(schemas),
                ("man", "command") => ArgValueCandidates::new(commands),
                // What is not there yet can't be named.
                ("install", "name" | "component") => return argument,
                (_, "name") => ArgValueCandidates::new(instances),
                (_, "component") => ArgValueCandidates::new(components),
                (_, "to") | ("repair", "version") => ArgValueCandidates::new(versions),
                (_, "platform") => ArgValueCandidates::new(platforms),
                (_, "instance_dir") | ("pack" | "export", "folder") => {
                    return argument.value_hint(ValueHint::DirPath);
                }
                (
                    _,
                    "from" | "binary" | "env_file" | "signature" | "output" | "pid_file" | "files"
                    | "answers",
                ) => {
                    return argument.value_hint(ValueHint::AnyPath);
                }
                _ => return argument,
            };
            argument.add(candidates)
        })
    })
}

fn markers() -> Vec<Marker> {
    let layouts = surroundings::layouts(ScopeArguments::default()).unwrap_or_default();
    all(&layouts).0
}

fn instances() -> Vec<CompletionCandidate> {
    let told = |marker: Marker| {
        let help = format!("{} in {}", marker.component, marker.folder);
        CompletionCandidate::new(marker.name.to_string()).help(Some(help.into()))
    };
    markers().into_iter().map(told).collect()
}

fn components() -> Vec<CompletionCandidate> {
    let mut names: Vec<String> = markers().into_iter().map(|marker| marker.component.to_string()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The versions that are unpacked of the instance that is named before, or that of this folder; the newest first.
fn versions() -> Vec<CompletionCandidate> {
    let unpacked = || {
        let layouts = surroundings::layouts(ScopeArguments::default()).ok()?;
        let (target, _) = find(&named(), &environment::working_folder().ok()?, &layouts).ok()?;
        let component = &target.marker.as_ref()?.component;
        let mut trees = tree::versions(&target.layout.install(&target.name), component).ok()?;
        trees.retain(|tree| tree.complete.is_some());
        trees.reverse();
        Some(trees)
    };
    let trees = unpacked().unwrap_or_default();
    trees.into_iter().map(|tree| CompletionCandidate::new(tree.version.to_string())).collect()
}

/// What was typed to name an instance.
fn named() -> Choice {
    let words: Vec<String> =
        environment::words().into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let after = |flag: &str| {
        let mut values =
            words.iter().enumerate().filter_map(|(place, word)| match word.strip_prefix(flag)? {
                "" => words.get(place + 1).map(String::as_str),
                value => value.strip_prefix('='),
            });
        values.next().map(str::to_owned)
    };
    Choice {
        folder: after("--instance-dir").map(Into::into),
        name: after("--name").and_then(|name| name.try_into().ok()),
        component: after("--component").and_then(|name| name.try_into().ok()),
    }
}

fn schemas() -> Vec<CompletionCandidate> {
    let name = |document: &Published| document.name().split('.').next().unwrap_or_default().to_owned();
    Published::ALL.iter().map(name).map(CompletionCandidate::new).collect()
}

fn commands() -> Vec<CompletionCandidate> {
    let all = Arguments::command();
    let shown = all.get_subcommands().filter(|command| !command.is_hide_set());
    shown
        .map(|command| CompletionCandidate::new(command.get_name()).help(command.get_about().cloned()))
        .collect()
}

fn platforms() -> Vec<CompletionCandidate> {
    PlatformKind::ALL.iter().map(|kind| CompletionCandidate::new(kind.as_str())).collect()
}
