//! What the parser of arguments says of a command line that it does not take, made by typing such lines.

use clap::Parser as _;
use clap::error::ErrorKind;
use mainstay::cli::arguments::Arguments;

use crate::messages::{GAP, Message};

/// A line for each kind of fault that can be typed.
const LINES: [(&str, ErrorKind); 9] = [
    ("mainstay frobnicate", ErrorKind::InvalidSubcommand),
    ("mainstay status --nmae web", ErrorKind::UnknownArgument),
    ("mainstay status --name", ErrorKind::InvalidValue),
    ("mainstay completions tcsh", ErrorKind::InvalidValue),
    ("mainstay status --name Web!", ErrorKind::ValueValidation),
    ("mainstay status --name a --name b", ErrorKind::ArgumentConflict),
    ("mainstay install --from a.zip --url https://a/b", ErrorKind::ArgumentConflict),
    ("mainstay run", ErrorKind::MissingRequiredArgument),
    ("mainstay status --quiet=yes", ErrorKind::TooManyValues),
];

/// The messages, with what was typed taken out.
pub(crate) fn messages() -> Vec<Message> {
    LINES.iter().map(|(line, kind)| message(line, *kind)).collect()
}

fn message(line: &str, kind: ErrorKind) -> Message {
    let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
    assert_eq!(error.kind(), kind, "`{line}`");
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let mut gapped = String::new();
    // What stands between quotes was typed, or is an argument's name.
    for part in first.split("' ") {
        match part.split_once('\'') {
            Some((before, _)) => gapped += &[before, "`", GAP, "` "].concat(),
            None => gapped += part,
        }
    }
    let text = match kind {
        ErrorKind::ValueValidation => "invalid value `…` for `…`: …".to_owned(),
        _ => gapped.trim().to_owned(),
    };
    Message { file: "cli/arguments".to_owned(), home: format!("{kind:?}"), text }
}
