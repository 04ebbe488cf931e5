//! What can be typed after `validate`.

use camino::Utf8PathBuf;
use clap::Args;

/// `validate`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay validate                        what this folder has\n  \
    mainstay validate deploy/* --strict      several; warnings count as faults\n  \
    mainstay validate --short                a line each, for editors and grep\n  \
    jq .service.boot=false mainstay.json | mainstay validate -")]
pub struct ValidateArguments {
    /// Manifests and package descriptions, folders that hold some, or `-` for standard input (default: the working folder)
    pub files: Vec<Utf8PathBuf>,
    /// Fail on warnings as well
    #[arg(long)]
    pub strict: bool,
    /// A line for each fault, without the text around it
    #[arg(long, conflicts_with = "json")]
    pub short: bool,
}
