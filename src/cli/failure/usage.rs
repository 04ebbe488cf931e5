//! What was typed does not fit.

use std::process::ExitCode;

use camino::Utf8Path;
use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::arguments::{Arguments, OutputArguments};
use crate::cli::report::Report;
use crate::host::environment;
use crate::model::answer::failure::FailureAnswer;
use crate::model::name::InstanceName;
use crate::model::nearest::distance;
use crate::package::version::is_archive_name;

/// What clap says of arguments that do not fit, and of `--help` and `--version`; the first as a document as well, where
/// one is asked for.
pub(crate) fn usage(mut error: clap::Error, json: bool) -> ExitCode {
    let hint = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word))) => meant_by(word),
        (ErrorKind::InvalidSubcommand, _) => match error.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(word)) => called_otherwise(word),
            _ => None,
        },
        _ => None,
    };
    if let Some(hint) = hint {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    }
    nearest_first(&mut error);
    // If nobody reads it, there is nobody to tell.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    if json {
        let output = OutputArguments { json, ..OutputArguments::default() };
        Report::new(output).document(&answer(&error.render().to_string()));
    }
    ExitCode::from(2)
}

/// What was probably meant by a word that stands where none is expected.
fn meant_by(word: &str) -> Option<String> {
    let command = Arguments::command();
    let mut typed = std::env::args_os().skip(1).filter_map(|word| word.into_string().ok());
    let command = typed.find_map(|word| command.find_subcommand(word).cloned())?;
    let flags: Vec<&str> = command.get_arguments().filter_map(|argument| argument.get_long()).collect();
    if flags.contains(&"from") && (is_archive_name(word) || Utf8Path::new(word).is_dir()) {
        return Some(format!("a package is named with `--from {}`", environment::quoted(word)));
    }
    // A slip in one of four letters is still that word.
    let flag = flags.iter().find(|flag| flag.len() > 3 && distance(word, flag) <= flag.len() / 4);
    if let Some(flag) = flag {
        return Some(format!("did you mean `mainstay {} --{flag}`?", command.get_name()));
    }
    let names = flags.contains(&"name") && InstanceName::new(word).is_ok();
    names.then(|| format!("an instance is named with `--name {word}`"))
}

/// How a command is called here that others call so.
fn called_otherwise(word: &str) -> Option<String> {
    let here = match word {
        "rollback" | "roll-back" | "downgrade" => "upgrade --rollback",
        "remove" | "rm" | "delete" => "uninstall",
        "purge" => "uninstall --purge",
        "ls" | "ps" => "list",
        "update" => "upgrade",
        _ => return None,
    };
    Some(format!("here it is `mainstay {here}`"))
}

/// Puts the commands that are most like the one that was typed first.
fn nearest_first(error: &mut clap::Error) {
    let typed = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) => word.clone(),
        _ => return,
    };
    let mut similar = match error.get(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(similar)) => similar.clone(),
        _ => return,
    };
    similar.sort_by_key(|command| distance(&typed, command));
    error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(similar));
}

/// The first paragraph is the message, what follows helps.
fn answer(said: &str) -> FailureAnswer {
    let mut paragraphs = said.trim().split("\n\n");
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let help = paragraphs.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty());
    let in_one_line = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    FailureAnswer::new(2, in_one_line, Vec::new(), help.map(str::to_owned).collect())
}
